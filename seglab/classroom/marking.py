"""Run the exercises of a notebook that somebody handed in: `python -m seglab mark NOTEBOOK ...`."""

import ast
import contextlib
import io
import json
import re
from pathlib import Path

from seglab.classroom import blank, clone, publish
from seglab.exercises import checking
from seglab.exercises.checking import NOT_RIGHT, Outcome
from seglab.machine.files import write_csv

TAG = "exercise"  # of the cells with the learner's code
CALL = re.compile(r"^ *check\.(\w+)\(.*\) *$", re.M)


def marks(path: str | Path) -> dict[str, Outcome]:
    """Check every exercise of a notebook: only the first cell, imports and the exercises are run.

    That is somebody else's code, run with your rights: read it first, or use a machine or an
    account where it can do no harm.

    Args:
        path: a notebook of the course in which cells tagged `exercise` were filled in.

    Returns:
        the name of each exercise, and what its check found.

    Raises:
        ValueError: the file is no notebook, or has no exercises.
    """
    try:
        cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
        code = [(clone.tags(c), "".join(c["source"])) for c in cells if c["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: cannot be read as a notebook ({error!r})") from error
    imports = imports_of([source for tag, source in code if publish.TAG not in tag])
    sources = [source for tag, source in code if TAG in tag]
    if not sources:
        raise ValueError(f"{path}: no cell has the tag {TAG}; is this a notebook of the course?")
    found = {}
    for source in sources:
        for name in CALL.findall(source):
            if name in checking.EXERCISES:
                found[name] = outcome_of(imports, source, name)
    return found


def imports_of(sources: list[str]) -> str:
    """A notebook's first code cell, and the imports that stand in later ones."""
    lines = sources[:1]
    for source in sources[1:]:
        with contextlib.suppress(SyntaxError):  # a cell with a line of IPython's own
            for statement in ast.parse(source).body:
                if isinstance(statement, ast.Import | ast.ImportFrom):
                    lines.append(ast.unparse(statement))
    return "\n".join(lines)


def outcome_of(imports: str, source: str, name: str) -> Outcome:
    """Run one cell after the imports; give what it defines to the check."""
    space = {"__name__": "__main__"}

    def run() -> None:
        exec(compile(imports, "<imports>", "exec"), space)
        exec(compile(CALL.sub("", source), f"<{name}>", "exec"), space)

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            checking.in_time(run, checking.EXERCISES[name].seconds)
    except checking.TimeIsUp:
        return Outcome(NOT_RIGHT, "The cell itself did not finish.")
    except (Exception, SystemExit) as error:
        return Outcome(NOT_RIGHT, f"The cell itself ended with {type(error).__name__}: {error}")
    if name not in space:
        return Outcome(NOT_RIGHT, f"The cell defines nothing named {name}.")
    return checking.examine(name, space[name])


def report(
    notebooks: list[str | Path], csv: str | None = None, make_blank: str | None = None
) -> int:
    """Print a line for each notebook and one for each exercise.

    Args:
        notebooks: their files.
        csv: a file for a table with a row for each learner.
        make_blank: a folder for copies without solutions; then nothing is marked.

    Returns:
        the exit status: 1 if a file could not be marked, else 0.
    """
    if make_blank:
        blank.make(notebooks, make_blank)
        return 0
    unreadable, everything = False, {}
    for path in notebooks:
        try:
            found = marks(path)
        except ValueError as error:
            print(error)
            unreadable = True
            continue
        everything[Path(path)] = found
        right = sum(outcome.status == checking.PASSES for outcome in found.values())
        print(f"{path}: {right} of {len(found)}")
        for name, outcome in found.items():
            first = outcome.message.splitlines()[:1]
            print(f"  {checking.SIGNS[outcome.status]} {': '.join([name, *first])}")
    if csv:
        print("wrote", write_csv(csv, table(everything)))
    return int(unreadable)


def table(everything: dict[Path, dict[str, Outcome]]) -> list[list]:
    """A row for each learner: how many exercises pass, and the status of each.

    A learner is the folder in which notebooks lie. If all lie in one, a file is a learner.
    """
    folders = len({path.absolute().parent for path in everything}) > 1
    learners: dict[str, dict[str, str]] = {}
    for path, found in everything.items():
        learner = path.absolute().parent.name if folders else path.stem
        learners.setdefault(learner, {}).update({k: v.status for k, v in found.items()})
    names = [name for name in checking.EXERCISES if any(name in row for row in learners.values())]
    rows = [["learner", "pass", "of", *names]]
    for learner, row in sorted(learners.items()):
        passed = sum(status == checking.PASSES for status in row.values())
        rows.append([learner, passed, len(row), *(row.get(name, "") for name in names)])
    return rows
