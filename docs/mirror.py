"""Pages that lie elsewhere in the repository, and how generated files are written."""

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

# Folders that are made anew by each build; git ignores them.
GENERATED = ("notebooks", "classroom", "data", "reference", "project")
# Pages and pictures -> where they stand in docs/. What does not exist (yet) is left out.
MIRRORED = {
    "notebooks/TEACHING.md": "classroom/TEACHING.md",
    "data/README.md": "data/README.md",
    "data/rendering/README.md": "data/rendering.md",
    "data/contact.jpg": "data/contact.jpg",
    "data/prediction.jpg": "data/prediction.jpg",
    "CONTRIBUTING.md": "project/CONTRIBUTING.md",
    "CODE_OF_CONDUCT.md": "project/CODE_OF_CONDUCT.md",
    "CHANGELOG.md": "project/CHANGELOG.md",
}
HOME = {"README.md": "index.md"}  # who is sent to the README finds the same on the first page
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")


def mirrored(repository: Path, published: dict) -> dict[str, str | bytes]:
    """Path in docs/ -> content, for every mirrored file that exists; links fit the new place."""
    found = {}
    for source, target in MIRRORED.items():
        path = repository / source
        if path.suffix == ".md" and path.exists():
            text = path.read_text(encoding="utf-8")
            found[target] = with_links(text, source, target, repository, published)
        elif path.exists():
            found[target] = path.read_bytes()
    return found


def with_links(text: str, source: str, target: str, repository: Path, published: dict) -> str:
    """A Markdown text whose links to files of the repository lead to what the site has of them.

    A file that the site has not got is looked up in the published repository. Where there is none,
    only its name stays.
    """

    def fitting(match: re.Match) -> str:
        words, path, anchor = match[1], match[2], match[3] or ""
        file = normpath(str(PurePosixPath(source).parent / path))
        if file.startswith("notebooks/") and file.endswith(".ipynb"):
            place = file
        elif file.startswith("docs/"):
            place = file.removeprefix("docs/")
        else:
            place = (HOME | MIRRORED).get(file)
        if place and (repository / file).exists():
            return f"[{words}]({relpath(place, PurePosixPath(target).parent)}{anchor})"
        if published["repository"] and (repository / file).exists():
            address = f"https://github.com/{published['repository']}/blob/{published['branch']}"
            return f"[{words}]({address}/{file}{anchor})"
        return words

    return LINK.sub(fitting, text)


def write_all(folder: Path, files: dict[str, str | bytes]) -> None:
    """Write generated files, and delete what an earlier build wrote and this one does not.

    A file whose content is the same stays untouched, so that Sphinx reads only what has changed.
    """
    for name, content in files.items():
        path = folder / name
        data = content.encode("utf-8") if isinstance(content, str) else content
        if not path.exists() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    for name in GENERATED:
        for path in (folder / name).rglob("*"):
            if path.is_file() and path.relative_to(folder).as_posix() not in files:
                path.unlink()
