"""What a video file holds beside its pictures: sound, subtitles, chapters, title, date and place."""

from collections import Counter

# What tells of the old file itself.
_OF_THE_FILE = ("major_brand", "minor_version", "compatible_brands", "encoder", "software")
_RATE_HZ = 48_000
_LAYOUTS = {1: "mono", 2: "stereo"}  # old files say only how many channels there are


class CopiedTracks:
    """Copies tracks from one PyAV container to another, packet by packet; sound that the other cannot hold becomes AAC.

    Args:
        reader: the source.
        writer: gets the tracks, and what the source says of itself.
        source: the stream that is not copied but stylized.

    Attributes:
        changes: what is different in the target, in words.
    """

    def __init__(self, reader, writer, source) -> None:
        self._writer = writer
        self._copies: dict = {}
        self._recoded: list = []
        self._waiting: list = []
        self._begun = False
        left_out: Counter[str] = Counter()
        for stream in reader.streams:
            if stream is source or stream.discard.name == "all":  # which is how FFmpeg marks chapters' titles
                continue
            if copy := self._add(stream):
                copy.disposition = stream.disposition
                copy.metadata.update(
                    {key: stream.metadata[key] for key in ("language", "title") if key in stream.metadata}
                )
                self._copies[stream] = copy
            else:
                left_out[stream.type] += 1
        self.changes = [f"{stream.codec_context.name} sound became AAC" for stream in self._recoded]
        self.changes += [f"without {count} {kind} track{'s' * (count > 1)}" for kind, count in left_out.items()]
        told = {key: value for key, value in reader.metadata.items() if key.lower() not in _OF_THE_FILE}
        writer.metadata.update(told)
        writer.set_chapters(reader.chapters())

    @property
    def streams(self) -> list:
        """The source's streams that are copied."""
        return list(self._copies)

    def add(self, packet) -> None:
        """Takes a packet of one of `streams`."""
        copy = self._copies[packet.stream]
        if packet.stream in self._recoded:
            self._waiting += _encoded(packet, copy)
        elif packet.dts is not None:
            packet.stream = copy
            self._waiting.append(packet)
        if self._begun:
            self.begin()

    def begin(self) -> None:
        """Writes the packets so far, and from now on at once; the first one needs every stream's settings."""
        self._begun = True
        for packet in self._waiting:
            self._writer.mux(packet)
        self._waiting = []

    def _add(self, stream):
        if stream.type not in ("audio", "subtitle", "attachment"):
            return None
        try:
            return self._writer.add_stream_from_template(stream)
        except ValueError:
            if stream.type != "audio":
                return None
        self._recoded.append(stream)
        layout = _LAYOUTS.get(stream.layout.nb_channels, stream.layout)
        return self._writer.add_stream("aac", rate=_RATE_HZ, layout=layout)  # PyAV resamples


def _encoded(packet, encoder) -> list:
    """One packet of sound anew; the empty packet at its end brings what decoder and encoder still hold."""
    packets = [packet for frame in packet.decode() for packet in encoder.encode(frame)]
    return packets if packet.size else packets + encoder.encode()
