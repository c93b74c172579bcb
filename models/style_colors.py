"""Each style's own mixture of the three output channels, which gives pictures the style's colors.

All styles of a network share its last convolution, and the content term holds colors back: pictures come out paler than
their painting. An affine map per style mends that in closed form, after training: of all maps that give colors the mean
and covariance of others, the one that moves them least (Pitié and Kokaram 2007, 10.1049/cp:20070055).
"""

import keras
import numpy as np
from keras import ops

_SPREAD_FLOOR = 0.06  # of 2: a spread of colors that nobody would call one


@keras.saving.register_keras_serializable(package="faststyle")
class StyleColors(keras.layers.Layer):
    """Maps colors: `y = matrix[style] x + offset[style]`, at first the identity; training leaves both alone.

    Args:
        num_styles: rows of matrix and offset.

    Call arguments:
        inputs: `[batch, height, width, 3]`.
        style_mixture: `[batch, num_styles]` float32, rows sum to 1.

    Returns:
        `[batch, height, width, 3]` float32.
    """

    def __init__(self, num_styles: int, **kwargs) -> None:
        super().__init__(autocast=False, **kwargs)
        self.num_styles = num_styles

    def build(self, inputs_shape, style_mixture_shape=None) -> None:
        def identity(shape, dtype=None):
            return ops.broadcast_to(ops.eye(3, dtype=dtype), shape)

        rows = self.num_styles
        frozen = {"trainable": False, "autocast": False}
        self.matrix = self.add_weight(name="matrix", shape=(rows, 3, 3), initializer=identity, **frozen)
        self.offset = self.add_weight(name="offset", shape=(rows, 3), initializer="zeros", **frozen)

    def call(self, inputs, style_mixture):
        colors = ops.reshape(ops.cast(inputs, "float32"), (-1, ops.shape(inputs)[1] * ops.shape(inputs)[2], 3))
        mixture = ops.cast(style_mixture, "float32")
        matrix = ops.reshape(ops.matmul(mixture, ops.reshape(self.matrix, (-1, 9))), (-1, 3, 3))
        offset = ops.matmul(mixture, self.offset)
        mapped = ops.matmul(colors, ops.transpose(matrix, (0, 2, 1))) + offset[:, None, :]
        return ops.reshape(mapped, ops.shape(inputs))

    def compute_output_shape(self, inputs_shape, style_mixture_shape=None):
        return inputs_shape

    def get_config(self):
        return {**super().get_config(), "num_styles": self.num_styles}


def fit_color_map(colors: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The map that gives colors another mean and covariance: `M C M = T` with M symmetric.

    `M = C^-1/2 (C^1/2 T C^1/2)^1/2 C^-1/2`, both covariances with a floor: along an axis on which the colors hardly
    differ there is nothing but noise to be made larger.

    Args:
        colors: `[count, 3]` of pixels in -1..1.
        mean: `[3]`, of what they shall be.
        covariance: `[3, 3]`.

    Returns:
        Matrix `[3, 3]` and offset `[3]`.
    """
    floor = _SPREAD_FLOOR**2 * np.eye(3)
    root = _square_root(np.cov(colors, rowvar=False) + floor)
    inverse = np.linalg.inv(root)
    matrix = inverse @ _square_root(root @ (covariance + floor) @ root) @ inverse
    return matrix, mean - matrix @ colors.mean(axis=0)


def _square_root(symmetric: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(symmetric)
    return (vectors * np.sqrt(values)) @ vectors.T
