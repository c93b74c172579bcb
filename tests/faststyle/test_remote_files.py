import builtins
import re
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from faststyle.images.files import read_image, write_image
from faststyle.infer.exported_model.stylizer import load_stylizer
from faststyle.remote_files import RemoteFileError, RemoteFiles, cached_copy, is_url, local_copies
from faststyle.scripts.faststyle import main

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """An empty file system in memory; the cache lies in a folder of the test's."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    system = fsspec.filesystem("memory")
    yield system
    system.rm("/", recursive=True)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("gs://bucket/a", True),
        (Path("s3://bucket/a"), True),
        ("memory://a", True),
        ("C:/photos", False),
        ("tfds:coco/2017", False),
        ("photos/a:b", False),
        ("-", False),
    ],
)
def test_a_url_is_told_from_a_path_even_as_a_path(place, expected):
    assert is_url(place) is expected


def test_files_are_known_and_read_by_their_paths_below_the_url(bucket):
    bucket.pipe({"/photos/a.jpg": b"one", "/photos/trip/b.jpg": b"three", "/other/c.jpg": b""})
    remote = RemoteFiles("memory://photos/")
    assert {str(path): known["size"] for path, known in remote.known.items()} == {"a.jpg": 3, "trip/b.jpg": 5}
    assert remote.read(PurePosixPath("trip/b.jpg")) == b"three"
    bucket.rm("/photos/a.jpg")
    with pytest.raises(OSError, match="cannot be read"):
        remote.read(PurePosixPath("a.jpg"))


def test_copies_of_a_file_and_a_folder_live_as_long_as_the_block(bucket):
    bucket.pipe({"/photos/a.jpg": b"one", "/photos/trip/b.jpg": b"three"})
    with local_copies(["memory://photos/a.jpg", "here.jpg", "memory://photos"]) as (file, here, folder):
        assert (file.name, file.read_bytes(), here) == ("a.jpg", b"one", Path("here.jpg"))
        assert (folder.name, (folder / "a.jpg").read_bytes()) == ("photos", b"one")
        assert (folder / "trip" / "b.jpg").read_bytes() == b"three"
    assert not file.exists()
    assert not folder.exists()


def test_a_copy_in_the_cache_is_made_again_only_if_something_has_changed(bucket, monkeypatch):
    bucket.pipe({"/model/saved_model.pb": b"graph", "/model/variables/x": b"1234"})
    copy = cached_copy("memory://model")
    assert (copy / "variables" / "x").read_bytes() == b"1234"
    with monkeypatch.context() as patch:
        patch.setattr(RemoteFiles, "copy", None)
        assert cached_copy("memory://model") == copy
    bucket.pipe("/model/variables/x", b"5678")
    assert (cached_copy("memory://model") / "variables" / "x").read_bytes() == b"5678"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("memory://nowhere", "no such file or folder"),
        ("nonsense://bucket", "cannot be read (Protocol not known: nonsense)"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(bucket, url, words):
    with pytest.raises(RemoteFileError, match=re.escape(f"{url}: {words}")):
        RemoteFiles(url)


def test_fsspec_that_is_missing_is_named(monkeypatch):
    def imported(name, *more):
        if name == "fsspec":
            raise ModuleNotFoundError("No module named 'fsspec'", name="fsspec")
        return real_import(name, *more)

    real_import = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", imported)
    with pytest.raises(RemoteFileError, match="memory://a: needs fsspec, which is not installed: pip install fsspec"):
        RemoteFiles("memory://a")


def test_photos_and_a_model_at_urls_are_painted_as_local_ones(bucket, one_style, tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype="uint8")
    write_image(tmp_path / "a.png", photo)
    for name in ("a.png", "trip/b.png"):
        bucket.pipe(f"/photos/{name}", (tmp_path / "a.png").read_bytes())
    bucket.put(str(one_style), "/model", recursive=True)
    assert main(["stylize", "memory://model", "memory://photos", "--output", str(tmp_path / "painted")]) == 0
    expected = load_stylizer(one_style)(photo)
    for name in ("a.png", "trip/b.png"):
        np.testing.assert_array_equal(read_image(tmp_path / "painted" / name), expected)
    np.testing.assert_array_equal(load_stylizer("memory://model")(photo), expected)


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (["stylize", "starry_night", "a.jpg", "--output", "gs://bucket/a.png"], "gs://bucket/a.png"),
        (["train", "a.jpg", "--content", "photos", "--output", "s3://bucket/run"], "s3://bucket/run"),
        (["train", "gs://bucket/a.jpg", "--content", "photos", "--output", "run"], "gs://bucket/a.jpg"),
        (["export", "gs://bucket/run", "--output", "model"], "gs://bucket/run"),
        (["optimize", "gs://bucket/a.jpg", "b.jpg", "--output", "c.jpg"], "gs://bucket/a.jpg"),
        (["compare", "starry_night", "--style", "a.jpg", "--content", "gs://b", "--output", "r"], "gs://b"),
    ],
)
def test_a_url_where_a_path_is_wanted_is_one_line_and_makes_no_folder(argv, named, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {named}: takes a local path; copy from or to there with `gcloud storage cp -r`")
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
