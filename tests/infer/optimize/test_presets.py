import numpy as np
import pytest

from faststyle.infer.optimize.presets import PRESETS, preset_options, stand_in
from faststyle.infer.optimize.published_units import in_published_units
from faststyle.infer.optimize.settings import OptimizeSettings
from faststyle.models.loss_network import LossNetwork
from faststyle.models.loss_network_weights import imagenet_cache_path
from faststyle.models.objective import Objective, ObjectiveSettings


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_settings(name):
    settings = OptimizeSettings(content="a", styles=("b",), **preset_options(name))
    assert settings.statistic == "gram"
    assert settings.objective_settings().weights()["content"] > 0


def test_unknown_preset_is_named():
    with pytest.raises(ValueError, match="unknown preset 'monet'; choose one of gatys, johnson, fastai, novak"):
        preset_options("monet")


def test_novak_weights_fall_by_half_over_all_sixteen_layers():
    layers = list(preset_options("novak")["style_layers"].values())
    assert layers == [2.0**power for power in range(15, -1, -1)]


@pytest.mark.parametrize("name", ["gatys", "novak"])
def test_vgg16_stands_in_for_a_vgg19_that_is_not_there(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    published = preset_options(name)
    options = stand_in(published)
    assert options["loss_network"] == "vgg16"
    gone = published["style_layers"].keys() - options["style_layers"].keys()
    assert gone == ({"relu3_4", "relu4_4", "relu5_4"} if name == "novak" else set())
    assert options["style_layers"].items() <= published["style_layers"].items()
    assert capsys.readouterr().err == (
        f"vgg16 stands in for vgg19: {imagenet_cache_path('vgg19')} is not there; --loss-network vgg19 downloads it\n"
    )
    imagenet_cache_path("vgg19").parent.mkdir()
    imagenet_cache_path("vgg19").touch()
    assert stand_in(published) == published
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["johnson", "fastai"])
def test_presets_of_vgg16_need_no_stand_in(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert stand_in(preset_options(name)) == preset_options(name)
    assert capsys.readouterr().err == ""


def test_layer_exponent_and_content_blend():
    settings = OptimizeSettings(
        content="a",
        styles=("b",),
        style_layers={"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 2.0},
        style_layer_exponent=3,
        content_layers={"relu1_1": 1.0, "relu2_1": 1.0},
        content_blend=0.25,
    ).objective_settings()
    assert settings.style_layers == {"relu1_1": 1, "relu2_1": 3, "relu3_1": 18}
    assert settings.content_layers == {"relu1_1": 0.75, "relu2_1": 0.25}


@pytest.mark.parametrize("units", ["gatys", "johnson", "mean"])
def test_total_in_published_units_is_the_published_sum(units):
    content, style, image = np.random.default_rng(0).integers(0, 256, (3, 16, 20, 3)).astype("uint8")
    network = LossNetwork("vgg16", layers=["relu2_1"])
    layers = {"relu1_1": 0.2, "relu2_1": 0.3}
    chosen = ObjectiveSettings({"relu1_2": 1.0}, layers, "gram", content_weight=0.5, style_weight=2.0, tv_weight=1e-3)
    objective = in_published_units(Objective(network, chosen), units, content, [style])
    batches = [array[None].astype("float32") for array in (content, style, image)]
    actual = objective.terms(batches[2], objective.content_targets(batches[0]), objective.style_targets(batches[1]))

    p, s, f = (
        {name: np.asarray(value[0], "float64") for name, value in network.features(batch, [*layers, "relu1_2"]).items()}
        for batch in batches
    )
    difference = f["relu1_2"] - p["relu1_2"]
    expected = 0.5 * (0.5 * np.sum(difference**2) if units == "gatys" else np.mean(difference**2))
    for name, weight in layers.items():
        positions, channels = f[name].shape[0] * f[name].shape[1], f[name].shape[2]
        gram, target = (a[name].reshape(-1, channels).T @ a[name].reshape(-1, channels) for a in (f, s))
        error = {
            "gatys": lambda d, n, m: np.sum(d**2) / (4 * n**2 * m**2),
            "johnson": lambda d, n, m: np.sum((d / (n * m)) ** 2),
            "mean": lambda d, n, m: np.mean((d / (n * m)) ** 2),
        }[units]
        expected += 2.0 * weight * error(gram - target, channels, positions)
    pixels = image.astype("float64")
    across, down = np.diff(pixels, axis=1) ** 2, np.diff(pixels, axis=0) ** 2
    expected += 1e-3 * 16 * 20 * 3 * (across.mean() + down.mean())
    np.testing.assert_allclose(float(actual["total"]), expected, rtol=2e-3)
