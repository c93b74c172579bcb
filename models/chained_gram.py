"""Gram matrices between neighboring layers of the chain (Novak & Nikulin 2016, arXiv 1605.04603, section 3.4).

They say which deep feature sits on which shallow one: how a form is painted, not only which forms and strokes occur.
"""

from keras import ops

from faststyle.models.layer_names import PIXEL_LAYER, layer_stride
from faststyle.models.losses import gram_matrix


def chained_gram(shallow, deep, mask=None):
    """`mean over positions of F_shallow up(F_deep)^T`, the deep map repeated to the shallow map's size.

    Args:
        shallow: `[batch, height, width, channels]`.
        deep: `[batch, deep_height, deep_width, deep_channels]`, no larger.
        mask: `[regions, height, width, 1]` in 0..1, of the shallow map. None is everywhere.

    Returns:
        `[batch or regions, channels, deep_channels]` float32.
    """
    size = ops.shape(shallow)[1:3]
    if shallow.shape[1:3] != deep.shape[1:3] or None in shallow.shape[1:3]:
        # Channels last whatever Keras's own setting says.
        deep = ops.image.resize(deep, size, interpolation="nearest", data_format="channels_last")
    return gram_matrix(shallow, mask, other=deep)


def in_depth_order(layer_names) -> list[str]:
    """Layers as a chain, no map larger than the one before; of equal ones the shallow comes first."""
    return sorted(layer_names, key=lambda name: (layer_stride(name), name != PIXEL_LAYER, name))
