"""Muon: orthogonal steps of kernels, Adam's of all other weights (Jordan 2024, kellerjordan.github.io/posts/muon).

Adam's step of a kernel is close to low rank: few directions among its filters change, the others hardly learn. The
nearest orthogonal matrix moves every direction alike. A style is learned in about half of the steps
(docs/benchmarks.md has the figures).
"""

import keras
from keras import ops

# The quintic iteration of the publication: singular values above 0.01 or so end near 1, fast rather than exactly.
_QUINTIC = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
_STEP_SIZE = 2.0
_TINY = 1e-7


@keras.saving.register_keras_serializable(package="faststyle")
class Muon(keras.optimizers.Adam):
    """Adam whose steps of convolution kernels between hidden layers are orthogonalized momentum.

    The first and the last kernel, which see or make colors, and all scales, shifts and biases get Adam's own step. An
    orthogonalized step has a root mean square of `2 * learning_rate`, so that one learning rate serves both.

    Args:
        learning_rate: a number or a schedule.
        momentum: of the kernels' gradients, 0..1, in Nesterov's form.
        **kwargs: Adam's.
    """

    def __init__(self, learning_rate=1e-3, momentum: float = 0.95, **kwargs) -> None:
        kwargs.setdefault("name", "muon")
        super().__init__(learning_rate, **kwargs)
        self.momentum = momentum

    def update_step(self, gradient, variable, learning_rate) -> None:
        """One step of one variable, in place."""
        if not _is_hidden_kernel(variable):
            super().update_step(gradient, variable, learning_rate)
            return
        average = self._momentums[self._get_variable_index(variable)]
        gradient = ops.cast(gradient, variable.dtype)
        self.assign(average, self.momentum * average + gradient)
        matrix = ops.reshape(gradient + self.momentum * average, (-1, variable.shape[-1]))
        # An orthogonal matrix has a root mean square of 1 / sqrt(longer side).
        size = _STEP_SIZE * max(matrix.shape) ** 0.5
        step = ops.cast(learning_rate, variable.dtype) * size * orthogonalized(matrix)
        self.assign_sub(variable, ops.reshape(step, variable.shape))

    def get_config(self) -> dict:
        return {**super().get_config(), "momentum": self.momentum}


def orthogonalized(matrix):
    """Close to the nearest matrix with orthonormal rows or columns: singular values moved to 0.7..1.2.

    Args:
        matrix: `[rows, columns]` float32.

    Returns:
        The same shape; zero for zero.
    """
    rows, columns = matrix.shape
    x = ops.transpose(matrix) if rows > columns else matrix
    x = x / (ops.sqrt(ops.sum(ops.square(x))) + _TINY)
    a, b, c = _QUINTIC
    for _ in range(_ITERATIONS):
        gram = ops.matmul(x, ops.transpose(x))
        x = a * x + ops.matmul(b * gram + c * ops.matmul(gram, gram), x)
    return ops.transpose(x) if rows > columns else x


def _is_hidden_kernel(variable) -> bool:
    """Whether both sides are features: `[height, width, channels, channels]`, neither of them the 3 colors."""
    return len(variable.shape) == 4 and min(variable.shape[2:]) > 3
