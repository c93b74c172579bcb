import json
import subprocess
import sys
from pathlib import Path

import pytest

from faststyle.images.files import read_image
from faststyle.infer.styles.command import describe
from faststyle.infer.styles.gallery import GalleryStyle, find_style, gallery_styles
from faststyle.scripts.faststyle import main

ROOT = Path(__file__).parent.parent.parent.parent


def test_the_list_names_every_style_with_title_painter_year_and_kind(capsys):
    assert main(["styles"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "title", "painter", "year", "kind"]
    assert len(lines) == len(gallery_styles())
    line = next(line for line in lines if line.startswith("starry_night "))
    assert [part.strip() for part in line.split("  ") if part] == [
        "starry_night",
        "The Starry Night",
        "Vincent van Gogh",
        "1889",
        "painting",
    ]


def test_json_holds_the_same(capsys):
    assert main(["styles", "--json"]) == 0
    assert [GalleryStyle(**entry) for entry in json.loads(capsys.readouterr().out)] == gallery_styles()


def test_one_style_shows_its_card_and_where_its_thumbnail_is(capsys):
    assert main(["styles", "udnie"]) == 0
    shown = dict(line.split(":", 1) for line in capsys.readouterr().out.splitlines())
    assert shown["painter"].strip() == "Francis Picabia"
    assert shown["loss network"].strip() == describe(find_style("udnie"))["loss_network"]
    assert "licence" in shown
    assert read_image(Path(shown["thumbnail"].strip())).shape[2] == 3


@pytest.mark.parametrize(
    ("card", "training_data", "validation"),
    [
        ({"settings": {"content": "photos"}, "validation": {"total": 0.5}}, "photos", {"total": 0.5}),
        (
            {"training_data": "COCO", "validation": {"total": 1.0}, "validation_per_style": {"udnie": {"total": 0.2}}},
            "COCO",
            {"total": 0.2},
        ),
        ({"validation": None}, None, None),
    ],
)
def test_a_card_may_tell_of_all_styles_together_or_of_each(monkeypatch, card, training_data, validation):
    monkeypatch.setattr("faststyle.infer.styles.model_card.read_model_card", lambda _: card)
    described = describe(GalleryStyle("udnie", "Udnie", "Francis Picabia", "1913", "painting"))
    assert (described["training_data"], described["validation"]) == (training_data, validation)


@pytest.mark.parametrize(
    ("card", "loss_network"),
    [
        ({"loss_network_weights": "a vgg16", "settings": {"loss_network": "vgg16"}}, "a vgg16"),
        ({"loss_network_weights": None, "settings": {"loss_network": "vgg19"}}, "vgg19"),
        ({"loss_network": "vgg16"}, "vgg16"),
        ({}, None),
    ],
)
def test_the_loss_network_goes_by_its_weights_where_the_card_names_them(monkeypatch, card, loss_network):
    monkeypatch.setattr("faststyle.infer.styles.model_card.read_model_card", lambda _: card)
    style = GalleryStyle("udnie", "Udnie", "Francis Picabia", "1913", "painting")
    assert describe(style)["loss_network"] == loss_network


def test_the_sheet_has_a_cell_for_every_thumbnail(tmp_path):
    assert main(["styles", "--sheet", str(tmp_path / "sheet.png")]) == 0
    height, width, _ = read_image(tmp_path / "sheet.png").shape
    assert width >= 4 * 192
    assert height >= -(-len(gallery_styles()) // 4) * 128


def test_a_sheet_that_exists_is_replaced_on_request_only(tmp_path, capsys):
    sheet = tmp_path / "sheet.png"
    sheet.write_bytes(b"mine")
    assert main(["styles", "--sheet", str(sheet)]) == 2
    assert "sheet.png exists; choose another name or pass --overwrite" in capsys.readouterr().err
    assert sheet.read_bytes() == b"mine"
    assert main(["styles", "--sheet", str(sheet), "--overwrite"]) == 0
    assert read_image(sheet).ndim == 3


def test_an_unknown_style_is_one_line(capsys):
    assert main(["styles", "starry"]) == 2
    assert capsys.readouterr().err == (
        "error: no gallery style 'starry'; did you mean starry_night? `faststyle styles` lists them all\n"
    )


def test_listing_imports_nothing_heavy():
    code = (
        "import sys; from faststyle.scripts.faststyle import main; main(['styles'])\n"
        "print(sorted({'tensorflow', 'keras', 'openvino', 'numpy', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
