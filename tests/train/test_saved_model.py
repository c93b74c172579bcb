import keras
import pytest

from faststyle.train.saved_model import write_saved_model


def test_a_full_disk_is_an_error_of_the_file_system_in_one_line(tmp_path, monkeypatch):
    tf = pytest.importorskip("tensorflow")

    def full(*_, **__):
        place = tmp_path / "saved_model.pb.tmp3ced"
        raise tf.errors.ResourceExhaustedError(None, None, f"{place}; No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", full)
    with pytest.raises(OSError, match="cannot write") as caught:
        write_saved_model(keras.Sequential([]), tmp_path, {})
    assert str(caught.value) == f"{tmp_path}: cannot write (No space left on device)"
