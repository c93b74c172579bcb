import dataclasses
import json
import math

import pytest

from faststyle.train.settings import TrainSettings


def settings(**values) -> TrainSettings:
    return TrainSettings(**({"style_images": ("styles/woodcut.png",), "content": "photos"} | values))


class TestFadeIn:
    @pytest.mark.parametrize(
        ("values", "step", "share"),
        [
            ({"fade_in_steps": 10}, 3, 0.3),
            ({"fade_in_steps": 10}, 10, 1.0),
            ({"fade_in_steps": 10}, 11, 1.0),
            ({"fade_in_steps": 0}, 1, 1.0),
            ({"fade_in_steps": 0, "base": "random"}, 1, 1.0),
            ({"base": "gallery"}, 1, 1.0),
            ({"base": "my_weights.npz"}, 1, 1.0),
            ({"base": "random", "steps": 400}, 25, 0.25),  # a quarter of 400 steps
            ({"base": "random", "steps": 400}, 100, 1.0),
            ({"base": "random", "steps": 40_000}, 250, 0.5),  # at most 500 steps
            ({"base": "random", "steps": 3}, 1, 1.0),
        ],
    )
    def test_the_share_of_the_objective_by_hand(self, values, step, share):
        assert settings(**values).fade_in(step) == pytest.approx(share)

    def test_it_never_falls_and_ends_at_one(self):
        shares = [settings(base="random", steps=100).fade_in(step) for step in range(1, 101)]
        assert shares == sorted(shares)
        assert 0 < shares[0] < shares[-1] == 1.0


class TestJson:
    def test_settings_survive_the_round_trip(self):
        original = settings(
            style_images=("a.png", "b/ü.jpg"),
            style_layers={"rgb": 0.5, "relu1_2": 2.0},
            fade_in_steps=7,
            pooling="average",
            learning_rate=3e-4,
        )
        assert TrainSettings.from_json(original.to_json()) == original

    def test_every_setting_is_written(self):
        written = json.loads(settings().to_json())
        assert written.keys() == {field.name for field in dataclasses.fields(TrainSettings)}
        assert written["style_images"] == ["styles/woodcut.png"]
        assert list(written) == sorted(written)

    def test_an_unknown_setting_is_named(self):
        text = json.dumps({"style_images": ["a.png"], "content": "photos", "sharpness": 3, "blur": 1})
        with pytest.raises(ValueError, match="^unknown settings: blur, sharpness$"):
            TrainSettings.from_json(text)

    def test_a_run_that_names_no_optimizer_was_trained_with_adam(self):
        text = json.dumps({"style_images": ["a.png"], "content": "photos"})
        assert TrainSettings.from_json(text) == settings(style_images=["a.png"], optimizer="adam")

    @pytest.mark.parametrize("text", ["", '{"content": "pho', "[]", "3", "null"])
    def test_other_text_is_a_value_error(self, text):
        with pytest.raises(ValueError, match=r"."):
            TrainSettings.from_json(text)


class TestDefaultsAndNames:
    def test_only_style_and_content_must_be_given(self):
        required = [
            field.name
            for field in dataclasses.fields(TrainSettings)
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        ]
        assert required == ["style_images", "content"]

    def test_defaults_that_adapt_to_the_machine_and_the_start(self):
        defaults = settings()
        assert (defaults.precision, defaults.fade_in_steps, defaults.data_dir) == ("auto", None, None)

    def test_layers_of_one_run_are_not_those_of_another(self):
        first, second = settings(), settings()
        first.style_layers["relu5_1"] = 9.0
        first.content_layers.clear()
        assert "relu5_1" not in second.style_layers
        assert second.content_layers

    def test_a_style_is_named_as_its_file(self):
        names = settings(style_images=["a/starry night.jpg", "the_scream.v2.png"]).row_names()
        assert names == ["starry night", "the_scream.v2"]

    def test_settings_cannot_be_changed_afterwards(self):
        with pytest.raises(dataclasses.FrozenInstanceError):
            settings().steps = 3


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("style_images", (), "a run needs at least one style image"),
        ("steps", 0, "--steps must be 1 or more, got 0"),
        ("batch_size", -2, "--batch-size must be 1 or more, got -2"),
        ("checkpoint_every", 0, "--checkpoint-every must be 1 or more, got 0"),
        ("preview_every", 0, "--preview-every must be 1 or more, got 0"),
        ("style_sizes", (512, 31), "--style-sizes must lie in 32..8192, got (512, 31)"),
        ("tuned", "none", "--tuned must be one of all, rows, got 'none'"),
        ("held_out", -1, "--held-out must be 0 or more, got -1"),
        ("warmup_steps", -1, "--warmup-steps must be 0 or more, got -1"),
        ("fade_in_steps", -5, "--fade-in-steps must be 0 or more, got -5"),
        ("clip_norm", -0.5, "--clip-norm must be 0 or more, got -0.5"),
        ("seed", -1, "--seed must be 0 or more, got -1"),
        ("style_sizes", (10**7,), "--style-sizes must lie in 32..8192, got (10000000,)"),
        ("width", 4.5, "--width must lie in (0, 4], got 4.5"),
        ("image_size", 12, "--image-size must be a multiple of 4 in 16..8192, got 12"),
        ("image_size", 30, "--image-size must be a multiple of 4 in 16..8192, got 30"),
        ("optimizer", "sgd", "--optimizer must be one of muon, adam, got 'sgd'"),
        ("learning_rate", 0.0, "--learning-rate must be above 0, got 0.0"),
        ("learning_rate", math.nan, "--learning-rate must be above 0, got nan"),
    ],
)
def test_a_value_out_of_range_is_named_as_its_option(name, value, message):
    with pytest.raises(ValueError, match=r".") as caught:
        settings(**{name: value})
    assert str(caught.value) == message


@pytest.mark.parametrize(("name", "value"), [("image_size", 16), ("steps", 1), ("held_out", 0), ("fade_in_steps", 0)])
def test_the_smallest_values_are_accepted(name, value):
    assert getattr(settings(**{name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("content", 7), ("content", None), ("data_dir", 3), ("style_images", "sea.jpg"), ("style_images", [7])),
        *(("content_layers", ["relu2_2"]), ("style_layers", {"relu1_2": "1"}), ("learning_rate", "1e-3")),
        *(("style_sizes", [512.5]), ("learned_strength", 1), ("width", True), ("steps", 8.0), ("seed", [])),
    ],
)
def test_a_saved_value_of_another_kind_is_named(name, value):
    saved = json.loads(settings().to_json()) | {name: value}
    with pytest.raises(ValueError, match=f"^{name} is of another kind$"):
        TrainSettings.from_json(json.dumps(saved))


def test_processes_of_one_training_may_keep_their_files_elsewhere_and_differ_in_nothing_else():
    one = TrainSettings(style_images=("a/woodcut.png",), content="photos", vgg_weights="a.npz")
    other = TrainSettings(style_images=("b/woodcut.png",), content="elsewhere", data_dir="d")
    assert one.of_all_processes() == other.of_all_processes()
    assert one.of_all_processes() != dataclasses.replace(one, seed=1).of_all_processes()


def test_two_style_images_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two style images are named 'sea'"):
        TrainSettings(style_images=("a/sea.jpg", "b/sea.png"), content="photos")


def test_style_names_hold_nothing_that_mix_reads_as_punctuation():
    assert TrainSettings(style_images=("a,b=c.jpg",), content="photos").row_names() == ["a_b_c"]


def test_each_style_has_a_row_for_each_size_and_the_photo_comes_last():
    several = settings(style_images=("a/sea.jpg", "b.png"), style_sizes=(256, 512), learned_strength=True)
    assert several.style_rows() == [
        ("sea@256", "a/sea.jpg", 256),
        ("sea@512", "a/sea.jpg", 512),
        ("b@256", "b.png", 256),
        ("b@512", "b.png", 512),
    ]
    assert several.row_names() == ["sea@256", "sea@512", "b@256", "b@512", "photo"]


def test_a_style_named_photo_is_refused_where_the_photo_itself_is_learned():
    with pytest.raises(ValueError, match="two style images are named 'photo'"):
        settings(style_images=("photo.jpg",), learned_strength=True)


def test_rows_alone_cannot_be_tuned_on_random_layers():
    with pytest.raises(ValueError, match="--tuned rows needs trained layers"):
        settings(tuned="rows", base="random")


@pytest.mark.parametrize(
    ("values", "rate"), [({}, 1e-3), ({"tuned": "rows"}, 1e-2), ({"tuned": "rows", "learning_rate": 2e-3}, 2e-3)]
)
def test_rows_alone_learn_at_a_higher_rate_unless_one_is_set(values, rate):
    assert settings(**values).peak_learning_rate() == rate
