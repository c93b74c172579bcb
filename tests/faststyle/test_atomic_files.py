import errno
import os

import pytest

from faststyle.atomic_files import PlaceError, check_new_file, write_atomically


def test_missing_parent_folders_are_made(tmp_path):
    write_atomically(tmp_path / "a" / "b" / "c.bin", b"content")
    assert (tmp_path / "a" / "b" / "c.bin").read_bytes() == b"content"


def test_a_file_is_as_readable_to_others_as_the_umask_says(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a.bin", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a.bin").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("failing", ["tempfile.mkstemp", "os.fsync"])
def test_an_error_names_the_file_that_was_to_be_written(tmp_path, monkeypatch, failing):
    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(failing, fail)
    with pytest.raises(OSError, match="No space left on device") as caught:
        write_atomically(tmp_path / "a.png", b"new")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "a.png"))


@pytest.mark.parametrize("failing", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, failing, error):
    def fail(*_):
        raise error

    (tmp_path / "a.png").write_bytes(b"old")
    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(type(error)):
        write_atomically(tmp_path / "a.png", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"old"


def test_a_file_that_cannot_be_written_is_refused_beforehand(tmp_path, monkeypatch):
    (tmp_path / "old.png").touch()
    with pytest.raises(PlaceError, match="old.png exists; choose another name or pass --overwrite"):
        check_new_file(tmp_path / "old.png", overwrite=False)
    with pytest.raises(PlaceError, match="old.png: is a file, but results need a folder there"):
        check_new_file(tmp_path / "old.png" / "deep" / "new.png", overwrite=True)
    check_new_file(tmp_path / "old.png", overwrite=True)
    check_new_file(tmp_path / "deep" / "new.png", overwrite=False)
    monkeypatch.setattr("faststyle.atomic_files.os.access", lambda *_: False)
    with pytest.raises(PlaceError, match="cannot write there"):
        check_new_file(tmp_path / "deep" / "new.png", overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == ["old.png"]
