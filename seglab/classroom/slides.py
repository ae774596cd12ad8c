"""Slides from the notebooks: which cells begin one, and a page on which none is too tall.

`python -m seglab slides` writes the tags (`slideshow.slide_type`, which JupyterLab shows and every
version of `jupyter nbconvert --to slides` reads) by rule into the notebooks of a clone. The rule:

- A heading of the first or second level begins a slide; one of the third level, or a text that
  leads to code, a slide below it (a "subslide"). What the code shows belongs to it, and so does a
  text after it that leads to nothing else.
- Left out is the set-up: the cell for Colab, the imports, `seglab.start()`.

`jupyter nbconvert --to seglab.classroom.slides.Deck NOTEBOOK` makes the page. Beyond what
nbconvert does with the tags, a heading inside of a cell begins a slide as well, a source of more
than `SOURCE` lines goes on below, input that only draws is hidden, and in the browser a slide that is too tall shrinks
or goes on below.

`jupyter nbconvert --to seglab.classroom.slides.Page NOTEBOOK` makes a page to read. In both,
pictures have the alternative text that is `alt` in a cell's metadata; nbconvert's own templates
leave it out.
"""

import ast
import copy
import html
import json
import re
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from nbconvert.exporters import HTMLExporter, SlidesExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from traitlets import default
from traitlets.config import Config

from seglab.classroom import publish
from seglab.machine.files import written_whole

SOLUTION = "<details"  # how the text of a solution begins
MISTAKES = "> **When it goes wrong"  # and what leads to the mistakes that are run live
SOURCE = 22  # lines of a source on one slide
HIGHLIGHTED = '<div class="highlight">'  # what `seglab.show_source` shows
WIDTH, HEIGHT = 1280, 720  # pixels of a slide


class SlidesError(ValueError):
    """There are no notebooks, or one cannot be read."""


def tag(folder: str | Path) -> list[Path]:
    """Write the tags into all notebooks of a clone; what is right already stays untouched.

    Every notebook is prepared before the first is written, and is written whole or not at all.

    Returns:
        the notebooks that were changed.

    Raises:
        SlidesError: no notebooks, or one that cannot be read.
    """
    pages = outdated(folder)
    for path, text in pages.items():
        with written_whole(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    return list(pages)


def outdated(folder: str | Path) -> dict[Path, str]:
    """The notebooks that `tag` would write, with their new text."""
    paths = sorted((Path(folder) / "notebooks").glob("*.ipynb"))
    if not paths:
        raise SlidesError(f"{Path(folder).resolve()}: no notebooks; run this in a clone")
    pages = {}
    for path in paths:
        try:
            old = path.read_text(encoding="utf-8")
            new = with_tags(old)
        except (OSError, ValueError, KeyError) as error:
            raise SlidesError(f"{path}: {error!r}; nothing was written") from error
        if new != old:
            pages[path] = new
    return pages


def with_tags(text: str) -> str:
    """A notebook whose tags follow the rule; nothing else changes."""
    notebook = json.loads(text)
    for cell, kind in zip(notebook["cells"], kinds(notebook["cells"]), strict=True):
        set_kind(cell["metadata"], kind)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def set_kind(metadata: dict, kind: str | None) -> None:
    """Write one cell's tag; None: it goes on with the slide before it."""
    others = {k: v for k, v in metadata.get("slideshow", {}).items() if k != "slide_type"}
    slideshow = others | ({"slide_type": kind} if kind else {})
    metadata.pop("slideshow", None)
    if slideshow:
        metadata["slideshow"] = slideshow
        for name in sorted(metadata):  # as nbformat writes them
            metadata[name] = metadata.pop(name)


def kinds(cells: list[dict]) -> Iterator[str | None]:
    """The tag of each cell by the rule in the module's text: slide, subslide, skip or None."""
    code = [c for c in cells if c["cell_type"] == "code"]
    imports = next((cell for cell in code if publish.TAG not in tags_of(cell)), None)
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
    calls = ("seglab.start(", "plots.jpeg_figures(")
    source = "".join(cell["source"])
    return publish.TAG in tags_of(cell) or any(call in source for call in calls)


def tags_of(cell: dict) -> list[str]:
    return cell["metadata"].get("tags", [])


def headings(source: str) -> list[tuple[int, int]]:
    """Where the headings of a text begin, and their levels; a comment in a code block is none."""
    outside = re.sub(r"^```.*?^```", lambda block: " " * len(block[0]), source, flags=re.M | re.S)
    return [(found.start(), len(found[1])) for found in re.finditer(r"^(#{1,6}) ", outside, re.M)]


# ---------------------------------------------------------------- the page


class Deck(SlidesExporter):
    """Slides of 1280 × 720 pixels; with a local copy of reveal.js they need no network.

    For `jupyter nbconvert --to seglab.classroom.slides.Deck`. All options of nbconvert's own
    slides work;
    `--SlidesExporter.reveal_url_prefix` names the folder that holds reveal.js.
    """

    export_from_notebook = None  # not in JupyterLab's menu

    exclude_input_prompt = True
    exclude_output_prompt = True

    @property
    def default_config(self):
        return joined(super().default_config)

    @default("reveal_theme")
    def _reveal_theme_default(self):
        return "white"  # brings its fonts along

    @default("reveal_number")
    def _reveal_number_default(self):
        return "c/t"

    @default("raw_template")
    def _raw_template_default(self):
        return PAGE.replace("@WIDTH@", str(WIDTH)).replace("@HEIGHT@", str(HEIGHT))

    def from_notebook_node(self, nb, resources=None, **options):
        return super().from_notebook_node(described(prepared(nb)), resources, **options)


class Page(HTMLExporter):
    """A page to read, with alternative texts: `--to seglab.classroom.slides.Page`."""

    export_from_notebook = None  # not in JupyterLab's menu

    @property
    def default_config(self):
        return joined(super().default_config)

    def from_notebook_node(self, nb, resources=None, **options):
        return super().from_notebook_node(described(nb), resources, **options)


def joined(config: Config) -> Config:
    """Text that a cell printed in several pieces is one block, as JupyterLab shows it."""
    return Config({**config, "CoalesceStreamsPreprocessor": {"enabled": True}})


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


def prepared(notebook: NotebookNode) -> NotebookNode:
    """A copy for the page: with tags, cells split at headings, long input marked as hidden."""
    notebook = copy.deepcopy(notebook)
    if not any("slideshow" in cell.metadata for cell in notebook.cells):
        for cell, kind in zip(notebook.cells, list(kinds(notebook.cells)), strict=True):
            set_kind(cell.metadata, kind)
    notebook.cells = [part for cell in notebook.cells for part in parts(cell)]
    return notebook


def parts(cell: NotebookNode) -> Iterator[NotebookNode]:
    """The pages of code; a text that holds headings in pieces.

    What stands before the first heading sums up the slide before, and so goes on with it.
    """
    skipped = cell.metadata.get("slideshow", {}).get("slide_type") == "skip"
    if cell.cell_type == "code" and not skipped:
        yield from pages(cell)
        return
    places = headings(cell.source) if cell.cell_type == "markdown" else []
    if skipped or not places:
        yield cell
        return
    if places[0][0] > 0:
        places.insert(0, (0, 0))
    ends = [place for place, _ in places[1:]] + [len(cell.source)]
    alone = False  # a heading that another one follows at once: they share a slide
    for (begin, level), end in zip(places, ends, strict=True):
        part = new_markdown_cell(cell.source[begin:end])
        kind = "slide" if 0 < level < 3 else "subslide" if level else None
        set_kind(part.metadata, None if alone else kind)
        alone = level > 0 and "\n" not in part.source.strip()
        yield part


def pages(cell: NotebookNode) -> Iterator[NotebookNode]:
    """Code without input that only draws; a long source that it shows in pieces."""
    if "hide-input" in cell.metadata.get("tags", []):
        cell.metadata["transient"] = {"remove_source": True}
    listings = [o for o in cell.outputs if HIGHLIGHTED in o.get("data", {}).get("text/html", "")]
    lines = sum(len(lines_of(listing)[1]) for listing in listings)
    if len(listings) < len(cell.outputs) or lines <= SOURCE:
        yield cell
        return
    pieces = [piece for listing in listings for piece in split(listing)]
    for number, piece in enumerate(pieces):
        part = copy.deepcopy(cell)
        part.outputs = [piece]
        if number:
            part.id = f"{cell.id}-{number}"
            part.metadata["transient"] = {"remove_source": True}
            set_kind(part.metadata, "subslide")
        yield part


def lines_of(listing: NotebookNode) -> tuple[str, list[str], str]:
    """What stands before the lines of a highlighted source, the lines, and what follows them."""
    page = listing.data["text/html"]
    begin, end = re.search(r"<pre[^>]*>(?:<span></span>)?(.*?)</pre>", page, re.S).span(1)
    return page[:begin], page[begin:end].strip("\n").split("\n"), page[end:]


def split(listing: NotebookNode) -> Iterator[NotebookNode]:
    """A highlighted source in pieces of at most `SOURCE` lines.

    Pygments closes and opens again at the end of a line what goes on in the next.
    """
    before, lines, after = lines_of(listing)
    text = html.unescape(re.sub(r"<[^>]*>", "", "\n".join(lines)))
    for begin, end in pairwise(cuts(text)):
        piece = copy.deepcopy(listing)
        piece.data = {"text/html": before + "\n".join(lines[begin:end]) + "\n" + after}
        yield piece


def cuts(source: str) -> list[int]:
    """Where a source is cut: few pieces, between statements, and not deep inside of a block.

    Returns:
        line numbers from 0, of the first line of each piece; at the end, that after the last.
    """
    tears = [*tears_of(source), 0]
    best = [(0.0, [0])]  # of the lines before each: how bad the best cuts are, and which they are
    for end in range(1, len(tears)):
        choices = [
            (best[begin][0] + 30 + tears[end] + ((end - begin) / SOURCE) ** 2, begin)
            for begin in range(max(0, end - SOURCE), end)
        ]
        cost, begin = min(choices)
        best.append((cost, [*best[begin][1], end]))
    return best[-1][1]


def tears_of(source: str) -> list[int]:
    """For each line, how much is torn if a piece begins with it."""
    lines = source.split("\n")
    tears = [60] * len(lines)  # inside of a statement, or after the head of a block
    for number, line in enumerate(lines[:-1]):
        if not line.strip():
            tears[number + 1] = 20  # a paragraph of a text
    try:
        tree = ast.parse(textwrap.dedent(source))
    except SyntaxError:  # another language
        return tears
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, [])
            for statement in block[1:] if isinstance(block, list) else []:
                decorators = getattr(statement, "decorator_list", [])
                first = min(part.lineno for part in [statement, *decorators]) - 1
                while lines[first - 1].strip().startswith("#"):
                    first -= 1
                tears[first] = statement.col_offset
    return tears


PAGE = """\
{%- extends 'reveal/index.html.j2' -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_css -%}
<style>
.reveal {
  --jp-content-font-size1: 26px; --jp-code-font-size: 18px; --jp-cell-padding: 4px;
  --r-heading-text-transform: none; --r-heading-margin: 0 0 14px; --r-heading1-size: 46px;
  --r-heading2-size: 38px; --r-heading3-size: 31px;
}
.reveal .slides section.leaf { box-sizing: border-box; padding: 20px 48px; font-size: 26px; }
.reveal .slides .leaf :is(p, ul, ol, table, blockquote) { margin: 0 0 12px; }
.reveal .slides .leaf table { font-size: 22px; }
.reveal .slides .leaf li { line-height: 1.3; }
.reveal .slides .leaf blockquote { width: auto; padding: 0 0 0 20px; box-shadow: none; }
.reveal .slides .leaf pre {
  font-size: 18px; line-height: 24px; white-space: pre-wrap !important;
  word-break: normal !important; overflow-wrap: anywhere; box-shadow: none;
}
.reveal .slides .leaf .jp-OutputArea-child img {
  width: 100%; max-height: 680px; margin: 0; object-fit: contain; object-position: left top;
}
.jp-Cell-inputWrapper, .jp-Cell-outputWrapper { margin: 0; }
/* An open solution takes the place of the stub. */
.leaf:has(details[open]) .jp-CodeCell .jp-InputArea { display: none; }
.reveal .controls { font-size: 6px; }
.reveal .slide-number { right: auto; left: 8px; }
.anchor-link, .jp-Collapser, .jp-InputPrompt, .jp-OutputPrompt { display: none; }
</style>
{%- endblock -%}
{%- block footer_js -%}
{%- set prefix = resources.reveal.url_prefix -%}
<script src="{{ prefix }}/dist/reveal.js"></script>
<script src="{{ prefix }}/plugin/notes/notes.js"></script>
<script>
const WIDTH = @WIDTH@, HEIGHT = @HEIGHT@, SHRINK = 0.8;
const BLOCKS = ".jp-MarkdownCell .jp-RenderedHTMLCommon > *, .jp-CodeCell .jp-InputArea, " +
  ".jp-OutputArea-child";

// Heights of what reveal.js does not show right now: show it, measure, hide it again.
function measured(leaf, question) {
  const shown = [leaf, leaf.parentElement];
  for (const element of shown) element.classList.add("present");
  const answer = question();
  for (const element of shown) element.classList.remove("present");
  return answer;
}
const tall = leaf => measured(leaf, () => leaf.scrollHeight);
// The least height of a figure, in pixels: nearly what it would have on a slide of its own.
const legible = figure =>
  0.85 * Math.min(HEIGHT - 40, (WIDTH - 96) / figure.naturalWidth * figure.naturalHeight);

// What announces the block after it stays with it: a heading, "...:", words in bold alone.
function announces(block) {
  const bold = block.querySelector(":scope > strong");
  return /^H[1-6]$/.test(block.tagName) || (block.tagName === "P" &&
    (/[:…]$/.test(block.textContent.trim()) || bold?.textContent === block.textContent));
}

function zoom(leaf, factor) {
  for (const cell of leaf.children) cell.style.zoom = factor;
}

// A slide that is too tall: its figures shrink, then all of it a little, then it goes on below.
function fit(leaf) {
  if (tall(leaf) <= HEIGHT) return;
  const figures = [...leaf.querySelectorAll("img")];
  if (figures.length) {
    const heights = measured(leaf, () => figures.map(f => f.offsetHeight));
    const room = (HEIGHT - tall(leaf) + heights.reduce((a, b) => a + b)) / figures.length;
    if (figures.every(f => room >= legible(f))) {
      for (const f of figures) f.style.maxHeight = Math.floor(room) + "px";
      if (tall(leaf) <= HEIGHT) return;
    }
  }
  for (let factor = 0.95; factor >= SHRINK; factor -= 0.05) {
    zoom(leaf, factor);
    const large = measured(leaf, () => figures.every(f => factor * f.offsetHeight >= legible(f)));
    if (large && tall(leaf) <= HEIGHT) return;
  }
  zoom(leaf, 1);
  const blocks = [...leaf.querySelectorAll(BLOCKS)];
  const places = measured(leaf, () => blocks.map(block => {
    const origin = leaf.getBoundingClientRect().top, place = block.getBoundingClientRect();
    return { top: place.top - origin, bottom: place.bottom - origin };
  }));
  let cut = places.findIndex(place => place.bottom > HEIGHT - 20);
  const figure = cut > 0 && blocks[cut].querySelector("img");
  const room = cut > 0 ? Math.floor(HEIGHT - 28 - places[cut].top) : 0;
  if (figure && room >= legible(figure)) {
    figure.style.maxHeight = room + "px";
    if (tall(leaf) <= HEIGHT) return;
    cut += 1;
  } else {
    const result = blocks[cut]?.matches(".jp-OutputArea-child") &&
      blocks[cut - 1]?.matches(".jp-InputArea");
    if (cut > 1 && result && places[cut].bottom - places[cut - 1].top <= HEIGHT - 40) cut -= 1;
    while (cut > 1 && announces(blocks[cut - 1])) cut -= 1;
    if (cut === 1 && announces(blocks[0])) cut = 2;
  }
  if (cut === 0) cut = 1;
  if (cut > 0 && cut < blocks.length) {
    const rest = document.createRange();
    rest.setStartBefore(blocks[cut]);
    rest.setEndAfter(leaf.lastChild);
    const next = document.createElement("section");
    next.className = "leaf";
    next.append(rest.extractContents());
    leaf.after(next);
    fit(leaf);
    fit(next);
    return;
  }
  for (let factor = SHRINK; factor >= 0.3 && tall(leaf) > HEIGHT; factor -= 0.02) {
    zoom(leaf, factor);
  }
}

const slides = document.querySelector(".slides");
slides.style.width = WIDTH + "px";
const leaves = [...slides.querySelectorAll(":scope > section > section")];
for (const leaf of leaves) leaf.classList.add("leaf");
addEventListener("load", () => {
  leaves.forEach(fit);
  slides.addEventListener("toggle", event => {  // an answer was opened
    const leaf = event.target.closest(".leaf");
    for (let factor = 1; factor >= 0.3; factor -= 0.05) {
      zoom(leaf, factor);
      if (leaf.scrollHeight <= HEIGHT) break;
    }
  }, true);
  Reveal.initialize({
    width: WIDTH, height: HEIGHT, margin: 0, center: false, history: true, hash: true,
    transition: "none", slideNumber: "{{ resources.reveal.number }}", plugins: [RevealNotes],
  });
});
</script>
{%- endblock -%}
"""
