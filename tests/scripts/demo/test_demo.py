import pytest

from faststyle.images.files import read_image
from faststyle.infer.styles.model_card import read_model_card
from faststyle.scripts.faststyle import main


@pytest.mark.slow
def test_demo_writes_a_contact_sheet_and_a_model_of_the_drawn_styles(tmp_path, capsys):
    assert main(["demo", "--output", str(tmp_path), "--steps", "2"]) == 0
    assert "contact_sheet.png" in capsys.readouterr().out
    height, width, _ = read_image(tmp_path / "contact_sheet.png").shape
    assert width > 1200
    assert height > 600
    assert read_model_card(tmp_path / "run" / "export")["styles"] == ["brush_strokes", "stained_glass", "woodcut"]
