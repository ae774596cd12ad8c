"""A table that reads well where it is printed, and as HTML in a notebook."""

import html
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Rows of words: the first column is aligned to the left, the others to the right.

    Attributes:
        head: the name of each column.
        groups: lists of rows, with a rule between one group and the next. A row has as many
            cells as the head.
        note: a remark under the table.
    """

    head: Sequence[str]
    groups: Sequence[Sequence[Sequence[str]]]
    note: str = ""

    def __str__(self) -> str:
        rows = [self.head, *(row for group in self.groups for row in group)]
        first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
        rule = "-" * (first + sum(others) + 2 * len(others))

        def line(row: Sequence[str]) -> str:
            name, *cells = row
            aligned = [cell.rjust(width) for cell, width in zip(cells, others, strict=True)]
            return "  ".join([name.ljust(first), *aligned]).rstrip()

        groups = ["\n".join(map(line, group)) for group in self.groups]
        note = textwrap.wrap(self.note, len(rule))
        return "\n".join([line(self.head), f"\n{rule}\n".join(groups), *note])

    def _repr_html_(self) -> str:
        def line(row: Sequence[str], tag: str = "td") -> str:
            sides = ["left", *["right"] * (len(row) - 1)]
            cells = (
                f'<{tag} style="text-align: {side}">{html.escape(cell)}</{tag}>'
                for side, cell in zip(sides, row, strict=True)
            )
            return f"<tr>{''.join(cells)}</tr>"

        caption = f'<caption style="caption-side: bottom">{html.escape(self.note)}</caption>'
        groups = '</tbody><tbody style="border-top: 2px solid">'.join(
            "".join(map(line, group)) for group in self.groups
        )
        return (
            f"<table>{caption if self.note else ''}<thead>{line(self.head, 'th')}</thead>"
            f"<tbody>{groups}</tbody></table>"
        )
