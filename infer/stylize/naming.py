"""Names of results: a pattern such as `{stem}-{style}.{suffix}`, and the format that goes with it."""

import dataclasses
import re
import string
from pathlib import Path

from faststyle.images.formats import FORMATS, ImageFormat, format_of
from faststyle.infer.exported_model.stylizer import StylizeError

_FIELDS = ("stem", "style", "suffix")


@dataclasses.dataclass(frozen=True)
class Naming:
    """How results in a folder are called.

    Attributes:
        pattern: with the fields {stem} (the photo's name without suffix), {style} and {suffix}.
        style: for {style}.
        format_name: one of `FORMATS`.

    Raises:
        StylizeError: a pattern that makes no file name.
    """

    pattern: str = "{stem}.{suffix}"
    style: str = "style"
    format_name: str = "png"

    def __post_init__(self) -> None:
        try:
            parts = list(string.Formatter().parse(self.pattern))
        except ValueError as error:
            raise StylizeError(f"--name {self.pattern!r}: {error}") from None
        if any(field is not None and (field not in _FIELDS or spec or kind) for _, field, spec, kind in parts):
            raise StylizeError(f"--name {self.pattern!r}: only {{stem}}, {{style}} and {{suffix}} are known")
        if re.search(r"[/\\\0]", self.pattern) or "{stem}" not in self.pattern:
            raise StylizeError(f"--name {self.pattern!r}: must contain {{stem}} and no folder")
        if format_of(Path(self.name("photo"))) is not FORMATS[self.format_name]:
            raise StylizeError(f"--name {self.pattern!r}: its suffix is not --format {self.format_name}")

    @property
    def renames(self) -> bool:
        """Whether a result's stem differs from its photo's."""
        return Path(self.name("photo")).stem != "photo"

    def name(self, stem: str) -> str:
        """The result's name for a photo called `stem`."""
        suffix = FORMATS[self.format_name].suffixes[0].removeprefix(".")
        return self.pattern.format(stem=stem, style=re.sub(r"[/\\\0]", "_", self.style), suffix=suffix)


def check_format(path: Path, format_name: str | None) -> ImageFormat:
    """The format of a result's path, which a chosen format must agree with.

    Raises:
        ImageError: a suffix that no image can have.
        StylizeError: the suffix says another format.
    """
    image_format = format_of(path)
    if format_name and image_format is not FORMATS[format_name]:
        raise StylizeError(f"{path}: its suffix is not --format {format_name}; leave one of them out")
    return image_format
