"""Names of loss network layers: `relu{block}_{conv}`, and others of the pixels; `NAME/2` is at a coarser scale.

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


def is_network_layer(name: str) -> bool:
    """Whether a layer is one of the network's, and not the pixels themselves."""
    return split_layer_name(name)[0] != PIXEL_LAYER


def layer_stride(name: str) -> int:
    """Image pixels between two neighboring positions of a layer of `split_layer_name`; every block halves."""
    layer, reduction = split_layer_name(name)
    return reduction * 2 ** (int(layer[len("relu")]) - 1) if is_network_layer(layer) else reduction
