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
    """Both editions of everything that changes, by kind and name."""

    old: Mapping[Named, Edition]
    new: Mapping[Named, Edition]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names with two editions."""
        return tuple(f"{kind} {name}" for kind, name in sorted(self.old))


def editions_of(old: str, new: str, registry: Registry) -> Editions:
    """Return the editions in two folders or settings files, or installed ones by name.

    Args:
        old: A folder with `pack.toml` or `catalog.toml`, or of such folders; the name of an installed rule pack or catalog; or a TOML file with
            tables `[plugin.NAME]`.
        new: Like `old`.
        registry: Installed plugins.

    Raises:
        InputError: If either has none, or if they aren't editions of the same packs and catalogs.
    """
    sides = [_found(text, where, registry) for text, where in ((old, "OLD"), (new, "NEW"))]
    lone = [
        Diagnostic(f"the {kind} `{name}` has no edition in {there}", fix="give both editions of whatever changes")
        for here, there in ((0, "NEW"), (1, "OLD"))
        for kind, name in sorted(sides[here].keys() - sides[1 - here].keys())
    ]
    if lone:
        raise InputError(lone)
    return Editions(*sides)


def _found(text: str, where: str, registry: Registry) -> dict[Named, Edition]:
    path = Path(text)
    if path.is_file():
        editions = list(_settings_in(path, registry))
    else:
        editions = list(_below(path)) if path.is_dir() else list(_installed(text, registry))
    if not editions:
        raise InputError(
            "holds no rule pack, no catalog and no settings",
            text,
            column=where,
            expected=f"a folder with `{PACK_FILE}` or `{CATALOG_FILE}`, or with such folders; a file with `[{TABLE}.NAME]`; or the name of what is installed",
        )
    found: dict[Named, Edition] = {}
    for one in editions:
        known = found.setdefault((one.kind, one.name), one)
        if known is not one:
            raise InputError(
                f"two editions of the {one.kind} `{one.name}`",
                text,
                column=where,
                found=f"{known.folder.name} and {one.folder.name}",
                fix="leave one of them",
            )
    return found


def _below(folder: Path, depth: int = DEPTH) -> Iterator[Edition]:
    """Yield the edition in a folder, or else those in its subfolders."""
    own = [
        Edition(kind, stated_name(folder / file, key), folder)
        for kind, file, key in _FILES
        if (folder / file).is_file()
    ]
    yield from own
    if not own and depth:
        inner = (entry for entry in folder.iterdir() if not entry.name.startswith(".") and not entry.is_symlink())
        for entry in sorted(inner):
            if entry.is_dir():
                yield from _below(entry, depth - 1)


def _settings_in(file: Path, registry: Registry) -> Iterator[Edition]:
    """Yield the settings in a TOML file, key by key.

    Raises:
        InputError: With every plugin that isn't installed, and if the file contains anything else or can't be read.
    """
    data = toml_data(read_bytes(file).decode("utf-8-sig", errors="replace"), str(file))
    tables = data.pop(TABLE, {})
    found = [
        Diagnostic("is no settings of a plugin", str(file), column=key, expected=f"`[{TABLE}.NAME]`") for key in data
    ]
    made = []
    for name, table in tables.items() if isinstance(tables, dict) else ():
        try:
            plugin = registry.taking_settings(name).distribution
        except InputError as error:
            found += [replace(one, file=str(file), column=table_of(name)) for one in error.problems]
            continue
        if not isinstance(table, dict):
            found.append(
                Diagnostic("a table is needed", str(file), column=table_of(name), expected=f"`[{table_of(name)}]`")
            )
            continue
        made += [
            Edition("settings", f"{plugin}.{key}", file.parent.absolute(), value)
            for key, value in plain_table(table).items()
        ]
    if found:
        raise InputError(found)
    yield from made


def _installed(name: str, registry: Registry) -> Iterator[Edition]:
    """Yield the installed rule pack and catalog of a name."""
    if name in registry.packs:
        yield Edition("rule pack", name, Path(registry.pack(name).file).parent)
    if name in registry.catalogs:
        yield Edition("catalog", name, registry.catalog_folder(name).folder)


def used_of(case: Case, gathered: Gathered, editions: Editions) -> tuple[str, ...]:
    """Return the names with two editions that a case uses: of settings, all for a plugin that it sets anything for."""
    here: set[Named] = {("rule pack", pack.id) for pack, _ in gathered.packs}
    here |= {("catalog", one.name) for one in gathered.read}
    called = _set_for(case, gathered.registry)
    here |= {(kind, name) for kind, name in editions.old if kind == "settings" and name.rpartition(".")[0] in called}
    return tuple(f"{kind} {name}" for kind, name in sorted(editions.old) if (kind, name) in here)


def _set_for(case: Case, registry: Registry) -> dict[str, str]:
    """Return distribution of a plugin -> its name in the case, for plugins with settings in the case."""
    return {registry.taking_settings(name).distribution: name for name in case.settings}


def with_settings(case: Case, registry: Registry, editions: Iterable[Edition]) -> Case:
    """Return the case with editions of settings in place of its own, key by key. Plugins without settings in the case are left out.

    Raises:
        InputError: If it has settings for a plugin that isn't installed.
    """
    called = _set_for(case, registry)
    settings = {name: dict(table) for name, table in case.settings.items()}
    folders: dict[str, dict[str, Path]] = {}
    for one in editions:
        plugin, _, key = one.name.rpartition(".")
        if one.kind == "settings" and plugin in called:
            settings[called[plugin]][key] = one.value
            folders.setdefault(called[plugin], {})[key] = one.folder
    return case.but(settings=settings, settings_from=folders) if folders else case


def with_editions(case: Case, gathered: Gathered, editions: Iterable[Edition]) -> Case:
    """Return the case with editions in place of the packs and catalogs that it uses, directly or through another.

    Args:
        case: The case.
        gathered: The case with everything that it names today.
        editions: Replacements.
    """
    given = {(one.kind, one.name): str(one.folder.resolve()) for one in editions}
    packs = {f"pack {pack.id}": given.get(("rule pack", pack.id)) for pack, _ in gathered.packs}
    catalogs = {one.name: given.get(("catalog", one.name)) for one in gathered.read}
    instead = {
        gathered.named[name]: path for name, path in (packs | catalogs).items() if path and name in gathered.named
    }
    required = [path for name, path in catalogs.items() if path and name not in gathered.named]
    return case.but(
        packs=tuple(instead.get(name, name) for name in case.packs),
        catalogs=(*(instead.get(name, name) for name in case.catalogs), *required),
    )
