"""Where the photos lie and where each picture goes; as text, since URLs are no `Path`: `gs://bucket/a` has two slashes.

A name that follows from the photo's own alone makes a second run find what the first one did.
"""

import dataclasses
import os
import re
from pathlib import PurePosixPath

from faststyle.images.formats import FORMATS, READABLE_SUFFIXES, ImageFormat
from faststyle.infer.exported_model.stylizer import StylizeError
from faststyle.remote_files import is_url

_MAGIC = re.compile(r"[*?\[]")  # of Beam's patterns, in which ** is anything and * anything but a slash


def absolute(place: str) -> str:
    """A path as every process understands it, wherever it works; URLs and paths end without a slash."""
    return place.rstrip("/") if is_url(place) else os.path.abspath(place)


@dataclasses.dataclass(frozen=True)
class Places:
    """Which photos, and the folder of their pictures.

    Attributes:
        pattern: of photos, absolute, in Beam's language.
        output: folder, absolute, without a slash at its end.
        format_name: of the pictures, one of `FORMATS`.

    Raises:
        StylizeError: the pictures would lie among the photos.
    """

    pattern: str
    output: str
    format_name: str = "png"

    def __post_init__(self) -> None:
        if self.root == f"{self.output}/":
            raise StylizeError(f"{self.output}: results would lie among the photos; choose another --output")

    @classmethod
    def of(cls, photos: str, output: str, format_name: str) -> "Places":
        """Places as a user writes them: a folder means all photos below it."""
        pattern = absolute(photos)
        if not _MAGIC.search(pattern) and not pattern.lower().endswith(READABLE_SUFFIXES):
            pattern += "/**"
        return cls(pattern, absolute(output), format_name)

    @property
    def root(self) -> str:
        """The pattern's fixed part up to its last slash: below it, results keep their photo's folders."""
        fixed = _MAGIC.split(self.pattern, maxsplit=1)[0]
        return fixed[: fixed.rfind("/") + 1]

    @property
    def format(self) -> ImageFormat:
        """The pictures' format."""
        return FORMATS[self.format_name]

    @property
    def broken_photos(self) -> str:
        """The file that lists photos which could not be stylized."""
        return f"{self.output}/broken.jsonl"

    @property
    def unfinished(self) -> str:
        """The folder of pictures that are still being written."""
        return f"{self.output}/.unfinished"

    def is_photo(self, path: str) -> bool:
        """Whether a file that the pattern matches is a photo: by its suffix, not hidden, and no result of ours."""
        below = PurePosixPath(path.removeprefix(self.root))
        hidden = any(part.startswith(".") and part != ".." for part in below.parts)
        return below.suffix.lower() in READABLE_SUFFIXES and not hidden and not path.startswith(f"{self.output}/")

    def result_of(self, photo: str) -> str:
        """Where a photo's picture goes; an object that is called `../x.jpg` does not lead out of the output folder."""
        below = PurePosixPath(photo.removeprefix(self.root)).with_suffix(self.format.suffixes[0])
        return "/".join([self.output, *("_" if part in ("..", "/") else part for part in below.parts)])
