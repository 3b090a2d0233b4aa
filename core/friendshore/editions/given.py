"""Editions of rule packs and catalogs: where they are, and a case that uses one in the place of what it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..domain.case import Case
from ..errors import Diagnostic, InputError
from ..plugins import Registry
from ..plugins.manifest import CATALOG_FILE
from ..recommend import Gathered
from ..rules.pack import PACK_FILE, stated_name

Kind = Literal["rule pack", "catalog"]
Named = tuple[Kind, str]
"""What an edition is of."""
_FILES: tuple[tuple[Kind, str, str], ...] = (("rule pack", PACK_FILE, "id"), ("catalog", CATALOG_FILE, "name"))
DEPTH = 4
"""Folders within folders in which editions are looked for: `packs/us-defense/src/us_defense/packs`, but not a whole disk."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of a rule pack or a catalog."""

    kind: Kind
    name: str
    """Id of the pack, or name of the catalog."""
    folder: Path


@dataclass(frozen=True, slots=True)
class Editions:
    """The two editions of everything that changes, by kind and name."""

    old: Mapping[Named, Edition]
    new: Mapping[Named, Edition]

    @property
    def names(self) -> tuple[str, ...]:
        """What there are two editions of."""
        return tuple(f"{kind} {name}" for kind, name in sorted(self.old))


def editions_of(old: str, new: str, registry: Registry) -> Editions:
    """The editions below two folders, or those that are installed, by name.

    Args:
        old: a folder that holds `pack.toml` or `catalog.toml`, or folders that do; or the name of an installed rule pack or catalog.
        new: likewise.
        registry: what is installed.

    Raises:
        InputError: if either holds none, or the two are not editions of the same packs and catalogs.
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
    folders = list(_below(path)) if path.is_dir() else list(_installed(text, registry))
    if not folders:
        raise InputError(
            "holds no rule pack and no catalog",
            text,
            column=where,
            expected=f"a folder with `{PACK_FILE}` or `{CATALOG_FILE}`, or with such folders; or the name of what is installed",
        )
    found: dict[Named, Edition] = {}
    for one in folders:
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
    """Editions in a folder: its own, else those of the folders in it, at most so deep."""
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


def _installed(name: str, registry: Registry) -> Iterator[Edition]:
    """What is installed by a name: its rule pack, its catalog or both."""
    if name in registry.packs:
        yield Edition("rule pack", name, Path(registry.pack(name).file).parent)
    if name in registry.catalogs:
        yield Edition("catalog", name, registry.catalog_folder(name).folder)


def with_editions(case: Case, gathered: Gathered, editions: Iterable[Edition]) -> Case:
    """A case with editions in the place of the packs and catalogs of their names that it uses, named or required by another; if it uses none of
    them, as it is.

    Args:
        case: as it was read.
        gathered: it with all that it names today.
        editions: what takes their place.
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
