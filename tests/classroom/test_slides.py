"""Slides: the tags follow their rule in every notebook, and no slide is too tall in a browser."""

import base64
import html
import io
import json
import os
import re
import shutil
import subprocess
from itertools import count
from pathlib import Path

import nbformat
import pytest
from helpers import REPOSITORY
from hypothesis import given
from hypothesis import strategies as st
from IPython.display import Code
from PIL import Image

from seglab.classroom import publish, slides
from seglab.classroom.shell import main
from seglab.classroom.slides import Deck, Page, SlidesError, described, kinds, prepared, with_tags

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))


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


def listing(lines):
    """What `seglab.show_source` leaves behind."""
    source = "\n".join(f"line {n}" for n in range(lines))
    page = f'<div class="highlight"><pre>{source}</pre></div>'
    return shown(**{"text/plain": source, "text/html": page})


def as_text(cells, **metadata):
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def many(lines):
    return "\n".join(["x = 1"] * lines)


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
            section = re.search(r"^##? ", "".join(cell["source"]), re.M)
            assert (kind == "slide") is bool(section)
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
        (code("show_source(f)", [listing(3 * slides.SOURCE)]), None),
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
    publish.publish(clone, publish.Publication("teacher/course", "main", "git"))
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
    assert capsys.readouterr().out == f"wrote {Path('notebooks') / path.name}\n"


def test_elsewhere_it_says_where_to_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["slides"]) == 1
    assert "run this in a clone" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", '{"sells": []}', '{"cells": [{"source": ""}]}'])
def test_with_one_broken_notebook_nothing_is_written(clone, content):
    first, second = sorted((clone / "notebooks").glob("*.ipynb"))
    first.write_text(as_text([text("no tag")]), encoding="utf-8")
    second.write_text(content, encoding="utf-8")
    with pytest.raises(SlidesError, match=rf"{second.name}.*nothing was written"):
        slides.tag(clone)
    assert "slide_type" not in first.read_text(encoding="utf-8")


# ---------------------------------------------------------------- the page


def node(cells):
    return nbformat.reads(as_text(cells), as_version=4)


def deck(cells, **options):
    return Deck(**options).from_notebook_node(node(cells))[0]


def sections(page):
    """The texts of all slides of a page, those below others among them."""
    body = page[page.index('<div class="slides">') : page.index("<script>", page.index("<main>"))]
    leaves = re.findall(r"<section[^>]*>(?!\s*<section)(.*?)</section>", body, re.S)
    return [html.unescape(re.sub(r"<[^>]+>", "", leaf)) for leaf in leaves]


def test_a_heading_inside_of_a_text_begins_a_slide():
    found = sections(
        deck([text("# Title"), text("Sums up.\n\n## One\n\nFirst.\n\n### Two\n\nSecond.")])
    )
    assert [("Title" in f, "Sums" in f, "First" in f, "Second" in f) for f in found] == [
        (True, True, False, False),  # what was said about a slide stays on it
        (False, False, True, False),
        (False, False, False, True),
    ]


def test_two_headings_without_text_between_share_a_slide():
    found = sections(deck([text("# Title\n\nText.\n\n## One\n\n### Two\n\nMore.\n\n### Three")]))
    assert [[word in f for word in ("Title", "One", "Two", "Three")] for f in found] == [
        [True, False, False, False],
        [False, True, True, False],
        [False, False, False, True],
    ]


def test_the_pieces_of_a_text_are_all_of_it():
    source = "Before.\n\n## One\n\n```\n# no heading\n```\n### Two\nEnd."
    cells = prepared(node([text("# T\n\n## U\n"), text(source)])).cells
    assert "".join(cell.source for cell in cells) == "# T\n\n## U\n" + source
    assert [cell.source.split("\n")[0] for cell in cells] == [
        *("# T", "## U", "Before.", "## One", "### Two")
    ]


def test_code_that_only_draws_is_hidden_and_its_picture_stays():
    page = deck(
        [
            text("# Title"),
            code("seen = 1", [PICTURE]),
            code("drawing = 2", [PICTURE], tags=["hide-input"]),
            code("left_out = 4", [PICTURE], slideshow={"slide_type": "skip"}),
        ]
    )
    (slide,) = sections(page)
    assert "seen" in slide
    assert not [word for word in ("drawing", "left_out") if word in slide]
    assert page.count("data:image/png;base64,aGk=") == 2
    assert "In [" not in slide and "Out[" not in slide


LINES = [
    "",
    "    x = '<&'",
    "    # what comes",
    "    if x:\n        y = [\n            1\n        ]",
]
LINES += [
    '    """A text\n\n    of two paragraphs."""',
    "    for x in y:\n        if x:\n            y += x",
]


@given(st.lists(st.sampled_from(LINES), max_size=40))
def test_a_long_source_goes_on_below_and_no_line_is_lost(lines):
    source = "\n".join(["def f(y):", *lines, "    return y"])
    shown = Code(source, language="python")._repr_html_()
    cell = code("show_source(f)", [{**listing(1), "data": {"text/html": shown}}])
    parts = prepared(node([text("# Title"), code("import x"), cell])).cells[2:]
    found = []
    for number, part in enumerate(parts):
        (inside,) = re.findall(r"<pre[^>]*>(.*)</pre>", part.outputs[0].data["text/html"], re.S)
        assert inside.count("<span") == inside.count("</span>")
        piece = html.unescape(re.sub("<[^>]*>", "", inside)).removesuffix("\n").split("\n")
        assert 0 < len(piece) <= slides.SOURCE
        assert ("transient" in part.metadata) is bool(number)
        assert part.metadata.get("slideshow") == ({"slide_type": "subslide"} if number else None)
        found += piece
    assert found == source.split("\n")
    assert (len(parts) > 1) is (len(found) > slides.SOURCE)


def body(*heads, lines):
    indent = "    " * len(heads)
    return [f"{'    ' * n}{head}" for n, head in enumerate(heads)] + [f"{indent}x = 1"] * lines


LOOP = ["def f():", "    x()", "    for x in y:", *["        x = 1"] * 18, "    x = 1", "    x = 1"]
CALL = [
    *body("def f():", lines=12),
    "    # Why.",
    "    x(",
    *["        1,"] * 12,
    "    )",
]
TEXT = [
    "def f():",
    '    """A.',
    "",
    "    B.",
    '    """',
    "    x(",
    *["        1,"] * 17,
    ")",
]
METHODS = ["class A:", "    def f(x):", *["        x = 1"] * 14]
METHODS += ["", "    @a", "    def g(x):", *["        x = 1"] * 14]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (body("def f():", lines=21), [0, 22]),
        (body("def f():", lines=31), [0, 16, 32]),
        ([*body("def f():", lines=15), *body("def g():", lines=15)], [0, 16, 32]),
        (LOOP, [0, 2, 23]),  # not deep inside of the loop, nor after its head
        (CALL, [0, 13, 28]),  # not inside of the call, and with the comment above it
        (TEXT, [0, 5, 24]),  # not inside of the text
        (METHODS, [0, 17, 33]),  # the second one with what decorates it
        (['{"json":', *["  1,"] * 30, "2}"], [0, 16, 32]),
    ],
)
def test_a_source_is_cut_where_little_is_torn(lines, expected):
    assert slides.cuts("\n".join(lines)) == expected


def test_two_short_sources_share_a_slide():
    cell = code("show_source(f, g)", [listing(slides.SOURCE - 5), listing(5)])
    assert len(prepared(node([text("# Title"), code("import x"), cell])).cells) == 3


def test_text_printed_in_pieces_is_one_block():
    pieces = [
        {"output_type": "stream", "name": "stdout", "text": half} for half in ("| a ", "| b |\n")
    ]
    for exporter in (Deck, Page):
        page, _ = exporter().from_notebook_node(
            node([text("# Title"), code("import x"), code("y", pieces)])
        )
        assert "| a | b |" in page


def test_a_notebook_without_tags_gets_them_and_a_tag_by_hand_counts():
    cells = [text("# Title"), text("Text."), text("### Other.")]
    assert len(sections(deck(cells))) == 2
    cells[0]["metadata"] = {"slideshow": {"slide_type": "slide"}}
    cells[2]["metadata"] = {"slideshow": {"slide_type": "skip"}}
    (slide,) = sections(deck(cells))
    assert "Text." in slide and "Other." not in slide


def test_the_notebook_itself_is_not_changed():
    notebook = node([text("# Title\n\n## Section"), code("x", tags=["hide-input"])])
    before = nbformat.writes(notebook)
    Deck().from_notebook_node(notebook)
    assert nbformat.writes(notebook) == before


def test_with_a_local_reveal_the_page_asks_nobody_else():
    page = deck([text("# Title\n\n[a link](https://arxiv.org)")], reveal_url_prefix="reveal.js")
    loaded = re.findall(r'<(?:script|link|img|iframe)[^>]*?(?:src|href)="([^"]*)"', page)
    assert loaded and all(name.startswith("reveal.js/") for name in loaded)
    assert not re.findall(r"(?:@import|url\(|from)\s*['\"]?(?:https?:)?//", page)
    assert 'src="https://unpkg.com/reveal.js' in deck([text("# Title")])


# ---------------------------------------------------------------- in a browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
REVEAL = os.environ.get("SEGLAB_REVEAL")
browser = pytest.mark.skipif(
    not (CHROMIUM and REVEAL),
    reason="needs Chromium, and in SEGLAB_REVEAL a folder with reveal.js (npm pack reveal.js@5)",
)

MEASURE = """<script>
addEventListener("load", () => setTimeout(async () => {
  const found = [];
  const measure = slide => {
    let bottom = 0, right = 0;
    const scale = Reveal.getScale(), box = slide.getBoundingClientRect();
    for (const element of slide.querySelectorAll("p, li, pre, img, table, h1, h2, h3, summary")) {
      if (element.closest("details:not([open])") && element.tagName !== "SUMMARY") continue;
      const place = element.getBoundingClientRect();
      bottom = Math.max(bottom, (place.bottom - box.top) / scale);
      right = Math.max(right, (place.right - box.left) / scale);
      if (element.scrollWidth > element.clientWidth + 1) right = Math.max(right, 9999);  // cut off
    }
    const zoom = Math.min(...[...slide.children].map(cell => Number(cell.style.zoom || 1)));
    const figures = [...slide.querySelectorAll("img")].map(f => Math.round(f.offsetHeight * zoom));
    found.push({ at: Object.values(Reveal.getIndices(slide)).slice(0, 2).join("/"), zoom, figures,
                 height: Math.max(slide.scrollHeight, bottom), words: slide.innerText.slice(0, 60),
                 end: slide.innerText.trim().slice(-60),
                 width: Math.max(slide.scrollWidth, right) });
  };
  for (const slide of Reveal.getSlides()) {
    const { h, v } = Reveal.getIndices(slide);
    Reveal.slide(h, v);
    measure(slide);
    for (const answer of slide.querySelectorAll("details")) {
      answer.open = true;
      await new Promise(done => setTimeout(done, 50));
      measure(slide);
      answer.open = false;
      await new Promise(done => setTimeout(done, 50));
    }
  }
  const report = document.createElement("pre");
  report.id = "report";
  report.textContent = JSON.stringify(found);
  document.body.append(report);
}, 500));
</script></body>"""


def measured(page, folder):
    """What a browser makes of each slide, in pixels of a slide of 1280 × 720."""
    (folder / "reveal.js").symlink_to(Path(REVEAL).resolve())
    (folder / "page.html").write_text(page.replace("</body>", MEASURE), encoding="utf-8")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += ["--window-size=1280,720", "--virtual-time-budget=20000"]
    command += [f"--user-data-dir={folder / 'profile'}", (folder / "page.html").as_uri()]
    # Into a file: some of Chromium's processes may outlive it and would keep a pipe open.
    with open(folder / "dom.html", "w") as file:
        subprocess.run(command, stdout=file, stderr=subprocess.DEVNULL, timeout=600)
    dom = (folder / "dom.html").read_text(encoding="utf-8")
    (report,) = re.findall(r'<pre id="report">(.*?)</pre>', dom, re.S)
    return json.loads(html.unescape(report))


@browser
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_no_slide_of_the_course_is_too_tall_too_wide_or_too_small(path, tmp_path):
    notebook = nbformat.reads(with_tags(path.read_text(encoding="utf-8")), as_version=4)
    page, _ = Deck(reveal_url_prefix="reveal.js").from_notebook_node(notebook)
    found = measured(page, tmp_path)
    assert len(found) > 30
    high = [s for s in found if s["height"] > 721]
    wide = [s for s in found if s["width"] > 1281]
    small = [s for s in found if s["zoom"] < 0.65 or any(f < 180 for f in s["figures"])]
    empty = [s for s in found if not s["words"].strip() and not s["figures"]]
    assert (high, wide, small, empty) == ([], [], [], [])


@browser
def test_a_slide_that_is_too_tall_goes_on_below_in_the_same_order(tmp_path):
    words = [f"Paragraph{n} " + "word " * 60 for n in range(12)]
    cells = [text("# Title"), text("## Long\n\n" + "\n\n".join(words)), text("### End")]
    found = measured(deck(cells, reveal_url_prefix="reveal.js"), tmp_path)
    assert all(s["height"] <= 721 for s in found)
    assert [s["at"].split("/")[0] for s in found] == ["0", *["1"] * (len(found) - 1)]
    assert len(found) > 4 and found[1]["words"].startswith("Long")
    firsts = [int(re.search(r"Paragraph(\d+)", s["words"])[1]) for s in found[1:-1]]
    assert firsts == sorted(set(firsts)) and firsts[0] == 0


@browser
def test_what_announces_something_stays_with_it(tmp_path):
    cells = [text("# Title")]
    for lines in range(5, 16):
        filling = "\n\n".join(["A line."] * lines)
        cells.append(text(f"## Part\n\n{filling}\n\nNine things:\n\n" + "- one\n" * 9))
    found = measured(deck(cells, reveal_url_prefix="reveal.js"), tmp_path)
    assert len(found) > len(cells)  # some go on below
    assert not [s for s in found if s["end"].endswith("Nine things:")]


@browser
def test_a_figure_goes_on_a_slide_of_its_own_before_it_gets_small(tmp_path):
    buffer = io.BytesIO()
    Image.new("RGB", (906, 813)).save(buffer, "png")
    picture = shown(**{"image/png": base64.b64encode(buffer.getvalue()).decode()})
    cells = [text("# Title"), code("import x")]
    for lines in range(1, 8):
        cells += [text("### Part\n\n" + "\n\n".join(["A line."] * lines)), code("x", [picture])]
    found = measured(deck(cells, reveal_url_prefix="reveal.js"), tmp_path)
    figures = [height for slide in found for height in slide["figures"]]
    assert len(figures) == 7
    assert min(figures) >= 0.85 * 680 - 1


@browser
def test_one_thing_that_is_too_tall_shrinks(tmp_path):
    lines = "\n".join(f"line {n}" for n in range(40))
    stream = {"output_type": "stream", "name": "stdout", "text": lines}
    cells = [text("# Title"), code("import x"), code("x", [stream])]
    found = measured(deck(cells, reveal_url_prefix="reveal.js"), tmp_path)
    assert len(found) == 2
    assert all(s["height"] <= 721 for s in found)
    assert min(s["zoom"] for s in found) < 0.8


@browser
def test_a_line_that_is_too_long_is_folded(tmp_path):
    cells = [
        text("# Title"),
        code("import x"),
        code(f"word = {'a' * 300!r}"),
        text("### " + "b" * 99),
    ]
    assert all(
        s["width"] <= 1281 for s in measured(deck(cells, reveal_url_prefix="reveal.js"), tmp_path)
    )


# ---------------------------------------------------------------- alternative texts


@pytest.mark.parametrize("exporter", [Deck, Page])
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_every_picture_on_a_page_has_its_alternative_text(path, exporter):
    notebook = nbformat.read(path, as_version=4)
    page, _ = exporter().from_notebook_node(notebook)
    found = [html.unescape(alt) for alt in re.findall(r'<img[^>]*? ?alt="([^"]*)"', page)]
    expected = [cell.metadata["alt"] for cell in notebook.cells if "alt" in cell.metadata]
    skipped = [
        c for c in notebook.cells if c.metadata.get("slideshow", {}).get("slide_type") == "skip"
    ]
    assert not any("alt" in cell.metadata for cell in skipped)
    assert [alt for alt in found if alt in expected] == expected and expected
    assert "No description has been provided" not in page
    assert page.count("<img") == len(found)


def test_quotes_in_an_alternative_text_stay_text_and_a_second_picture_does_not_repeat_it():
    picture = {"output_type": "display_data", "data": {"image/png": "aGk=\n"}, "metadata": {}}
    cell = {
        "cell_type": "code",
        "metadata": {"alt": 'a "cat" & <b>'},
        "source": "",
        "execution_count": 1,
        "outputs": [picture, picture],
    }
    notebook = nbformat.from_dict(
        {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    )
    one, other = (output.data["text/html"] for output in described(notebook).cells[0].outputs)
    assert 'alt="a &quot;cat&quot; &amp; &lt;b&gt;"' in one and "base64,aGk=" in one
    assert 'alt=""' in other
    assert notebook.cells[0].outputs[0].data == {"image/png": "aGk=\n"}
