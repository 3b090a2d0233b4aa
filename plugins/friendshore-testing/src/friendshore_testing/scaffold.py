"""The project that `plugins new` writes: a plugin that installs, type-checks and passes its own tests."""

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

if TYPE_CHECKING:
    from friendshore.catalog.convert import Texts

_DISTRIBUTION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
"""What a distribution may be called: https://packaging.python.org/en/latest/specifications/name-normalization/"""
_TOKEN = re.compile(r"@(\w+)@")
OWN = "friendshore"
"""The distribution that every plugin needs."""
_CATALOG = PurePosixPath("catalog")


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What a new plugin is called and brings."""

    name: str
    """Its distribution."""
    rule: bool = True
    """Whether it brings a kind of rule."""
    catalog: bool = True
    """Whether it brings a catalog."""
    pack: bool = False
    """Whether it brings a rule pack."""
    question: bool = False
    """Whether it brings a question."""
    reader: bool = False
    """Whether it brings a reader."""
    given: Mapping[PurePosixPath, bytes] | None = None
    """Files of the catalog by name; None: one of invented suppliers, with an example that plans with it."""
    given_name: str = ""
    """Name of the given catalog."""
    needs: tuple[tuple[str, str], ...] = ()
    """Distributions that bring the catalogs it requires, or declare columns of its tables, each with the version that is installed;
    friendshore itself left out."""

    def __post_init__(self) -> None:
        """Refuses a name under which nothing can be installed or imported.

        Raises:
            InputError: with what such a name may hold.
        """
        wrong = _wrong_name(self.name)
        if wrong:
            fix = "choose another, such as friendshore-acme"
            raise InputError(wrong, column="NAME", found=f"`{self.name}`", expected=_EXPECTED, fix=fix)

    @property
    def package(self) -> str:
        """The import package: the name with underscores."""
        return normal(self.name).replace("-", "_")

    @property
    def short(self) -> str:
        """The name without `friendshore-`: what its catalog and kind are called after."""
        return normal(self.name).removeprefix(f"{OWN}-")

    def contents(self) -> dict[PurePosixPath, str | bytes]:
        """Content of each file of the project, by path."""
        words, parts = self._words(), self._parts()
        made: dict[PurePosixPath, str | bytes] = {}
        for path, template in _templates(files(__package__) / "templates", PurePosixPath()):
            text = _rendered(template, words, parts)
            within = _CATALOG.name in path.parts
            if (text or not template) and not (within and "example" not in parts):
                made[_target(path, self.package)] = text
        home = PurePosixPath("src") / self.package / _CATALOG
        return {**made, **{home / name: data for name, data in (self.given or {}).items()}}

    def _parts(self) -> frozenset[str]:
        """Which marked parts of the templates are wanted."""
        wanted = {
            "catalog": self.catalog,
            "rule": self.rule,
            "pack": self.pack,
            "question": self.question,
            "reader": self.reader,
            "code": self.rule or self.question or self.reader,
            "hosted": self.question or self.reader,
            "case": self.catalog or self.pack or self.rule or self.reader,
            "first": not (self.catalog or self.pack),
            "data": self.catalog or self.pack,
            "example": self.catalog and self.given is None,
        }
        return frozenset(part for part, holds in wanted.items() if holds)

    def _words(self) -> dict[str, str]:
        """What stands in the templates for `@word@`."""
        catalog, kind = self.given_name or self.short, f"{self.short}-known-owner"
        brings = [f"the catalog `{catalog}`"] * self.catalog + [f"the rule pack `{self.short}`"] * self.pack
        brings += [f"the kind of rule `{kind}`"] * self.rule
        brings += [f"the question `{self.short}-reliance`"] * self.question + [
            f"the reader `{self.short}`"
        ] * self.reader
        release = version(OWN).split(".")
        return {
            "name": self.name,
            "package": self.package,
            "short": self.short,
            "catalog": catalog,
            "kind": kind,
            "question": f"{self.short}-reliance",
            "summary": self._summary(),
            "use": "\n".join([f'catalogs = ["{catalog}"]'] * self.catalog + [f'packs = ["{self.short}"]'] * self.pack),
            "brings": " and ".join(brings),
            "api": str(API),
            "least": ".".join(release[:2]),
            "needs": "".join(f', "{distribution}>={number}"' for distribution, number in self.needs),
            "below": f"{release[0]}.{int(release[1]) + 1}",
            "today": today().isoformat(),
            "licence": ", and the same under `licence` in `catalog.toml`" if self.catalog else "",
        }

    def _summary(self) -> str:
        """The line that a package index shows."""
        if self.catalog:
            return "Suppliers for friendshore."
        if self.rule or self.pack:
            return "Rules for friendshore."
        return "A question for friendshore." if self.question else "A reader for friendshore."


def _templates(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield the templates in a folder, each with its path."""
    for entry in sorted(folder.iterdir(), key=lambda one: (one.is_dir(), one.name)):
        if entry.is_dir():
            yield from _templates(entry, path / entry.name)
        else:
            yield path / entry.name, entry.read_text(encoding="utf-8")


_EXPECTED = "letters, digits, `-`, `_` and `.`, beginning with a letter, and no name that Python or friendshore has"


def _wrong_name(name: str) -> str:
    """Why nothing can be installed and imported under a name; empty if it can."""
    package = normal(name).replace("-", "_")
    if not _DISTRIBUTION.fullmatch(name) or not package.isidentifier():
        return "is not a name that a Python distribution with a package of its own can have"
    if keyword.iskeyword(package) or package in sys.stdlib_module_names:
        return "would give a package that Python itself has"
    if package in (OWN, f"{OWN}_catalogs"):
        return "is friendshore's own name"
    return ""


def _target(path: PurePosixPath, package: str) -> PurePosixPath:
    """Where a template goes: `dot-` for a leading dot, `PACKAGE` for the package, and no `.tmpl`."""
    parts = [re.sub(r"^dot-", ".", part).replace("PACKAGE", package) for part in path.parts]
    return PurePosixPath(*parts).with_suffix("") if path.suffix == ".tmpl" else PurePosixPath(*parts)


def _rendered(template: str, words: Mapping[str, str], parts: frozenset[str]) -> str:
    """A template with its words put in, and without the parts that are not wanted."""
    text = "".join(_wanted(template.splitlines(keepends=True), parts))
    return _TOKEN.sub(lambda token: words.get(token[1], token[0]), text)


def _wanted(lines: list[str], parts: frozenset[str]) -> Iterator[str]:
    """The lines outside of all `%if part` ... `%end` whose part is not wanted."""
    around: list[str] = []
    for line in lines:
        if line.startswith("%if "):
            around.append(line.split()[1])
        elif line.startswith("%end"):
            around.pop()
        elif parts.issuperset(around):
            yield line


def catalog_files(place: Path, texts: Texts) -> dict[PurePosixPath, bytes]:
    """The files that make a catalog, and its README and licence if there are any; the sheets of a workbook as CSV files, with the texts in it.

    Raises:
        InputError: if one cannot be read.
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
