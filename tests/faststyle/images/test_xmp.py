import io
import struct

import numpy as np
import pytest
from PIL import Image, features

from faststyle.images.formats import FORMATS, encode
from faststyle.images.heif import heif_available
from faststyle.images.photos import Photo, read_photo

PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
 xmp:Rating="4" tiff:Orientation="6" crs:Exposure2012="+2.00" dc:format="image/jpeg">
<dc:creator><rdf:Seq><rdf:li>Ada Grünwald</rdf:li></rdf:Seq></dc:creator>
<xmp:Thumbnails><rdf:Alt><rdf:li>preview</rdf:li></rdf:Alt></xmp:Thumbnails>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()


def photo_with(packet: bytes) -> Photo:
    return read_photo(jpeg(xmp=packet), name="a")


def jpeg(**options) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32)).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def installed(name: str) -> bool:
    return {"avif": features.check("avif"), "heic": heif_available()}.get(name, True)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_it_is_carried_in_every_format(name):
    if not installed(name):
        pytest.skip(f"{name} is not installed")
    photo = photo_with(PACKET)
    content = encode(photo, FORMATS[name])
    assert read_photo(content, name="result").xmp == photo.xmp
    assert "Ada Grünwald".encode() in content


def test_who_and_what_stay_and_what_tells_of_the_old_file_goes():
    kept = photo_with(PACKET).xmp
    for stays in ("Ada Grünwald", "<xmp:Rating>4</xmp:Rating>", "<dc:creator><rdf:Seq>"):
        assert stays.encode() in kept
    for goes in (b"Orientation", b"Exposure2012", b"Thumbnails", b"dc:format"):
        assert goes not in kept


def test_a_packet_may_begin_at_its_rdf():
    start, end = PACKET.index(b"<rdf:RDF"), PACKET.index(b"</x:xmpmeta>")
    assert photo_with(PACKET[start:end]).xmp == photo_with(PACKET).xmp


@pytest.mark.parametrize("packet", [b"<x:xmpmeta", b"<a/>", b"\0", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_a_damaged_or_empty_packet_is_none(packet):
    assert photo_with(packet).xmp is None


def test_too_much_for_a_jpeg_is_left_out():
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "WEBP", xmp=PACKET.replace(b"Ada", b"Ada" * 30_000))
    assert read_photo(buffer.getvalue(), name="a").xmp is None


def test_a_tiff_holds_it_beside_the_exif():
    photo = read_photo(jpeg(xmp=PACKET, exif=camera()), name="a")
    result = Image.open(io.BytesIO(encode(photo, FORMATS["tiff"])))
    assert result.info["xmp"] == photo.xmp
    assert result.getexif()[271] == "Camera"


def camera() -> bytes:
    exif = Image.Exif()
    exif[271] = "Camera"
    return exif.tobytes()


def iptc_segment(**fields: bytes) -> bytes:
    """A JPEG's segment with IPTC fields (IIM 4.2 in Photoshop's resource 0x0404), as older programs write captions."""
    number = {"caption": 120, "keyword": 25, "city": 90}
    block = b"".join(struct.pack(">BBBH", 28, 2, number[name], len(text)) + text for name, text in fields.items())
    block += b"\0" * (len(block) % 2)
    content = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", 0x0404, 0, len(block)) + block
    return b"\xff\xed" + struct.pack(">H", len(content) + 2) + content


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_iptc_captions_become_xmp_where_there_is_none(encoding):
    segment = iptc_segment(caption="Grün & Blau\x03".encode(encoding), keyword=b"sea", city=b"Kiel")
    kept = read_photo(jpeg(extra=segment), name="a").xmp.decode()
    assert '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">Grün &amp; Blau</rdf:li></rdf:Alt>' in kept
    assert "<dc:subject><rdf:Bag><rdf:li>sea</rdf:li></rdf:Bag></dc:subject>" in kept
    assert "<photoshop:City>Kiel</photoshop:City>" in kept
    both = read_photo(jpeg(extra=segment, xmp=PACKET), name="a").xmp
    assert b"Kiel" not in both


def test_a_photo_without_any_gets_none():
    assert read_photo(jpeg(), name="a").xmp is None
    assert b"xmp" not in encode(Photo(np.zeros((16, 16, 3), "uint8")), FORMATS["png"])
