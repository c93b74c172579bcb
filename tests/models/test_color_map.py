import numpy as np
import pytest

from models.color_map import color_basis, color_map_error

random = np.random.default_rng(5)
PHOTO = random.uniform(size=(2, 12, 10, 3)).astype("float32")


def error(stylized, photo=PHOTO):
    return np.asarray(color_map_error(np.asarray(stylized, "float32"), color_basis(photo)))


def unexplained_share(stylized, photo):
    """By ordinary least squares on a constant, the colors and their products."""
    x, y = photo.reshape(-1, 3), stylized.reshape(-1, 3)
    products = [x[:, i] * x[:, j] for i in range(3) for j in range(i, 3)]
    terms = np.column_stack([np.ones(len(x)), x, *products])
    fitted = terms @ np.linalg.lstsq(terms, y, rcond=None)[0]
    return np.square(y - fitted).sum() / np.square(y - y.mean(axis=0)).sum()


def test_error_is_the_share_that_least_squares_leaves_unexplained():
    stylized = PHOTO[..., ::-1] ** 2 + random.uniform(size=PHOTO.shape)
    expected = [unexplained_share(*pair) for pair in zip(stylized, PHOTO, strict=True)]
    np.testing.assert_allclose(error(stylized), expected, atol=0.03)


@pytest.mark.parametrize(
    "recolor", [lambda p: p, lambda p: 1 - p, lambda p: p[..., [1, 2, 0]], lambda p: 0.3 + 0.5 * p * p[..., ::-1]]
)
def test_any_quadratic_map_of_the_photos_colors_has_hardly_an_error(recolor):
    assert (error(recolor(PHOTO)) < 0.03).all()


def test_colors_at_other_places_are_an_error():
    assert (error(PHOTO[:, ::-1]) > 0.8).all()


def test_a_gray_stylized_image_has_no_error():
    np.testing.assert_allclose(error(np.full_like(PHOTO, 0.4)), 0, atol=1e-6)


def test_a_gray_photo_explains_nothing_and_stays_finite():
    gray = np.full_like(PHOTO, 0.5)
    np.testing.assert_allclose(error(PHOTO, gray), 1, atol=0.02)


def test_fewer_positions_than_terms_stay_between_0_and_1():
    few = error(PHOTO[:, :2, :2], PHOTO[:, 2:4, 2:4])
    assert ((few >= 0) & (few <= 1)).all()
