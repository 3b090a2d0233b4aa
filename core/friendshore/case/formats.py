"""Formats of case files. TOML is built in; plugins add formats through `friendshore_case_formats`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from ..errors import Diagnostic, FriendshoreError
from ..official import plugin_bringing
from ..plugins import Registry, attributed_object
from ..plugins.attribution import defect_error
from ..plugins.isolated import CatalogRef
from ..reading.tomlfile import TomlFile, read_toml

if TYPE_CHECKING:
    from ..domain.case import Case

TOML = ".toml"


class FindCatalog(Protocol):
    """Finder of a case's catalogs by name."""

    def __call__(self, name: str) -> CatalogRef:
        """Return the location of a catalog. Raise the errors of `Registry.catalog_folder`."""

    @property
    def printable(self) -> Callable[[Iterable[Diagnostic]], list[Diagnostic]]:
        """Function that sorts and edits errors for printing."""


class Installed:
    """Finder of catalogs that are installed or next to the case. It doesn't edit errors."""

    def __init__(self, case: Case, registry: Registry) -> None:
        self._registry, self._folder = registry, case.folder

    def __call__(self, name: str) -> CatalogRef:
        return self._registry.catalog_folder(name, self._folder)

    @property
    def printable(self) -> Callable[[Iterable[Diagnostic]], list[Diagnostic]]:
        return list


class CaseFormat(ABC):
    """A format of cases. Derive a class and yield an object of it from the hook `friendshore_case_formats`."""

    name: ClassVar[str]
    """Name, and extension of its files, such as `xlsx`."""

    @abstractmethod
    def read(self, file: Path, problems: list[Diagnostic]) -> TomlFile | None:
        """Return the data of a file, with the keys of a TOML case, or None if it can't be read at all. Add errors to `problems`."""

    def catalogs(self, case: Case, registry: Registry) -> FindCatalog:
        """Return the finder of the case's catalogs. By default, it finds those that are installed or next to the case."""
        return Installed(case, registry)


class Toml(CaseFormat):
    """A case as a TOML file."""

    name = "toml"

    def read(self, file: Path, problems: list[Diagnostic]) -> TomlFile | None:
        return read_toml(file, problems)


def case_format(file: Path | None, registry: Registry | None = None) -> CaseFormat:
    """Return the format of a case by its extension: TOML, or a plugin's. An unusable plugin is a `PluginError`."""
    extension = TOML if file is None else file.suffix.lower()
    if extension in (TOML, ""):
        return Toml()
    name = extension.removeprefix(".")
    plugins = registry if registry is not None else Registry.discover()
    if name not in plugins.names("case format") and plugin_bringing("case_formats", name) is None:
        return Toml()
    case_format, info = plugins.thing("case format", name)
    if not isinstance(case_format, CaseFormat):
        expected = "an object of a subclass of CaseFormat"
        raise defect_error(info, f"its case format `{name}` can't be used", repr(case_format), expected)
    return case_format


def read_case_file(file: Path, problems: list[Diagnostic], registry: Registry | None = None) -> TomlFile | None:
    """Return the data of a case file. If it can't be read at all, add an error to `problems` and return None."""
    file_format = case_format(file, registry)
    with attributed_object(file_format, file_format.name, "case format"):
        try:
            return file_format.read(file, problems)
        except FriendshoreError as error:
            problems.extend(error.problems)
            return None


def is_toml(file: Path) -> bool:
    """Return True if a case file is TOML, which commands can edit line by line."""
    return isinstance(case_format(file), Toml)
