import io
import zipfile

import numpy as np
import pytest

from faststyle.train.checkpoints import Checkpoint, CheckpointStore


def checkpoint(step: int) -> Checkpoint:
    random = np.random.default_rng(step)
    arrays = {
        "0000:encode1_conv/kernel": random.normal(size=(3, 3, 2, 4)).astype("float32"),
        "0001:adam/iteration": np.array(step, "int64"),
        "0002:empty": np.zeros((0, 4), "float32"),
    }
    return Checkpoint(step, arrays, {"position": 4 * step, "unreadable": ["a b.jpg", "ü.jpg"]})


def assert_same(loaded: Checkpoint | None, saved: Checkpoint) -> None:
    assert loaded is not None
    assert (loaded.step, loaded.state) == (saved.step, saved.state)
    assert list(loaded.arrays) == list(saved.arrays)
    for name, array in saved.arrays.items():
        assert loaded.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded.arrays[name], array)


@pytest.fixture
def reports():
    return []


@pytest.fixture
def store(tmp_path, reports):
    return CheckpointStore(tmp_path / "checkpoints", report=reports.append)


def test_what_was_saved_is_loaded(store, reports):
    path = store.save(checkpoint(200))
    assert path.name == "step_00000200.npz"
    assert_same(store.load_newest(), checkpoint(200))
    assert reports == []


def test_a_new_run_has_no_checkpoint(store, tmp_path):
    assert store.load_newest() is None
    assert store.paths() == []
    assert not (tmp_path / "checkpoints").exists()


def test_the_newest_three_are_kept(store):
    for step in (5, 10, 99, 100, 1000):
        store.save(checkpoint(step))
    assert [path.name for path in store.paths()] == [f"step_{step:08d}.npz" for step in (99, 100, 1000)]
    assert_same(store.load_newest(), checkpoint(1000))


def test_a_step_saved_again_replaces_the_file(store):
    store.save(checkpoint(5))
    again = checkpoint(5)._replace(state={"position": 1})
    store.save(again)
    assert_same(store.load_newest(), again)
    assert len(store.paths()) == 1


@pytest.mark.parametrize("damage", ["empty", "truncated", "cut by one byte", "flipped byte", "text"])
def test_a_damaged_newest_is_reported_and_the_one_before_is_loaded(store, reports, damage):
    store.save(checkpoint(1))
    path = store.save(checkpoint(2))
    content = path.read_bytes()
    middle = content.index(checkpoint(2).arrays["0000:encode1_conv/kernel"].tobytes()) + 50
    path.write_bytes(
        {
            "empty": b"",
            "truncated": content[:middle],
            "cut by one byte": content[:-1],
            "flipped byte": content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :],
            "text": b"not a checkpoint",
        }[damage]
    )
    assert_same(store.load_newest(), checkpoint(1))
    assert len(reports) == 1
    assert reports[0].startswith(f"checkpoint {path} is damaged (")


@pytest.mark.parametrize("what", ["header", "array", "state"])
def test_what_has_right_checksums_but_is_no_checkpoint_is_passed_over(store, reports, what):
    store.save(checkpoint(1))
    path = store.save(checkpoint(2))
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    first, *_, state = members
    buffer = io.BytesIO()
    np.save(buffer, np.frombuffer(b"[]", "uint8"))
    members |= {
        "header": {first: members[first].replace(b"'shape': (", b"'shape': ((")},
        "array": {first: b"no array"},
        "state": {state: buffer.getvalue()},
    }[what]
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    assert_same(store.load_newest(), checkpoint(1))
    assert reports[0].startswith(f"checkpoint {path} is damaged (")


def test_no_flipped_bit_anywhere_goes_unnoticed(store, reports):
    saved = [Checkpoint(step, {"0000:a": np.array([[1.0, 2.0, step]], "float32")}, {"position": 4}) for step in (1, 2)]
    path = [store.save(each) for each in saved][-1]
    content = path.read_bytes()
    for position, byte in enumerate(content):
        path.write_bytes(content[:position] + bytes([byte ^ 1 << position % 8]) + content[position + 1 :])
        reports.clear()
        assert_same(store.load_newest(), saved[0] if reports else saved[1])


def test_damage_in_all_of_them_leaves_none(store, reports):
    for step in (1, 2):
        store.save(checkpoint(step)).write_bytes(b"")
    assert store.load_newest() is None
    assert len(reports) == 2


def test_what_a_killed_writer_left_is_ignored(store, reports):
    path = store.save(checkpoint(1))
    half = path.read_bytes()[:100]
    for name in (".step_00000002.npz.k3x_1", "step_00000002.npz.tmp", "step_2.npz", "old_step_00000002.npz"):
        (path.parent / name).write_bytes(half)
    assert store.paths() == [path]
    assert_same(store.load_newest(), checkpoint(1))
    assert reports == []


def test_a_write_that_fails_leaves_the_checkpoints_that_were(store, monkeypatch):
    for step in (1, 2, 3):
        store.save(checkpoint(step))

    def full_disk(_):
        raise OSError(28, "No space left on device")

    before = sorted(store.paths()[0].parent.iterdir())
    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        store.save(checkpoint(4))
    assert sorted(before[0].parent.iterdir()) == before
    assert_same(store.load_newest(), checkpoint(3))


def test_damaged_newer_checkpoints_do_not_crowd_out_a_good_one(tmp_path):
    store = CheckpointStore(tmp_path, report=lambda line: None)
    for step in (600, 800, 1000):
        (tmp_path / f"step_{step:08d}.npz").write_bytes(b"damaged")
    store.save(Checkpoint(200, {"weights": np.ones(3)}, {}))
    assert [path.name for path in store.paths()] == ["step_00000200.npz"]
