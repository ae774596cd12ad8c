"""What the tests of the site share: its pages, read with Python's own parser."""

from collections import defaultdict
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass
class Page(HTMLParser):
    """The links, pictures, anchors and foldable blocks of a page of HTML."""

    text: str
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)  # scripts, styles and pictures
    pictures: list[dict] = field(default_factory=list)  # attributes
    anchors: set[str] = field(default_factory=set)
    folded: list[dict] = field(default_factory=list)  # attributes

    def __post_init__(self):
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag == "img":
            self.pictures.append(found)
        if tag == "details":
            self.folded.append(found)
        if tag in ("script", "img", "iframe") and found.get("src"):
            self.loaded.append(found["src"])
        if tag == "link" and found.get("href") and found.get("rel") == "stylesheet":
            self.loaded.append(found["href"])


def read(folder: Path) -> dict[str, Page]:
    """Path below the folder -> page."""
    return {
        path.relative_to(folder).as_posix(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.html"))
        if "_static" not in path.parts
    }


def broken_links(folder: Path, site: dict[str, Page]) -> list[str]:
    """Links to files or anchors that the site has not got."""
    broken = []
    for name, page in site.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (folder / name).parent / unquote(parts.path) if parts.path else folder / name
            target = target.resolve()
            if not target.exists():
                broken.append(f"{name}: {link}")
            elif parts.fragment and target.suffix == ".html":
                other = site.get(target.relative_to(folder.resolve()).as_posix())
                if other and unquote(parts.fragment) not in other.anchors:
                    broken.append(f"{name}: {link}")
    return broken


def unnamed_pictures(site: dict[str, Page]) -> dict[str, list[str]]:
    """Page -> pictures without a text of their own; a file's name is none."""
    found = defaultdict(list)
    for name, page in site.items():
        for picture in page.pictures:
            alt = (picture.get("alt") or "").strip()
            if len(alt) < 10 or alt.endswith((".png", ".jpg", ".jpeg", ".svg")):
                found[name].append(picture.get("src", "")[-60:])
    return dict(found)
