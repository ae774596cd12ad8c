"""Notebooks in another language: `python -m seglab translate zh_CN --output notebooks-zh`.

The catalogues are gettext's, one for each page of the book site, in docs/locale. `sphinx-build -b
gettext` writes their templates; CONTRIBUTING says how a translation is begun and kept up to date.
"""

import copy
import json
from pathlib import Path

from seglab.classroom import clone, publish
from seglab.classroom.texts import Say, said, translated_code, translated_markdown
from seglab.machine.files import written_whole

LOCALE = Path("docs/locale")


def main(language: str, output: str | None) -> None:
    """Write the notebooks of a clone in another language into a new folder.

    Raises:
        CloneError: this is no clone, there is no such language, or the folder exists.
    """
    clone.settings(".")
    languages = sorted(folder.name for folder in LOCALE.glob("*") if folder.is_dir())
    if language not in languages:
        raise clone.CloneError(
            f"{LOCALE.as_posix()} has no catalogues for {language!r}, but for "
            f"{', '.join(languages) or 'no language'}"
        )
    target = Path(output or f"notebooks-{language}")
    if target.exists():
        raise clone.CloneError(f"{target} exists; name another folder with --output, or remove it")
    for path in clone.notebooks("."):
        catalogue = Catalogue(catalogue_of(path.stem, language))
        notebook = translated(json.loads(path.read_text(encoding="utf-8")), catalogue.say)
        if language.startswith("zh"):
            with_fonts(notebook)
        with written_whole(target / path.name) as temporary:
            temporary.write_text(clone.as_text(notebook), encoding="utf-8", newline="\n")
        print(f"{target / path.name}: {catalogue}")
    print("Outputs are still those of the English notebooks; run a notebook to have its own.")


def catalogue_of(name: str, language: str, folder: str | Path = ".") -> Path:
    """Where the catalogue of a notebook lies, or would lie: where Sphinx looks for it."""
    return folder / LOCALE / language / "LC_MESSAGES" / "notebooks" / f"{name}.po"


class Catalogue:
    """The translations of one page. Without its file there are none."""

    def __init__(self, path: Path):
        try:
            import polib
        except ImportError as error:
            raise clone.CloneError("catalogues need polib: pip install polib") from error
        entries = polib.pofile(str(path)).translated_entries() if path.exists() else []
        self.translations = {entry.msgid: entry.msgstr for entry in entries}
        self.asked: set[str] = set()

    def say(self, text: str) -> str:
        """The translation of a text, or the text itself."""
        self.asked.add(text)
        return self.translations.get(text, text)

    def __str__(self) -> str:
        missing = len(self.asked - self.translations.keys())
        if missing == len(self.asked):
            return "not translated yet"
        if not missing:
            return f"all {len(self.asked)} texts are translated"
        return f"{missing} of {len(self.asked)} texts have no translation and stay English"


def translated(notebook: dict, say: Say) -> dict:
    """A copy of a notebook in which `say` has replaced every text for readers.

    Strings that a cell's metadata list as `untranslated` stay: keys of a file, for instance.
    Ids, tags and the set-up cell stay as they are. So do the outputs: a picture with English words
    says more than none, and the next run replaces it.
    """
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            cell["source"] = translated_markdown(source, say)
        elif publish.TAG not in clone.tags(cell):
            kept = cell["metadata"].get("untranslated", [])
            cell["source"] = translated_code(source, say_all_but(kept, say))
        if "alt" in cell["metadata"]:
            cell["metadata"]["alt"] = said(cell["metadata"]["alt"], say)
    return notebook


def say_all_but(kept: list[str], say: Say) -> Say:
    """What translates all texts but some."""
    return lambda text: text if text in kept else say(text)


def with_fonts(notebook: dict) -> None:
    """Let the figures of a notebook show Chinese letters."""
    for cell in notebook["cells"]:
        if "seglab.start(" in cell["source"] and cell["cell_type"] == "code":
            cell["source"] += "\nseglab.figures.chinese_letters()"
            return


def texts_of(notebook: dict) -> list[str]:
    """Every text of a notebook that can be translated, once, in the order in which they stand."""
    found: dict[str, str] = {}
    translated(notebook, lambda text: found.setdefault(text, text))
    return list(found)
