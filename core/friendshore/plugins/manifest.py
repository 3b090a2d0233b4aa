"""Discovery of plugins among the installed distributions, and their manifests, without an import."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from ..domain.base import Record
from ..domain.facts import ColumnName, DeclaredColumn, FactColumn, FactTable
from ..errors import Diagnostic, FriendshoreError, InputError, PluginError
from ..hookspecs import API, Named
from ..readers import READER
from ..reading.records import record
from ..rules.base import Rule
from ..rules.pack import PACK_FILE
from .interface import OWN, __version__, end_of, newest, refusal
from .packages import MANIFEST, contents_of, data_of, home_of, taken

GROUP = "friendshore"
"""Entry point group that declares a plugin."""
CATALOG_FILE = "catalog.toml"
"""The file that makes a folder a catalog."""


_WORD = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
QuestionName = Annotated[str, Field(pattern=rf"^{_WORD}$")]
"""Name of a question or a check of runs."""
CommandName = Annotated[str, Field(pattern=rf"^{_WORD}( {_WORD})?$")]
"""Name of a command, like `sign`, or of a command in a group, like `case to-xlsx`."""
FormatName = Annotated[str, Field(pattern=r"^[a-z0-9]+$")]
"""Name of an output format or a case format: the extension of its files, without the dot."""
ReaderName = Annotated[str, Field(pattern=READER)]
OneLine = Annotated[str, Field(pattern=r"^\S[^\n\r]*$")]


COMMANDS = frozenset({
    "plan", "check", "verify", "report", "orders", "lock", "init",
    "case", "case roll",
    "catalogs", "catalogs check", "catalogs datapackage", "catalogs list", "catalogs show",
    "rules", "rules list", "rules show",
    "plugins", "plugins list", "plugins show",
})  # fmt: skip
"""Friendshore's own commands, except questions. A plugin's question or command can't use these names."""


class Manifest(Record):
    """A plugin's `friendshore.toml`. It lists everything that the plugin brings; code only delivers what it announces."""

    api: int = Field(strict=True)
    """Version of the plugin interface."""
    catalogs: tuple[str, ...] = ()
    """Folders of catalogs, relative to the manifest."""
    packs: tuple[str, ...] = ()
    """Folders of rule packs, relative to the manifest."""
    kinds: tuple[str, ...] = ()
    """Kinds of rules that the plugin's code yields from the hook `friendshore_rules`."""
    hook_catalogs: tuple[str, ...] = ()
    """Names of catalogs that its code yields from the hook `friendshore_catalogs`."""
    hook_packs: tuple[str, ...] = ()
    """Ids of rule packs that its code yields from the hook `friendshore_rules`."""
    settings: bool = False
    """True if a case may have settings for the plugin. Its code yields their model from the hook `friendshore_settings`."""
    case_packs: bool = False
    """True if rules follow from these settings. Its code yields rule packs from the hook `friendshore_case_packs`."""
    questions: Mapping[QuestionName, OneLine] = {}
    """Questions that its code yields from the hook `friendshore_questions`, by name, each with a line of description."""
    facts: Mapping[FactTable, Mapping[ColumnName, FactColumn]] = {}
    """Columns of facts of offers, facilities, and lanes that it declares for all catalogs, by table and name."""
    readers: tuple[ReaderName, ...] = ()
    """Readers that its code yields from the hook `friendshore_readers`: the word before the colon in a case."""
    commands: Mapping[CommandName, OneLine] = {}
    """Commands that its code yields from the hook `friendshore_commands`, by name, each with a line of help."""
    formats: Mapping[FormatName, OneLine] = {}
    """Output formats that its code yields from the hook `friendshore_formats`, by name, each with a line of description."""
    checks: Mapping[QuestionName, OneLine] = {}
    """Checks of runs that its code yields from the hook `friendshore_checks`, by name, each with a line of description."""
    case_formats: Mapping[FormatName, OneLine] = {}
    """Formats of cases that its code yields from the hook `friendshore_case_formats`, by name, each with a line of description."""


class PluginStatus(StrEnum):
    """Status of a plugin."""

    OK = "ok"
    BROKEN = "broken"
    """It can't be used. A plan that names anything of it stops."""
    BLOCKED = "blocked"
    """The user has blocked it."""
    CLASH = "clashing"
    """It works, but another plugin brings one of its names too."""


class Announced(Record):
    """A question, command, format, or check that a manifest announces."""

    name: str
    answers: str = ""
    """A line of description."""


class PluginInfo(Record):
    """Information about a plugin, without running it."""

    distribution: str
    """Name for `pip`."""
    version: str = ""
    name: str = ""
    """Name of its entry point."""
    package: str = ""
    """Its import package."""
    file: str = ""
    """Path of its manifest, or where that should be."""
    api: int | None = None
    """Version of its plugin interface."""
    api_end: str = ""
    """End of support for that version, in words. Empty if none is planned."""
    catalogs: tuple[str, ...] = ()
    """Names."""
    kinds: tuple[str, ...] = ()
    packs: tuple[str, ...] = ()
    """Ids."""
    questions: tuple[Announced, ...] = ()
    readers: tuple[str, ...] = ()
    commands: tuple[Announced, ...] = ()
    formats: tuple[Announced, ...] = ()
    """Output formats."""
    checks: tuple[Announced, ...] = ()
    """Checks of runs."""
    case_formats: tuple[Announced, ...] = ()
    columns: tuple[DeclaredColumn, ...] = ()
    """Columns of facts that it declares."""
    settings: bool = False
    """True if a case may have settings for it."""
    case_packs: bool = False
    """True if rules follow from these settings."""
    withheld: tuple[str, ...] = ()
    """Names of single things that the user has blocked."""
    status: PluginStatus = PluginStatus.OK
    error: str = ""
    """Reason for a status other than `ok`, with the fix."""

    @property
    def notice(self) -> str:
        """Message for the author of a working plugin, or an empty string."""
        if not self.api_end:
            return ""
        written = f"is written for version {self.api} of the plugin interface, {self.api_end}"
        return f"{written}; fix: write it for version {newest().version}, or ask its author to"

    @property
    def brings(self) -> tuple[str, ...]:
        """Names of everything that it brings."""
        return (
            *self.catalogs,
            *self.packs,
            *self.kinds,
            *self.readers,
            *(one.name for one in (*self.questions, *self.commands, *self.formats, *self.checks, *self.case_formats)),
        )

    @property
    def label(self) -> str:
        """Distribution and version."""
        return f"{self.distribution} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class Plugin:
    """A discovered plugin: its information and the locations of its data and code."""

    info: PluginInfo
    entry: EntryPoint | None = None
    """Its code. None if nothing needs an import."""
    catalogs: Mapping[str, Path] = field(default_factory=dict)
    """Folders by name."""
    packs: Mapping[str, Path] = field(default_factory=dict)
    """Folders by id."""
    classes: Mapping[str, type[Rule]] = field(default_factory=dict)
    """Rule classes in memory: friendshore's own, and those given by a program."""
    given: Mapping[Any, Mapping[str, Named]] = field(default_factory=dict)
    """Objects given by a program, by sort (`question`, `check`, `format`, or `case format`) and name."""
    problems: tuple[Diagnostic, ...] = ()
    """Errors in its manifest."""


@dataclass(frozen=True, slots=True)
class Declared:
    """An entry point of our group in the metadata of a distribution."""

    distribution: str
    version: str
    entry: EntryPoint
    damage: str = ""
    """Error in the entry point, or an empty string."""
    requires: tuple[str, ...] = ()
    """Dependencies of the distribution."""

    @property
    def package(self) -> str:
        """Top-level package of the entry point, which can be found without an import."""
        return re.split(r"[.:\s]", self.entry.value, maxsplit=1)[0]

    @property
    def info(self) -> PluginInfo:
        """Information from the entry point alone."""
        name = self.distribution or f"the distribution of {self.package or 'an unknown package'}"
        return PluginInfo(distribution=name, version=self.version, name=self.entry.name, package=self.package)


def discover() -> tuple[Plugin, ...]:
    """Return all installed plugins, sorted by distribution. Never raises: errors are recorded in each."""
    return tuple(sorted(map(plugin_of, declared()), key=lambda p: (p.info.distribution, p.info.name)))


def announced(lines: Mapping[str, str]) -> tuple[Announced, ...]:
    """Return the announcements of a manifest, given a line on each by name, as records."""
    return tuple(Announced(name=name, answers=line) for name, line in lines.items())


def normal(name: str) -> str:
    """Return a distribution's name in normalized form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(among: Iterable[Distribution] | None = None) -> Iterator[Declared]:
    """Yield the plugins that distributions declare. Of a distribution found twice, the first on the path counts, as for imports.

    Args:
        among: Distributions to search. None means all that are installed.
    """
    seen: set[str] = set()
    for dist in distributions() if among is None else among:
        try:
            text = dist.read_text("entry_points.txt") or ""
        except UnicodeDecodeError as error:
            # Whose group it was cannot be told; better one line too many than a plugin that is silently not there.
            name, version, _ = _metadata(dist)
            yield Declared(name, version, EntryPoint("", "", GROUP), f"its entry points cannot be read: {error}")
            continue
        if f"[{GROUP}]" not in text:  # a glance that spares the parsing of every distribution's metadata
            continue
        name, version, requires = _metadata(dist)
        if name and normal(name) in seen:
            continue
        seen.add(normal(name))
        yield from (Declared(name, version, *entry, requires) for entry in _entries(text))


def _entries(text: str) -> Iterator[tuple[EntryPoint, str]]:
    """Yield the entries of our group, each with its error. The standard library's parser fails on a damaged file."""
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line.strip("[] ")
        elif group == GROUP and line and not line.startswith(("#", ";")):
            name, equals, value = (part.strip() for part in line.partition("="))
            fine = equals and re.fullmatch(r"\w+(\.\w+)*(\s*:\s*\w+(\.\w+)*)?(\s*\[.*\])?", value)
            yield EntryPoint(name, value, group), "" if fine else f"its entry point `{line}` cannot be read"


def _metadata(dist: Distribution) -> tuple[str, str, tuple[str, ...]]:
    """Return name, version, and dependencies; empty if the metadata is missing or damaged."""
    try:
        metadata = dist.metadata
        requires = tuple(metadata.get_all("Requires-Dist") or dist.requires or ())
    except (ImportError, TypeError, UnicodeDecodeError, FileNotFoundError):
        # Missing metadata is a TypeError of older Pythons and a FileNotFoundError of newer ones and of the
        # backport `importlib_metadata`, which takes the place of the standard finder where anything imports it.
        return "", "", ()
    name, version = (str(metadata[key]) if key in metadata else "" for key in ("Name", "Version"))
    return name, version, requires


def plugin_of(found: Declared, package: Path | None = None) -> Plugin:
    """Return a plugin with its errors. `package` is the folder of its package, if known."""
    info, entry = found.info, found.entry
    try:
        if found.damage:
            raise PluginError(found.damage, fix="reinstall it")
        folder = package if package is not None else home_of(info.package)
        info = info.but(file=str(folder / MANIFEST))
        data = data_of(folder / MANIFEST)
    except FriendshoreError as error:
        return _broken(info, entry, error)
    info = info.but(**_interface(data.get("api")))
    try:
        manifest = _manifest(data, info)
    except FriendshoreError as error:
        return _broken(_with_names(info, _readable_part(data, info.file)), entry, error)
    problems: list[Diagnostic] = []
    catalogs = contents_of(folder / MANIFEST, manifest.catalogs, CATALOG_FILE, "name", problems)
    packs = contents_of(folder / MANIFEST, manifest.packs, PACK_FILE, "id", problems)
    info = _with_names(info, manifest, [name for name, _ in catalogs], [name for name, _ in packs])
    if info.distribution != OWN:  # its own dependencies were met, or this would not run
        problems += unmet(info.label, info.distribution, found.requires, info.file)
    problems += _repeated(info)
    if info.case_packs and not info.settings:
        told = "yields rule packs of what a case sets for it, and takes no settings"
        problems.append(Diagnostic(told, info.file, column="case_packs", fix="add `settings = true`"))
    problems += taken(info.columns, info.file)
    for key, names in (("questions", manifest.questions), ("commands", manifest.commands)):
        for name in sorted(COMMANDS & names.keys()):
            message = f"brings a {key[:-1]} `{name}`, as a command of friendshore is called"
            problems.append(Diagnostic(message, info.file, column=key, fix="rename it"))
    if problems:
        return _broken(info, entry, InputError(problems))
    return Plugin(info, entry, dict(catalogs), dict(packs))


def _with_names(
    info: PluginInfo, manifest: Manifest, catalogs: Iterable[str] = (), packs: Iterable[str] = ()
) -> PluginInfo:
    """Add everything that the manifest announces, and the names of the catalogs and packs in its folders."""
    return info.but(
        catalogs=(*catalogs, *manifest.hook_catalogs),
        packs=(*packs, *manifest.hook_packs),
        kinds=manifest.kinds,
        questions=announced(manifest.questions),
        commands=announced(manifest.commands),
        formats=announced(manifest.formats),
        checks=announced(manifest.checks),
        case_formats=announced(manifest.case_formats),
        settings=manifest.settings,
        case_packs=manifest.case_packs,
        readers=manifest.readers,
        columns=tuple(
            DeclaredColumn(table=table, name=name, column=column)
            for table, columns in sorted(manifest.facts.items())
            for name, column in sorted(columns.items())
        ),
    )


def _readable_part(data: Mapping[str, object], file: str) -> Manifest:
    """Return the valid part of a broken manifest, so that a request for one of its names reports the defect."""
    keys = {key: value for key, value in data.items() if key in Manifest.model_fields} | {"api": API}
    try:
        return record(Manifest, keys, file)
    except InputError as error:
        wrong = {re.split(r"[.\[]", problem.column)[0] for problem in error.problems}
        return record(Manifest, {key: value for key, value in keys.items() if key not in wrong}, file)


def _broken(info: PluginInfo, entry: EntryPoint, error: FriendshoreError) -> Plugin:
    told = info.but(status=PluginStatus.BROKEN, error=str(error))
    return Plugin(told, entry, problems=error.problems)


def _interface(api: object) -> dict[str, object]:
    """Return the interface version of a manifest, with its end of support."""
    return {"api": api, "api_end": end_of(api)} if type(api) is int else {}


def _manifest(data: dict[str, object], info: PluginInfo) -> Manifest:
    """Validate the manifest.

    Raises:
        PluginError: If its interface version isn't supported. This comes alone, since its keys may differ too.
        InputError: With all errors in its keys.
    """
    refused = None if info.api is None else refusal(info.label, info.distribution, info.api, info.file)
    if refused is not None:
        raise PluginError(refused)
    return record(Manifest, data, info.file)


def _repeated(info: PluginInfo) -> list[Diagnostic]:
    """Return errors for names that it brings twice."""
    return [
        Diagnostic(f"brings two {key} of the name `{name}`", info.file, column=key, fix="rename one of the two")
        for key, names in (
            ("catalogs", info.catalogs),
            ("packs", info.packs),
            ("kinds", info.kinds),
            ("readers", info.readers),
        )
        for name in sorted({name for name in names if names.count(name) > 1})
    ]


def unmet(label: str, distribution: str, requires: Iterable[str], file: str) -> Iterator[Diagnostic]:
    """Yield an error for each unmet dependency of a plugin, except those of its extras: there is no record of the extras that were installed.

    Args:
        label: Name and version of the plugin.
        distribution: Name of the plugin.
        requires: Its dependencies, as its metadata states them.
        file: Its manifest.
    """
    from packaging.requirements import InvalidRequirement, Requirement  # slow to load
    from packaging.version import InvalidVersion

    for text in requires:
        try:
            needed = Requirement(text)
        except InvalidRequirement:
            yield Diagnostic(
                f"{label} states a dependency that cannot be read",
                file,
                found=text,
                fix=f"reinstall {distribution}, or report this to its author",
            )
            continue
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue
        installed = _version(needed.name)
        try:
            met = bool(installed) and needed.specifier.contains(installed, prereleases=True)
        except InvalidVersion:
            met = False
        if not met:
            asked = f"{needed.name}{needed.specifier}"
            yield Diagnostic(
                f"{label} requires {asked}",
                file,
                found=f"{needed.name} {installed}" if installed else f"no {needed.name}",
                expected=asked,
                fix=f"pip install '{asked}', or install a release of {distribution} that needs another",
            )


def _version(name: str) -> str:
    """Return the installed version of a distribution, or an empty string."""
    if name.lower() == OWN:
        return __version__
    try:
        return version(name) or ""
    except (PackageNotFoundError, KeyError, UnicodeDecodeError):
        return ""
