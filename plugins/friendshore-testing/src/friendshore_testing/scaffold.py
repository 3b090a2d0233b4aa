"""Project that `plugins new` writes: a plugin that installs, type-checks, and passes its own tests."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from friendshore.domain.time import today
from friendshore.errors import InputError
from friendshore.hookspecs import API
from friendshore.plugins.manifest import normal
from friendshore.plugins.names import What

if TYPE_CHECKING:
    from friendshore.catalog.convert import Texts

_DISTRIBUTION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
"""Valid name of a distribution: https://packaging.python.org/en/latest/specifications/name-normalization/"""
_TOKEN = re.compile(r"@(\w+)@")
OWN = "friendshore"
"""Distribution that every plugin requires."""
_CATALOG = PurePosixPath("catalog")


PARTS: Mapping[str, tuple[What, str]] = {
    "catalog": ("catalog", "catalog"),
    "pack": ("rule pack", "short"),
    "rule": ("kind of rule", "kind"),
    "question": ("question", "question"),
    "reader": ("reader", "short"),
    "command": ("command", "command"),
    "format": ("format", "ending"),
    "check": ("check", "check"),
    "case-format": ("case format", "ending"),
}
"""Parts of a plugin: kind, and the word of the templates with its name."""
_HOOKED = frozenset(PARTS) - {"catalog", "pack", "rule"}
"""Parts with a module of their own, which is imported on first use."""


@dataclass(frozen=True, slots=True)
class Scaffold:
    """Name and contents of a new plugin."""

    name: str
    """Its distribution."""
    parts: frozenset[str] = frozenset({"catalog", "rule"})
    """Its parts: keys of `PARTS`."""
    given: Mapping[PurePosixPath, bytes] | None = None
    """Files of the catalog by name. None means a catalog of invented suppliers, with an example plan."""
    given_name: str = ""
    """Name of the given catalog."""
    needs: tuple[tuple[str, str], ...] = ()
    """Distributions with the catalogs that it requires or with columns of its tables, each with the installed version. friendshore is left out."""

    def __post_init__(self) -> None:
        """Reject a name that can't be installed or imported.

        Raises:
            InputError: With the allowed characters.
        """
        wrong = _wrong_name(self.name)
        if wrong:
            fix = "choose another, such as friendshore-acme"
            raise InputError(wrong, column="NAME", found=f"`{self.name}`", expected=_EXPECTED, fix=fix)

    @property
    def package(self) -> str:
        """Import package: the name with underscores."""
        return normal(self.name).replace("-", "_")

    @property
    def short(self) -> str:
        """Name without `friendshore-`, from which its catalog and rule kind are named."""
        return normal(self.name).removeprefix(f"{OWN}-")

    def contents(self) -> dict[PurePosixPath, str | bytes]:
        """Return the content of each file of the project, by path."""
        words, parts = self._words(), self._marks()
        made: dict[PurePosixPath, str | bytes] = {}
        for path, template in _templates(files(__package__) / "templates", PurePosixPath()):
            text = _rendered(template, words, parts)
            within = _CATALOG.name in path.parts
            if (text or not template) and not (within and "example" not in parts):
                made[_target(path, self.package)] = text
        home = PurePosixPath("src") / self.package / _CATALOG
        return {**made, **{home / name: data for name, data in (self.given or {}).items()}}

    @property
    def brings(self) -> list[tuple[What, str]]:
        """Return the kind and the name of each part."""
        names = self._names()
        return [(sort, names[word]) for part, (sort, word) in PARTS.items() if part in self.parts]

    def _names(self) -> dict[str, str]:
        """Return the names of its parts, as words of the templates."""
        short = self.short
        return {
            "short": short,
            "catalog": self.given_name or short,
            "kind": f"{short}-known-owner",
            "question": f"{short}-reliance",
            "command": f"{short}-count",
            "check": f"{short}-made-this-year",
            "ending": short.replace("-", ""),
        }

    def _marks(self) -> frozenset[str]:
        """Return the marked parts of the templates to include."""
        parts = self.parts
        wanted = {
            "code": parts - {"catalog", "pack"},
            "hosted": parts & _HOOKED,
            "local": parts & _HOOKED - {"command"},
            "case": parts & {"catalog", "pack", "rule", "reader"},
            "first": not parts & {"catalog", "pack"},
            "data": parts & {"catalog", "pack"},
            "example": "catalog" in parts and self.given is None,
        }
        return parts | {part for part, holds in wanted.items() if holds}

    def _words(self) -> dict[str, str]:
        """Return the text for each `@word@` of the templates."""
        parts, names = self.parts, self._names()
        use = [f'catalogs = ["{names["catalog"]}"]'] * ("catalog" in parts)
        use += [f'packs = ["{names["short"]}"]'] * ("pack" in parts)
        typing = ["TYPE_CHECKING"] * bool(parts & _HOOKED) + ["ClassVar", "Literal"] * ("rule" in parts)
        return {
            **names,
            "name": self.name,
            "package": self.package,
            "summary": self._summary(),
            "use": "\n".join(use),
            "typing": ", ".join(typing),
            "brings": " and ".join(f"the {sort} `{name}`" for sort, name in self.brings),
            "api": str(API),
            "versions": _versions(OWN),
            "testing": _versions(f"{OWN}-testing"),
            "needs": "".join(f', "{distribution}>={number}"' for distribution, number in self.needs),
            "today": today().isoformat(),
            "licence": ", and the same under `licence` in `catalog.toml`" if "catalog" in parts else "",
        }

    def _summary(self) -> str:
        """Return the summary for a package index."""
        if "catalog" in self.parts:
            return "Suppliers for friendshore."
        if self.parts & {"rule", "pack"}:
            return "Rules for friendshore."
        sort, _ = self.brings[0]
        return f"A {sort} for friendshore."


def _versions(distribution: str) -> str:
    """Return the versions of a distribution that a new plugin works with: the installed one, up to the next minor version."""
    major, minor = version(distribution).split(".")[:2]
    return f">={major}.{minor},<{major}.{int(minor) + 1}"


def _templates(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield the templates in a folder, each with its path."""
    for entry in sorted(folder.iterdir(), key=lambda one: (one.is_dir(), one.name)):
        if entry.is_dir():
            yield from _templates(entry, path / entry.name)
        else:
            yield path / entry.name, entry.read_text(encoding="utf-8")


_EXPECTED = "letters, digits, `-`, `_` and `.`, beginning with a letter, and no name that Python or friendshore has"


def _wrong_name(name: str) -> str:
    """Return the reason why a name can't be installed or imported. Empty if it can."""
    package = normal(name).replace("-", "_")
    if not _DISTRIBUTION.fullmatch(name) or not package.isidentifier():
        return "is not a name that a Python distribution with a package of its own can have"
    if keyword.iskeyword(package) or package in sys.stdlib_module_names:
        return "would give a package that Python itself has"
    if package in (OWN, f"{OWN}_catalogs"):
        return "is friendshore's own name"
    return ""


def _target(path: PurePosixPath, package: str) -> PurePosixPath:
    """Return the target path of a template: `dot-` for a leading dot, `PACKAGE` for the package, and no `.tmpl`."""
    parts = [re.sub(r"^dot-", ".", part).replace("PACKAGE", package) for part in path.parts]
    return PurePosixPath(*parts).with_suffix("") if path.suffix == ".tmpl" else PurePosixPath(*parts)


def _rendered(template: str, words: Mapping[str, str], parts: frozenset[str]) -> str:
    """Return a template with its words replaced, and without the unwanted parts."""
    text = "".join(_wanted(template.splitlines(keepends=True), parts))
    return _TOKEN.sub(lambda token: words.get(token[1], token[0]), text)


def _wanted(lines: list[str], parts: frozenset[str]) -> Iterator[str]:
    """Yield the lines outside of every unwanted `%if part` ... `%end`."""
    around: list[str] = []
    for line in lines:
        if line.startswith("%if "):
            around.append(line.split()[1])
        elif line.startswith("%end"):
            around.pop()
        elif parts.issuperset(around):
            yield line


def catalog_files(place: Path, texts: Texts) -> dict[PurePosixPath, bytes]:
    """Return the files of a catalog, and its README and license if there are any. The sheets of a workbook become CSV files with `texts`.

    Raises:
        InputError: If a file can't be read.
    """
    from friendshore.catalog.columns import HEAD, TABLES
    from friendshore.catalog.convert import FILE as DESCRIPTION
    from friendshore.catalog.convert import write_folder

    names = {HEAD.name, DESCRIPTION, *(layout.name for layout in TABLES)}
    stems = {"readme", "licence", "license", "notice"}
    try:
        with TemporaryDirectory() as scratch:
            folder = place
            if place.is_file():
                folder = Path(scratch) / _CATALOG
                write_folder(texts, folder)
            return {
                PurePosixPath(path.name): path.read_bytes()
                for path in sorted(folder.iterdir())
                if path.is_file() and (path.name in names or path.stem.lower() in stems)
            }
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", str(place)) from error
