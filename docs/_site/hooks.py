"""What the documentation site shows of the repository beside the pages in `docs`.

Pages are written for whoever reads them in the repository, where a link may lead out of `docs`, or to a folder. On the site the pages
at the top of the repository stand beside those in `docs`, every other file that a page links to comes along as it is, and a folder of
`docs` is a list of its files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CODE = r"^```.*?^```|^    .*?$|`[^`\n]*`"
LINK = r"(?P<before>\]\()(?P<target>[^)\s#:]+)(?P<heading>#[\w-]+)?\)"
CODE_OR_LINK = re.compile(f"{CODE}|{LINK}", re.DOTALL | re.MULTILINE)
WITHOUT_SIDEBARS = ("README.md", "gallery.md")
BOOSTS = (("reference/glossary.md", 1000), ("how-to/", 50), ("tutorial/", 50), ("reference/library/", 0.01))
"""Factors for the rank of pages in search, by the start of their paths. A match in a title counts 1,000 times."""
LISTED = InclusionLevel.NOT_IN_NAV
"""A list of files need not be in the navigation; every other page must."""


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Adds the pages at the top of the repository, and what pages link to that is no file in `docs`."""
    for path in sorted(ROOT.glob("*.md")):
        files.append(File.generated(config, path.name, abs_src_path=str(path)))
    waiting = list(files.documentation_pages())
    while waiting:
        page = waiting.pop()
        for target in targets(page.content_string, origin(page)):
            if files.get_file_from_path(place(target)) is not None:
                continue
            if target.is_dir() and DOCS in target.parents:
                files.append(File.generated(config, place(target), content=listing(target), inclusion=LISTED))
            elif target.is_file():
                added = File.generated(config, place(target), abs_src_path=str(target))
                files.append(added)
                waiting += [added] if added.is_documentation_page() else []
    return files


def on_page_markdown(markdown: str, *, page: Page, files: Files, **_: object) -> str:
    """The page with its links as they are on the site; one that leads nowhere is left as it is, for the build to complain of."""
    here = origin(page.file)
    page.meta = page_settings(page.file.src_uri)

    def moved(match: re.Match[str]) -> str:
        if match["target"] is None:
            return match[0]
        uri = place((here.parent / match["target"]).resolve())
        if files.get_file_from_path(uri) is None:
            return match[0]
        return f"]({relpath(uri, dirname(page.file.src_uri) or '.')}{match['heading'] or ''})"

    return CODE_OR_LINK.sub(moved, markdown)


def page_settings(uri: str) -> dict[str, object]:
    """Return what would be the front matter of a page, which code hosts would show."""
    boosts = [factor for start, factor in BOOSTS if uri.startswith(start)]
    search = {"search": {"boost": boosts[0]}} if boosts else {}
    return search | ({"hide": ["navigation", "toc"]} if uri in WITHOUT_SIDEBARS else {})


def origin(file: File) -> Path:
    """The file of the repository that a page is read from; of a list of files, where it would be."""
    return Path(file.abs_src_path or DOCS / file.src_uri)


def targets(markdown: str, page: Path) -> Iterator[Path]:
    """The files and folders of the repository that a page links to, in order."""
    for match in CODE_OR_LINK.finditer(markdown):
        if match["target"] is not None:
            target = (page.parent / match["target"]).resolve()
            if ROOT in target.parents:
                yield target


def place(path: Path) -> str:
    """Where a file or folder of the repository is on the site: as in the repository, with `docs` at the top."""
    if path.is_dir():
        path = path / ("README.md" if (path / "README.md").is_file() else "index.md")
    root = DOCS if DOCS in path.parents else ROOT
    return relpath(path.as_posix(), root.as_posix())


def listing(folder: Path) -> str:
    """A page that lists the files below a folder of `docs`, folder by folder."""
    lines = [f"# {folder.relative_to(ROOT).as_posix()}", ""]
    for path in sorted(folder.rglob("*"), key=lambda path: (path.parent, path)):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            lines.append(f"- [{name}]({name})")
    return "\n".join([*lines, ""])
