"""Images in, images out."""


def load_stylizer(model_dir, **options):
    """An exported model as a function from a photo to the stylized photo, `[height, width, 3]` uint8 in RGB.

    Args:
        model_dir: from `faststyle train` or `faststyle export`.
        **options: `mix` (style name to weight), `runtime`, `precision`, `tiling`, see `infer.stylizer.load_stylizer`.
    """
    from infer.stylizer import load_stylizer as load  # heavy imports only when used

    return load(model_dir, **options)


__all__ = ["load_stylizer"]
