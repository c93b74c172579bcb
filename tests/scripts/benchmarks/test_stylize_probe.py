import numpy as np

from faststyle.scripts.benchmarks.stylize_probe import noise_photo


def test_photo_has_the_size_asked_for_and_is_the_same_every_time():
    photo = noise_photo(70, 530)
    assert photo.shape == (70, 530, 3)
    assert photo.dtype == np.uint8
    np.testing.assert_array_equal(photo, noise_photo(70, 530))


def test_photo_has_grain_and_large_shapes():
    photo = noise_photo(1024, 1024).astype(float)
    blocks = photo.reshape(2, 512, 2, 512, 3).mean(axis=(1, 3))
    assert photo.std() > 20
    assert blocks.std() > 3
