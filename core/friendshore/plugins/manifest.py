"""What plugins say of themselves: found among the installed distributions and read without importing any of them."""

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
"""The entry point group by which a distribution says that it is a plugin."""
CATALOG_FILE = "catalog.toml"
"""The file that makes a folder a catalog."""


_WORD = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
QuestionName = Annotated[str, Field(pattern=rf"^{_WORD}$")]
"""Name of a question as a command. Checks of runs are named in the same way."""
CommandName = Annotated[str, Field(pattern=rf"^{_WORD}( {_WORD})?$")]
"""Name of a command, like `sign`, or of a command in a group, like `case to-xlsx`."""
FormatName = Annotated[str, Field(pattern=r"^[a-z0-9]+$")]
"""Name of an output format or of a format of cases: the ending of its files, without the dot."""
ReaderName = Annotated[str, Field(pattern=READER)]
"""What a reader is called."""
OneLine = Annotated[str, Field(pattern=r"^\S[^\n\r]*$")]


COMMANDS = frozenset({
    "plan", "check", "verify", "report", "orders", "lock", "init",
    "case", "case roll",
    "catalogs", "catalogs check", "catalogs datapackage", "catalogs list", "catalogs show",
    "rules", "rules list", "rules show",
    "plugins", "plugins list", "plugins show",
})  # fmt: skip
"""Names of friendshore's own commands, except questions. A plugin's question or command can't have one of them."""


class Manifest(Record):
    """`friendshore.toml` of a plugin. All that a plugin brings is in it; code only delivers what it announces."""

    api: int = Field(strict=True)
    """Version of the plugin interface it was written for."""
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
    """Whether a case may set something for the plugin: its code yields the model from the hook `friendshore_settings`."""
    case_packs: bool = False
    """Whether rules follow from what a case sets for the plugin: its code yields rule packs from the hook `friendshore_case_packs`."""
    questions: Mapping[QuestionName, OneLine] = {}
    """Questions that its code yields from the hook `friendshore_questions`: what each is called, with a line on what it answers."""
    facts: Mapping[FactTable, Mapping[ColumnName, FactColumn]] = {}
    """Columns of facts of offers, facilities and lanes, by table and name, that it declares for all catalogs."""
    readers: tuple[ReaderName, ...] = ()
    """Readers that its code yields from the hook `friendshore_readers`: what a case writes before the colon."""
    commands: Mapping[CommandName, OneLine] = {}
    """Commands that its code yields from the hook `friendshore_commands`, by name, each with a line of help."""
    formats: Mapping[FormatName, OneLine] = {}
    """Output formats that its code yields from the hook `friendshore_formats`, by name, each with a line of description."""
    checks: Mapping[QuestionName, OneLine] = {}
    """Checks of runs that its code yields from the hook `friendshore_checks`, by name, each with a line of description."""
    case_formats: Mapping[FormatName, OneLine] = {}
    """Formats of cases that its code yields from the hook `friendshore_case_formats`, by name, each with a line of description."""


class PluginStatus(StrEnum):
    """Whether a plugin can be used."""

    OK = "ok"
    BROKEN = "broken"
    """It cannot be used; a plan that names anything of it stops."""
    BLOCKED = "blocked"
    """The user has ruled it out."""
    CLASH = "clashing"
    """It works, but brings a name that another plugin brings too."""


class Announced(Record):
    """A question, command, format, or check that a plugin brings, as its manifest announces it."""

    name: str
    answers: str = ""
    """A line on what it answers or does."""


class PluginInfo(Record):
    """What is known of a plugin without running it."""

    distribution: str
    """What is installed, as `pip` knows it."""
    version: str = ""
    name: str = ""
    """Its entry point."""
    package: str = ""
    """Its import package."""
    file: str = ""
    """Its manifest, or where that should be."""
    api: int | None = None
    """Version of the plugin interface that it is written for."""
    api_end: str = ""
    """When friendshore stops taking plugins of that version, if that is foreseen."""
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
    """Whether a case may set something for it."""
    case_packs: bool = False
    """Whether rules follow from that."""
    withheld: tuple[str, ...] = ()
    """Names of what it brings that the user has ruled out, one by one."""
    status: PluginStatus = PluginStatus.OK
    error: str = ""
    """Why it is not `ok`, with the fix."""

    @property
    def notice(self) -> str:
        """What its author should know though it works; empty: nothing."""
        if not self.api_end:
            return ""
        written = f"is written for version {self.api} of the plugin interface, {self.api_end}"
        return f"{written}; fix: write it for version {newest().version}, or ask its author to"

    @property
    def brings(self) -> tuple[str, ...]:
        """Names of all that it brings."""
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
    """A plugin as discovered: what it says, and where its things are."""

    info: PluginInfo
    entry: EntryPoint | None = None
    """Where its code is; None where nothing need be imported."""
    catalogs: Mapping[str, Path] = field(default_factory=dict)
    """Folders by name."""
    packs: Mapping[str, Path] = field(default_factory=dict)
    """Folders by id."""
    classes: Mapping[str, type[Rule]] = field(default_factory=dict)
    """Kinds of rules that are here already: friendshore's own, and those given in memory."""
    given: Mapping[Any, Mapping[str, Named]] = field(default_factory=dict)
    """Objects that a program gives in memory, by sort (`question`, `check`, `format`, or `case format`) and name."""
    problems: tuple[Diagnostic, ...] = ()
    """What is wrong with what it says of itself."""


@dataclass(frozen=True, slots=True)
class Declared:
    """An entry point of our group in the metadata of a distribution."""

    distribution: str
    version: str
    entry: EntryPoint
    damage: str = ""
    """What is wrong with it."""
    requires: tuple[str, ...] = ()
    """Dependencies of the distribution, as its metadata states them."""

    @property
    def package(self) -> str:
        """The top-level package that it names: the one that can be found without importing anything."""
        return re.split(r"[.:\s]", self.entry.value, maxsplit=1)[0]

    @property
    def info(self) -> PluginInfo:
        """What can be told from it alone."""
        name = self.distribution or f"the distribution of {self.package or 'an unknown package'}"
        return PluginInfo(distribution=name, version=self.version, name=self.entry.name, package=self.package)


def discover() -> tuple[Plugin, ...]:
    """All installed plugins, sorted by distribution. Never raises: what is wrong with one is recorded in it."""
    return tuple(sorted(map(plugin_of, declared()), key=lambda p: (p.info.distribution, p.info.name)))


def announced(lines: Mapping[str, str]) -> tuple[Announced, ...]:
    """Return what a manifest announces, given a line on each by name, as records."""
    return tuple(Announced(name=name, answers=line) for name, line in lines.items())


def normal(name: str) -> str:
    """A distribution's name in the one form in which names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(among: Iterable[Distribution] | None = None) -> Iterator[Declared]:
    """What distributions declare in our group (None: all that are installed); of one found twice, the first on the path counts, as for imports."""
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
    """Yield the entries of our group, each with its problem. The standard reader fails on a damaged file."""
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line.strip("[] ")
        elif group == GROUP and line and not line.startswith(("#", ";")):
            name, equals, value = (part.strip() for part in line.partition("="))
            fine = equals and re.fullmatch(r"\w+(\.\w+)*(\s*:\s*\w+(\.\w+)*)?(\s*\[.*\])?", value)
            yield EntryPoint(name, value, group), "" if fine else f"its entry point `{line}` cannot be read"


def _metadata(dist: Distribution) -> tuple[str, str, tuple[str, ...]]:
    """Return name, version and dependencies; empty where the metadata is missing or damaged, which is no reason not to list it."""
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
    """One plugin, whatever is wrong with it; `package` is the folder of its package, if that need not be looked for."""
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
    """Return the plugin with all that its manifest announces, and the names of the catalogs and packs in its folders."""
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
    """Return what a broken manifest announces under valid keys, so that whoever asks for one of its names is told what broke."""
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
    """Return the version of the interface that a manifest states, with its end."""
    return {"api": api, "api_end": end_of(api)} if type(api) is int else {}


def _manifest(data: dict[str, object], info: PluginInfo) -> Manifest:
    """The manifest.

    Raises:
        PluginError: if it is of a version that is not taken: said first and alone, for it may well have other keys.
        InputError: with everything that is wrong with its keys.
    """
    refused = None if info.api is None else refusal(info.label, info.distribution, info.api, info.file)
    if refused is not None:
        raise PluginError(refused)
    return record(Manifest, data, info.file)


def _repeated(info: PluginInfo) -> list[Diagnostic]:
    """Return the names that it brings twice."""
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
    """Yield an error for each dependency of a plugin that nothing installed meets.

    Dependencies of the plugin's own extras are left out: nobody knows which of them were installed.

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
    """Return the installed version of a distribution; empty if it is not installed, or states none."""
    if name.lower() == OWN:
        return __version__
    try:
        return version(name) or ""
    except (PackageNotFoundError, KeyError, UnicodeDecodeError):
        return ""
