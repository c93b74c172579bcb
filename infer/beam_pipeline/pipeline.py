"""The pipeline: match photos, share them out, paint those whose picture is missing, list the broken ones.

Only names travel between workers. Whatever a worker was doing when it died is missing afterwards, so that a retry by
the engine, or a second run, does it; a picture that is there is whole, since it got its name when it was written.
"""

import contextlib
import json
import uuid
from collections.abc import Iterable, Iterator

import apache_beam as beam
from apache_beam.io import fileio
from apache_beam.io.filesystems import FileSystems
from apache_beam.metrics import Metrics
from apache_beam.utils.shared import Shared
from PIL import Image

from faststyle.images.decoding import ImageError
from faststyle.infer.beam_pipeline.painting import Painting
from faststyle.infer.beam_pipeline.places import Places
from faststyle.infer.exported_model.stylizer import Stylizer
from faststyle.infer.stylize.files import PHOTO_FAILURES, encode_result, lost_in

PHOTOS, LOST = "photos", "lost"  # namespaces of counters: how many became what, and how many lost what
PAINTED, EXISTING, BROKEN = "painted", "existing", "broken"


def paint_photos(pipeline: beam.Pipeline, places: Places, painting: Painting) -> None:
    """Adds all steps to a pipeline; grouping by result shares the photos out and finds two with the same result."""
    (
        pipeline
        | "match" >> fileio.MatchFiles(places.pattern, fileio.EmptyMatchTreatment.ALLOW)
        | "name" >> beam.Map(lambda file: file.path)
        | "photos" >> beam.Filter(places.is_photo)
        | "result" >> beam.WithKeys(places.result_of).with_output_types(tuple[str, str])
        | "share out" >> beam.GroupByKey()
        | "paint" >> beam.ParDo(PaintMissing(places, painting))
        | "broken" >> beam.combiners.ToList()
        | "list" >> beam.Map(_write_list, places)
    )


class PaintMissing(beam.DoFn):
    """Paints the photo of a result that is not there; yields what is broken as `{"photo": ..., "reason": ...}`.

    Errors of the file system other than "not found" and "not allowed" are raised: the engine tries again.
    """

    def __init__(self, places: Places, painting: Painting) -> None:
        self._places, self._painting = places, painting
        self._shared = Shared()

    def setup(self) -> None:
        """Loads the model, once for all threads of a worker process."""
        self._stylizer: Stylizer = self._shared.acquire(self._painting.load)

    def process(self, element: tuple[str, Iterable[str]]) -> Iterator[dict[str, str]]:
        result, photos = element
        photo, *others = sorted(photos)
        for other in others:
            yield _broken(other, f"would become {result}, as {photo} does; rename one")
        if FileSystems.exists(result):
            _count(EXISTING)
            return
        try:
            self._paint(photo, result)
        except PHOTO_FAILURES as error:
            yield _broken(photo, " ".join(str(error).split()) or "not enough memory")
        else:
            _count(PAINTED)

    def _paint(self, photo: str, result: str) -> None:
        image_format = self._places.format
        painted = self._painting.paint(self._stylizer, _read(photo), name=photo)
        picture = encode_result(painted, image_format, name=photo, quality=self._painting.quality)
        mime_type = Image.MIME.get(image_format.pillow_name, "application/octet-stream")
        _write(result, picture, places=self._places, mime_type=mime_type)
        for lost in lost_in(painted, image_format):
            _count(lost, LOST)


def _read(photo: str) -> bytes:
    try:
        with FileSystems.open(photo) as file:
            return file.read()
    except (FileNotFoundError, PermissionError) as error:
        raise ImageError(f"{photo}: cannot be read ({error.strerror})") from error


def _write_list(broken: list[dict[str, str]], places: Places) -> None:
    lines = sorted(json.dumps(entry, ensure_ascii=False) + "\n" for entry in broken)
    _write(places.broken_photos, "".join(lines).encode(), places=places, mime_type="application/jsonl")


def _write(path: str, content: bytes, *, places: Places, mime_type: str) -> None:
    """A file that gets its name once it is whole; on stores whose objects are whole anyway, that is a copy there."""
    unfinished = f"{places.unfinished}/{uuid.uuid4()}"
    with FileSystems.create(unfinished, mime_type=mime_type) as file:
        file.write(content)
    with contextlib.suppress(OSError):  # it exists; if it does not, the next line fails
        FileSystems.mkdirs(path.rpartition("/")[0])
    FileSystems.rename([unfinished], [path])


def _broken(photo: str, reason: str) -> dict[str, str]:
    _count(BROKEN)
    return {"photo": photo, "reason": reason.removeprefix(f"{photo}: ")}


def _count(what: str, namespace: str = PHOTOS) -> None:
    Metrics.counter(namespace, what).inc()
