"""Images in, images out."""


def load_stylizer(model, **options):
    """A model as a function from a photo to the stylized photo, `[height, width, 3]` uint8 in RGB.

    Args:
        model: a gallery style's name, "gallery", or a folder from `faststyle train` or `faststyle export`.
        **options: `mix` (style name to weight), `strength` (0..1), `runtime`, `precision`, `tiling`, see
            `infer.network.stylizer.Stylizer`.
    """
    from infer.network.stylizer import load_stylizer as load  # heavy imports only when used

    return load(model, **options)


__all__ = ["load_stylizer"]
