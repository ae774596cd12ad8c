"""The rules of the house, read from the syntax trees; each is proved by a planted violation."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import REPOSITORY

PACKAGE = REPOSITORY / "seglab"

# Arrows point down: a module may import from lower floors, and from its own wing.
FLOORS = {
    "__init__": 0,
    "machine": 0,
    "taught": 1,
    "datasets": 2,
    "figures": 3,
    "exercises": 3,
    "classroom": 4,
    "__main__": 5,
}
NOT_TAUGHT = {"IPython", "ipywidgets", "matplotlib", "urllib"}  # what taught modules never import
# What is there today, so that it can only shrink: 4,300 and 9,800 in all are the aims.
LIMITS = {"taught": 400, "module": 500, "all taught": 4_485, "all without exercises": 12_446}


def trees(package: Path) -> dict[str, ast.Module]:
    """Name of each module, such as `machine.files`, -> its syntax tree."""
    return {
        ".".join(path.relative_to(package).with_suffix("").parts): ast.parse(path.read_bytes())
        for path in sorted(package.rglob("*.py"))
    }


def wing(module: str) -> str:
    """Where a module lives: the name of a wing, `taught`, `__init__` or `__main__`."""
    first, *inner = module.split(".")
    return first if inner or first.startswith("__") else "taught"


def imported(tree: ast.Module, nodes) -> set[str]:
    """The full names that the import statements among some nodes ask for."""
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "the house writes imports in full"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def own(names: set[str], modules) -> set[str]:
    """Which of the package's modules some full names stand for."""
    found = set()
    for name in names:
        if name == "seglab" or name.startswith("seglab."):
            inner = name.removeprefix("seglab").removeprefix(".")
            candidates = [inner, inner.rpartition(".")[0]]
            candidates += [f"{c}.__init__" if c else "__init__" for c in candidates]
            found.add(next((c for c in candidates if c in modules), inner))
    return found


def circles(package: Path) -> list[str]:
    """Modules that import themselves by way of others, each with its way."""
    modules = trees(package)
    arrows = {
        name: own(imported(tree, tree.body), modules) & modules.keys()
        for name, tree in modules.items()
    }

    def ways(path: list[str]):
        for module in sorted(arrows[path[-1]]):
            if module == path[0]:
                yield " -> ".join([*path, module])
            elif module not in path and module > path[0]:  # each circle once
                yield from ways([*path, module])

    return [way for name in sorted(arrows) for way in ways([name])]


def arrows_up(package: Path) -> list[str]:
    """Imports that do not point down, wherever they are written."""
    modules = trees(package)
    return [
        f"{name} imports {module}"
        for name, tree in modules.items()
        for module in sorted(own(imported(tree, ast.walk(tree)), modules))
        if wing(module) != wing(name) and FLOORS.get(wing(module), 9) >= FLOORS[wing(name)]
    ]


def strangers(package: Path) -> list[str]:
    """Imports of taught modules that a learner need not know about."""
    return [
        f"{name} imports {stranger}"
        for name, tree in trees(package).items()
        if wing(name) == "taught"
        for stranger in sorted({n.split(".")[0] for n in imported(tree, ast.walk(tree))})
        if stranger in NOT_TAUGHT
    ]


def too_long(package: Path, limits: dict[str, int] = LIMITS) -> list[str]:
    """Modules, and all of them together, that have more lines than they may."""
    lines = {
        ".".join(path.relative_to(package).with_suffix("").parts): len(
            path.read_text(encoding="utf-8").splitlines()
        )
        for path in sorted(package.rglob("*.py"))
    }
    taught = {name: count for name, count in lines.items() if wing(name) == "taught"}
    rest = [count for name, count in lines.items() if wing(name) != "exercises"]
    found = {
        **{name: (n, limits["taught"]) for name, n in taught.items()},
        **{name: (n, limits["module"]) for name, n in lines.items() if name not in taught},
        "all taught": (sum(taught.values()), limits["all taught"]),
        "all without exercises": (sum(rest), limits["all without exercises"]),
    }
    return [f"{name}: {n} lines, at most {most}" for name, (n, most) in found.items() if n > most]


def table_faults(package: Path) -> list[str]:
    """Taught modules that the table in the package's docstring does not name exactly once."""
    page = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8")))
    rows = re.findall(r"^ *\d\d .*?  +(\w+(?:, \w+)*)$", page, re.M)
    named = [name for row in rows for name in row.split(", ")]
    taught = {name for name in trees(package) if wing(name) == "taught"}
    return sorted(
        [f"{name} is named twice" for name in set(named) if named.count(name) > 1]
        + [f"{name} is not taught" for name in set(named) - taught]
        + [f"{name} is missing" for name in taught - set(named)]
    )


RULES = {
    "circles": circles,
    "arrows up": arrows_up,
    "strangers": strangers,
    "too long": too_long,
    "table": table_faults,
}


@pytest.mark.parametrize("rule", RULES)
def test_the_house_is_in_order(rule):
    assert RULES[rule](PACKAGE) == []


# ---------------------------------------------------------------- planted violations

TABLE = '''"""A package.

    notebook       modules
    01 colours     {}
    02 data set    {}
"""
'''
SOUND = {
    "__init__": TABLE.format("palettes", "voc, metrics"),
    "__main__": "from seglab.classroom.shell import main\n",
    "palettes": "import torch\nfrom seglab.machine.files import written_whole\n",
    "voc": "import seglab\nfrom seglab.palettes import VOID\n",
    "metrics": "from seglab import palettes\n",
    "machine.__init__": "",
    "machine.files": "import os\nfrom urllib.request import urlopen\n",
    "datasets.__init__": "",
    "datasets.fetch": "import seglab.voc\nfrom seglab.machine import files\n",
    "figures.__init__": "from seglab.figures.charts import bars\n",
    "figures.charts": "import matplotlib.pyplot as plt\nfrom seglab.metrics import iou\n",
    "exercises.__init__": "",
    "exercises.checking": "from seglab.datasets import fetch\n",
    "classroom.__init__": "",
    "classroom.shell": "def main():\n    from seglab import exercises, figures\n",
}


def house(folder: Path, **changes: str) -> Path:
    """A small package in which all is in order, but for some modules (`a__b` is a.b)."""
    modules = SOUND | {name.replace("__", ".", 1): text for name, text in changes.items()}
    for name, text in modules.items():
        path = folder.joinpath("seglab", *name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "seglab"


def test_a_sound_house_passes(tmp_path):
    package = house(tmp_path)
    assert {name: rule(package) for name, rule in RULES.items()} == {name: [] for name in RULES}


@pytest.mark.parametrize(
    ("rule", "module", "text", "fault"),
    [
        ("circles", "palettes", "import seglab.voc\n", "palettes -> voc -> palettes"),
        ("circles", "palettes", "from seglab.voc import X\n", "palettes -> voc -> palettes"),
        ("arrows up", "palettes", "from seglab import figures\n", "imports figures.__init__"),
        ("arrows up", "palettes", "def f():\n    import seglab.datasets.fetch\n", "datasets.fetch"),
        ("arrows up", "machine__files", "from seglab.voc import X\n", "machine.files imports voc"),
        ("arrows up", "machine__files", "from seglab import __version__\n", "imports __init__"),
        ("arrows up", "datasets__fetch", "import seglab.classroom.shell\n", "classroom.shell"),
        ("arrows up", "figures__charts", "import seglab.exercises\n", "exercises.__init__"),
        ("arrows up", "exercises__checking", "from seglab.figures import x\n", "figures.__init__"),
        ("arrows up", "palettes", "from seglab.gone.away import x\n", "imports gone.away"),
        ("strangers", "palettes", "import matplotlib.pyplot as plt\n", "imports matplotlib"),
        ("strangers", "voc", "def f():\n    from IPython import display\n", "imports IPython"),
        ("strangers", "voc", "import urllib.request\n", "voc imports urllib"),
        ("too long", "voc", "x = 1\n" * 401, "voc: 401 lines, at most 400"),
        ("too long", "classroom__shell", "x = 1\n" * 501, "classroom.shell: 501 lines"),
        ("table", "unet", "", "unet is missing"),
    ],
)
def test_a_planted_violation_is_found(rule, module, text, fault, tmp_path):
    found = RULES[rule](house(tmp_path, **{module: text}))
    assert any(fault in line for line in found), found


def test_too_many_lines_in_all_are_found(tmp_path):
    package = house(tmp_path)
    assert too_long(package, LIMITS | {"all taught": 4}) == ["all taught: 5 lines, at most 4"]
    (fault,) = too_long(package, LIMITS | {"all without exercises": 20})
    assert fault.startswith("all without exercises: ")
    (package / "exercises" / "long.py").write_text("x = 1\n" * 499)
    assert too_long(package, LIMITS | {"all without exercises": 30}) == []


def test_a_table_that_names_too_much_is_found(tmp_path):
    package = house(tmp_path)
    (package / "__init__.py").write_text(TABLE.format("palettes, voc", "voc, metrics, files"))
    assert table_faults(package) == ["files is not taught", "voc is named twice"]


# ---------------------------------------------------------------- what is loaded


def loaded_after(code: str, names: set[str]) -> set[str]:
    """Which of some modules a new Python has loaded after running some code."""
    code += f"\nimport sys\nprint(*({names!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


HEAVY = {"matplotlib", "torchvision.models.detection", "IPython"}


def test_the_package_is_light():
    assert loaded_after("import seglab", {"torch", "urllib.request", *HEAVY}) == set()
    assert loaded_after("import seglab\nseglab.start()", HEAVY) == set()
    assert loaded_after("import seglab, matplotlib", HEAVY) == {"matplotlib"}


HELP = """
import contextlib, io, re
from seglab.classroom.shell import main

def help_of(*words):
    with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.suppress(SystemExit):
        main([*words, "--help"])
    return shown.getvalue()

commands = re.search("{(.*?)}", help_of())[1].split(",")
assert len(commands) >= 10 and all("--help" in help_of(command) for command in commands)
"""


def test_help_needs_no_torch():
    assert loaded_after(HELP, {"torch", "numpy"}) == set()
