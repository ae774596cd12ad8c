"""Which exercises a learner has done: a small file that outlives the kernel."""

import datetime
import json
from collections.abc import Iterable
from pathlib import Path

from seglab.machine.runtime import results_folder
from seglab.machine.tables import Table

FILE = "exercises.jsonl"  # one line for each exercise that passed
TOGETHER = "\N{NO-BREAK SPACE}"  # a mark and its name stay on one line, however narrow the page


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


def record(exercise, exercises: Iterable) -> str:
    """Note that an exercise has passed.

    One line is appended, in one piece, so that notebooks can run side by side.

    Args:
        exercise: of `seglab.exercises.checking`.
        exercises: all there are.

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
    names = [e.name for e in exercises if e.notebook == exercise.notebook]
    count = sum(name in done for name in names)
    return f"{count} of {len(names)} exercises of notebook {exercise.notebook} done."


def progress_table(exercises: Iterable, folder: str | Path | None = None) -> Table:
    """What is done and what is not, a row for each notebook.

    Args:
        exercises: all there are.
        folder: see `passed`.

    Raises:
        FileNotFoundError: `folder` was given and holds no such file.
    """
    if folder is not None and not (Path(folder) / FILE).is_file():
        raise FileNotFoundError(f"{folder}: no {FILE} here; it appears with the first pass")
    done, names = passed(folder), {}
    for exercise in exercises:
        names.setdefault(exercise.notebook, []).append(exercise.name)

    def count(some: list[str]) -> str:
        return f"{sum(name in done for name in some)} of {len(some)}"

    def marked(name: str) -> str:
        return ("✓" if name in done else "○") + TOGETHER + name

    rows = [
        (notebook, count(some).replace(" ", TOGETHER), "  ".join(map(marked, some)))
        for notebook, some in sorted(names.items())
    ]
    note = f"{count([name for some in names.values() for name in some])} done"
    return Table(("notebook", "done", "✓ passes  ○ still open"), [rows], note, left=(0, 2))
