"""Project of a new plugin, as `plugins new` writes it."""

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
from friendshore.plugins.manifest import normalized_name
from friendshore.plugins.names import What

if TYPE_CHECKING:
    from friendshore.catalog.convert import Texts

_DISTRIBUTION_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
"""Valid name of a distribution: https://packaging.python.org/en/latest/specifications/name-normalization/"""
_PLACEHOLDER = re.compile(r"@(\w+)@")
CORE = "friendshore"
_CATALOG_FOLDER = PurePosixPath("catalog")


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
_LAZY_PARTS = frozenset(PARTS) - {"catalog", "pack", "rule"}
"""Parts with a module of their own, which is imported on first use."""


@dataclass(frozen=True, slots=True)
class Scaffold:
    """Name and contents of a new plugin."""

    name: str
    parts: frozenset[str] = frozenset({"catalog", "rule"})
    """Its parts: keys of `PARTS`."""
    catalog_files: Mapping[PurePosixPath, bytes] | None = None
    """Return the files of a catalog with its README and license, by name. Raises InputError if one can't be read."""
    catalog_name: str = ""
    required_versions: tuple[tuple[str, str], ...] = ()
    """Distributions, besides friendshore, with the catalogs that it requires or the columns of its tables, each with the installed version."""

    def __post_init__(self) -> None:
        problem = _name_problem(self.name)
        if problem:
            fix = "choose another name, such as friendshore-acme"
            raise InputError(
                problem, column="NAME", found=f"`{self.name}`", expected=_VALID_NAMES, fix=fix, code="FS959"
            )

    @property
    def package(self) -> str:
        return normalized_name(self.name).replace("-", "_")

    @property
    def short(self) -> str:
        return normalized_name(self.name).removeprefix(f"{CORE}-")

    def contents(self) -> dict[PurePosixPath, str | bytes]:
        placeholders, marks = self._placeholders(), self._included_marks()
        files_by_path: dict[PurePosixPath, str | bytes] = {}
        for path, template in _template_files(files(__package__) / "templates", PurePosixPath()):
            text = _rendered(template, placeholders, marks)
            is_in_catalog = _CATALOG_FOLDER.name in path.parts
            if (text or not template) and not (is_in_catalog and "example" not in marks):
                files_by_path[_target_path(path, self.package)] = text
        package_catalog = PurePosixPath("src") / self.package / _CATALOG_FOLDER
        return {**files_by_path, **{package_catalog / name: data for name, data in (self.catalog_files or {}).items()}}

    @property
    def named_parts(self) -> list[tuple[What, str]]:
        names = self._names_by_word()
        return [(kind, names[word]) for part, (kind, word) in PARTS.items() if part in self.parts]

    def _names_by_word(self) -> dict[str, str]:
        short = self.short
        return {
            "short": short,
            "catalog": self.catalog_name or short,
            "kind": f"{short}-known-owner",
            "question": f"{short}-reliance",
            "command": f"{short}-count",
            "check": f"{short}-made-this-year",
            "ending": short.replace("-", ""),
        }

    def _included_marks(self) -> frozenset[str]:
        parts = self.parts
        derived_marks = {
            "code": parts - {"catalog", "pack"},
            "hosted": parts & _LAZY_PARTS,
            "local": parts & _LAZY_PARTS - {"command"},
            "case": parts & {"catalog", "pack", "rule", "reader"},
            "first": not parts & {"catalog", "pack"},
            "data": parts & {"catalog", "pack"},
            "example": "catalog" in parts and self.catalog_files is None,
        }
        return parts | {mark for mark, is_included in derived_marks.items() if is_included}

    def _placeholders(self) -> dict[str, str]:
        parts, names = self.parts, self._names_by_word()
        use = [f'catalogs = ["{names["catalog"]}"]'] * ("catalog" in parts)
        use += [f'packs = ["{names["short"]}"]'] * ("pack" in parts)
        typing = ["TYPE_CHECKING"] * bool(parts & _LAZY_PARTS) + ["ClassVar", "Literal"] * ("rule" in parts)
        return {
            **names,
            "name": self.name,
            "package": self.package,
            "summary": self._summary(),
            "use": "\n".join(use),
            "typing": ", ".join(typing),
            "brings": " and ".join(f"the {kind} `{name}`" for kind, name in self.named_parts),
            "api": str(API),
            "versions": _version_range(CORE),
            "testing": _version_range(f"{CORE}-testing"),
            "needs": "".join(f', "{distribution}>={number}"' for distribution, number in self.required_versions),
            "today": today().isoformat(),
            "license": ", and the same under `license` in `catalog.toml`" if "catalog" in parts else "",
        }

    def _summary(self) -> str:
        if "catalog" in self.parts:
            return "Suppliers for friendshore."
        if self.parts & {"rule", "pack"}:
            return "Rules for friendshore."
        kind, _ = self.named_parts[0]
        return f"A {kind} for friendshore."


def _version_range(distribution: str) -> str:
    major, minor = version(distribution).split(".")[:2]
    return f">={major}.{minor},<{major}.{int(minor) + 1}"


def _template_files(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    for entry in sorted(folder.iterdir(), key=lambda child: (child.is_dir(), child.name)):
        if entry.is_dir():
            yield from _template_files(entry, path / entry.name)
        else:
            yield path / entry.name, entry.read_text(encoding="utf-8")


_VALID_NAMES = "letters, digits, `-`, `_`, and `.`, starting with a letter, and no name of Python or friendshore"


def _name_problem(name: str) -> str:
    package = normalized_name(name).replace("-", "_")
    if not _DISTRIBUTION_NAME.fullmatch(name) or not package.isidentifier():
        return "the name isn't valid for a Python distribution and its package"
    if keyword.iskeyword(package) or package in sys.stdlib_module_names:
        return "Python itself has a package or keyword of this name"
    if package in (CORE, f"{CORE}_catalogs"):
        return "the name is reserved for friendshore itself"
    return ""


def _target_path(path: PurePosixPath, package: str) -> PurePosixPath:
    """Return the target path of a template: `dot-` becomes a leading dot, `PACKAGE` the package, and `.tmpl` is removed."""
    parts = [re.sub(r"^dot-", ".", part).replace("PACKAGE", package) for part in path.parts]
    return PurePosixPath(*parts).with_suffix("") if path.suffix == ".tmpl" else PurePosixPath(*parts)


def _rendered(template: str, placeholders: Mapping[str, str], marks: frozenset[str]) -> str:
    text = "".join(_included_lines(template.splitlines(keepends=True), marks))
    return _PLACEHOLDER.sub(lambda match: placeholders.get(match[1], match[0]), text)


def _included_lines(lines: list[str], marks: frozenset[str]) -> Iterator[str]:
    """Yield the lines outside of excluded `%if mark` ... `%end`."""
    open_marks: list[str] = []
    for line in lines:
        if line.startswith("%if "):
            open_marks.append(line.split()[1])
        elif line.startswith("%end"):
            open_marks.pop()
        elif marks.issuperset(open_marks):
            yield line


def catalog_files(place: Path, texts: Texts) -> dict[PurePosixPath, bytes]:
    """Return the files of a catalog with its README and license, by name. Raises InputError if one can't be read."""
    from friendshore.catalog.columns import HEAD, TABLES
    from friendshore.catalog.convert import FILE as DESCRIPTION
    from friendshore.catalog.convert import write_folder

    names = {HEAD.name, DESCRIPTION, *(layout.name for layout in TABLES)}
    stems = {"readme", "licence", "license", "notice"}
    try:
        with TemporaryDirectory() as scratch:
            folder = place
            if place.is_file():
                folder = Path(scratch) / _CATALOG_FOLDER
                write_folder(texts, folder)
            return {
                PurePosixPath(path.name): path.read_bytes()
                for path in sorted(folder.iterdir())
                if path.is_file() and (path.name in names or path.stem.lower() in stems)
            }
    except OSError as error:
        fix = "check the path and its permissions"
        message = f"the catalog can't be read: {error.strerror or error}"
        raise InputError(message, str(place), fix=fix, code="FS412") from error
