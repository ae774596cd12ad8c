"""Sources that a stored notebook shows are those of the package today."""

import ast
import inspect

import nbformat
import pytest
from helpers import REPOSITORY

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))


def statements(cell) -> list[ast.stmt]:
    """The statements of a code cell, without IPython's own lines (%pip install ...)."""
    lines = [line for line in cell.source.splitlines() if not line.lstrip().startswith(("%", "!"))]
    try:
        return ast.parse("\n".join(lines)).body
    except SyntaxError:
        return []


def imported(cells) -> dict:
    """What the cells import from seglab, by name."""
    names = {}
    for statement in (s for cell in cells for s in statements(cell)):
        module = getattr(statement, "module", None) or ""
        if isinstance(statement, ast.ImportFrom) and module.split(".")[0] == "seglab":
            exec(compile(ast.Module([statement], []), "imports", "exec"), names)
    return names


def stale(notebook) -> list[str]:
    """What is shown with `seglab.show_source(...)` and reads otherwise in the package."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    names, found = imported(cells), []
    for cell in cells:
        for statement in statements(cell):
            call = getattr(statement, "value", None)
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "seglab.show_source":
                word = ast.unparse(call.args[0])
                source = inspect.getsource(eval(word, names))
                shown = [
                    output.data.get("text/plain") for output in cell.outputs if "data" in output
                ]
                if source.rstrip() not in [text.rstrip() for text in shown if text]:
                    found.append(word)
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_sources_shown_are_those_of_the_package(path):
    assert not stale(nbformat.read(path, as_version=4)), "execute this notebook again"


def test_an_old_source_is_noticed():
    cell = nbformat.v4.new_code_cell
    old = nbformat.v4.new_output("display_data", {"text/plain": "def bilinear_kernel():\n    1\n"})
    notebook = nbformat.v4.new_notebook(
        cells=[
            cell("from seglab.upsampling import bilinear_kernel"),
            cell("seglab.show_source(bilinear_kernel)", outputs=[old]),
        ]
    )
    assert stale(notebook) == ["bilinear_kernel"]
    from seglab.upsampling import bilinear_kernel

    notebook.cells[1].outputs[0].data["text/plain"] = inspect.getsource(bilinear_kernel)
    assert not stale(notebook)
