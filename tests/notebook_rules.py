"""The house rules for a stored notebook, and what breaks them."""

import getpass
import json
import re
import socket
from itertools import pairwise

from execute_notebooks import WIDGET
from helpers import REPOSITORY

from seglab.classroom import publish

FOLDER = REPOSITORY / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LARGEST = 1.5e6  # bytes
# Longest code cells: of any kind, with hidden input (figures), and the first one (imports). The
# set-up cell for Colab, which is the same everywhere, comes before it.
LINES, LINES_OF_FIGURES, LINES_OF_IMPORTS = 15, 20, 30
CHECKED = "nbval-check-output"

# A folder from the root of a disk: /home/..., C:\Users\..., but no address (https://...), no
# closing tag, no division, and no part of a longer path.
ABSOLUTE_PATH = re.compile(r"(?<![\w:/.~*})<\-])/(?:[A-Za-z_][\w.+-]*/)+[\w.+-]+|\b[A-Z]:\\\w|~/\w")
UNFINISHED = re.compile(r"\b(PLACEHOLDER|TODO|FIXME|XXX)\b")  # in what people read and run
WARNING = re.compile(r"\b\w*Warning\b")
ALT = 40, 600  # characters of an alternative text, which nbconvert gives to the cell's picture
# A screen reader says "graphic" before the text anyway.
NEEDLESS = re.compile(r"(the )?figure\b|((an?|the) )?(image|plot|screenshot) (of|show)", re.I)
FENCE = re.compile(r"^ {0,3}(```+|~~~+).*?(^ {0,3}\1[`~]*\s*$|\Z)", re.M | re.S)
HEADING = re.compile(r"^ {0,3}(#{1,6})\s+\S.*$|<h([1-6])\b", re.M | re.I)
SPEED = re.compile(r"\d(it/s|s/it)\b|\?it\b")


def texts(cell) -> list[str]:
    """What a reader can read in a cell's outputs: no pictures."""
    found = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            found.append(output.text)
        elif output.output_type == "error":
            found.append("\n".join(output.traceback))
        else:
            found += [
                value if isinstance(value, str) else json.dumps(value)
                for kind, value in output.data.items()
                if not kind.startswith(("image/png", "image/jpeg"))
            ]
    return found


def own_names() -> list[str]:
    """Names of this machine and its user, if they are long enough to mean something."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = ""
    common = {"root", "user", "runner", "admin", "localhost", "ubuntu", "student", "home"}
    return [n for n in (user, socket.gethostname()) if len(n) >= 5 and n.lower() not in common]


def headings(notebook) -> list[tuple[int, int, str]]:
    """Cell, level and line of each heading of the text; a comment in a code block is none."""
    found = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            for match in HEADING.finditer(FENCE.sub("", cell.source)):
                found.append((number, len(match[1] or "") or int(match[2]), match[0]))
    return found


def problems_of_headings(notebook) -> list[str]:
    """One title, first of all; no level is skipped on the way down."""
    found, before = [], 1  # that the first one is the title, `problems` knows
    for place, (number, level, line) in enumerate(headings(notebook)):
        if level == 1 and place:
            found.append(f"headings: cell {number}: a second title: {line!r}")
        if level > before + 1:
            found.append(f"headings: cell {number}: level {level} after level {before}: {line!r}")
        before = level
    return found


def problems_of_pictures(notebook) -> list[str]:
    """Pictures without alternative text, and texts that say too little, too much or nothing."""
    found, texts_before = [], {}
    for number, cell in enumerate(notebook.cells):
        kinds = {kind for output in cell.get("outputs", []) for kind in output.get("data", {})}
        alt = cell.metadata.get("alt")
        if not any(kind.startswith("image/") for kind in kinds):
            if alt is not None:
                found.append(f"alt: cell {number} has a text but no picture")
            continue
        if not isinstance(alt, str):
            found.append(f"alt: cell {number} has a picture and no text")
            continue
        if not ALT[0] <= len(alt.strip()) <= ALT[1]:
            found.append(f"alt: cell {number}: {len(alt.strip())} characters")
        if NEEDLESS.match(alt.strip()):
            found.append(f"alt: cell {number} begins with {NEEDLESS.match(alt.strip())[0]!r}")
        if alt.strip() in texts_before:
            found.append(f"alt: cell {number} has the text of cell {texts_before[alt.strip()]}")
        texts_before[alt.strip()] = number
    return found


def problems(notebook, size: int) -> list[str]:
    """Everything that is wrong with a stored notebook, in words."""
    found = []
    if size >= LARGEST:
        found.append(f"size: {size / 1e6:.2f} MB")
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    counts = [cell.execution_count for cell in code]
    if counts != list(range(1, len(code) + 1)):
        found.append(f"executed: the cells were not run once, from top to bottom: {counts}")
    head = notebook.cells[0].source if notebook.cells else ""
    opening = "\n".join(c.source for c in notebook.cells[:3] if c.cell_type == "markdown")
    if not head.startswith("# "):
        found.append("header: the first cell is no title")
    if not re.search(r"\d+\s*(–|-|to)?\s*\d*\s*(minutes?|min)\b", opening):
        found.append("header: no minutes")
    if not any(CHECKED in cell.metadata.get("tags", []) for cell in code):
        found.append(f"checked: no cell has the tag {CHECKED}")
    setup = [cell for cell in code if publish.TAG in cell.metadata.get("tags", [])]
    if notebook.cells[1:2] != setup:
        found.append(f"setup: expected one cell tagged {publish.TAG}, second in the notebook")
    first, *others = [cell for cell in code if cell not in setup] or [None]
    # More imports may follow in a folded cell directly after the first one.
    more = [c for c in others[:1] if "hide-input" in c.metadata.get("tags", [])]
    for number, cell in enumerate(code, start=1):
        tags = cell.metadata.get("tags", [])
        lines = len(cell.source.strip().splitlines())
        limit = LINES_OF_FIGURES if "hide-input" in tags and cell not in setup else LINES
        if lines > (LINES_OF_IMPORTS if cell is first or cell in more else limit):
            found.append(f"lines: code cell {number} has {lines}")
        imports = re.search(r"^\s*(import|from)\s+\w+", cell.source, re.M)
        if imports and cell is not first and cell not in [*more, *setup]:
            found.append(f"imports: code cell {number}: {imports[0].strip()}")
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"error: code cell {number}: {output.ename}")
            if WIDGET in output.get("data", {}):
                found.append(f"widget: code cell {number}: dead without a kernel; store a picture")
            if cell in setup:
                found.append("setup: the cell has an output; was it run on Colab?")
            if output.output_type == "stream" and output.name == "stderr":
                found.append(f"stderr: code cell {number}: {output.text[:60]!r}")
        streams = [o.get("name") for o in cell.outputs]
        if any(one and one == next_one for one, next_one in pairwise(streams)):
            found.append(f"torn: code cell {number}: its text is stored in pieces")
        if CHECKED in tags and not texts(cell):
            found.append(f"checked: code cell {number} is tagged but has no text to check")
        for text in texts(cell):
            for kind, pattern in (("warning", WARNING), ("speed", SPEED)):
                if pattern.search(text):
                    found.append(f"{kind}: code cell {number}: {pattern.search(text)[0]}")
    for number, cell in enumerate(notebook.cells):
        if unfinished := UNFINISHED.search(cell.source):
            found.append(f"unfinished: cell {number}: {unfinished[0]}")
        for text in [cell.source, *texts(cell)]:
            if path := ABSOLUTE_PATH.search(text):
                found.append(f"path: cell {number}: {path[0]}")
            found += [f"name: cell {number}: {n}" for n in own_names() if n in text]
    return found + problems_of_headings(notebook) + problems_of_pictures(notebook)
