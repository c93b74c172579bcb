"""Any image-to-image SavedModel as a function from a photo to the stylized photo, if its signature is that simple."""

from pathlib import Path

import numpy as np
from PIL import Image

from faststyle.infer.exported_model.stylizer import MINIMUM_SIZE_PX, StylizeError

_SIGNATURE = "serving_default"
_WANTED = "one image [batch, height, width, 3] of floats in, one such image out"


class ForeignModel:
    """A SavedModel of any origin, run by TensorFlow.

    Args:
        model_dir: the SavedModel.
        input_range: its black and white, e.g. 0, 255 or -1, 1.
        output_range: of its output.

    Raises:
        StylizeError: it cannot be loaded, or its signature does not fit.
    """

    def __init__(self, model_dir: Path, *, input_range: tuple[float, float], output_range: tuple[float, float]) -> None:
        import tensorflow as tf

        try:
            self._model = tf.saved_model.load(str(model_dir))
        except Exception as error:  # damaged and unknown models raise nearly everything that there is
            reason = " ".join(str(error).split())[:200]
            raise StylizeError(f"{model_dir}: TensorFlow cannot load this model ({reason})") from None
        self._where, self._input_range, self._output_range = model_dir, input_range, output_range
        self._signature = self._find_signature()
        self._name, self._spec = self._find_image()
        outputs = self._signature.structured_outputs
        if len(outputs) != 1 or not _is_image(next(iter(outputs.values()))):
            raise self._misfit(f"its outputs are {_in_words(outputs)}")

    def check_size(self, size_px: int) -> None:
        """Raises `StylizeError` where the model takes squares of another size only."""
        sides = [side for side in (self._spec.shape[1:3] if self._spec.shape.rank else ()) if side]
        if any(side != size_px for side in sides):
            raise StylizeError(f"{self._where}: takes images of {sides[0]} px only; pass --sizes {sides[0]}")

    def __call__(self, photo: np.ndarray) -> tuple[np.ndarray, str]:
        """Stylizes `[size, size, 3]` uint8; the result is float32 in 0..255, with a word if its size had to change."""
        import tensorflow as tf

        low, high = self._input_range
        image = tf.cast(low + photo[None].astype("float32") / 255.0 * (high - low), self._spec.dtype)
        (output,) = self._signature(**{self._name: image}).values()
        values = np.asarray(output, "float32")
        if values.ndim != 4 or values.shape[::3] != (1, 3):
            raise self._misfit(f"its output is {list(values.shape)}")
        stylized = self._to_pixels(values[0])
        if stylized.shape == photo.shape:
            return stylized, ""
        size = f"{stylized.shape[1]}x{stylized.shape[0]}"
        return _resized(stylized, *photo.shape[:2]), f"resized from the model's {size} px"

    def _to_pixels(self, values: np.ndarray) -> np.ndarray:
        low, high = self._output_range
        unit = (values - low) / (high - low)
        if not np.isfinite(unit).all() or unit.max() > 2 or unit.max() < 0.02:
            least, most = float(np.min(values)), float(np.max(values))
            raise StylizeError(
                f"{self._where}: its output lies in {least:.3g}..{most:.3g}, which does not fit {low:g}..{high:g}; "
                "pass --input-range and --output-range LOW,HIGH"
            )
        return 255.0 * np.clip(unit, 0, 1)

    def _find_signature(self):
        signatures = self._model.signatures
        if _SIGNATURE in signatures:
            return signatures[_SIGNATURE]
        if len(signatures) == 1:
            return next(iter(signatures.values()))
        found = ", ".join(signatures) or "none"
        raise self._misfit(f"it has no signature {_SIGNATURE!r} (signatures: {found})")

    def _find_image(self):
        inputs = self._signature.structured_input_signature[1]
        if len(inputs) != 1 or not _is_image(next(iter(inputs.values()))):
            raise self._misfit(f"its inputs are {_in_words(inputs)}")
        return next(iter(inputs.items()))

    def _misfit(self, found: str) -> StylizeError:
        return StylizeError(f"{self._where}: a model to compare takes {_WANTED}, but {found}")


def _is_image(spec) -> bool:
    if not spec.dtype.is_floating:
        return False
    if spec.shape.rank is None:
        return True
    if spec.shape.rank != 4:
        return False
    batch, height, width, channels = spec.shape
    # Channels first, a shape [batch, 3, height, width], would be an image of three rows.
    large_enough = all(side is None or side >= MINIMUM_SIZE_PX for side in (height, width))
    return large_enough and batch in (None, 1) and channels in (None, 3)


def _in_words(specs: dict) -> str:
    return ", ".join(f"{name} {spec.shape} {spec.dtype.name}" for name, spec in sorted(specs.items())) or "none"


def _resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    planes = (
        Image.fromarray(plane).resize((width, height), Image.Resampling.LANCZOS) for plane in np.moveaxis(image, 2, 0)
    )
    return np.clip(np.stack([np.asarray(plane) for plane in planes], axis=2), 0, 255)
