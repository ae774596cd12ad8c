"""The book site: the notebooks as chapters, the package's reference, and what else is to read.

    uv run --only-group docs sphinx-build -W docs docs/_build/html

Nothing is executed, and neither torch nor the package is needed: the notebooks bring their stored
outputs, and the reference is read from the package's source. Both are written into folders beside
this file that git ignores, then Sphinx reads them (`generate`, below).
"""

import re
import sys
import tomllib
from pathlib import Path

DOCS = Path(__file__).resolve().parent
REPOSITORY = DOCS.parent
sys.path[:0] = [str(DOCS), str(REPOSITORY)]

import chapters  # noqa: E402
import mirror  # noqa: E402
import reference  # noqa: E402
import templates  # noqa: E402

settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
published = settings["tool"]["seglab"]  # `repository` is empty until the course is published

project = "seglab"
author = "the authors of seglab"
copyright = "the authors of seglab. Code: MIT. Text and figures: CC BY 4.0"
init = (REPOSITORY / "seglab" / "__init__.py").read_text(encoding="utf-8")
release = re.search(r'^__version__ = "(.+)"', init, re.M)[1]

extensions = ["myst_nb", "sphinx_copybutton", "sphinx_design"]
exclude_patterns = ["_build", "locale"]

# Another language: `sphinx-build -D language=zh_CN ...`. Each page has its catalogue in locale/.
language = "en"
locale_dirs = ["locale"]
gettext_compact = False
gettext_location = False  # line numbers would change with each edit

nb_execution_mode = "off"
nb_merge_streams = True  # text that a cell printed in several pieces is one block
nb_code_prompt_show = "Show the code of this figure"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
python_maximum_signature_line_length = 80  # longer ones have a line for each argument
add_module_names = False  # the page's title says which module it is

copybutton_selector = "div.highlight pre"
copybutton_exclude = ".linenos, .gp, .go"

html_theme = "sphinx_book_theme"
html_title = "seglab"
html_static_path = ["_static"]
html_css_files = ["seglab.css"]
html_js_files = ["seglab.js"]
html_copy_source = False  # each chapter links its notebook as it is stored, with the set-up cell
html_show_sourcelink = False
html_domain_indices = False  # the reference has an index of its own
html_theme_options = {
    "use_download_button": False,
    "show_toc_level": 2,
    "home_page_in_toc": True,
    "navbar_persistent": [],  # the search field stands in the sidebar
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
if published["repository"]:
    html_theme_options |= {
        "repository_url": f"https://github.com/{published['repository']}",
        "repository_branch": published["branch"],
        "path_to_docs": "",  # a chapter and its notebook have the same path
        "use_repository_button": True,
        "use_issues_button": True,
        "launch_buttons": {
            "colab_url": "https://colab.research.google.com",
            "binderhub_url": "https://mybinder.org",
            "notebook_interface": "jupyterlab",
        },
    }


def generate(app, config) -> None:
    """Write the chapters, the reference and the mirrored pages before Sphinx looks for them."""
    modules = reference.read_modules(REPOSITORY / "seglab")
    taught = reference.taught(REPOSITORY / "seglab" / "__init__.py", list(modules))
    titles = chapters.titles(REPOSITORY / "notebooks")
    mirror.write_all(
        DOCS,
        {
            **chapters.chapters(REPOSITORY / "notebooks", taught, published, config.language),
            **reference.reference(modules, taught, titles, REPOSITORY / "seglab" / "__init__.py"),
            **mirror.mirrored(REPOSITORY, published),
        },
    )


def fit_links(app, page: str, source: list[str]) -> None:
    """Pages that lie in this folder link files of the repository, which GitHub shows them with."""
    if page.split("/")[0] not in mirror.GENERATED:
        here = f"{page}.md"
        source[0] = mirror.with_links(source[0], f"docs/{here}", here, REPOSITORY, published)


def complete_templates(app, error: Exception | None) -> None:
    """`sphinx-build -b gettext` writes what pages say; notebooks have texts in their code, too."""
    if app.builder.name == "gettext" and error is None:
        templates.complete(Path(app.outdir) / "notebooks", REPOSITORY / "notebooks")


def setup(app) -> None:
    app.connect("config-inited", generate)
    app.connect("source-read", fit_links)
    app.connect("build-finished", complete_templates)
