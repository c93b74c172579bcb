import socket

import numpy as np
import pytest

from faststyle.images.files import list_images, read_image
from faststyle.scripts.demo.sample_photos import write_sample_photos


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("samples") / "photos"


@pytest.fixture(scope="module")
def written(folder):
    """Scenes and textures, written while no connection can be made."""

    def refuse(*_, **__):
        raise AssertionError("sample photographs must not come from the network")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        return write_sample_photos(folder)


def test_there_are_enough_photos_for_a_batch_and_every_file_is_told_of(written, folder):
    scenes, textures = written
    assert len(scenes) + len(textures) >= 8
    assert sorted([*scenes, *textures]) == list_images(folder)


def test_every_photo_can_be_read_and_is_large_enough_to_train_on(written):
    for path in [*written[0], *written[1]]:
        image = read_image(path)
        assert min(image.shape[:2]) >= 256, path
        assert image.std() > 10, path


def test_scenes_are_in_color(written):
    for path in written[0]:
        assert np.ptp(read_image(path).astype(int), axis=-1).mean() > 5, path


def test_no_two_photos_are_the_same(written):
    paths = [*written[0], *written[1]]
    assert len({path.read_bytes() for path in paths}) == len(paths)
