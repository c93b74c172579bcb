"""Who made what: title, artist and year of every picture that a gallery style may be named after.

A new painting's style needs a line here; a style of `drawn_styles.py` needs none.
"""

from collections.abc import Iterable
from pathlib import Path

from faststyle.scripts.demo.drawn_styles import DRAWN_STYLES
from faststyle.user_error import UserError

# Every artist died in 1955 or earlier, and every work is from before 1931.
PAINTINGS = {
    "starry_night": ("The Starry Night", "Vincent van Gogh", "1889"),
    "great_wave": ("The Great Wave off Kanagawa", "Katsushika Hokusai", "c. 1831"),
    "the_scream": ("The Scream", "Edvard Munch", "1893"),
    "composition_vii": ("Composition VII", "Wassily Kandinsky", "1913"),
    "udnie": ("Udnie", "Francis Picabia", "1913"),
    "grande_jatte": ("A Sunday on La Grande Jatte", "Georges Seurat", "1884-86"),
    "water_lilies": ("Water Lilies", "Claude Monet", "c. 1919"),
    "woman_with_hat": ("Woman with a Hat", "Henri Matisse", "1905"),
    "adele_bloch_bauer": ("Portrait of Adele Bloch-Bauer I", "Gustav Klimt", "1907"),
    "metzinger_divisionist": ("Portrait of Jean Metzinger", "Robert Delaunay", "1906"),
    "reverie_champenois": ("Reverie (F. Champenois)", "Alphonse Mucha", "1897"),
    "shipwreck_minotaur": ("The Shipwreck of the Minotaur", "J. M. W. Turner", "c. 1810"),
    "cafe_terrace_at_night": ("Café Terrace at Night", "Vincent van Gogh", "1888"),
    "night_cafe": ("The Night Café", "Vincent van Gogh", "1888"),
    "olive_trees": ("Olive Trees", "Vincent van Gogh", "1889"),
    "wheat_field_with_cypresses": ("Wheat Field with Cypresses", "Vincent van Gogh", "1889"),
    "thatched_cottages": ("Thatched Cottages in the Sunshine", "Vincent van Gogh", "1890"),
    "red_fuji": ("South Wind, Clear Sky (Red Fuji)", "Katsushika Hokusai", "c. 1831"),
    "plum_park_in_kameido": ("Plum Park in Kameido", "Utagawa Hiroshige", "1857"),
    "composition_viii": ("Composition VIII", "Wassily Kandinsky", "1923"),
    "composition_a": ("Composition A", "Piet Mondrian", "1920"),
    "suprematist_composition": ("Suprematist Composition", "Kazimir Malevich", "1916"),
    "edtaonisl": ("Edtaonisl", "Francis Picabia", "1913"),
    "contrast_of_forms": ("Contrast of Forms", "Fernand Léger", "1913"),
    "violin_and_guitar": ("Violin and Guitar", "Juan Gris", "1913"),
    "dynamism_of_a_cyclist": ("Dynamism of a Cyclist", "Umberto Boccioni", "1913"),
    "battle_of_lights": ("Battle of Lights, Coney Island", "Joseph Stella", "1913-14"),
    "little_blue_horse": ("The Little Blue Horse", "Franz Marc", "1912"),
    "vegetable_fields": ("Vegetable Fields", "August Macke", "1911"),
    "two_women_in_the_street": ("Two Women in the Street", "Ernst Ludwig Kirchner", "1914"),
    "lady_with_fan": ("Lady with a Fan", "Gustav Klimt", "1917-18"),
    "golden_horn_morning": ("The Golden Horn. Morning", "Paul Signac", "1907"),
    "relais_plate_9": ("Relais, plate 9", "Édouard Bénédictus", "1930"),
    "peacock_and_dragon": ("Peacock and Dragon", "William Morris", "1878"),
    "melencolia_i": ("Melencolia I", "Albrecht Dürer", "1514"),
    "adoration_of_the_magi_window": ("Adoration of the Magi, stained glass", "Austrian glass painter", "1390"),
    "isfahan_mihrab": ("Mihrab of mosaic tiles", "tile makers of Isfahan", "1354-55"),
    "catfish_tunic": ("Tunic with Confronting Catfish", "Nasca-Wari weaver", "800-850"),
}
_DRAWN_BY = "faststyle"


class CatalogueError(UserError):
    """A style that is in no catalogue."""


def in_catalogue_order(names: Iterable[str]) -> list[str]:
    """Names of styles as they are shown: paintings as above, then the drawn styles; sizes of one as they come."""
    order = [*PAINTINGS, *DRAWN_STYLES]
    return sorted(names, key=lambda name: order.index(gallery_entry(name)["name"].partition("@")[0]))


def gallery_entry(name: str) -> dict:
    """What the gallery's card says of a style: name, title, painter, year and kind, "painting" or "drawn".

    Args:
        name: of the picture, with `@size` where its strokes were learned at several sizes.

    Raises:
        CatalogueError: neither a known painting nor a drawn style.
    """
    picture, _, size = name.partition("@")
    strokes = f", {size} px" if size else ""
    if picture in PAINTINGS:
        title, painter, year = PAINTINGS[picture]
        return {"name": name, "title": title + strokes, "painter": painter, "year": year, "kind": "painting"}
    if picture in DRAWN_STYLES:
        title = picture.replace("_", " ").capitalize() + strokes
        return {"name": name, "title": title, "painter": _DRAWN_BY, "year": None, "kind": "drawn"}
    raise CatalogueError(f"{name!r} is no painting of scripts/gallery/catalogue.py and no drawn style; add it there")


def without_folders(card: dict) -> dict:
    """The card with the last name of each path in its settings: where files lie on one machine tells others nothing."""
    return {**card, "settings": _last_names(card["settings"])} if "settings" in card else card


def _last_names(value):
    if isinstance(value, dict):
        return {key: _last_names(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_last_names(part) for part in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
