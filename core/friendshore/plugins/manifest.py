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
from .packages import MANIFEST, column_conflicts, contents_of, data_of, home_of

# Entry point group that declares a plugin.
GROUP = "friendshore"
CATALOG_FILE = "catalog.toml"


_WORD = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
QuestionName = Annotated[str, Field(pattern=rf"^{_WORD}$")]
# Name of a command, like `sign`, or of a command in a group, like `case to-xlsx`.
CommandName = Annotated[str, Field(pattern=rf"^{_WORD}( {_WORD})?$")]
# Name of an output format or a case format: the extension of its files, without the dot.
FormatName = Annotated[str, Field(pattern=r"^[a-z0-9]+$")]
ReaderName = Annotated[str, Field(pattern=READER)]
OneLine = Annotated[str, Field(pattern=r"^\S[^\n\r]*$")]


# Friendshore's own commands, except questions. A plugin's question or command can't use these names.
COMMANDS = frozenset({
    "plan", "check", "verify", "report", "orders", "lock", "init",
    "case", "case roll",
    "catalogs", "catalogs check", "catalogs datapackage", "catalogs list", "catalogs show",
    "rules", "rules list", "rules show",
    "plugins", "plugins list", "plugins show",
})  # fmt: skip


class Manifest(Record):
    """A plugin's `friendshore.toml`. It lists everything that the plugin brings; code only delivers what it announces."""

    api: int = Field(strict=True)
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
    CLASH = "clashing"
    """It works, but another plugin brings one of its names too."""


class Announced(Record):
    """A question, command, format, or check that a manifest announces, with a line of description."""

    name: str
    answers: str = ""


class PluginInfo(Record):
    """Information about a plugin, without running it."""

    distribution: str
    """Name for `pip`."""
    version: str = ""
    name: str = ""
    package: str = ""
    file: str = ""
    """Path of its manifest, or where that should be."""
    api: int | None = None
    api_end: str = ""
    catalogs: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    packs: tuple[str, ...] = ()
    questions: tuple[Announced, ...] = ()
    readers: tuple[str, ...] = ()
    commands: tuple[Announced, ...] = ()
    formats: tuple[Announced, ...] = ()
    checks: tuple[Announced, ...] = ()
    case_formats: tuple[Announced, ...] = ()
    columns: tuple[DeclaredColumn, ...] = ()
    settings: bool = False
    case_packs: bool = False
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
        return f"{written}; fix: update it to version {newest().version}, or ask its author to"

    @property
    def brings(self) -> tuple[str, ...]:
        return (
            *self.catalogs,
            *self.packs,
            *self.kinds,
            *self.readers,
            *(
                thing.name
                for thing in (*self.questions, *self.commands, *self.formats, *self.checks, *self.case_formats)
            ),
        )

    @property
    def label(self) -> str:
        return f"{self.distribution} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class Plugin:
    """A discovered plugin: its information and the locations of its data and code."""

    info: PluginInfo
    entry: EntryPoint | None = None
    catalogs: Mapping[str, Path] = field(default_factory=dict)
    packs: Mapping[str, Path] = field(default_factory=dict)
    classes: Mapping[str, type[Rule]] = field(default_factory=dict)
    in_memory: Mapping[Any, Mapping[str, Named]] = field(default_factory=dict)
    """Objects given by a program, by sort (`question`, `check`, `format`, or `case format`) and name."""
    problems: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """An entry point of our group in the metadata of a distribution."""

    distribution: str
    version: str
    entry: EntryPoint
    damage: str = ""
    requires: tuple[str, ...] = ()

    @property
    def package(self) -> str:
        """Top-level package of the entry point, which can be found without an import."""
        return re.split(r"[.:\s]", self.entry.value, maxsplit=1)[0]

    @property
    def info(self) -> PluginInfo:
        name = self.distribution or f"the distribution of {self.package or 'an unknown package'}"
        return PluginInfo(distribution=name, version=self.version, name=self.entry.name, package=self.package)


def discover() -> tuple[Plugin, ...]:
    """Return all installed plugins, sorted by distribution. Never raises: errors are recorded in each."""
    return tuple(sorted(map(plugin_of, declared()), key=lambda p: (p.info.distribution, p.info.name)))


def announced(lines: Mapping[str, str]) -> tuple[Announced, ...]:
    return tuple(Announced(name=name, answers=line) for name, line in lines.items())


def normalized_name(name: str) -> str:
    """Return a distribution's name in normalized form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(dists: Iterable[Distribution] | None = None) -> Iterator[Declared]:
    """Yield the plugins that distributions declare, by default all installed ones. Of duplicates, the first on the path counts, as for imports."""
    seen: set[str] = set()
    for dist in distributions() if dists is None else dists:
        try:
            text = dist.read_text("entry_points.txt") or ""
        except UnicodeDecodeError as error:
            # It may be another group's. An unnecessary report is better than a plugin that is silently missing.
            name, version, _ = _metadata(dist)
            yield Declared(name, version, EntryPoint("", "", GROUP), f"its entry points cannot be read: {error}")
            continue
        if f"[{GROUP}]" not in text:  # avoids parsing the metadata of every distribution
            continue
        name, version, requires = _metadata(dist)
        if name and normalized_name(name) in seen:
            continue
        seen.add(normalized_name(name))
        yield from (Declared(name, version, *entry, requires) for entry in _entries(text))


def _entries(text: str) -> Iterator[tuple[EntryPoint, str]]:
    """Yield the entries of our group, each with its error. The standard library's parser fails on a damaged file."""
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line.strip("[] ")
        elif group == GROUP and line and not line.startswith(("#", ";")):
            name, equals, value = (part.strip() for part in line.partition("="))
            is_valid = equals and re.fullmatch(r"\w+(\.\w+)*(\s*:\s*\w+(\.\w+)*)?(\s*\[.*\])?", value)
            yield EntryPoint(name, value, group), "" if is_valid else f"its entry point `{line}` cannot be read"


def _metadata(dist: Distribution) -> tuple[str, str, tuple[str, ...]]:
    try:
        metadata = dist.metadata
        requires = tuple(metadata.get_all("Requires-Dist") or dist.requires or ())
    except (ImportError, TypeError, UnicodeDecodeError, FileNotFoundError):
        # Missing metadata is a TypeError of older Pythons and a FileNotFoundError of newer ones and of the
        # backport `importlib_metadata`, which takes the place of the standard finder where anything imports it.
        return "", "", ()
    name, version = (str(metadata[key]) if key in metadata else "" for key in ("Name", "Version"))
    return name, version, requires


def plugin_of(declaration: Declared, package: Path | None = None) -> Plugin:
    info, entry = declaration.info, declaration.entry
    try:
        if declaration.damage:
            raise PluginError(declaration.damage, fix="reinstall it", code="FS408")
        folder = package if package is not None else home_of(info.package)
        info = info.but(file=str(folder / MANIFEST))
        data = data_of(folder / MANIFEST)
    except FriendshoreError as error:
        return _broken(info, entry, error)
    api = data.get("api")
    if type(api) is int:  # not a bool
        info = info.but(api=api, api_end=end_of(api))
    try:
        manifest = _validated_manifest(data, info)
    except FriendshoreError as error:
        return _broken(_with_manifest(info, _valid_part(data, info.file)), entry, error)
    problems: list[Diagnostic] = []
    catalogs = contents_of(folder / MANIFEST, manifest.catalogs, CATALOG_FILE, "name", problems)
    packs = contents_of(folder / MANIFEST, manifest.packs, PACK_FILE, "id", problems)
    info = _with_manifest(info, manifest, [name for name, _ in catalogs], [name for name, _ in packs])
    if info.distribution != OWN:  # friendshore runs, so its own dependencies are met
        problems += unmet_dependencies(info.label, info.distribution, declaration.requires, info.file)
    problems += _duplicates(info)
    if info.case_packs and not info.settings:
        message = "has `case_packs`, which follow from settings, but takes no settings"
        problems.append(Diagnostic(message, info.file, column="case_packs", fix="add `settings = true`", code="FS404"))
    problems += column_conflicts(info.columns, info.file)
    for key, names in (("questions", manifest.questions), ("commands", manifest.commands)):
        for name in sorted(COMMANDS & names.keys()):
            message = f"brings a {key[:-1]} `{name}`, but friendshore has a command of that name"
            problems.append(Diagnostic(message, info.file, column=key, fix="rename it", code="FS413"))
    if problems:
        return _broken(info, entry, InputError(problems))
    return Plugin(info, entry, dict(catalogs), dict(packs))


def _with_manifest(
    info: PluginInfo, manifest: Manifest, catalogs: Iterable[str] = (), packs: Iterable[str] = ()
) -> PluginInfo:
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


def _valid_part(data: Mapping[str, object], file: str) -> Manifest:
    """Return the valid part of a broken manifest, so that a request for one of its names reports the defect."""
    fields = {key: value for key, value in data.items() if key in Manifest.model_fields} | {"api": API}
    try:
        return record(Manifest, fields, file)
    except InputError as error:
        invalid = {re.split(r"[.\[]", problem.column)[0] for problem in error.problems}
        return record(Manifest, {key: value for key, value in fields.items() if key not in invalid}, file)


def _broken(info: PluginInfo, entry: EntryPoint, error: FriendshoreError) -> Plugin:
    return Plugin(info.but(status=PluginStatus.BROKEN, error=str(error)), entry, problems=error.problems)


def _validated_manifest(data: dict[str, object], info: PluginInfo) -> Manifest:
    """Validate the manifest. An unsupported interface version is the only error then, since its keys may differ too."""
    problem = None if info.api is None else refusal(info.label, info.distribution, info.api, info.file)
    if problem is not None:
        raise PluginError(problem)
    return record(Manifest, data, info.file)


def _duplicates(info: PluginInfo) -> list[Diagnostic]:
    return [
        Diagnostic(
            f"brings two {key} of the name `{name}`", info.file, column=key, fix="rename one of them", code="FS413"
        )
        for key, names in (
            ("catalogs", info.catalogs),
            ("packs", info.packs),
            ("kinds", info.kinds),
            ("readers", info.readers),
        )
        for name in sorted({name for name in names if names.count(name) > 1})
    ]


def unmet_dependencies(label: str, distribution: str, requires: Iterable[str], file: str) -> Iterator[Diagnostic]:
    """Yield an error for each unmet dependency of a plugin, except those of its extras: there is no record of the extras that were installed."""
    from packaging.requirements import InvalidRequirement, Requirement  # slow to load
    from packaging.version import InvalidVersion

    for text in requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            yield Diagnostic(
                f"{label} has a dependency that cannot be read",
                file,
                found=text,
                fix=f"reinstall {distribution}, or report this to its author",
                code="FS409",
            )
            continue
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        installed = _installed_version(requirement.name)
        try:
            is_met = bool(installed) and requirement.specifier.contains(installed, prereleases=True)
        except InvalidVersion:
            is_met = False
        if not is_met:
            specifier = f"{requirement.name}{requirement.specifier}"
            yield Diagnostic(
                f"{label} requires {specifier}",
                file,
                found=f"{requirement.name} {installed}" if installed else f"no {requirement.name}",
                expected=specifier,
                fix=f"pip install '{specifier}', or install another release of {distribution}",
                code="FS409",
            )


def _installed_version(name: str) -> str:
    if name.lower() == OWN:
        return __version__
    try:
        return version(name) or ""
    except (PackageNotFoundError, KeyError, UnicodeDecodeError):
        return ""
