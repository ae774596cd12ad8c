"""Tables: aligned text where they are printed, HTML in a notebook."""

import html
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Cells in columns; the first column is aligned at the left, the others at the right.

    Attributes:
        head: the name of each column.
        groups: groups of rows of cells, with a rule between them.
        note: what stands below.
        left: the columns that are aligned at the left, from 0.
    """

    head: Sequence[str]
    groups: Sequence[Sequence[Sequence[str]]]
    note: str = ""
    left: tuple[int, ...] = (0,)

    def __str__(self) -> str:
        rows = [self.head, *(row for group in self.groups for row in group)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))

        def line(cells: Sequence[str]) -> str:
            padded = [
                cell.ljust(width) if column in self.left else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
            ]
            return "  ".join(padded).rstrip()

        lines = [line(self.head)]
        for number, group in enumerate(self.groups):
            lines += [rule] * (number > 0) + [line(row) for row in group]
        return "\n".join([*lines, *textwrap.wrap(self.note, len(rule))])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def row(cells: Sequence[str], tag: str = "td") -> str:
            sides = ["left" if column in self.left else "right" for column in range(len(cells))]
            shown = [
                f'<{tag} style="text-align: {side}">{html.escape(cell)}</{tag}>'
                for side, cell in zip(sides, cells, strict=True)
            ]
            return f"<tr>{''.join(shown)}</tr>"

        rules = ["", *[' style="border-top: 2px solid"'] * len(self.groups)]
        bodies = [
            f"<tbody{rule}>{''.join(map(row, group))}</tbody>"
            for rule, group in zip(rules, self.groups, strict=False)
        ]
        caption = f'<caption style="caption-side: bottom">{html.escape(self.note)}</caption>'
        head = f"<thead>{row(self.head, 'th')}</thead>"
        return f"<table>{caption if self.note else ''}{head}{''.join(bodies)}</table>"
