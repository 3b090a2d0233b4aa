"""Editions of rule packs, catalogs, and plugin settings: locating them, and applying them to a case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from friendshore.domain.case import Case
from friendshore.errors import Diagnostic, InputError
from friendshore.plugins import Registry
from friendshore.plugins.manifest import CATALOG_FILE
from friendshore.plugins.settings import TABLE, table_of
from friendshore.reading.kinds import plain_table
from friendshore.reading.textfile import read_bytes
from friendshore.reading.tomlfile import toml_data
from friendshore.recommend import Gathered
from friendshore.rules.pack import PACK_FILE, stated_name

Kind = Literal["rule pack", "catalog", "settings"]
Named = tuple[Kind, str]
"""Kind and name of an edition's subject."""
_FILES: tuple[tuple[Kind, str, str], ...] = (("rule pack", PACK_FILE, "id"), ("catalog", CATALOG_FILE, "name"))
DEPTH = 4
"""Maximum depth of folders in a search: enough for `packs/us-defense/src/us_defense/packs`, but not a whole disk."""


@dataclass(frozen=True, slots=True)
class Edition:
    """An edition of a rule pack, a catalog, or a setting of a plugin."""

    kind: Kind
    name: str
    """Id of the pack, name of the catalog, or distribution and key of the setting: `acme-debarred.names`."""
    folder: Path
    value: object = None
    """Value of the setting. Paths in it start from the folder."""


@dataclass(frozen=True, slots=True)
class Editions:
    """Both editions of everything that changes."""

    old: Mapping[Named, Edition]
    new: Mapping[Named, Edition]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{kind} {name}" for kind, name in sorted(self.old))


def editions_of(old: str, new: str, registry: Registry) -> Editions:
    """Return the editions in two folders or settings files, or installed ones by name. Raises InputError unless they are pairs."""
    sides = [_editions_at(text, argument, registry) for text, argument in ((old, "OLD"), (new, "NEW"))]
    problems = [
        Diagnostic(
            f"the {kind} `{name}` has no edition in {argument_without}",
            fix=f"add its other edition to {argument_without}, or remove this one",
            code="FS970",
        )
        for here, argument_without in ((0, "NEW"), (1, "OLD"))
        for kind, name in sorted(sides[here].keys() - sides[1 - here].keys())
    ]
    if problems:
        raise InputError(problems)
    return Editions(*sides)


def _editions_at(text: str, argument: str, registry: Registry) -> dict[Named, Edition]:
    path = Path(text)
    if path.is_file():
        editions = list(_settings_in(path, registry))
    else:
        editions = list(_editions_below(path)) if path.is_dir() else list(_installed(text, registry))
    if not editions:
        raise InputError(
            "contains no rule pack, catalog, or settings",
            text,
            column=argument,
            expected=f"a folder with `{PACK_FILE}` or `{CATALOG_FILE}`, or with such folders; a file with `[{TABLE}.NAME]`; or the name of an installed pack or catalog",
            fix="check the path or the name",
            code="FS971",
        )
    edition_by_name: dict[Named, Edition] = {}
    for edition in editions:
        other = edition_by_name.setdefault((edition.kind, edition.name), edition)
        if other is not edition:
            raise InputError(
                f"contains two editions of the {edition.kind} `{edition.name}`",
                text,
                column=argument,
                found=f"{other.folder.name} and {edition.folder.name}",
                fix="remove one of them, or name its folder instead",
                code="FS972",
            )
    return edition_by_name


def _editions_below(folder: Path, depth: int = DEPTH) -> Iterator[Edition]:
    editions = [
        Edition(kind, stated_name(folder / file, key), folder)
        for kind, file, key in _FILES
        if (folder / file).is_file()
    ]
    yield from editions
    if not editions and depth:
        folders = (entry for entry in folder.iterdir() if not entry.name.startswith(".") and not entry.is_symlink())
        for entry in sorted(folders):
            if entry.is_dir():
                yield from _editions_below(entry, depth - 1)


def _settings_in(file: Path, registry: Registry) -> Iterator[Edition]:
    data = toml_data(read_bytes(file).decode("utf-8-sig", errors="replace"), str(file))
    tables = data.pop(TABLE, {})
    problems = [
        Diagnostic(
            f"`{key}` isn't a plugin's settings",
            str(file),
            column=key,
            expected=f"`[{TABLE}.NAME]`",
            fix="move the settings below such a table, and remove everything else",
            code="FS973",
        )
        for key in data
    ]
    editions = []
    for name, table in tables.items() if isinstance(tables, dict) else ():
        try:
            plugin = registry.taking_settings(name).distribution
        except InputError as error:
            problems += [replace(problem, file=str(file), column=table_of(name)) for problem in error.problems]
            continue
        if not isinstance(table, dict):
            problems.append(
                Diagnostic(
                    f"`{table_of(name)}` must be a table",
                    str(file),
                    column=table_of(name),
                    expected=f"`[{table_of(name)}]`",
                    fix="move the settings below such a table, and remove everything else",
                    code="FS973",
                )
            )
            continue
        editions += [
            Edition("settings", f"{plugin}.{key}", file.parent.absolute(), value)
            for key, value in plain_table(table).items()
        ]
    if problems:
        raise InputError(problems)
    yield from editions


def _installed(name: str, registry: Registry) -> Iterator[Edition]:
    if name in registry.packs:
        yield Edition("rule pack", name, Path(registry.pack(name).file).parent)
    if name in registry.catalogs:
        yield Edition("catalog", name, registry.catalog_folder(name).folder)


def used_of(case: Case, gathered: Gathered, editions: Editions) -> tuple[str, ...]:
    """Return the names with two editions that a case uses: of settings, all for a plugin that it sets anything for."""
    used: set[Named] = {("rule pack", pack.id) for pack, _ in gathered.packs}
    used |= {("catalog", catalog.name) for catalog in gathered.read}
    name_by_plugin = _case_names(case, gathered.registry)
    used |= {
        (kind, name) for kind, name in editions.old if kind == "settings" and name.rpartition(".")[0] in name_by_plugin
    }
    return tuple(f"{kind} {name}" for kind, name in sorted(editions.old) if (kind, name) in used)


def _case_names(case: Case, registry: Registry) -> dict[str, str]:
    """Return distribution -> name in the case, for plugins with settings in the case."""
    return {registry.taking_settings(name).distribution: name for name in case.settings}


def with_settings(case: Case, registry: Registry, editions: Iterable[Edition]) -> Case:
    """Return the case with editions of settings in place of its own, key by key. Plugins without settings in the case are left out."""
    name_by_plugin = _case_names(case, registry)
    settings = {name: dict(table) for name, table in case.settings.items()}
    folders: dict[str, dict[str, Path]] = {}
    for edition in editions:
        plugin, _, key = edition.name.rpartition(".")
        if edition.kind == "settings" and plugin in name_by_plugin:
            settings[name_by_plugin[plugin]][key] = edition.value
            folders.setdefault(name_by_plugin[plugin], {})[key] = edition.folder
    return case.but(settings=settings, settings_from=folders) if folders else case


def with_editions(case: Case, gathered: Gathered, editions: Iterable[Edition]) -> Case:
    """Return the case with editions in place of the packs and catalogs that it uses today (`gathered`), directly or through another."""
    path_by_edition = {(edition.kind, edition.name): str(edition.folder.resolve()) for edition in editions}
    packs = {f"pack {pack.id}": path_by_edition.get(("rule pack", pack.id)) for pack, _ in gathered.packs}
    catalogs = {edition.name: path_by_edition.get(("catalog", edition.name)) for edition in gathered.read}
    replacements = {
        gathered.named[name]: path for name, path in (packs | catalogs).items() if path and name in gathered.named
    }
    required = [path for name, path in catalogs.items() if path and name not in gathered.named]
    return case.but(
        packs=tuple(replacements.get(name, name) for name in case.packs),
        catalogs=(*(replacements.get(name, name) for name in case.catalogs), *required),
    )
