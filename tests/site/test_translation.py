"""The site and the notebooks have the same catalogues, and a translated site is built of them."""

import importlib.util
import json
import re
import subprocess
import sys

import pytest
from helpers import REPOSITORY

from seglab.classroom import texts, translate

NEEDED = ("sphinx", "myst_nb", "sphinx_book_theme", "sphinx_copybutton", "sphinx_design", "polib")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
LANGUAGES = sorted(folder.name for folder in (REPOSITORY / translate.LOCALE).iterdir())

pytestmark = pytest.mark.skipif(
    bool(MISSING),
    reason=f"the site needs {', '.join(MISSING)}: uv run --group docs pytest tests/site",
)


def build(builder: str, folder, *options: str) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-E", "-b", builder]
    command += [*options, "-d", str(folder / "doctrees"), str(REPOSITORY / "docs"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def messages(path) -> dict[str, str]:
    import polib

    return {entry.msgid: entry.comment for entry in polib.pofile(str(path))}


def markdown_of(path) -> set[str]:
    """What Markdown says, without code in fences, and without HTML, which is no text to Sphinx."""
    found, cells = [], json.loads(path.read_text(encoding="utf-8"))["cells"]
    pages = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    for page in pages:
        page = page.replace("```python", "```text")
        texts.translated_markdown(page, lambda words: found.append(words) or words)
    return set(found) - set(re.findall("<summary>(.*?)</summary>", "\n".join(pages)))


def test_the_site_and_the_notebooks_have_the_same_messages(tmp_path):
    """Of Markdown, Sphinx's templates have every block of ours; code is what is added to them."""
    build("gettext", tmp_path)
    assert "Start" in messages(tmp_path / "index.pot")
    for path in NOTEBOOKS:
        template = messages(tmp_path / "notebooks" / f"{path.stem}.pot")
        everything = translate.texts_of(json.loads(path.read_text(encoding="utf-8")))
        assert set(everything) <= template.keys()
        added = {text for text, comment in template.items() if "In code" in comment}
        links_elsewhere = {text for text in added if "](../" in text or "](TEACHING" in text}
        assert added & markdown_of(path) <= links_elsewhere


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translated_site_is_built(language, tmp_path):
    import polib

    build("html", tmp_path, "-D", f"language={language}")
    pages = REPOSITORY / translate.LOCALE / language / "LC_MESSAGES"
    for path in pages.rglob("*.po"):
        page = tmp_path / path.relative_to(pages).with_suffix(".html")
        title = next(entry for entry in polib.pofile(str(path)) if "\n" not in entry.msgid)
        assert title.msgstr in page.read_text(encoding="utf-8")
