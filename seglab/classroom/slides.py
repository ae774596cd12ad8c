"""Slides from the notebooks: which cells begin one, and how they look.

`python -m seglab slides` writes the tags (`slideshow.slide_type`, which JupyterLab shows and
`jupyter nbconvert --to slides` reads) by rule into the notebooks of a clone. The rule:

- A heading of the first or second level begins a slide; one of the third level, or a text that
  leads to code, a slide below it (a "subslide"). What the code shows belongs to it, and so does a
  text after it that leads to nothing else.
- Left out is the set-up: the cell for Colab, the imports, `seglab.start()`.

`jupyter nbconvert --to seglab.classroom.slides.Deck NOTEBOOK` makes slides: nbconvert's own, in
which input that only draws is hidden and what is taller than a slide scrolls.
`--to seglab.classroom.slides.Page` makes a page to read. In both, pictures have the alternative
text that is `alt` in a cell's metadata; nbconvert's own templates leave it out.
"""

import copy
import html
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from nbconvert.exporters import HTMLExporter, SlidesExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from traitlets import default
from traitlets.config import Config

from seglab.classroom import clone, publish

SOLUTION = "<details"  # how the text of a solution begins
MISTAKES = "> **When it goes wrong"  # and what leads to the mistakes that are run live
SETUP = ("seglab.start(", "jpeg_figures(")  # calls of cells that only prepare


def tag(folder: str | Path) -> list[Path]:
    """Write the tags into all notebooks of a clone; what is right already stays untouched.

    Returns:
        the notebooks that were changed.

    Raises:
        CloneError: no notebooks, or one that cannot be read; then nothing is written.
    """
    paths = clone.notebooks(folder)
    if not paths:
        raise clone.CloneError(f"{Path(folder).resolve()}: no notebooks; run this in a clone")
    return clone.write(clone.altered(dict.fromkeys(paths, with_tags)))


def with_tags(text: str) -> str:
    """A notebook whose tags follow the rule; nothing else changes."""
    notebook = json.loads(text)
    for cell, kind in zip(notebook["cells"], kinds(notebook["cells"]), strict=True):
        metadata = cell["metadata"]
        slideshow = metadata.pop("slideshow", {})
        slideshow.pop("slide_type", None)
        if slideshow := slideshow | ({"slide_type": kind} if kind else {}):
            cell["metadata"] = dict(sorted({**metadata, "slideshow": slideshow}.items()))
    return clone.as_text(notebook)


def kinds(cells: list[dict]) -> Iterator[str | None]:
    """The tag of each cell by the rule in the module's text: slide, subslide, skip or None."""
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    imports = next((cell for cell in code if publish.TAG not in clone.tags(cell)), None)
    before = ""
    for cell, after in zip(cells, [*cells[1:], None], strict=False):
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            left_out = cell is imports or is_setup(cell) or not source.strip()
            after_solution = "subslide" if before.startswith(SOLUTION) else None
            yield "skip" if left_out else after_solution
        elif levels := [level for _, level in headings(source)]:
            yield "slide" if min(levels) < 3 else "subslide"
        elif source.startswith(SOLUTION):  # belongs to its exercise
            yield None
        else:
            leads = source.startswith(MISTAKES) or (after and after["cell_type"] == "code")
            yield "subslide" if leads else None
        before = source


def is_setup(cell: dict) -> bool:
    source = "".join(cell["source"])
    return publish.TAG in clone.tags(cell) or any(call in source for call in SETUP)


def headings(source: str) -> list[tuple[int, int]]:
    """Where the headings of a text begin, and their levels; a comment in a code block is none."""
    outside = re.sub(r"^```.*?^```", lambda block: " " * len(block[0]), source, flags=re.M | re.S)
    return [(found.start(), len(found[1])) for found in re.finditer(r"^(#{1,6}) ", outside, re.M)]


# ---------------------------------------------------------------- what nbconvert makes of them


class Page(HTMLExporter):
    """A page to read: no cell for Colab, and code that only draws is folded."""

    export_from_notebook = None  # not in JupyterLab's menu
    look = "page.html.j2"

    @property
    def default_config(self):
        hidden = {"enabled": True, "remove_cell_tags": {publish.TAG}}
        # Text that a cell printed in several pieces is one block, as JupyterLab shows it.
        whole = {"CoalesceStreamsPreprocessor": {"enabled": True}}
        return Config({**super().default_config, **whole, "TagRemovePreprocessor": hidden})

    @default("raw_template")
    def _raw_template_default(self):
        return Path(__file__).with_name(self.look).read_text(encoding="utf-8")

    def from_notebook_node(self, nb, resources=None, **options):
        return super().from_notebook_node(described(nb), resources, **options)


class Deck(Page, SlidesExporter):
    """Slides of 1280 × 720 pixels; with a local copy of reveal.js they need no network.

    All options of nbconvert's own slides work; `--SlidesExporter.reveal_url_prefix` names the
    folder that holds reveal.js.
    """

    look = "deck.html.j2"

    @property
    def default_config(self):
        config = super().default_config
        config.TagRemovePreprocessor.remove_input_tags = {"hide-input"}
        config.TemplateExporter.update(exclude_input_prompt=True, exclude_output_prompt=True)
        config.SlidesExporter.update(reveal_theme="white", reveal_number="c/t")
        config.SlidesExporter.update(reveal_width="1280", reveal_height="720")
        return config

    def from_notebook_node(self, nb, resources=None, **options):
        nb = copy.deepcopy(nb)
        nb.cells = [part for cell in nb.cells for part in parts(cell)]
        return super().from_notebook_node(nb, resources, **options)


def described(notebook: NotebookNode) -> NotebookNode:
    """A copy in which the pictures of a cell with an `alt` have that text.

    A cell may draw several pictures: its text describes them together, and belongs to the first.
    """
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        texts = iter([cell.metadata.get("alt", "")])
        for output in cell.get("outputs", []) if "alt" in cell.metadata else []:
            for kind in {"image/png", "image/jpeg"} & output.get("data", {}).keys():
                alt = html.escape(next(texts, ""))
                source = f"data:{kind};base64,{output.data[kind].strip()}"
                output.data = {"text/html": f'<img alt="{alt}" src="{source}">'}
    return notebook


def parts(cell: NotebookNode) -> Iterator[NotebookNode]:
    """A text in which a section begins, in two pieces: what stands before sums up the last one."""
    slides = cell.metadata.get("slideshow", {}).get("slide_type") == "slide"
    places = [place for place, level in headings(cell.source) if place and level < 3]
    if not slides or not places:
        yield cell
        return
    for begin, end in pairwise([0, *places, len(cell.source)]):
        part = new_markdown_cell(cell.source[begin:end])
        if headings(part.source):
            part.metadata.slideshow = cell.metadata.slideshow
        yield part
