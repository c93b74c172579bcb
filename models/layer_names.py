"""Names of loss network layers: `relu{block}_{conv}` and `rgb`, of the image itself or of a coarser one, `NAME/2`.

A coarser image shows strokes that many times smaller, so that layers which are good at small forms compare large ones
(Gram matrices over an image pyramid: Snelgrove 2017, 10.1145/3145749.3149449).
"""

PIXEL_LAYER = "rgb"


def split_layer_name(name: str) -> tuple[str, int]:
    """`relu3_3/2` as `("relu3_3", 2)`: the layer, and how many pixels' average is one pixel of its image, per side.

    A name without a slash has 1; the number is 0 where what follows the slash is no number.
    """
    layer, slash, reduction = name.partition("/")
    if not slash:
        return layer, 1
    return layer, int(reduction) if reduction.isdecimal() else 0


def layer_stride(name: str) -> int:
    """Image pixels between two neighboring positions of a layer of `split_layer_name`; every block halves."""
    layer, reduction = split_layer_name(name)
    return reduction if layer == PIXEL_LAYER else reduction * 2 ** (int(layer[len("relu")]) - 1)
