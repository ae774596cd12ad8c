"""Notebooks as they are stored -> chapters of the site, in a form that myst-nb understands."""

import copy
import json
import re
from pathlib import Path

import mirror

SETUP = "seglab-setup"  # tag of the cell that only Google Colab needs
HIGHLIGHTED = '<div class="highlight">'  # in what `seglab.show_source` shows
WIDGET = re.compile(r"\w*(Interactive|Box|Output)\(")  # how a widget describes itself in plain text
COLAB = "https://colab.research.google.com/github"


def titles(folder: Path) -> dict[str, str]:
    """Notebook's number -> its path in docs/ and its title."""
    found = {}
    for path in sorted(folder.glob("*.ipynb")):
        heading = text_of(json.loads(path.read_text(encoding="utf-8"))["cells"][0]).splitlines()[0]
        found[path.name[:2]] = (f"notebooks/{path.name}", heading.removeprefix("# "))
    return found


def chapters(
    folder: Path, taught: dict[str, list[str]], published: dict, language: str
) -> dict[str, str | bytes]:
    """Path in docs/ -> content: the prepared notebooks and the pictures that lie beside them."""
    found = {}
    for path in sorted(folder.glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        if language != "en":
            notebook = in_language(notebook, path, language)
        place = f"notebooks/{path.name}"
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                text = text_of(cell)
                cell["source"] = mirror.with_links(text, place, place, folder.parent, published)
        ready = prepared(notebook, path.name, taught.get(path.name[:2], []), published)
        found[place] = json.dumps(ready, ensure_ascii=False)
    for kind in ("*.png", "*.jpg", "*.svg"):
        for path in folder.glob(kind):
            found[f"notebooks/{path.name}"] = path.read_bytes()
    return found


def in_language(notebook: dict, path: Path, language: str) -> dict:
    """A notebook as `seglab translate` writes it; what is not translated stays English."""
    from seglab.classroom import translate

    catalogue = translate.catalogue_of(path.stem, language, path.parent.parent)
    return translate.translated(notebook, translate.Catalogue(catalogue).say)


def prepared(notebook: dict, name: str, modules: list[str], published: dict) -> dict:
    """A copy of a notebook for the site.

    Args:
        notebook: as JSON.
        name: of its file.
        modules: what it explains of the package.
        published: the table `tool.seglab` of pyproject.toml.
    """
    notebook = copy.deepcopy(notebook)
    title, *others = notebook["cells"]
    cells = [title, text_cell("run-it", invitation(name, modules, published))]
    for cell in others:
        if SETUP in cell["metadata"].get("tags", []):
            continue
        cells.append(cell)
        if "alt" in cell["metadata"]:
            cell["metadata"]["mystnb"] = {"image": {"alt": cell["metadata"]["alt"]}}
        for output in cell.get("outputs", []):
            with_listing(output)
        if is_widget(cell):
            cells.append(text_cell(f"{cell['id']}-run-it", still(name, published)))
    notebook["cells"] = cells
    return notebook


def text_of(cell: dict) -> str:
    """A cell's source: notebooks keep it as one text or as a list of lines."""
    return "".join(cell["source"])


def text_cell(identifier: str, text: str) -> dict:
    return {"cell_type": "markdown", "id": identifier, "metadata": {}, "source": text}


def run_it(name: str, published: dict) -> str:
    """Where a reader can run a notebook, in a link."""
    if published["repository"]:
        place = f"{published['repository']}/blob/{published['branch']}/notebooks/{name}"
        return f"[run it on Google Colab]({COLAB}/{place}), or [on your machine](../index.md#start)"
    return "[run it on your machine](../index.md#start)"


def invitation(name: str, modules: list[str], published: dict) -> str:
    """What stands below a chapter's head: how to run it, and what it explains of the package."""
    lines = [
        ":::{admonition} This page is a notebook",
        ":class: tip run-it",
        f"To change the code and to solve the exercises, {run_it(name, published)}.",
        f"{{download}}`Download the notebook <../../notebooks/{name}>` as it is stored.",
    ]
    if modules:
        links = ", ".join(f"[`seglab.{m}`](../reference/{m}.md)" for m in modules)
        lines.append(f"It explains {links}.")
    return "\n".join([*lines, ":::"])


def still(name: str, published: dict) -> str:
    """What stands below the first frame of an interactive figure."""
    return (
        ":::{admonition} First frame of an interactive figure\n:class: note run-it\n"
        f"Its sliders and buttons work in a running notebook: {run_it(name, published)}.\n:::"
    )


def is_widget(cell: dict) -> bool:
    """Does a cell show an interactive figure? The text that it stores says so."""
    return any(
        WIDGET.match("".join(output.get("data", {}).get("text/plain", "")))
        for output in cell.get("outputs", [])
    )


def with_listing(output: dict) -> None:
    """Turn a source that `show_source` has highlighted into a listing with the site's colours."""
    data = output.get("data", {})
    if HIGHLIGHTED in "".join(data.get("text/html", "")) and "text/plain" in data:
        source = "".join(data["text/plain"]).rstrip("\n")
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", source)), default=0))
        output["data"] = {"text/markdown": f"{fence}python\n{source}\n{fence}"}
