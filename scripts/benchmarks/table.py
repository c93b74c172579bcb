"""Tables of benchmarks: as Markdown on the terminal and between the docs' marks, as numbers in a JSON file."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from faststyle.user_error import UserError


class Number(NamedTuple):
    """A measured value with the format and the unit that it is shown with."""

    value: float
    form: str = ".2f"
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.value:{self.form}}{self.unit}"


class Table(NamedTuple):
    """A table of texts and numbers.

    Attributes:
        name: of its block in the docs, e.g. "training.precision".
        title: the line above it.
        columns: heads.
        rows: as many cells as columns.
    """

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | Number]]

    def markdown(self) -> str:
        """Title and table."""
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        return "\n".join([self.title, "", *("| " + " | ".join(map(str, line)) + " |" for line in lines), ""])

    def to_json(self) -> dict:
        """The table as plain JSON values; numbers in full."""
        rows = [[cell.value if isinstance(cell, Number) else cell for cell in row] for row in self.rows]
        return {"name": self.name, "title": self.title, "columns": list(self.columns), "rows": rows}


def marked_blocks(document: str) -> list[str]:
    """Names of the blocks `<!-- benchmark:NAME -->` ... `<!-- end -->` in a document."""
    return re.findall(r"<!-- benchmark:(\S+) -->", document)


def replace_block(document: str, name: str, content: str) -> str:
    """The document with new content between the marks of one block; everything else stays.

    Raises:
        UserError: no such block, or one without an end.
    """
    start = f"<!-- benchmark:{name} -->"
    before, found, rest = document.partition(start)
    inside, ended, after = rest.partition("<!-- end -->")
    if not found:
        raise UserError(f"no block {start} in the document; put it, and <!-- end -->, where the table belongs")
    if not ended or "<!-- benchmark:" in inside:
        raise UserError(f"the block {start} has no <!-- end -->")
    return f"{before}{start}\n{content.strip()}\n{ended}{after}"
