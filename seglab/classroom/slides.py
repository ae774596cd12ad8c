"""Slides from the notebooks: which cells begin one, and how they look.

`python -m seglab slides` writes the tags (`slideshow.slide_type`, which JupyterLab shows and
`jupyter nbconvert --to slides` reads) by rule into the notebooks of a clone. The rule:

- A heading of the first or second level begins a slide; one of the third level, or a text that
  leads to code, a slide below it (a "subslide"). What the code shows belongs to it, and so does a
  text after it that leads to nothing else.
- Left out is the set-up: the cell for Colab, the imports, `seglab.start()`.

`jupyter nbconvert --to seglab.classroom.slides.Deck NOTEBOOK` makes slides: nbconvert's own, in
which input that only draws is hidden, what is taller than a slide scrolls, and pictures have the
alternative text that is `alt` in a cell's metadata (deck.html.j2 beside this file).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from nbconvert.exporters import SlidesExporter
from traitlets import default
from traitlets.config import Config

from seglab.classroom import clone, publish

SOLUTION = "<details"  # how the text of a solution begins
MISTAKES = "> **When it goes wrong"  # and what leads to the mistakes that are run live
SETUP = ("seglab.start(", "jpeg_figures(")  # calls of cells that only prepare


def main() -> None:
    """Write the tags in the clone of the course that this was started in."""
    clone.report(tag(Path()))


def tag(folder: str | Path) -> list[Path]:
    """Write the tags into all notebooks of a clone; what is right already stays untouched.

    Returns:
        the notebooks that were changed.

    Raises:
        CloneError: this is no clone, or a notebook cannot be read; then nothing is written.
    """
    clone.settings(folder)
    return clone.rewrite(dict.fromkeys(clone.notebooks(folder), with_tags))


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
    imports_are_next, before = True, ""
    for cell, after in zip(cells, [*cells[1:], None], strict=False):
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            for_colab = publish.TAG in clone.tags(cell)
            prepares = for_colab or imports_are_next or any(call in source for call in SETUP)
            imports_are_next = imports_are_next and for_colab
            after_solution = "subslide" if before.startswith(SOLUTION) else None
            yield "skip" if prepares or not source.strip() else after_solution
        elif level := highest_heading(source):
            yield "slide" if level < 3 else "subslide"
        elif source.startswith(SOLUTION):  # belongs to its exercise
            yield None
        else:
            leads = source.startswith(MISTAKES) or (after and after["cell_type"] == "code")
            yield "subslide" if leads else None
        before = source


def highest_heading(source: str) -> int | None:
    """The level of a text's highest heading, if it has one; a comment in a code block is none."""
    outside = re.sub(r"^```.*?^```", "", source, flags=re.M | re.S)
    return min(map(len, re.findall(r"^(#{1,6}) ", outside, re.M)), default=None)


class Deck(SlidesExporter):
    """Slides of 1280 × 720 pixels; with a local copy of reveal.js they need no network.

    All options of nbconvert's own slides work; `--SlidesExporter.reveal_url_prefix` names the
    folder that holds reveal.js.
    """

    export_from_notebook = None  # not in JupyterLab's menu

    @property
    def default_config(self) -> Config:
        ours = {
            "TagRemovePreprocessor": {
                "enabled": True,
                "remove_cell_tags": {publish.TAG},
                "remove_input_tags": {"hide-input"},
            },
            # Text that a cell printed in several pieces is one block, as JupyterLab shows it.
            "CoalesceStreamsPreprocessor": {"enabled": True},
            "TemplateExporter": {"exclude_input_prompt": True, "exclude_output_prompt": True},
            "SlidesExporter": {
                "reveal_theme": "white",
                "reveal_number": "c/t",
                "reveal_width": "1280",
                "reveal_height": "720",
            },
        }
        return Config({**super().default_config, **ours})

    @default("raw_template")
    def _raw_template_default(self) -> str:
        return Path(__file__).with_name("deck.html.j2").read_text(encoding="utf-8")
