import numpy as np
import pytest

from faststyle.atomic_files import PlaceError
from faststyle.infer.compare.report_folder import ReportFolder, ReportFolderError
from faststyle.infer.compare.settings import Method

METHOD = Method("adam", "noise")


def test_a_measurement_is_finished_when_its_numbers_are_there(tmp_path):
    folder = ReportFolder(tmp_path / "report")
    folder.open({"seed": 1})
    assert folder.read("00_a", 64, METHOD) is None
    folder.write("00_a", 64, METHOD, {"x": 1}, {"adam_noise": np.zeros((4, 4, 3), "uint8")})
    assert folder.read("00_a", 64, METHOD) == {"x": 1}
    assert folder.picture("00_a", 64, "adam_noise").is_file()
    assert folder.read("00_a", 64, None) is None


def test_half_a_file_is_no_measurement(tmp_path):
    folder = ReportFolder(tmp_path)
    folder.open({})
    folder.write("a", 64, None, {"x": 1}, {})
    (tmp_path / "measurements" / "a" / "64" / "network.json").write_text('{"x": ')
    assert folder.read("a", 64, None) is None


@pytest.mark.parametrize("content", ["7", "[]", '"a"', "[" * 100_000], ids=["number", "list", "text", "deep"])
def test_what_is_no_object_is_no_measurement_and_are_no_settings(tmp_path, content):
    folder = ReportFolder(tmp_path)
    folder.open({"seed": 1})
    folder.write("a", 64, None, {"x": 1}, {})
    (tmp_path / "measurements" / "a" / "64" / "network.json").write_text(content)
    assert folder.read("a", 64, None) is None
    (tmp_path / "settings.json").write_text(content)
    with pytest.raises(ReportFolderError, match="seed was null, now 1"):
        folder.open({"seed": 1})


def test_nothing_is_written_before_the_first_measurement(tmp_path):
    ReportFolder(tmp_path / "report").open({"seed": 1})
    assert not (tmp_path / "report").exists()


def test_other_settings_are_refused_and_named(tmp_path):
    folder = ReportFolder(tmp_path)
    folder.open({"seed": 1, "vgg_weights": "a", "photos": {"a.jpg": "x" * 80}})
    folder.write("a", 64, None, {}, {})
    ReportFolder(tmp_path).open({"seed": 1, "vgg_weights": "b", "photos": {"a.jpg": "x" * 80}})
    with pytest.raises(
        ReportFolderError, match=r"other settings \(seed was 1, now 2; photos was \{.*\.\.\., now \{\}\)"
    ):
        ReportFolder(tmp_path).open({"seed": 2, "vgg_weights": "a", "photos": {}})


def test_a_file_and_a_folder_of_other_things_are_refused(tmp_path):
    (tmp_path / "note").write_text("mine")
    with pytest.raises(ReportFolderError, match="is a file"):
        ReportFolder(tmp_path / "note").open({})
    with pytest.raises(ReportFolderError, match="not empty and not a comparison"):
        ReportFolder(tmp_path).open({})
    with pytest.raises(PlaceError, match="note: is a file, but results need a folder there"):
        ReportFolder(tmp_path / "note" / "report").open({})
