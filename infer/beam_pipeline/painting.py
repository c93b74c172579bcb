"""How photos become pictures, as every worker does it: through the functions of `faststyle stylize`."""

import dataclasses
import functools
import os
import tempfile
import warnings

import numpy as np
from apache_beam.io.filesystems import FileSystems

from faststyle.images.photos import Photo, read_photo
from faststyle.infer.beam_pipeline.places import absolute
from faststyle.infer.exported_model.runtimes import leave_out_converter
from faststyle.infer.exported_model.stylizer import Stylizer
from faststyle.infer.styles.model_card import ModelCardError
from faststyle.infer.stylize.look import Look
from faststyle.remote_files import is_url


@dataclasses.dataclass(frozen=True)
class Painting:
    """What makes the pictures; small, so that it can be sent to workers, which load the model.

    Attributes:
        model: a gallery style's name, "gallery", or an exported model's folder, on this machine or as a URL.
        style_mixture: of `Stylizer`, as are `strength` and `precision`.
        look: on top of the stylizer.
        quality: 1 to 100 for formats that have one.
        max_megapixels: larger photos are refused.
    """

    model: str
    style_mixture: dict[str, float] | None
    strength: float
    look: Look
    precision: str
    quality: int | None
    max_megapixels: float

    @classmethod
    def of_model(cls, model: str, **settings) -> "Painting":
        """A painting whose workers find the model wherever they work: a folder's name becomes its whole path."""
        return cls(absolute(model) if is_url(model) or os.path.isdir(model) else model, **settings)

    def load(self) -> Stylizer:
        """The model, ready to paint with OpenVINO.

        Raises:
            UserError: the model is missing or damaged, or does not hold this mixture.
        """
        leave_out_converter()
        warnings.filterwarnings("ignore", module="PIL")  # it warns of harmless defects of photos
        return Stylizer(
            _fetched(self.model).name if is_url(self.model) else self.model,
            style_mixture=self.style_mixture,
            strength=self.strength,
            runtime="openvino",
            precision=self.precision,
        )

    def paint(self, stylizer: Stylizer, encoded: bytes, *, name: str) -> Photo:
        """A stylized photo.

        Args:
            stylizer: from `load`.
            encoded: the photo's file.
            name: named in errors.

        Raises:
            ImageError, StylizeError, MemoryError: as in `stylize_files`, of this photo alone.
        """
        photo = read_photo(encoded, name=name, max_megapixels=self.max_megapixels)
        return dataclasses.replace(photo, pixels=self._stylized(stylizer, photo.pixels))

    def _stylized(self, stylizer: Stylizer, pixels: np.ndarray) -> np.ndarray:
        return self.look.apply(stylizer, pixels) if self.strength else pixels


@functools.cache
def _fetched(model: str) -> tempfile.TemporaryDirectory:
    """A copy of an exported model at a URL, which Beam's file systems read as they do the photos."""
    (found,) = FileSystems.match([f"{model}/**"])
    if f"{model}/saved_model.pb" not in [file.path for file in found.metadata_list]:
        raise ModelCardError(f"{model}: no exported model (saved_model.pb); `faststyle export` writes one")
    folder = tempfile.TemporaryDirectory(prefix="faststyle-model-")
    for file in found.metadata_list:
        copy = os.path.join(folder.name, file.path.removeprefix(f"{model}/"))
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        with FileSystems.open(file.path) as source, open(copy, "wb") as target:
            target.write(source.read())
    return folder
