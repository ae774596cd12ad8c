"""Notebooks in another language. The made-up language xx puts every text «in marks»."""

import ast
import json
import os
import re
import shutil
import sys
from pathlib import Path

import nbformat
import polib
import pytest
from helpers import REPOSITORY
from nbclient import NotebookClient

from seglab.classroom import publish, shell, texts, translate
from seglab.palettes import VOC_CLASSES

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
FIRST = NOTEBOOKS[0]
MARKED = re.compile("«[^«»]*»")
WORD = re.compile(r"[A-Za-z]{2,}")
# Drawn or printed and no English: names of classes, types, data; how matplotlib writes 10².
NAMES = {
    *VOC_CLASSES,
    "back",
    "ground",
    "void",
    "Egyptian",
    "tiger",
    "tabby",
    "rooms",
    "mathdefault",
}
NAMES |= {"torch", "uint", "int", "float", "out", "aux", "None"}


def mark(text: str) -> str:
    return f"«{text}»"


def unmarked(text: str) -> str:
    """What stands outside of all marks; there may be some within others."""
    while MARKED.search(text):
        text = MARKED.sub("", text)
    return text


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def source(cell: dict) -> str:
    return "".join(cell["source"])


def code_cells(notebook: dict) -> list[dict]:
    cells = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    return [c for c in cells if publish.TAG not in c["metadata"].get("tags", [])]


# ---------------------------------------------------------------- texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("## 3. Four *tensors*", "## «3. Four *tensors*»"),
        ("a line\nand the next\n\nmore", "«a line and the next»\n\n«more»"),
        ("- one item,\n  long\n- two of them", "- «one item, long»\n- «two of them»"),
        ("> 1. said\n>    here\n> 2. there", "> 1. «said here»\n> 2. «there»"),
        (
            "| a name | `x` |\n|---|---|\n| 12 | it is |",
            "| «a name» | `x` |\n|---|---|\n| 12 | «it is» |",
        ),
        (
            "<details><summary>Answer</summary>\n\nYes.\n</details>",
            "<details><summary>«Answer»</summary>\n\n«Yes.»\n</details>",
        ),
        ("```python\nx = 1  # one thing\n```", "```python\nx = 1  # «one thing»\n```"),
        ("```shell\npip install uv\n```", "```shell\npip install uv\n```"),
        (
            "See:\n\n    pip install uv\n    uv run\n\nThen",
            "«See:»\n\n    pip install uv\n    uv run\n\n«Then»",
        ),
        ("`code` 12 × 3", "`code` 12 × 3"),
    ],
)
def test_markdown_is_cut_into_blocks(text, expected):
    assert texts.translated_markdown(text, mark) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('print("sum", x)', 'print("«sum»", x)'),
        ('print(x, "a\\n", sep="no no")', 'print(x, "a\\n", sep="no no")'),
        ('axis.set_title(f"of {name}, {x:.1f} %")', 'axis.set_title(f"«of {name}, {x:.1f} %»")'),
        ('show([a, b], ["image", "both"])', 'show([a, b], ["«image»", "«both»"])'),
        (
            'axis.legend(loc="center left", title="kind")',
            'axis.legend(loc="center left", title="«kind»")',
        ),
        ('resize(x, mode="bilinear")', 'resize(x, mode="bilinear")'),
        ('work = {"down and up": 1}', 'work = {"«down and up»": 1}'),
        ("print(f\"{work['down and up']}\")", "print(f\"{work['«down and up»']}\")"),
        ("print(f\"{', '.join(x)} it is\")", "print(f\"«{', '.join(x)} it is»\")"),
        ("x = f\"{s.get('nine classes', s['mean IoU'])}\"",) * 2,
        ("print(f\"{'on rooms':>20}\")", "print(f\"{'«on rooms»':>20}\")"),
        ('i = names.index("tiger cat")', 'i = names.index("tiger cat")'),
        ('print(state["weight"])', 'print(state["weight"])'),
        ("x = 1  # [1, 2]\n# why so", "x = 1  # [1, 2]\n# «why so»"),
        ('é = "ä ö ü"  # größer als', 'é = "ä ö ü"  # «größer als»'),
        (
            'def f():\n    """What it does.\n\n    More.\n    """\n    return 1',
            'def f():\n    """«What it does.\n\n    More.»\n    """\n    return 1',
        ),
        ('x = ("all of "\n     f"{y} it")', 'x = (f"«all of {y} it»")'),
    ],
)
def test_code_shows_comments_and_some_strings(code, expected):
    assert texts.translated_code(code, mark) == expected


def test_values_in_braces_must_stay():
    with pytest.raises(ValueError, match=r"in braces must be the same in 'of \{name\}' and 'von"):
        texts.translated_code('print(f"of {name}")', lambda text: "von {Name}")


def test_a_translation_that_breaks_the_code_is_named():
    with pytest.raises(ValueError, match=r'a translation breaks the code.*\n.*so "genannt"'):
        texts.translated_code('print("so called")', lambda text: 'so "genannt"')


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_code_computes_the_same_when_nothing_is_translated(path):
    before = read(path)
    after = translate.translated(before, lambda text: text)
    for old, new in zip(code_cells(before), code_cells(after), strict=True):
        assert ast.dump(ast.parse(source(old))) == ast.dump(ast.parse(source(new)))


def test_a_cell_names_strings_that_stay():
    cell = {"cell_type": "code", "source": 'x["mean IoU"] + "of it"', "outputs": []}
    cell["metadata"] = {"untranslated": ["mean IoU"]}
    after = translate.translated({"cells": [cell]}, mark)
    assert after["cells"][0]["source"] == 'x["mean IoU"] + "«of it»"'


# ---------------------------------------------------------------- the command


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone with the first notebook, its catalogue for the language xx, and the second one."""
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    (tmp_path / "notebooks").mkdir()
    for path in NOTEBOOKS[:2]:
        shutil.copy(path, tmp_path / "notebooks")
    catalogue = polib.POFile()
    for text in translate.texts_of(read(FIRST)):
        catalogue.append(polib.POEntry(msgid=text, msgstr=mark(text)))
    path = translate.catalogue_of(FIRST.stem, "xx", tmp_path)
    path.parent.mkdir(parents=True)
    catalogue.save(str(path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> int:
    return shell.main(["translate", *words])


def test_a_notebook_keeps_all_but_its_texts(clone, capsys):
    assert run("xx") == 0
    said = capsys.readouterr().out
    assert f"{FIRST.name}: all " in said and f"{NOTEBOOKS[1].name}: not translated yet" in said
    before, after = read(FIRST), read(clone / "notebooks-xx" / FIRST.name)
    assert before["metadata"] == after["metadata"]
    for old, new in zip(before["cells"], after["cells"], strict=True):
        for part in ("id", "cell_type", "outputs", "execution_count"):
            assert old.get(part) == new.get(part)
        assert old["metadata"].keys() == new["metadata"].keys()
        assert old["metadata"].get("tags") == new["metadata"].get("tags")
        if publish.TAG in old["metadata"].get("tags", []):
            assert source(old) == source(new)


def test_nothing_stays_english(clone):
    run("xx")
    left = []
    for cell in read(clone / "notebooks-xx" / FIRST.name)["cells"]:
        text = source(cell)
        if cell["cell_type"] == "markdown":
            text = re.sub(r"```.*?```", "", text, flags=re.S)
            left += WORD.findall(re.sub(r"</?\w+>|`[^`]*`", "", MARKED.sub("", text)))
        if "alt" in cell["metadata"]:
            left += WORD.findall(MARKED.sub("", cell["metadata"]["alt"]))
    assert not left


@pytest.mark.skipif(os.environ.get("SEGLAB_BUDGET", "test") != "test", reason="a minute's look")
def test_a_translated_notebook_runs_and_shows_no_english(clone, monkeypatch):
    """What it prints and draws is marked, or a name of the data set."""
    run("xx")
    notebook = nbformat.read(clone / "notebooks-xx" / FIRST.name, as_version=4)
    spy = (
        "import matplotlib.text as _t\n_drawn, _set = set(), _t.Text.set_text\n"
        "_t.Text.set_text = lambda self, s: (_drawn.add(str(s)), _set(self, s))[1]"
    )
    notebook.cells.insert(0, nbformat.v4.new_code_cell(spy))
    notebook.cells.append(nbformat.v4.new_code_cell("import json; print(json.dumps([*_drawn]))"))
    monkeypatch.setenv("SEGLAB_BUDGET", "test")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    resources = {"metadata": {"path": str(clone / "notebooks-xx")}}
    NotebookClient(notebook, timeout=900, kernel_name="python3", resources=resources).execute()
    shown = json.loads(notebook.cells[-1].outputs[0].text)
    assert len(shown) > 50
    for cell in notebook.cells[:-1]:
        if "print(" in cell.source and "except" not in cell.source:  # the package's own words
            shown += [out.text for out in cell.outputs if out.get("name") == "stdout"]
    left = {text: set(WORD.findall(unmarked(text))) - NAMES for text in shown}
    assert not {text: words for text, words in left.items() if words}


def test_what_has_no_translation_is_counted(clone, capsys):
    path = translate.catalogue_of(FIRST.stem, "xx")
    catalogue = polib.pofile(str(path))
    catalogue[0].msgstr = ""
    catalogue[1].flags.append("fuzzy")
    catalogue.save()
    assert run("xx", "--output", "elsewhere") == 0
    number = len(catalogue)
    assert f"{FIRST.name}: 2 of {number} texts have no translation" in capsys.readouterr().out
    assert (clone / "elsewhere" / FIRST.name).exists()


def test_an_unknown_language_and_a_folder_that_exists_are_refused(clone, capsys):
    assert run("yy") == 1
    assert "docs/locale has no catalogues for 'yy', but for xx" in capsys.readouterr().err
    assert run("xx", "--output", "notebooks") == 1
    assert "notebooks exists; name another folder" in capsys.readouterr().err


def test_without_polib_a_line_says_how_to_get_it(clone, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "polib", None)
    assert run("xx") == 1
    assert "pip install polib" in capsys.readouterr().err


def test_a_clone_without_translations_says_so(clone, capsys):
    shutil.rmtree("docs")
    assert run("zh_CN") == 1
    assert "no catalogues for 'zh_CN'" in capsys.readouterr().err


def test_chinese_notebooks_ask_for_letters(clone):
    os.rename("docs/locale/xx", "docs/locale/zh_XX")
    assert run("zh_XX", "--output", "zh") == 0
    assert source(code_cells(read(clone / "zh" / FIRST.name))[0]).endswith(
        "seglab.start()\nseglab.figures.chinese_letters()"
    )


CATALOGUES = sorted((REPOSITORY / translate.LOCALE).glob("*/LC_MESSAGES/notebooks/*.po"))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: f"{path.parts[-4]}-{path.stem}")
def test_a_stored_catalogue_fits_the_code(path):
    """Values in braces and quotation marks; how much is translated is for the command to say."""
    notebook = REPOSITORY / "notebooks" / f"{path.stem}.ipynb"
    translate.translated(read(notebook), translate.Catalogue(path).say)
