import json
from pathlib import Path

import pytest

from faststyle.infer.compare.command import command_of, parse_methods, settings_from
from faststyle.infer.compare.settings import CompareSettings, Method, objective_of_model
from faststyle.infer.optimize.settings import OptimizeSettings
from faststyle.infer.styles.gallery import GALLERY_MODEL
from faststyle.infer.styles.model_card import CARD_FILE, ModelCardError
from faststyle.models.objective_settings import ObjectiveSettings
from faststyle.scripts.faststyle import COMMANDS, add_command

OBJECTIVE = OptimizeSettings(content="photos", styles=("style.jpg",))


def parsed(*words: str):
    import argparse

    subcommands = argparse.ArgumentParser().add_subparsers()
    for name in COMMANDS:
        add_command(name)(subcommands)
    required = ["--style", "style.jpg", "--content", "photos", "--output", "report"]
    return subcommands.choices["compare"].parse_args([*words, *required])


def model_with_card(folder: Path, *, styles: tuple[str, ...] = ("a",), **settings) -> str:
    (folder / CARD_FILE).parent.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"")
    (folder / CARD_FILE).write_text(json.dumps({"styles": styles, "settings": settings}))
    return str(folder)


def test_the_objective_is_what_the_model_was_trained_on(tmp_path):
    trained = {
        "content_weight": 0.7,
        "style_layers": {"relu1_1": 2.0},
        "loss_network": "vgg19",
        "style_sizes": [384, 512],
    }
    settings = settings_from(parsed(model_with_card(tmp_path / "model", **trained, steps=9)))
    objective = settings.objective.objective_settings()
    assert (objective.content_weight, objective.style_layers) == (0.7, {"relu1_1": 2.0})
    assert (settings.objective.loss_network, settings.style_size) == ("vgg19", 384)


def test_a_gallery_style_is_compared_by_its_name():
    settings = settings_from(parsed("udnie"))
    assert (settings.model, settings.mix) == (str(GALLERY_MODEL), {"udnie": 1.0})
    with pytest.raises(ValueError, match="did you mean udnie"):
        settings_from(parsed("udni"))


def test_options_override_what_the_model_was_trained_on(tmp_path):
    model = model_with_card(tmp_path / "model", content_weight=0.7, tv_weight=1.0, style_sizes=[384])
    settings = settings_from(parsed(model, "--content-weight", "2", "--style-size", "100"))
    objective = settings.objective.objective_settings()
    assert (objective.content_weight, objective.tv_weight, settings.style_size) == (2.0, 1.0, 100)


def test_without_a_card_the_objective_is_the_trainers_default():
    assert settings_from(parsed("runs/nowhere")).objective.objective_settings() == ObjectiveSettings()


def test_a_style_of_several_sizes_is_judged_at_its_own(tmp_path):
    model = model_with_card(tmp_path / "model", styles=("a@256", "a@512"), style_sizes=[256, 512])
    assert settings_from(parsed(model)).style_size == 256
    assert settings_from(parsed(model, "--mix", "a@512")).style_size == 512
    single = model_with_card(tmp_path / "single", styles=("a@512",), style_sizes=[256, 512])
    assert settings_from(parsed(single)).style_size == 512


def test_a_card_without_a_run_still_names_its_loss_network(tmp_path):
    model = Path(model_with_card(tmp_path / "model"))
    (model / CARD_FILE).write_text(json.dumps({"styles": ["a"], "loss_network": "vgg19"}))
    assert objective_of_model(model) == {"loss_network": "vgg19"}


def test_weights_that_lay_on_the_training_machine_are_searched_again(tmp_path):
    model = model_with_card(tmp_path / "model", vgg_weights="/gone/vgg16.h5", loss_network="vgg16")
    assert objective_of_model(Path(model)) == {"loss_network": "vgg16"}


@pytest.mark.parametrize(
    "settings",
    [
        {"content_weight": "7"},
        {"style_layers": ["relu1_2"]},
        {"style_layers": {"relu1_2": "x"}},
        {"vgg_weights": ["a.h5"]},
        {"loss_network": 3},
        {"style_sizes": "256"},
        {"style_sizes": 256},
        {"style_sizes": [10**20]},
    ],
    ids=str,
)
def test_a_strangers_card_with_settings_of_another_kind_is_one_line(tmp_path, settings):
    model = Path(model_with_card(tmp_path / "model", **settings))
    with pytest.raises(ModelCardError) as caught:
        objective_of_model(model)
    assert (
        str(caught.value) == f"{model}: no readable model card {CARD_FILE} (its {next(iter(settings))} cannot be used)"
    )


@pytest.mark.parametrize(("size", "count"), [(128, 400), (256, 400), (384, 200), (512, 200), (1024, 100)])
def test_larger_sizes_get_fewer_iterations(size, count):
    settings = CompareSettings(model="m", style="s", content="c", objective=OBJECTIVE, sizes=(size,))
    assert settings.iterations_at(size) == count


def test_one_number_of_iterations_is_for_every_size():
    settings = settings_from(parsed("runs/m", "--iterations", "7", "--sizes", "64,128"))
    assert [settings.iterations_at(size) for size in (64, 128)] == [7, 7]
    settings = settings_from(parsed("runs/m", "--iterations", "7,5", "--sizes", "64,128"))
    assert [settings.iterations_at(size) for size in (64, 128)] == [7, 5]


def test_methods_by_name_and_in_words():
    first, second = parse_methods("lbfgs:noise,adam:content")
    assert (first, second) == (Method("lbfgs", "noise"), Method("adam", "content"))
    assert (first.title, second.title) == ("L-BFGS from noise", "Adam from the content image")


def test_the_command_is_what_gives_these_settings(tmp_path):
    words = ["runs/m", "--input-range=-1,1", "--style-layers", "rgb,relu1_2=0.5", "--mix", "a", "--sizes", "64,128"]
    arguments = parsed(*words, "--content-weight", "0.25")
    import shlex

    program, command, *again = shlex.split(command_of(arguments))
    assert (program, command) == ("faststyle", "compare")
    assert settings_from(parsed(*again)) == settings_from(arguments)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"photos": 0}, "--photos must be 1 or more"),
        ({"sizes": (64, 64)}, "--sizes must name each once"),
        ({"sizes": (16,)}, "--sizes must lie in 32..8192 px, got 16"),
        ({"style_size": 16}, "--style-size must lie in 32..8192 px"),
        ({"iterations": (1, 2)}, "one for each of 3 sizes"),
        ({"output_range": (1.0, 1.0)}, "--output-range must be LOW,HIGH"),
    ],
)
def test_settings_out_of_range_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        CompareSettings(model="m", style="s", content="c", objective=OBJECTIVE, **changes)
