"""Several catalogs together: in the order of what requires what, each read once, without clashes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..domain.case import Overlap
from ..domain.facts import Catalog
from ..domain.runtime import Recent, uncollected
from ..errors import Diagnostic, InputError, all_of
from ..readers import CatalogRows
from .folder import CatalogDraft, read_draft, read_head
from .known import ALL_IDS, Known
from .overlaps import ambiguous, as_required, united
from .tables import NO_FACTS, CatalogTables, tables_at


class CatalogFolder(Protocol):
    """Where a catalog lies and which plugin it came with."""

    @property
    def folder(self) -> Path: ...
    @property
    def distribution(self) -> str: ...


MOST_KEPT = 200_000
"""Offers, facilities and prices of the catalogs that are kept for other cases, at a few kB each."""


@dataclass(slots=True)
class _Head:
    place: CatalogFolder
    tables: CatalogTables
    keys: dict[str, Any]
    sure: bool
    wanted: bool
    requires: tuple[str, ...] = field(default=())


class Once:
    """Catalogs without a mistake, each read once for all cases that name its folder."""

    def __init__(self) -> None:
        self._drafts: Recent[tuple[object, ...], tuple[CatalogDraft, Sequence[CatalogDraft]]] = Recent(MOST_KEPT)

    def draft(
        self, head: _Head, required: Sequence[CatalogDraft], known: Known, found: list[Diagnostic]
    ) -> CatalogDraft:
        """One, after those that it requires, whose ids are `known`."""
        place = _tables_of(head.place)
        if not isinstance(place, Path):
            return _read(head, known, found)
        columns = getattr(head.place, "columns", NO_FACTS)
        key = (place.resolve(), head.place.distribution, columns, head.sure, *map(id, required))
        kept = self._drafts.get(key)
        if kept is not None:
            return kept[0]
        wrong = len(found)
        draft = _read(head, known, found)
        if len(found) == wrong:
            catalog = draft.catalog
            rows = len(catalog.offers) + len(catalog.facilities) + len(catalog.prices)
            self._drafts.keep(key, (draft, required), rows)  # while they are held, nothing else has their identity
        return draft


@uncollected()
def read_catalogs(
    wanted: Sequence[CatalogFolder],
    find: Callable[[str], CatalogFolder] | None = None,
    overlaps: Sequence[Overlap] = (),
    ids: Known | None = None,
    once: Once | None = None,
) -> tuple[Catalog, ...]:
    """The catalogs that a case names and those they require, by name, as they were read: see `united` for what becomes of overlaps.

    A catalog that is only required contributes materials, prices, rates, factors and sources, not facilities, offers and their
    price schedules and terms of trade.

    Args:
        wanted: the catalogs that a case names.
        find: says where a required catalog lies, by name; it raises an error of its own for an unknown one.
        overlaps: facilities that are not taken for a clash, since the case says which of their records counts.
        ids: takes the ids that the catalogs define, whatever else is wrong with them; until then there may be any.
        once: those that were read for other cases.

    Raises:
        InputError: with every mistake of every file of every catalog, or with what two catalogs both define.
    """
    found: list[Diagnostic] = []
    heads = _read_heads(wanted, find, found)
    drafts = _drafts(heads, found, once or Once())
    if ids is not None:
        ids.unsure -= ALL_IDS
        for draft in drafts.values():
            ids.merge(draft.known)
    if found:
        raise all_of(found)
    used = {name for name, head in heads.items() if head.wanted}
    catalogs = [drafts[name].catalog for name in sorted(drafts)]
    found += [*_missing_facilities(catalogs, used), *clashes(united(catalogs, overlaps), used)]
    if found:
        raise all_of(found)
    counting = tuple(c if c.name in used else as_required(c) for c in catalogs)
    found += ambiguous(counting)
    if found:
        raise all_of(found)
    return counting


def _drafts(heads: dict[str, _Head], found: list[Diagnostic], once: Once) -> dict[str, CatalogDraft]:
    """Every catalog as far as it can be read."""
    drafts: dict[str, CatalogDraft] = {}
    for name in _ordered(heads, found):
        head = heads[name]
        required = [drafts[one] for one in head.requires if one in drafts]
        known = Known()
        for draft in required:
            known.merge(draft.known)
        if not head.sure or not drafts.keys() >= set(head.requires):
            known.unsure |= ALL_IDS
        drafts[name] = once.draft(head, required, known, found)
    return drafts


def _read(head: _Head, known: Known, found: list[Diagnostic]) -> CatalogDraft:
    return read_draft(head.tables, head.keys, head.place.distribution, known, found)


def _read_heads(
    wanted: Sequence[CatalogFolder], find: Callable[[str], CatalogFolder] | None, found: list[Diagnostic]
) -> dict[str, _Head]:
    heads: dict[str, _Head] = {}
    for place in wanted:
        _add_head(heads, place, found, wanted=True)
    waiting = [name for head in heads.values() for name in head.requires]
    while waiting:
        name = waiting.pop(0)
        if name in heads:
            continue
        head = None
        if find is not None:
            try:
                head = _add_head(heads, find(name), found, wanted=False)
            except InputError as error:
                found.extend(error.problems)
                continue
        if head is None and name not in heads:
            needing = next(h for h in heads.values() if name in h.requires)
            found.append(
                Diagnostic(
                    "a required catalog is not to be found",
                    file=needing.tables.head_file,
                    column="requires",
                    found=f"`{name}`",
                    fix=f"install the plugin that brings `{name}`, or name its folder in the case's [use] catalogs",
                )
            )
        elif head is not None:
            waiting.extend(head.requires)
    return heads


def _add_head(heads: dict[str, _Head], place: CatalogFolder, found: list[Diagnostic], *, wanted: bool) -> _Head | None:
    """Reads one head; None if a catalog of its name is already there."""
    tables = tables_at(_tables_of(place), found, getattr(place, "columns", NO_FACTS))
    head = read_head(tables, found)
    keys = head.keys
    name = keys.get("name", place.folder.name)
    other = heads.get(name)
    if other is None:
        heads[name] = _Head(place, tables, keys, head.sure, wanted, keys.get("requires", ()))
        return heads[name]
    if _home(other.place) != _home(place):
        found.append(
            Diagnostic(
                f"two catalogs are called `{name}`",
                file=tables.head_file,
                column="name",
                found=f"{_origin(place)} and {_origin(other.place)}",
                expected="one catalog of each name",
                fix="rename one, or use only one of the two",
            )
        )
    return None


def _tables_of(place: CatalogFolder) -> Path | CatalogRows:
    """Where its tables are: what a reader read lies in no folder."""
    found: Path | CatalogRows = getattr(place, "place", place.folder)
    return found


def _home(place: CatalogFolder) -> object:
    tables = _tables_of(place)
    return tables.resolve() if isinstance(tables, Path) else tables


def _origin(place: CatalogFolder) -> str:
    tables = _tables_of(place)
    where = str(tables if isinstance(tables, Path) else tables.file)
    return f"{where} ({place.distribution})" if place.distribution else where


def _ordered(heads: dict[str, _Head], found: list[Diagnostic]) -> list[str]:
    """Names such that each comes after all that it requires; what goes round in a circle is reported and comes last."""
    done: list[str] = []
    left = sorted(heads)
    while left:
        ready = [n for n in left if all(r in done or r not in heads for r in heads[n].requires)]
        if not ready:
            found.append(
                Diagnostic(
                    "catalogs require one another in a circle",
                    file=heads[left[0]].tables.head_file,
                    column="requires",
                    found=", ".join(left),
                    fix="move what both need into a third catalog",
                )
            )
            ready = left
        done += ready
        left = [n for n in left if n not in ready]
    return done


def _missing_facilities(catalogs: Iterable[Catalog], used: set[str]) -> list[Diagnostic]:
    """Offers whose facility is in a catalog that the case does not name."""
    homes = {f.id: c.name for c in catalogs for f in c.facilities}
    return [
        Diagnostic(
            f"offer `{offer.id}` comes from a facility of catalog `{homes[offer.facility]}`, which the case does not use",
            file=f"catalog {catalog.name}",
            column="offers",
            found=f"`{offer.facility}`",
            fix=f'add "{homes[offer.facility]}" to the case\'s [use] catalogs',
        )
        for catalog in catalogs
        if catalog.name in used
        for offer in catalog.offers
        if homes[offer.facility] not in used
    ]


def clashes(catalogs: Sequence[Catalog], used: set[str] | None = None) -> list[Diagnostic]:
    """What two catalogs define both, or differently; `used` names those whose facilities and offers count, None: all."""
    found: list[Diagnostic] = []
    seen: dict[tuple[str, object], tuple[Catalog, object]] = {}
    for catalog in catalogs if len(catalogs) > 1 else ():
        counts = used is None or catalog.name in used
        own: dict[tuple[str, object], object] = {}
        for material in catalog.materials:
            own["material", material.id] = material.but(source="", content=None)
        for factor in catalog.factors:
            own["factor", f"{factor.element} in {factor.compound}"] = factor.kg_per_kg
        for rate in catalog.rates:
            own["rate", f"{rate.currency} to {rate.to} from {rate.start}"] = rate.rate
        for price in catalog.prices:
            own["benchmark", price.id] = catalog.name
        for facility in catalog.facilities if counts else ():
            own["facility", facility.id] = catalog.name
            if facility.place:
                own["site", facility.place] = facility.country
        for offer in catalog.offers if counts else ():
            own["offer", offer.id] = catalog.name
        for key, value in own.items():
            other = seen.setdefault(key, (catalog, value))
            if other[1] != value:
                found.append(_clash(key, other[0], catalog))
    return found


def _clash(key: tuple[str, object], first: Catalog, second: Catalog) -> Diagnostic:
    noun, name = key
    both = " and ".join(f"`{c.name}` ({c.distribution or 'beside the case'})" for c in (first, second))
    same = noun in ("material", "factor", "rate", "site")
    return Diagnostic(
        f"{noun} `{name}` is defined by two catalogs" + (", and differently" if same else ""),
        file=f"catalog {second.name}",
        column=noun,
        found=both,
        expected="one definition" + (", or the same one in both" if same else ""),
        fix="rename it in one catalog, or use only one of the two"
        + (", or say in the case's [[overlap]] which one to keep" if noun == "facility" else ""),
    )
