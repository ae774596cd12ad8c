"""How notebooks, docstrings and pages are prepared for the site; needs no Sphinx."""

import ast
import sys

import pytest
from helpers import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "docs"))
import chapters
import mirror
import reference

HERE = {"repository": "", "branch": "main"}
THERE = {"repository": "someone/seglab", "branch": "main"}


@pytest.mark.parametrize(
    ("link", "published", "expected"),
    [
        ("[a](../README.md)", HERE, "[a](../index.md)"),
        ("[a](TEACHING.md#slides)", HERE, "[a](TEACHING.md#slides)"),
        ("[a](04-fcn.ipynb)", HERE, "[a](../notebooks/04-fcn.ipynb)"),
        ("[a](../pyproject.toml)", HERE, "a"),
        ("[a](../LICENSE)", THERE, "[a](https://github.com/someone/seglab/blob/main/LICENSE)"),
        ("[a](../data/README.md#photos)", HERE, "[a](../data/README.md#photos)"),
        ("[a](https://arxiv.org)", HERE, "[a](https://arxiv.org)"),
        ("[a](#below)", HERE, "[a](#below)"),
        ("![a cat](cat.png)", HERE, "![a cat](cat.png)"),
    ],
)
def test_links_lead_to_what_the_site_has(link, published, expected):
    source, target = "notebooks/TEACHING.md", "classroom/TEACHING.md"
    assert mirror.with_links(link, source, target, REPOSITORY, published) == expected


def test_what_an_earlier_build_wrote_goes_and_equal_files_stay(tmp_path):
    mirror.write_all(tmp_path, {"reference/old.md": "old", "reference/same.md": "same"})
    before = (tmp_path / "reference/same.md").stat().st_mtime_ns
    mirror.write_all(tmp_path, {"reference/same.md": "same"})
    assert not (tmp_path / "reference/old.md").exists()
    assert (tmp_path / "reference/same.md").stat().st_mtime_ns == before


def test_a_highlighted_source_becomes_a_listing():
    source = 'def f():\n    """Fences: ```."""\n'
    output = {"data": {"text/html": '<style></style><div class="highlight">', "text/plain": source}}
    chapters.with_listing(output)
    assert output["data"] == {"text/markdown": f"````python\n{source}````"}
    table = {"data": {"text/html": "<table></table>", "text/plain": "a table"}}
    chapters.with_listing(table)
    assert set(table["data"]) == {"text/html", "text/plain"}


def test_a_published_course_opens_in_colab():
    assert "colab" not in chapters.run_it("03-a.ipynb", HERE)
    link = "https://colab.research.google.com/github/someone/seglab/blob/main/notebooks/03-a.ipynb"
    assert link in chapters.run_it("03-a.ipynb", THERE)


def test_the_table_of_notebooks_and_modules_is_read():
    modules = list(reference.read_modules(REPOSITORY / "seglab"))
    table = reference.taught(REPOSITORY / "seglab" / "__init__.py", modules)
    assert table["03"] == ["upsampling"]
    assert "fcn" in table["04"] and set(table["04"]) <= set(modules)


def test_a_notebook_may_have_two_lines_of_the_table(tmp_path):
    init = tmp_path / "__init__.py"
    init.write_text('"""x\n\n    07 training   losses, fit\n    07 on disk    networks\n"""')
    table = reference.taught(init, ["losses", "networks"])
    assert table == {"07": ["losses", "networks"]}


DOCSTRING = """What it does with `size` and `enlarge`.

More of it.

Args:
    size: how large,
        in rows.
    stride, padding: as in `F.conv2d`.

Returns:
    `[N, C]`: one row each.

Raises:
    ValueError: nothing left.
"""


def test_a_docstring_s_sections_become_lists():
    text = reference.markdown(DOCSTRING.strip(), {"enlarge": "seglab.upsampling.enlarge"})
    assert "{py:obj}`enlarge <seglab.upsampling.enlarge>`" in text and "`size`" in text
    assert "**Arguments**\n\n- `size`: how large,\n    in rows.\n- `stride, padding`: as" in text
    assert "**Returns**\n\n`[N, C]`: one row each." in text
    assert "**Raises**\n\n- `ValueError`: nothing left." in text


def test_signatures_are_those_of_the_source():
    source = '''
@dataclass
class Recipe:
    """A recipe."""

    images: int = 3600
    names: list = field(default_factory=list)

    def double(self, factor=2) -> int:
        """Twice."""

    @property
    def size(self) -> int:
        """How many."""
'''
    lines = reference.described(ast.parse(source).body[0], {})
    assert lines[0] == "::::{py:class} Recipe(images: int = 3600, names: list = ...)"
    assert ":::{py:method} double(factor=2) -> int" in lines
    assert ":::{py:property} size" in lines and ":type: int" in lines


def test_a_setting_shows_its_default_and_its_meaning():
    source = '''
@dataclass
class Recipe:
    """A recipe."""

    images: int = setting(3600, "how many are seen in all", below=1)
'''
    text = "\n".join(reference.described(ast.parse(source).body[0], {}))
    assert "Recipe(images: int = 3600)" in text
    assert "- `images`: how many are seen in all" in text
