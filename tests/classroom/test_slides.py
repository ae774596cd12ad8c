"""Slides: the tags follow their rule in every notebook, and nbconvert makes slides."""

import html
import json
import os
import re
import shutil
from itertools import count
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup  # which nbconvert brings
from helpers import REPOSITORY
from hypothesis import given
from hypothesis import strategies as st

from seglab.classroom import publish, slides
from seglab.classroom.clone import CloneError
from seglab.classroom.shell import main
from seglab.classroom.slides import Deck, kinds, with_tags

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))


SECTION = re.compile(r"^##? ", re.M)
NUMBER = count()  # of cells, for their ids


def text(source, **metadata):
    return {
        "cell_type": "markdown",
        "id": f"c{next(NUMBER)}",
        "metadata": metadata,
        "source": source,
    }


def code(source, outputs=(), **metadata):
    cell = {"cell_type": "code", "execution_count": None, "id": f"c{next(NUMBER)}"} | {
        "metadata": metadata
    }
    return cell | {"execution_count": None, "outputs": list(outputs), "source": source}


def shown(**data):
    return {"output_type": "display_data", "metadata": {}, "data": data}


def as_text(cells, **metadata):
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def many(lines):
    return "\n".join(["x = 1"] * lines)


LISTING = shown(**{"text/html": '<div class="highlight"><pre>def f(): ...</pre></div>'})
PICTURE = shown(**{"image/png": "aGk=", "text/plain": "<Figure>"})
SETUP = code("import sys", tags=["hide-input", publish.TAG])
START = code("runtime = seglab.start()")


def kind_of(cell, *after):
    """The tag that a cell after the start of a notebook gets."""
    return list(kinds([text("# Title"), SETUP, code("import torch"), START, cell, *after]))[4]


# ---------------------------------------------------------------- the stored notebooks


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_the_tags_of_the_stored_notebook_follow_the_rule(path):
    text = path.read_text(encoding="utf-8")
    assert with_tags(text) == text, "run `python -m seglab slides`"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_nothing_but_tags_is_written_and_a_second_time_nothing_at_all(path):
    old = path.read_text(encoding="utf-8")
    new = with_tags(old)
    assert with_tags(new) == new
    before, after = json.loads(old), json.loads(new)
    for notebook in (before, after):
        for cell in notebook["cells"]:
            cell["metadata"].pop("slideshow", None)
    assert before == after
    nbformat.validate(nbformat.reads(new, as_version=4))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_every_section_begins_a_slide_and_no_figure_is_left_out(path):
    cells = json.loads(with_tags(path.read_text(encoding="utf-8")))["cells"]
    for cell in cells:
        kind = cell["metadata"].get("slideshow", {}).get("slide_type")
        if cell["cell_type"] == "markdown":
            place = [found.start() for found in SECTION.finditer("".join(cell["source"]))]
            assert (kind == "slide") is bool(place)
            assert not any(place), "a section begins a cell, or its slide would begin too early"
        pictures = [o for o in cell.get("outputs", []) if "image/jpeg" in o.get("data", {})]
        assert not (pictures and kind == "skip")


# ---------------------------------------------------------------- the rule


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("# Title", "slide"),
        ("## 1. Section\n\nText.", "slide"),
        ("Text that sums up.\n\n## 2. The next", "slide"),
        ("### Part", "subslide"),
        ("#### Part", "subslide"),
        ("### Part\n\n## Section", "slide"),
        ("Text.", None),
        ("> **1. A mistake.**", None),
        ("Text.\n\n```python\n# a comment\n## another\n```\n", None),
        ("#hashtag, no heading", None),
    ],
)
def test_headings_and_what_leads_to_code_begin_a_slide(source, kind):
    for after in ([], [text("More.")], [text("## Next")]):
        assert kind_of(text(source), *after) == kind
    assert kind_of(text(source), code("1 + 1")) == (kind or "subslide")


def test_a_solution_stays_with_its_exercise():
    solution = text("<details><summary>Solution</summary>\n\n```python\nx\n```\n</details>")
    assert kind_of(solution) is None
    cells = [text("# Title"), SETUP, code("import torch"), text("### Exercise"), code("stub")]
    assert list(kinds([*cells, solution, code("progress()")]))[4:] == [None, None, "subslide"]


def test_what_leads_to_the_mistakes_begins_a_slide():
    lead = text("> **When it goes wrong.** Two mistakes.")
    assert kind_of(lead, text("> **1. A sign.**")) == "subslide"


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        (code("x = 1"), None),
        (code(many(15)), None),
        (code("plot()", [PICTURE], tags=["hide-input"]), None),
        (code("show_source(f)", [LISTING]), None),
        (code("  \n"), "skip"),
    ],
)
def test_code_goes_on_with_the_slide_or_is_left_out(cell, kind):
    assert kind_of(cell) == kind


def test_what_prepares_the_notebook_is_left_out():
    cells = [text("# Title"), SETUP, code("import seglab"), START, code("1 + 1")]
    assert list(kinds(cells)) == ["slide", "skip", "skip", "skip", None]
    figures = code("plots.jpeg_figures()\nval = rooms('val')", [PICTURE])
    late = [text("# Title"), SETUP, code("import a"), figures, text("Text."), code("1"), START]
    assert list(kinds(late)) == ["slide", "skip", "skip", "skip", "subslide", None, "skip"]
    assert list(kinds([text("Without code")])) == [None]


@given(st.lists(st.sampled_from(["slide", "subslide", "fragment", "skip", "notes", "-", None])))
def test_any_older_tags_are_replaced(old):
    cells = [text(f"### Part {n}", slideshow={"slide_type": k}) for n, k in enumerate(old)]
    new = json.loads(with_tags(as_text(cells)))["cells"]
    assert all(cell["metadata"] == {"slideshow": {"slide_type": "subslide"}} for cell in new)
    assert len(new) == len(old)


def test_other_metadata_stays():
    cell = text("### Part", zebra=1, slideshow={"slide_type": "-", "data": {"x": 1}}, alpha=[2])
    (new,) = json.loads(with_tags(as_text([cell])))["cells"]
    slideshow = {"data": {"x": 1}, "slide_type": "subslide"}
    assert new["metadata"] == {"alpha": [2], "slideshow": slideshow, "zebra": 1}
    assert list(new["metadata"]) == ["alpha", "slideshow", "zebra"]


# ---------------------------------------------------------------- in a clone


@pytest.fixture
def clone(tmp_path):
    (tmp_path / "notebooks").mkdir()
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    for path in NOTEBOOKS[:2]:
        shutil.copy(path, tmp_path / "notebooks" / path.name)
    publish.publish(tmp_path)
    slides.tag(tmp_path)
    return tmp_path


def test_publish_and_slides_leave_each_others_work_alone(clone):
    assert publish.publish(clone) == [] and slides.tag(clone) == []
    publish.publish(clone, publish.Publication("teacher/course"))
    assert slides.tag(clone) == []


def test_from_a_shell(clone, monkeypatch, capsys):
    monkeypatch.chdir(clone)
    assert main(["slides"]) == 0
    assert "nothing was written" in capsys.readouterr().out
    path = sorted((clone / "notebooks").glob("*.ipynb"))[0]
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][5]["metadata"]["slideshow"] = {"slide_type": "notes"}
    path.write_text(as_text(notebook["cells"]), encoding="utf-8")
    assert main(["slides"]) == 0
    assert capsys.readouterr().out.startswith(f"wrote {Path('notebooks') / path.name}\n")


def test_elsewhere_it_says_where_to_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["slides"]) == 1
    assert "Run this in a clone" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", '{"sells": []}', '{"cells": [{"source": ""}]}'])
def test_with_one_broken_notebook_nothing_is_written(clone, content):
    first, second = sorted((clone / "notebooks").glob("*.ipynb"))
    first.write_text(as_text([text("no tag")]), encoding="utf-8")
    second.write_text(content, encoding="utf-8")
    with pytest.raises(CloneError, match=rf"{second.name}.*nothing was written"):
        slides.tag(clone)
    assert "slide_type" not in first.read_text(encoding="utf-8")


# ---------------------------------------------------------------- slides and a page


def node(cells):
    return nbformat.reads(with_tags(as_text(cells)), as_version=4)


def converted(cells, **options):
    return Deck(**options).from_notebook_node(node(cells))[0]


def sections(page):
    """The texts of all slides of a page, those below others among them."""
    body = page[page.index('<div class="slides">') : page.index("<script", page.index("<main>"))]
    leaves = re.findall(r"<section[^>]*>(?!\s*<section)(.*?)</section>", body, re.S)
    return [html.unescape(re.sub(r"<[^>]+>", "", leaf)) for leaf in leaves]


CELLS = [
    text("# Title"),
    SETUP,
    code("import torch"),
    START,
    code("seen = 1", [PICTURE]),
    code("drawing = 2", [PICTURE], tags=["hide-input"]),
    text("### Exercise"),
    code("stub"),
    text("<details><summary>Solution</summary>\n\n```python\nx\n```\n</details>"),
    code("show_source(f)", [LISTING]),
]


def test_slides_show_no_set_up_no_prompts_and_no_code_that_only_draws():
    page = converted(CELLS)
    found = "".join(sections(page))
    assert all(word in found for word in ("seen", "stub", "Solution", "def f(): ..."))
    hidden = ("import torch", "seglab.start", "import sys", "drawing", "In [", "Out[")
    assert not [word for word in hidden if word in found]
    assert page.count("data:image/png;base64,aGk=") == 2


def test_text_printed_in_pieces_is_one_block():
    halves = ("| a ", "| b |\n")
    pieces = [{"output_type": "stream", "name": "stdout", "text": half} for half in halves]
    page = converted([text("# Title"), code("import x"), code("y", pieces)])
    assert "| a | b |" in page


def test_a_tag_by_hand_counts():
    cells = [text("# Title"), text("Seen."), text("### Left out.")]
    notebook = node(cells)
    notebook.cells[2].metadata.slideshow.slide_type = "skip"
    (slide,) = sections(Deck().from_notebook_node(notebook)[0])
    assert "Seen." in slide and "Left out." not in slide


def test_the_notebook_itself_is_not_changed():
    notebook = node([text("# Title\n\n## Section"), code("x", [PICTURE], tags=["hide-input"])])
    before = nbformat.writes(notebook)
    Deck().from_notebook_node(notebook)
    assert nbformat.writes(notebook) == before


def test_with_a_local_reveal_the_slides_ask_nobody_else():
    cells = [text("# Title\n\n[a link](https://arxiv.org)")]
    page = converted(cells, reveal_url_prefix="reveal.js")
    loaded = re.findall(r'<(?:script|link|img|iframe)[^>]*?(?:src|href)="([^"]*)"', page)
    assert loaded and all(name.startswith("reveal.js/") for name in loaded)
    assert not re.findall(r"(?:@import|url\(|from)\s*['\"]?(?:https?:)?//", page)
    assert 'src="https://unpkg.com/reveal.js' in converted(cells)


# ---------------------------------------------------------------- in a browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
REVEAL = os.environ.get("SEGLAB_REVEAL")


@pytest.fixture(scope="module")
def browser():
    if not (CHROMIUM and REVEAL):
        pytest.skip("needs Chromium, and in SEGLAB_REVEAL a reveal.js (npm pack reveal.js@5)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as program:
        browser = program.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Opens slides as a room of 1280 × 720 pixels sees them."""

    def open_(page):
        (tmp_path / "reveal.js").symlink_to(Path(REVEAL).resolve())
        (tmp_path / "page.html").write_text(page, encoding="utf-8")
        tab = browser.new_page(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
        tab.goto((tmp_path / "page.html").as_uri())
        tab.wait_for_function("window.Reveal?.isReady()")
        return tab

    return open_


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_nothing_is_cut_off_at_the_right_or_lies_below_what_scrolls(opened, path):
    notebook = nbformat.read(path, as_version=4)
    tab = opened(Deck(reveal_url_prefix="reveal.js").from_notebook_node(notebook)[0])
    found = tab.evaluate("""Reveal.getSlides().map(slide => {
        const { h, v } = Reveal.getIndices(slide);
        Reveal.slide(h, v);
        const wide = [slide, ...slide.querySelectorAll("pre, table, img, p, li, h1, h2, h3")]
            .filter(part => part.scrollWidth > part.clientWidth + 1 && part.clientWidth);
        return { at: [h, v], height: slide.offsetHeight, wide: wide.map(part => part.outerHTML) };
    })""")
    assert len(found) > 30
    assert [slide for slide in found if slide["wide"] or slide["height"] > 720] == []


def test_the_space_bar_shows_the_rest_of_a_slide_before_it_goes_on(opened):
    long = "\n\n".join(f"Paragraph {n}" for n in range(60))
    cells = [text("# Title"), text(f"## Long\n\n{long}"), text("## End")]
    tab = opened(converted(cells, reveal_url_prefix="reveal.js"))
    tab.keyboard.press("Space")
    seen = set()
    while tab.evaluate("Reveal.getIndices().h") == 1:
        for n in range(60):
            place = tab.get_by_text(f"Paragraph {n}", exact=True).bounding_box()
            if place["y"] >= 0 and place["y"] + place["height"] <= 720:
                seen.add(n)
        tab.keyboard.press("Space")
    assert seen == set(range(60))


def test_an_open_solution_takes_the_place_of_the_stub(opened):
    tab = opened(converted(CELLS, reveal_url_prefix="reveal.js"))
    tab.keyboard.press("Space")
    assert tab.get_by_text("stub", exact=True).is_visible()
    tab.get_by_text("Solution", exact=True).click()
    assert not tab.get_by_text("stub", exact=True).is_visible()


# ---------------------------------------------------------------- alternative texts


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_every_picture_of_the_course_gets_its_alternative_text(path):
    notebook, expected = nbformat.read(path, as_version=4), []
    for cell in notebook.cells:
        cell.source = ""  # only pictures matter here, and not what they show
        cell.outputs = [nbformat.from_dict(PICTURE) for o in cell.get("outputs", []) if shows(o)]
        assert "alt" not in cell.metadata or cell.outputs
        if cell.outputs and cell.metadata.get("slideshow", {}).get("slide_type") != "skip":
            expected += [cell.metadata.get("alt", ""), *[""] * (len(cell.outputs) - 1)]
    notebook.cells = [cell for cell in notebook.cells if cell.outputs]
    page = BeautifulSoup(Deck().from_notebook_node(notebook)[0], "html.parser")
    found = [picture["alt"] for picture in page.select("img[src^=data]")]
    assert any(expected) and found == expected


def shows(output):
    return {"image/png", "image/jpeg"} & output.get("data", {}).keys()


def test_a_second_picture_does_not_repeat_the_text_of_the_first():
    printed = {"output_type": "stream", "name": "stdout", "text": "x"}
    cell = code("y", [printed, PICTURE, PICTURE], alt='a "cat" & <b>')
    page = converted([text("# Title"), code("import x"), cell, code("z", [PICTURE])])
    found = [picture["alt"] for picture in BeautifulSoup(page, "html.parser").find_all("img")]
    assert found == ['a "cat" & <b>', "", ""]
