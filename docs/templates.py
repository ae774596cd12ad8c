"""The templates of translations: Sphinx writes them, and this adds what only notebooks have."""

import json
from pathlib import Path

COMMENT = "In code, a folded heading, or the description of a figure. What is in braces stays."


def complete(folder: Path, notebooks: Path) -> None:
    """Add to each chapter's template the texts that Sphinx does not take for text.

    Args:
        folder: the templates of the chapters.
        notebooks: what they were made of.
    """
    import polib

    from seglab.classroom import translate

    for path in sorted(notebooks.glob("*.ipynb")):
        template = polib.pofile(str(folder / f"{path.stem}.pot"), wrapwidth=100)
        there = {entry.msgid for entry in template}
        for text in translate.texts_of(json.loads(path.read_text(encoding="utf-8"))):
            if text not in there:
                template.append(polib.POEntry(msgid=text, comment=COMMENT))
        template.save()
