from pathlib import Path

import pytest

from faststyle.atomic_files import PlaceError
from faststyle.images.decoding import ImageError
from faststyle.images.formats import FORMATS
from faststyle.infer.exported_model.stylizer import StylizeError
from faststyle.infer.stylize.jobs import STREAM, plan_jobs
from faststyle.infer.stylize.naming import Naming


@pytest.fixture
def photos(tmp_path) -> Path:
    for name in ("photos/a.png", "photos/trip/b.jpg", "photos/trip/deep/c.JPG", "photos/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path / "photos"


def pairs(plan, photos: Path, output: Path) -> dict[str, str]:
    return {str(job.source.relative_to(photos)): str(job.target.relative_to(output)) for job in plan.jobs}


def test_a_folders_tree_is_mirrored(photos, tmp_path):
    plan = plan_jobs([photos], tmp_path / "out")
    expected = {"a.png": "a.png", "trip/b.jpg": "trip/b.png", "trip/deep/c.JPG": "trip/deep/c.png"}
    assert pairs(plan, photos, tmp_path / "out") == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("**/*.jpg", {"trip/b.jpg": "trip/b.png"}),
        ("trip/*", {"trip/b.jpg": "b.png"}),
        ("*", {"a.png": "a.png"}),
        ("tr?p/**/*.J*", {"trip/deep/c.JPG": "trip/deep/c.png"}),
    ],
)
def test_a_pattern_names_image_files_and_keeps_the_tree_below_its_fixed_part(photos, tmp_path, pattern, expected):
    plan = plan_jobs([photos / pattern], tmp_path / "out")
    assert pairs(plan, photos, tmp_path / "out") == expected


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(photos, tmp_path):
    (photos / "x[1].png").touch()
    assert [job.source.name for job in plan_jobs([photos / "x[1].png"], tmp_path / "out").jobs] == ["x[1].png"]


def test_a_photo_named_twice_is_one_job(photos, tmp_path):
    assert len(plan_jobs([photos, photos / "a.png"], tmp_path / "out").jobs) == 3


def test_results_inside_the_photos_folder_are_not_stylized_again(photos):
    output = photos / "painted"
    output.mkdir()
    (output / "a.png").touch()
    plan = plan_jobs([photos], output, existing="overwrite")
    assert len(plan.jobs) == 3
    assert all(output not in job.source.parents for job in plan.jobs)


def test_results_beside_the_photos_need_a_name_of_their_own(photos):
    with pytest.raises(StylizeError, match="among the photos"):
        plan_jobs([photos], photos, existing="overwrite")
    naming = Naming("{stem}-{style}.{suffix}", style="wave")
    (photos / "a-wave.png").touch()  # of an earlier run: a result, not a photo
    plan = plan_jobs([photos], photos, naming=naming, existing="resume")
    assert plan.existing == 1
    assert [job.target.name for job in plan.jobs] == ["b-wave.png", "c-wave.png"]


def test_resume_leaves_what_exists(photos, tmp_path):
    (tmp_path / "out" / "trip").mkdir(parents=True)
    (tmp_path / "out" / "trip" / "b.png").touch()
    plan = plan_jobs([photos], tmp_path / "out", existing="resume")
    assert (len(plan.jobs), plan.existing) == (2, 1)
    with pytest.raises(StylizeError, match="exists already; pass --overwrite or --resume"):
        plan_jobs([photos], tmp_path / "out")
    assert len(plan_jobs([photos], tmp_path / "out", existing="overwrite").jobs) == 3


def test_the_format_follows_the_suffix_of_a_single_result(photos, tmp_path):
    (job,) = plan_jobs([photos / "a.png"], tmp_path / "out.webp").jobs
    assert job.format is FORMATS["webp"]
    with pytest.raises(StylizeError, match="not --format jpg"):
        plan_jobs([photos / "a.png"], tmp_path / "out.webp", format_name="jpg")


def test_the_chosen_format_names_results_in_a_folder_and_in_a_pipe(photos, tmp_path):
    assert {job.target.suffix for job in plan_jobs([photos], tmp_path / "out", format_name="jpg").jobs} == {".jpg"}
    (job,) = plan_jobs([STREAM], STREAM, format_name="jpg").jobs
    assert (job.target, job.format) == (STREAM, FORMATS["jpg"])


def test_standard_input_into_a_folder_is_called_stdin(tmp_path):
    assert plan_jobs([STREAM], tmp_path / "out").jobs[0].target == tmp_path / "out" / "stdin.png"


@pytest.mark.parametrize(
    ("inputs", "output", "message"),
    [
        (["photos/no.jpg"], "out", "no.jpg: no such file or folder"),
        (["photos/*.gif"], "out", "matches no image file"),
        (["empty"], "out", "no image files"),
        (["photos"], "photos/a.png", "is a file, but results need a folder"),
        (["photos/a.png"], "photos/a.png/out.png", "is a file, but results need a folder"),
        (["photos/a.png"], "photos/a.png", "would replace the photo itself"),
        (["photos/a.png", "other/a.jpg"], "out", "would both become"),
        (["photos"], "-", "takes one photo"),
        (["photos", "-"], "out", "give it alone"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(photos, tmp_path, monkeypatch, inputs, output, message):
    monkeypatch.chdir(tmp_path)
    for name in ("empty", "other"):
        Path(name).mkdir()
    Path("other/a.jpg").touch()
    with pytest.raises((StylizeError, PlaceError), match=message):
        plan_jobs([Path(name) for name in inputs], Path(output), existing="overwrite")
    assert not Path("out").exists()


def test_a_folder_that_may_not_be_written_is_refused(photos, tmp_path, monkeypatch):
    monkeypatch.setattr("faststyle.atomic_files.os.access", lambda *_: False)
    with pytest.raises(PlaceError, match="cannot write there"):
        plan_jobs([photos], tmp_path / "a" / "b")


def test_unwritable_suffix_is_refused(photos, tmp_path):
    with pytest.raises(ImageError, match=r"cannot write \.xyz"):
        plan_jobs([photos / "a.png"], tmp_path / "a.xyz")
