"""What a repository needs beside its code agrees with the code."""

import re
import tomllib

import pytest
import yaml
from helpers import REPOSITORY

import seglab

PLACE = re.compile(r"`((?:seglab|tests|docs|notebooks|data)/[\w./-]*)`")


def text(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def test_one_version_everywhere():
    assert yaml.safe_load(text("CITATION.cff"))["version"] == seglab.__version__
    assert f"## {seglab.__version__}" in text("CHANGELOG.md")


def test_what_contributing_names_exists():
    page = text("CONTRIBUTING.md")
    places = [place for place in PLACE.findall(page) if "_build" not in place]  # made, not stored
    assert places and not [place for place in places if not (REPOSITORY / place).exists()]
    commands = [c for c in re.findall(r"uv run pytest ([\w./-]+)", page) if c.startswith("tests")]
    assert commands and all((REPOSITORY / place).exists() for place in commands)


def test_a_newcomer_reads_the_readme_to_its_end():
    assert len(text("README.md").split()) <= 900


def test_the_workflow_runs_the_readmes_command_with_the_oldest_python():
    workflow = yaml.safe_load(text(".github/workflows/tests.yml"))
    job = workflow["jobs"]["tests"]
    command = job["steps"][-1]["run"]
    assert f"    {command}\n" in text("README.md")
    settings = tomllib.loads(text("pyproject.toml"))
    oldest = settings["project"]["requires-python"].removeprefix(">=")
    assert job["strategy"]["matrix"]["python"][0] == oldest


@pytest.mark.parametrize("name", ["something-is-wrong", "question", "idea"])
def test_issue_forms_have_what_github_asks_for(name):
    form = yaml.safe_load(text(f".github/ISSUE_TEMPLATE/{name}.yml"))
    assert {"name", "description", "body"} <= set(form)
    for field in form["body"]:
        assert field["type"] in ("input", "textarea", "markdown", "dropdown", "checkboxes")
        assert field["attributes"]["label"]
    names = [field["id"] for field in form["body"]]
    assert len(set(names)) == len(names)
