"""Find the exercises in a notebook: heading, stub, solution; run a solution through its check.

The form that every exercise has, in three cells:

    markdown   ### Exercise 2 · Padding for a size
               ★★☆ · about 5 minutes
               the task, and perhaps a collapsed nudge
    code       the stub, which raises NotImplementedError, and `check.NAME(NAME)` (tag: exercise)
    markdown   <details><summary>Solution</summary>, one python block, why, </details>

Stub and solution need nothing but the notebook's imports, so that nobody has to wait for a training
before an exercise.
"""

import re
from dataclasses import dataclass

from seglab.classroom import marking, publish
from seglab.classroom.marking import TAG
from seglab.exercises import checking

HEADING = re.compile(
    r"\A### Exercise (?P<number>\d) · \S.*\n\n(?P<stars>★+)☆* · about (?P<minutes>\d+) minutes?\n"
)
SOLUTION = re.compile(
    r"<details><summary>Solution</summary>\n\n```python\n(.*?)\n```\n.*</details>", re.S
)
CALL = re.compile(r"^check\.(\w+)\((\w+)\)$", re.M)


@dataclass(frozen=True)
class Cells:
    """One exercise as it stands in a notebook."""

    name: str
    number: int
    stars: int
    minutes: int
    stub: str
    solution: str
    output: str


def exercises_in(notebook) -> list[Cells]:
    """All exercises of a notebook, in order.

    Raises:
        ValueError: one does not have the form.
    """
    found = []
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or TAG not in cell.metadata.get("tags", []):
            continue
        heading = HEADING.match(notebook.cells[place - 1].source)
        solution = SOLUTION.search(notebook.cells[place + 1].source)
        calls = CALL.findall(cell.source)
        if not heading or not solution or len(calls) != 1 or calls[0][0] != calls[0][1]:
            raise ValueError(f"cell {place} and its neighbours do not have the form of an exercise")
        output = "".join(output.get("text", "") for output in cell.outputs)
        number, minutes = int(heading["number"]), int(heading["minutes"])
        stars = len(heading["stars"])
        found.append(Cells(calls[0][0], number, stars, minutes, cell.source, solution[1], output))
    return found


def examined(notebook, name: str, source: str) -> checking.Outcome:
    """Run source after the notebook's imports; give what it defines to the check."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    sources = [c.source for c in code if publish.TAG not in c.metadata.get("tags", [])]
    return marking.outcome_of(marking.imports_of(sources), source, name)


def faults(notebook) -> list[str]:
    """Which exercises of a notebook do not do what they promise, and why."""
    found = []
    for cells in exercises_in(notebook):
        stub = examined(notebook, cells.name, cells.stub)
        if stub.status != checking.NOT_WRITTEN:
            found.append(f"{cells.name}: the stub gives {stub}")
        solution = examined(notebook, cells.name, cells.solution)
        if solution.status != checking.PASSES:
            found.append(f"{cells.name}: the solution gives {solution}")
    return found
