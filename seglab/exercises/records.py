"""Which exercises a learner has done: a small file that outlives the kernel."""

import datetime
import html
import json
import re
from dataclasses import dataclass
from pathlib import Path

from seglab.exercises import checking
from seglab.machine.runtime import results_folder

FILE = "exercises.jsonl"  # one line for each exercise that passed


def passed(folder: str | Path | None = None) -> dict[str, str]:
    """Name of each exercise that has passed -> when. Lines that cannot be read are left out.

    Args:
        folder: where the file is; default: where the notebooks put their results.
    """
    path = Path(folder or results_folder()) / FILE
    found = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = json.loads(line)
                found.setdefault(str(entry["exercise"]), str(entry["passed"]))
            except (ValueError, KeyError, TypeError):
                continue
    return found


def record(exercise) -> str:
    """Note that an exercise has passed.

    One line is appended, in one piece, so that notebooks can run side by side.

    Returns:
        a sentence for the learner: how many of this notebook's exercises are done.
    """
    done = passed()
    try:
        if exercise.name not in done:
            now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
            entry = {"exercise": exercise.name, "notebook": exercise.notebook, "passed": now}
            path = results_folder() / FILE
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
            done[exercise.name] = now
    except OSError as error:
        return f"(That could not be kept in {results_folder() / FILE}: {error.strerror}.)"
    names = [e.name for e in checking.EXERCISES.values() if e.notebook == exercise.notebook]
    count = sum(name in done for name in names)
    return f"{count} of {len(names)} exercises of notebook {exercise.notebook} done."


def progress(folder: str | Path | None = None) -> "Progress":
    """What is done and what is not, notebook by notebook.

    Args:
        folder: the folder with a learner's `exercises.jsonl`; default: your own, where the
            notebooks put their results.

    Raises:
        FileNotFoundError: `folder` was given and holds no such file.
    """
    if folder is not None and not (Path(folder) / FILE).is_file():
        raise FileNotFoundError(f"{folder}: no {FILE} here; it appears with the first pass")
    done = passed(folder)
    rows = {}
    for exercise in checking.EXERCISES.values():
        rows.setdefault(exercise.notebook, []).append((exercise.name, exercise.name in done))
    return Progress(dict(sorted(rows.items())))


@dataclass(frozen=True)
class Progress:
    """A table: aligned text where it is printed, HTML in a notebook.

    Attributes:
        rows: notebook -> its exercises as (name, has passed).
    """

    rows: dict[str, list[tuple[str, bool]]]

    @property
    def done(self) -> int:
        """How many exercises have passed."""
        return sum(passed for row in self.rows.values() for _, passed in row)

    @property
    def total(self) -> int:
        """How many exercises there are."""
        return sum(len(row) for row in self.rows.values())

    def _cells(self) -> list[tuple[str, str, str]]:
        return [
            (
                notebook,
                f"{sum(passed for _, passed in row)} of {len(row)}",
                "  ".join(f"{'✓' if passed else '○'} {name}" for name, passed in row),
            )
            for notebook, row in self.rows.items()
        ]

    def __str__(self) -> str:
        lines = [f"{a:8}  {b:>6}  {c}".rstrip() for a, b, c in [HEAD, *self._cells()]]
        return "\n".join([*lines, f"{self.done} of {self.total} done"])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def row(cells, tag: str = "td") -> str:
            style = 'style="text-align: left"'
            # However narrow the page, a mark stays with its name and a count with its total.
            together = [
                re.sub("(?<=[✓○]) | (?=of )|(?<= of) ", "\N{NO-BREAK SPACE}", c) for c in cells
            ]
            return "".join(f"<{tag} {style}>{html.escape(cell)}</{tag}>" for cell in together)

        body = "".join(f"<tr>{row(cells)}</tr>" for cells in self._cells())
        head = f"<thead><tr>{row(HEAD, 'th')}</tr></thead>"
        caption = f"<caption>{self.done} of {self.total} done</caption>"
        return f"<table>{caption}{head}<tbody>{body}</tbody></table>"


HEAD = ("notebook", "done", "✓ passes  ○ still open")
