import argparse
import dataclasses
from pathlib import Path

import pytest

from faststyle.train.settings import TrainSettings
from faststyle.train.train_command import add_train_command, parse_layers, run_train

# A value for every setting, other than its default, as it is typed.
TYPED = {
    "content": "tfds:coco/2017",
    "data_dir": "datasets",
    "loss_network": "vgg19",
    "vgg_weights": "vgg.h5",
    "pooling": "average",
    "content_layers": "relu4_2",
    "style_layers": "relu1_1=0.5,relu2_1",
    "statistic": "gram",
    "content_weight": "0.125",
    "style_weight": "2.5",
    "tv_weight": "0.25",
    "style_sizes": "300,400",
    "image_size": "128",
    "batch_size": "16",
    "steps": "77",
    "optimizer": "adam",
    "learning_rate": "0.002",
    "learning_rate_decay": "constant",
    "warmup_steps": "3",
    "fade_in_steps": "9",
    "clip_norm": "1.5",
    "base": "my_weights.npz",
    "tuned": "rows",
    "width": "0.25",
    "precision": "float32",
    "seed": "5",
    "held_out": "4",
    "checkpoint_every": "11",
    "preview_every": "13",
}
PARSED = {
    "content_layers": {"relu4_2": 1.0},
    "style_layers": {"relu1_1": 0.5, "relu2_1": 1.0},
    "style_sizes": (300, 400),
}


def parse(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_train_command(parser.add_subparsers())
    return parser.parse_args(["train", *argv])


@pytest.fixture
def runs(monkeypatch):
    """What `run_train` asks to be trained; nothing is."""
    asked: list = []
    monkeypatch.setattr("faststyle.train.start.run_training", lambda *given, **more: asked.append((*given, more)))
    return asked


def test_the_shortest_command_trains_with_the_defaults(runs):
    assert run_train(parse("woodcut.png", "--content", "photos", "--output", "run")) == 0
    expected = TrainSettings(style_images=("woodcut.png",), content="photos")
    assert runs == [(expected, Path("run"), {"dry_run": False})]


def test_several_styles_and_a_dry_run(runs):
    run_train(parse("a.png", "b.png", "--content", "photos", "--output", "run", "--dry-run"))
    assert runs[0][0].style_images == ("a.png", "b.png")
    assert runs[0][2] == {"dry_run": True}


def test_every_setting_has_an_option_that_sets_it(runs):
    options = [part for name, text in TYPED.items() for part in ("--" + name.replace("_", "-"), text)]
    run_train(parse("a.png", "--output", "run", *options))
    given = dataclasses.asdict(runs[0][0])
    assert given.keys() == {*TYPED, "style_images", "learned_strength"}
    for name, text in TYPED.items():
        kind = float if isinstance(given[name], float) else type(given[name])
        assert given[name] == (PARSED[name] if name in PARSED else kind(text))
        assert given[name] != getattr(TrainSettings(style_images=("a.png",), content="photos"), name)


def test_the_photo_itself_is_learned_on_request(runs):
    command = ["a.png", "--content", "photos", "--output", "run"]
    run_train(parse(*command))
    run_train(parse(*command, "--learned-strength"))
    assert [settings.learned_strength for settings, _, _ in runs] == [False, True]


def test_settings_out_of_range_are_a_value_error(runs):
    with pytest.raises(ValueError, match="--image-size must be a multiple of 4"):
        run_train(parse("a.png", "--content", "photos", "--output", "run", "--image-size", "30"))
    assert runs == []


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--content", "photos", "--output", "run"], "STYLE_IMAGE"),
        (["a.png", "--output", "run"], "--content"),
        (["a.png", "--content", "photos"], "--output"),
        (["a.png", "--content", "photos", "--output", "run", "--steps", "many"], "--steps"),
        (["a.png", "--content", "photos", "--output", "run", "--loss-network", "alexnet"], "alexnet"),
        (["a.png", "--content", "photos", "--output", "run", "--style-sizes", "256,big"], "256,big"),
        (["a.png", "--content", "photos", "--output", "run", "--style-layers", "relu1_1=x"], "relu1_1=x"),
    ],
)
def test_arguments_that_make_no_sense_are_named(argv, words, capsys):
    with pytest.raises(SystemExit) as caught:
        parse(*argv)
    assert caught.value.code == 2
    assert words in capsys.readouterr().err.splitlines()[-1]


def test_the_help_tells_every_default(capsys):
    with pytest.raises(SystemExit):
        parse("--help")
    words = " ".join(capsys.readouterr().out.split())
    for name in TYPED.keys() - {"content"}:
        option = words.split(f" --{name.replace('_', '-')} ")[-1].split(" --")[0]
        assert "(default: " in option, name
    assert "SUPPRESS" not in words
    assert f"(default: {TrainSettings(style_images=('a.png',), content='photos').steps})" in words


class TestParseLayers:
    def test_names_with_and_without_weights(self):
        assert parse_layers("relu1_2,relu3_3=0.5, rgb=2") == {"relu1_2": 1.0, "relu3_3": 0.5, "rgb": 2.0}

    def test_the_order_is_kept(self):
        assert list(parse_layers("relu4_3,relu1_2")) == ["relu4_3", "relu1_2"]

    @pytest.mark.parametrize("part", ["relu1_2=x", "relu1_2=1=2"])
    def test_a_weight_that_is_no_number_is_quoted(self, part):
        with pytest.raises(argparse.ArgumentTypeError, match=f"'{part}' is not LAYER or LAYER=WEIGHT"):
            parse_layers(f"relu3_3,{part}")
