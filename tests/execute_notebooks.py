"""Run notebooks and store them clean: `python tests/execute_notebooks.py [NOTEBOOK ...]`.

Use it before a commit that changes a notebook or what a notebook shows. A notebook whose run fails
is left as it was. What is cleaned: progress bars (they say how fast one machine was on one day),
warnings of libraries, execution times, widgets (without a kernel they are dead; the picture of
their first frame stays). What a cell printed in several pieces becomes one.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert.preprocessors import CoalesceStreamsPreprocessor

from seglab.machine.files import written_whole

WIDGET = "application/vnd.jupyter.widget-view+json"
FOLDER = Path(__file__).resolve().parent.parent / "notebooks"


def execute(path: Path) -> None:
    """Run one notebook in its own folder and write it back."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=2400,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    clean(notebook)
    with written_whole(path) as temporary:
        nbformat.write(notebook, temporary)


def clean(notebook) -> None:
    """Remove from the outputs what is not for readers."""
    join = CoalesceStreamsPreprocessor()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not is_noise(output)]
            join.preprocess_cell(cell, {}, 0)
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    output.data.pop(WIDGET, None)
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}


def is_noise(output) -> bool:
    """Is this a progress bar or something a library wrote to the error stream?"""
    if output.output_type == "stream":
        return output.name == "stderr"
    text = output.get("data", {}).get("text/plain", "")
    speed = "it/s" in text or "s/it" in text
    return (WIDGET in output.get("data", {}) and speed) or "?it" in text


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]) if sys.argv[1:] else sorted(FOLDER.glob("*.ipynb")):
        print(path.name, flush=True)
        execute(path)
