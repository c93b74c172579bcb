"""What a result keeps of its photo's XMP (ISO 16684-1): titles, captions, people, rights; as `exif` does for EXIF.

Left out is what tells of the old file: its orientation, edits to apply when it is opened, previews, a gain map or a
clip behind the picture. A reader that believed any of it would show the result wrongly.
"""

from xml.etree import ElementTree

from PIL import Image, ImageFile, IptcImagePlugin

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_META = "adobe:ns:meta/"
_KEPT = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "cc": "http://creativecommons.org/ns#",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
}
_LEFT_OUT = {
    f"{{{_KEPT[prefix]}}}{name}"
    for prefix, names in {
        "dc": ("format",),
        "xmp": ("Thumbnails", "PageInfo", "MetadataDate"),
        "photoshop": ("ColorMode", "ICCProfile", "LegacyIPTCDigest", "DocumentAncestors", "TextLayers", "History"),
        "Iptc4xmpExt": ("ImageRegion",),
    }.items()
    for name in names
}
# IPTC fields (IIM 4.2), which older programs write instead: the properties that mean the same, and their containers.
_OF_IPTC = {
    (2, 5): ("dc", "title", "Alt"),
    (2, 25): ("dc", "subject", "Bag"),
    (2, 80): ("dc", "creator", "Seq"),
    (2, 116): ("dc", "rights", "Alt"),
    (2, 120): ("dc", "description", "Alt"),
    (2, 90): ("photoshop", "City", None),
    (2, 95): ("photoshop", "State", None),
    (2, 101): ("photoshop", "Country", None),
    (2, 105): ("photoshop", "Headline", None),
    (2, 110): ("photoshop", "Credit", None),
    (2, 115): ("photoshop", "Source", None),
}
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_LARGEST_BYTES = 65_000  # as EXIF in a JPEG
_ENDS = ('<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>', '<?xpacket end="w"?>')


def xmp_of(image: Image.Image) -> bytes:
    """An opened image's XMP packet; empty where it has none."""
    packet = image.info.get("xmp")
    return packet if isinstance(packet, bytes) else b""


def carried_xmp(image: Image.Image) -> bytes | None:
    """The XMP packet for an image's result, from its XMP, or from its IPTC captions where there is no XMP.

    None where there is nothing to tell, or where it is damaged or too large for a JPEG.
    """
    kept = _descriptive(xmp_of(image)) or _of_iptc(image)
    if not kept:
        return None
    description = ElementTree.Element(f"{{{_RDF}}}Description", {f"{{{_RDF}}}about": ""})
    description.extend(kept)
    encoded = _encode(description)
    return encoded if len(encoded) <= _LARGEST_BYTES else None


def _descriptive(packet: bytes) -> list[ElementTree.Element]:
    """The properties to keep, as elements; RDF writes simple ones as attributes, too."""
    if b"<!DOCTYPE" in packet:
        return []
    try:
        root = ElementTree.fromstring(packet.strip(b"\0 \t\r\n"))
    except (ElementTree.ParseError, ValueError, LookupError):
        return []
    rdf = root if root.tag == f"{{{_RDF}}}RDF" else root.find(f"{{{_RDF}}}RDF")
    kept = []
    for description in () if rdf is None else rdf.iterfind(f"{{{_RDF}}}Description"):
        kept += [_element(name, value) for name, value in description.items() if _is_kept(name)]
        kept += [entry for entry in description if _is_kept(entry.tag)]
    return kept


def _of_iptc(image: Image.Image) -> list[ElementTree.Element]:
    if not isinstance(image, ImageFile.ImageFile):
        return []
    try:
        fields = IptcImagePlugin.getiptcinfo(image) or {}
    except Exception:  # it reads damaged fields without looking
        return []
    return [_property(*_OF_IPTC[key], _texts(value)) for key, value in fields.items() if key in _OF_IPTC]


def _property(prefix: str, name: str, container: str | None, texts: list[str]) -> ElementTree.Element:
    element = _element(f"{{{_KEPT[prefix]}}}{name}", None if container else texts[0])
    if container:
        entries = ElementTree.SubElement(element, f"{{{_RDF}}}{container}")
        entries.extend(_element(f"{{{_RDF}}}li", text) for text in texts)
        if container == "Alt":
            entries[0].set(_LANGUAGE, "x-default")
    return element


def _texts(value: bytes | list[bytes]) -> list[str]:
    """IPTC text is UTF-8 or Latin-1; without control characters, which XML cannot hold."""
    texts = []
    for content in value if isinstance(value, list) else [value]:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            text = content.decode("latin-1")
        texts.append("".join(letter for letter in text if letter.isprintable() or letter in "\n\t"))
    return texts


def _element(name: str, text: str | None) -> ElementTree.Element:
    element = ElementTree.Element(name)
    element.text = text
    return element


def _is_kept(name: str) -> bool:
    return name[1:].partition("}")[0] in _KEPT.values() and name not in _LEFT_OUT


def _encode(description: ElementTree.Element) -> bytes:
    for prefix, namespace in {"x": _META, "rdf": _RDF, **_KEPT}.items():
        ElementTree.register_namespace(prefix, namespace)  # some readers know only the usual prefixes
    root = ElementTree.Element(f"{{{_META}}}xmpmeta")
    ElementTree.SubElement(root, f"{{{_RDF}}}RDF").append(description)
    return "".join((_ENDS[0], ElementTree.tostring(root, "unicode"), _ENDS[1])).encode()
