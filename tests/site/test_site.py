"""The book site: built without a warning, and read as a reader's browser reads it."""

import ast
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tests" / "site"))
from built import Page, broken_links, read, unnamed_pictures

NEEDED = ("sphinx", "myst_nb", "sphinx_book_theme", "sphinx_copybutton", "sphinx_design")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
MODULES = sorted(p for p in (REPOSITORY / "seglab").glob("*.py") if not p.stem.startswith("_"))

pytestmark = pytest.mark.skipif(
    bool(MISSING),
    reason=f"the site needs {', '.join(MISSING)}: uv run --group docs pytest tests/site",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The built site; a warning fails the build."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-E"]
    command += ["-d", str(folder / "doctrees"), str(REPOSITORY / "docs"), str(folder / "html")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def site(folder):
    return read(folder)


@pytest.fixture(scope="module")
def browser(folder):
    """A headless Chromium, the system's or Playwright's own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright: group dev")
    with playwright.sync_playwright() as running:
        path = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
        if path is None and not Path(running.chromium.executable_path).exists():
            pytest.skip("needs Chromium: `apt install chromium` or `playwright install chromium`")
        browser = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def cells(path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def test_every_notebook_and_module_has_a_page(site):
    expected = [f"notebooks/{path.stem}.html" for path in NOTEBOOKS]
    expected += [f"reference/{path.stem}.html" for path in MODULES]
    expected += ["index.html", "glossary.html", "data/README.html", "classroom/TEACHING.html"]
    assert not [name for name in expected if name not in site]


def test_no_link_inside_the_site_is_broken(folder, site):
    assert not broken_links(folder, site)


def test_every_picture_has_a_text(site):
    assert not unnamed_pictures(site)
    assert sum(len(page.pictures) for page in site.values()) > 100


def test_nothing_is_loaded_from_elsewhere(site):
    """So that the site can be read in a room without a network."""
    strangers = {link for page in site.values() for link in page.loaded if "//" in link}
    assert not strangers


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_shows_what_the_notebook_shows(path, site):
    page, stored = site[f"notebooks/{path.stem}.html"], cells(path)
    assert "google.colab" not in page.text, "the set-up cell is for Google Colab only"
    drawn = sum(
        any(kind.startswith("image/") for kind in output.get("data", {}))
        for cell in stored
        for output in cell.get("outputs", [])
    )
    assert len(page.pictures) >= drawn
    text = "\n".join("".join(c["source"]) for c in stored if c["cell_type"] == "markdown")
    assert page.text.count("<summary>Solution") == text.count("<summary>Solution") > 0
    assert not any("open" in block for block in page.folded)
    hidden = [c for c in stored if "hide-input" in c["metadata"].get("tags", [])]
    assert page.text.count("Show the code of this figure") >= len(hidden) - 1  # the set-up cell
    assert "show_source" not in text or 'class="highlight-python' in page.text
    assert "Interactive(children" not in page.text


def test_an_interactive_figure_says_where_it_runs(site):
    page = site["notebooks/03-transposed-convolution.html"]
    assert "First frame of an interactive figure" in page.text
    assert "../index.html#start" in page.links


def test_modules_and_notebooks_link_each_other(site):
    page = site["notebooks/03-transposed-convolution.html"]
    assert "../reference/upsampling.html" in page.links
    back = site["reference/upsampling.html"]
    assert "../notebooks/03-transposed-convolution.html" in back.links


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_s_page_has_all_that_is_public(path, site):
    page = site[f"reference/{path.stem}.html"]
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert f"seglab.{path.stem}.{node.name}" in page.anchors
    left = re.findall(r"<p>(?:Args|Returns|Raises|Attributes):", page.text)
    assert not left, "a docstring's section was taken for text"


def test_the_first_page_starts_as_the_readme_does():
    """One command, the same in both."""
    command = re.search(
        r"```shell\n(.+)\n```", (REPOSITORY / "docs" / "index.md").read_text(encoding="utf-8")
    )[1]
    assert command in (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_all_of_it_can_be_searched(folder):
    index = (folder / "searchindex.js").read_text(encoding="utf-8")
    for word in ("checkerboard", "bilinear_kernel", "timet"):  # of a chapter, a module, TEACHING
        assert word in index


@pytest.mark.parametrize("width", [1366, 390])
def test_no_page_is_wider_than_the_screen(width, browser, folder, site):
    """On a laptop and on a phone; what is wide scrolls by itself."""
    page = browser.new_page(viewport={"width": width, "height": 850})
    wide = {}
    for name in site:
        page.goto((folder / name).as_uri())
        beyond = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if beyond > 0:
            wide[name] = beyond
    page.close()
    assert not wide


PAGES_OF_EACH_KIND = (
    "index.html",
    "glossary.html",
    "classroom/TEACHING.html",
    "reference/recipes.html",
    "notebooks/03-transposed-convolution.html",
    "notebooks/08-iou-evaluation.html",
)


@pytest.mark.parametrize(("look", "width"), [("light", 1366), ("dark", 390)])
def test_axe_finds_no_serious_fault(look, width, browser, folder):
    """What keeps people with a screen reader, a keyboard or weak eyes from reading a page."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="uv run --group docs --with axe-playwright-python pytest tests/site",
    ).Axe()
    page = browser.new_page(viewport={"width": width, "height": 850}, color_scheme=look)
    faults = {}
    for name in PAGES_OF_EACH_KIND:
        page.goto((folder / name).as_uri())
        for fault in axe.run(page).response["violations"]:
            if fault["impact"] in ("serious", "critical"):
                faults[fault["id"], name] = [node["html"][:200] for node in fault["nodes"][:3]]
    page.close()
    assert not faults


def test_a_word_is_found_without_a_server(browser, folder):
    page = browser.new_page()
    page.goto((folder / "search.html").as_uri() + "?q=checkerboard")
    page.wait_for_selector("#search-results li a")
    found = [link.get_attribute("href") for link in page.query_selector_all("#search-results li a")]
    page.close()
    assert any("03-transposed-convolution" in link for link in found)


def test_a_broken_link_and_a_picture_without_text_are_noticed(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html"></a><a href="#here"></a><a href="#there"></a><p id="here">'
        '<img src="_images/1a.png" alt="_images/1a.png"><img src="c.png" alt="A cat on a sofa">'
    )
    pages = read(tmp_path)
    assert broken_links(tmp_path, pages) == ["a.html: b.html", "a.html: #there"]
    assert unnamed_pictures(pages) == {"a.html": ["_images/1a.png"]}
    assert Page('<details open="">').folded == [{"open": ""}]
