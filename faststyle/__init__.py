"""faststyle: fast style transfer, from training to painted photos.

`faststyle` itself holds what every part needs: images and their files, the command line. Its parts are the folders
beside it in the source: `faststyle.models`, `faststyle.infer`, `faststyle.train` and `faststyle.scripts`.
"""

from pathlib import Path

DISTRIBUTION = "faststyle-tf"  # on the package index, where another project owns the name faststyle


_CHECKOUT = Path(__file__).parent.parent
if (_CHECKOUT / "pyproject.toml").is_file():  # Python started there finds this folder before an installed one
    __path__.append(str(_CHECKOUT))


def load_stylizer(model, **options):
    """A model as a function from a photo to the stylized photo, `[height, width, 3]` uint8 in RGB.

    Args:
        model: a gallery style's name, "gallery", or a folder from `faststyle train` or `faststyle export`.
        **options: `mix` (style name to weight), `strength` (0..1), `runtime`, `precision`, `tiling`, see
            `faststyle.infer.exported_model.stylizer.Stylizer`.
    """
    from faststyle.infer.exported_model.stylizer import load_stylizer as load  # heavy imports only when used

    return load(model, **options)


__all__ = ["DISTRIBUTION", "load_stylizer"]
