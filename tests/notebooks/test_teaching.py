"""What TEACHING.md says about the notebooks, the clock, the commands and the messages is so."""

import itertools
import json
import re
import shlex

import pytest
import torch
import torchvision
from helpers import REPOSITORY
from torch.nn import functional as F

from seglab import exercises, networks, transforms, voc
from seglab.classroom.shell import parser
from seglab.exercises import checking, records

TEXT = (REPOSITORY / "notebooks" / "TEACHING.md").read_text(encoding="utf-8")
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
NOTEBOOKS = {path.name[:2]: path for path in (REPOSITORY / "notebooks").glob("*.ipynb")}
ROW = re.compile(r"^\| (\d+):(\d\d) \| (.+?) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", re.M)
TABLES = [
    [(int(h) * 60 + int(m), what, *map(int, n)) for h, m, what, *n in ROW.findall(part)]
    for part in TEXT.split("| from |")[1:]
]


def section(title: str, level: int = 2) -> str:
    """A section of the text, without its heading."""
    found = re.search(rf"^{'#' * level} {title}$(.*?)(?=^#{{2,{level}}} |\Z)", TEXT, re.M | re.S)
    return found[1]


def minutes_in_readme() -> dict[str, int]:
    rows = re.findall(r"^\| \[(\d\d) .*?\| (\d+) \| [\d.]+ GB \| .* \|$", README, re.M)
    return {number: int(minutes) for number, minutes in rows}


def test_there_are_three_tables_and_they_are_read():
    assert [len(table) for table in TABLES] == [8, 10, 9]
    assert minutes_in_readme().keys() <= NOTEBOOKS.keys() and len(minutes_in_readme()) >= 8


@pytest.mark.parametrize("table", TABLES)
def test_the_clock_of_a_timetable_is_right(table):
    for _, what, run, talk, attempt, total in table:
        assert run + talk + attempt == total, what
    for one, following in itertools.pairwise(table):
        assert one[0] + one[-1] == following[0], following[1]


def test_the_timetables_last_as_long_as_they_say():
    half_day, *days = (table[-1][0] + table[-1][-1] - table[0][0] for table in TABLES)
    assert half_day == 4 * 60 and days == [8 * 60, 8 * 60]


def test_the_minutes_of_cells_are_those_of_the_readme():
    measured = minutes_in_readme()
    without_07 = "".join(json.loads(NOTEBOOKS["08"].read_text())["cells"][0]["source"])
    extra = int(re.search(r"about (\d+) minutes more", without_07)[1])
    for table, first in zip(TABLES, (extra, 0, 0), strict=True):
        for _, what, run, *_ in table:
            number = what[:2]
            expected = measured.get(number, 0) + (first if number == "08" else 0)
            assert run == expected, what
    shown = {what[:2] for table in TABLES[1:] for _, what, *_ in table if what[:2].isdigit()}
    assert shown == {number for number in measured if number <= "08"}  # bonus ones are extra


def test_each_notebook_of_the_readme_has_its_words_and_its_figure_exists():
    parts = re.findall(
        r"^### (\d\d) (.+?)$(.*?)(?=^##|\Z)", section("What to say where"), re.M | re.S
    )
    assert [number for number, *_ in parts] == sorted(minutes_in_readme())
    for number, _, words in parts:
        for part in ("Say", "Stop at", "Ask", "Expect"):
            assert words.count(f"- **{part}:**") == 1, number
        title = " ".join(re.search(r"Stop at:\*\* \*(.+?)\*[ \n]", words, re.S)[1].split())
        cells = json.loads(NOTEBOOKS[number].read_text(encoding="utf-8"))["cells"]
        assert any(title in "".join(cell["source"]) for cell in cells), title


def test_the_commands_are_understood():
    commands = re.findall(r"python -m seglab (.+)$", TEXT, re.M)
    commands = [words for words in commands if "`" not in words]
    assert len(commands) >= 2
    for words in commands:
        parser().parse_args(shlex.split(words, comments=True))


def test_what_is_said_about_marking_exists():
    marking = section("Marking")
    assert f"`{records.FILE}`" in marking and "progress" in exercises.__all__
    for sign in re.findall(r"the sign (\S+):", marking):
        assert sign == checking.SIGNS[checking.NOT_RIGHT]


# ---------------------------------------------------------------- the messages

MEASURED_WITH = re.search(r"\(torch (\d+\.\d+),", TEXT)[1]


def messages():
    """Mistakes that end with an error."""
    logits, image = torch.zeros(1, 21, 4, 4), voc.rooms("val").image(0)
    model = networks.load("rooms").model
    deeplab = torchvision.models.segmentation.deeplabv3_resnet50
    return {
        "void": lambda: F.cross_entropy(logits, torch.full((1, 4, 4), 255)),
        "uint8": lambda: F.cross_entropy(logits, torch.zeros(1, 4, 4, dtype=torch.uint8)),
        "batch of one": lambda: deeplab(weights=None, weights_backbone=None)(
            torch.zeros(1, 3, 64, 64)
        ),
        "normalised twice": lambda: transforms.normalize(transforms.normalize(image)),
        "no batch axis": lambda: model(transforms.normalize(image)),
        "colour last": lambda: model(image.permute(1, 2, 0)[None].float()),
        "bytes": lambda: model(image[None]),
    }


@pytest.mark.skipif(
    not torch.__version__.startswith(MEASURED_WITH + "."),
    reason=f"the messages are those of torch {MEASURED_WITH}; this is {torch.__version__}",
)
def test_the_messages_are_the_real_ones():
    for kind, call in messages().items():
        with pytest.raises((RuntimeError, IndexError, ValueError, TypeError)) as caught:
            call()
        assert f"`{caught.type.__name__}: {caught.value}`" in TEXT, kind
