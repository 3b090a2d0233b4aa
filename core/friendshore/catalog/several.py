"""Several catalogs together: ordering by dependence, merging of facilities as the case says, and clashes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ..domain.case import Overlap
from ..domain.facts import Catalog, Facility
from ..domain.runtime import SizeLimitedCache, without_gc
from ..domain.suggest import did_you_mean
from ..domain.terms import PriceSchedule, Terms
from ..errors import Diagnostic, InputError, all_of
from ..readers import CatalogRows
from .folder import CatalogDraft, read_draft, read_head
from .known import ALL_IDS, KnownIds, circle
from .tables import NO_FACTS, CatalogTables, tables_at

B = TypeVar("B", Terms, PriceSchedule)


@dataclass(frozen=True, slots=True)
class Twins:
    """Two facilities of different catalogs that look alike."""

    first: Facility
    first_catalog: str
    second: Facility
    second_catalog: str
    why: str
    """Common feature."""

    @property
    def names(self) -> tuple[str, str]:
        """Return `catalog:facility` of both."""
        return f"{self.first_catalog}:{self.first.id}", f"{self.second_catalog}:{self.second.id}"


def twins(catalogs: Sequence[Catalog], overlaps: Sequence[Overlap] = ()) -> list[Twins]:
    """Return facilities of different catalogs that look alike: in one country, with the same name, or with the same company and a common material.

    Facilities that the case calls distinct are left out.
    """
    seen: dict[tuple[str, ...], list[tuple[str, Facility]]] = {}
    found: dict[tuple[str, str], Twins] = {}
    settled = [frozenset(overlap.facilities) for overlap in overlaps]
    for catalog in sorted(catalogs, key=lambda c: c.name) if len(catalogs) > 1 else ():
        sold: dict[str, set[str]] = {}
        for offer in catalog.offers:
            sold.setdefault(offer.facility, set()).update(line.material for line in offer.outputs)
        for facility in catalog.facilities:
            for mark, why in _marks(facility, sold.get(facility.id, ())):
                for name, other in seen.setdefault(mark, []):
                    pair = Twins(other, name, facility, catalog.name, why)
                    told = any(both.issuperset(pair.names) for both in settled)
                    if name != catalog.name and not told:
                        found.setdefault(pair.names, pair)
                seen[mark].append((catalog.name, facility))
    return list(found.values())


def _marks(facility: Facility, sold: Iterable[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the features that equal facilities would share, with words for messages."""
    name = _plain(facility.name)
    if name:
        yield ("name", facility.country, name), f"both are called {facility.name}, in {facility.country}"
    for company in dict.fromkeys(filter(None, (_plain(facility.supplier), _plain(facility.parent)))):
        for material in sorted(sold):
            why = f"both sell {material} of the same company in {facility.country}"
            yield ("company", facility.country, company, material), why


def _plain(name: str) -> str:
    """Return a name without case, blanks, and punctuation."""
    return re.sub(r"[\W_]+", "", name.casefold())


def united(catalogs: Sequence[Catalog], overlaps: Sequence[Overlap]) -> tuple[Catalog, ...]:
    """Return the catalogs with one record for each group of facilities that the case merges. Idempotent."""
    into = {name: overlap for overlap in overlaps for name in overlap.dropped}
    return tuple(_united(catalog, into) for catalog in catalogs) if into else tuple(catalogs)


def _united(catalog: Catalog, into: Mapping[str, Overlap]) -> Catalog:
    own = {facility.id for facility in catalog.facilities}

    def meant(facility: str) -> Overlap | None:
        """Return the overlap that contains a facility of this catalog, or of one that it requires."""
        homes = (catalog.name,) if facility in own else (catalog.name, *catalog.requires)
        return next((into[name] for home in homes if (name := f"{home}:{facility}") in into), None)

    def kept(facility: str) -> str:
        overlap = meant(facility)
        return overlap.keep.partition(":")[2] if overlap else facility

    def stays(facility: str) -> bool:
        overlap = meant(facility)
        return overlap is None or overlap.offers == "all"

    gone = {offer.id for offer in catalog.offers if not stays(offer.facility)}

    def bearing(items: tuple[B, ...]) -> tuple[B, ...]:
        return tuple(
            item.but(id=kept(item.id)) if item.of == "facility" else item
            for item in items
            if not (item.of == "offer" and item.id in gone) and not (item.of == "facility" and not stays(item.id))
        )

    return catalog.but(
        facilities=tuple(
            facility.but(within=kept(facility.within))
            for facility in catalog.facilities
            if f"{catalog.name}:{facility.id}" not in into
        ),
        offers=tuple(offer.but(facility=kept(offer.facility)) for offer in catalog.offers if offer.id not in gone),
        schedules=bearing(catalog.schedules),
        terms=bearing(catalog.terms),
    )


def misfits(catalogs: Sequence[Catalog], overlaps: Sequence[Overlap]) -> list[Diagnostic]:
    """Return the reasons why facilities that a case merges can't be the same: missing, in different places, with different bases, or with terms of
    trade for a company that would no longer apply.
    """
    if not overlaps:
        return []
    records = _records(catalogs)
    found: list[Diagnostic] = []
    for overlap in overlaps:
        unknown = [name for name in overlap.facilities if name not in records]
        found += [_unknown(name, records, catalogs) for name in unknown]
        if unknown or not overlap.keep:
            continue
        kept = records[overlap.keep]
        for name in overlap.dropped:
            found += _differences(overlap, kept, records[name], name, catalogs)
    return found or _circles(united(catalogs, overlaps))


def _circles(catalogs: Sequence[Catalog]) -> list[Diagnostic]:
    """Return errors for facilities that merging puts within themselves."""
    within = {f.id: f.within for c in catalogs for f in c.facilities}
    rounds = filter(None, (circle(name, inside, within) for name, inside in sorted(within.items())))
    fix = "call the two distinct: one is a part of the other"
    return [_problem(f"`{r[0]}` would lie within itself", " in ".join(r), "no circle", fix) for r in rounds]


def _unknown(name: str, records: Mapping[str, Facility], catalogs: Sequence[Catalog]) -> Diagnostic:
    fix = did_you_mean(name, records)
    if name.partition(":")[0] not in {catalog.name for catalog in catalogs}:
        fix = fix or f"add `{name.partition(':')[0]}` to [use] catalogs"
    return _problem(f"there is no facility `{name}`", name, "a facility of a catalog of the case", fix)


def _problem(message: str, found: str, expected: str, fix: str) -> Diagnostic:
    return Diagnostic(message, column="overlap.facilities", found=found, expected=expected, fix=fix)


def _differences(
    overlap: Overlap, kept: Facility, dropped: Facility, name: str, catalogs: Sequence[Catalog]
) -> Iterator[Diagnostic]:
    if kept.country != dropped.country:
        yield _problem(
            f"`{name}` and `{overlap.keep}` cannot be one facility: they lie in different countries",
            f"{dropped.country} and {kept.country}",
            "one country",
            "call them distinct, or have the catalog that is wrong mended: origin and export controls turn on it",
        )
    if overlap.offers == "kept":
        return
    ours, theirs = _bases(overlap.keep, catalogs), _bases(name, catalogs)
    if ours and not theirs <= ours:
        yield _problem(
            f"offers of `{name}` count kilograms of other things than the capacity of `{overlap.keep}`",
            ", ".join(sorted(theirs)),
            ", ".join(sorted(ours)),
            'keep the offers of one: `offers = "kept"`',
        )
    for catalog in catalogs:
        for bearing in (*catalog.schedules, *catalog.terms):
            if bearing.of == "supplier" and bearing.id == dropped.supplier != kept.supplier:
                yield _problem(
                    f"terms or prices of {bearing.name} in catalog `{catalog.name}` would no longer bear on the offers of `{name}`",
                    f"`{kept.supplier}`, which sells from `{overlap.keep}`",
                    f"`{dropped.supplier}`",
                    f'keep `{name}`, or the offers of one: `offers = "kept"`',
                )


def _bases(name: str, catalogs: Sequence[Catalog]) -> set[str]:
    """Return the bases of a facility's outputs."""
    home, _, facility = name.partition(":")
    basis = {m.id: m.basis if m.basis != "gross" else m.id for c in catalogs for m in c.materials}
    offers = [o for c in catalogs if c.name == home for o in c.offers if o.facility == facility]
    return {basis[line.material] for offer in offers for line in offer.outputs}


def overridden(catalogs: Sequence[Catalog], overlaps: Sequence[Overlap]) -> list[Diagnostic]:
    """Return notes on figures of merged facilities that don't count because another record is kept."""
    pairs = [(overlap.keep, name) for overlap in overlaps for name in overlap.dropped]
    records = _records(catalogs) if pairs else {}
    return [
        Diagnostic(
            f"`{field}` of `{dropped}` does not count: the case keeps `{kept}`",
            column="overlap.keep",
            found=_shown(theirs),
            expected=_shown(ours) or "nothing",
        )
        for kept, dropped in pairs
        for field in ("operator", "parent", "place", "within", "capacity")
        for ours, theirs in [(getattr(records[kept], field), getattr(records[dropped], field))]
        if theirs and theirs != ours
    ]


def _records(catalogs: Sequence[Catalog]) -> dict[str, Facility]:
    """Return facilities by `catalog:facility`."""
    return {f"{c.name}:{f.id}": f for c in catalogs for f in c.facilities}


def _shown(value: object) -> str:
    if not isinstance(value, tuple):
        return str(value)
    rate = [
        f"{'unlimited' if s.per_year is None else f'{s.per_year:,f} kg/year'} from {s.start or 'ever'}" for s in value
    ]
    return "; ".join(rate)


def as_required(catalog: Catalog) -> Catalog:
    """Return the part of a catalog that counts if only other catalogs require it: no facilities or offers, and nothing about them."""
    kept = tuple(alias for alias in catalog.aliases if alias.of in ("material", "benchmark"))
    return catalog.but(facilities=(), offers=(), schedules=(), terms=(), aliases=kept)


def ambiguous(catalogs: Sequence[Catalog]) -> Iterator[Diagnostic]:
    """Yield ids that one catalog renames or retires and another uses or renames differently."""
    used = {
        key: catalog.name
        for catalog in catalogs
        for of, records in (
            ("offer", catalog.offers),
            ("facility", catalog.facilities),
            ("material", catalog.materials),
            ("benchmark", catalog.prices),
        )
        for key in ((of, record.id) for record in records)
    }
    said: dict[tuple[str, str], tuple[str, str]] = {}
    for catalog in catalogs:
        for alias in catalog.aliases:
            key = (alias.of, alias.old)
            other, new = said.setdefault(key, (catalog.name, alias.new))
            message = ""
            if key in used:
                message = f"{alias.of} `{alias.old}` is renamed or retired by one catalog, and catalog `{used[key]}` has one of that id"
            elif new != alias.new:
                message = f"{alias.of} `{alias.old}` became `{new or 'nothing'}` by catalog `{other}`, and `{alias.new or 'nothing'}` by this"
            if message:
                fix = "rename it in one catalog, or use only one of the two"
                yield Diagnostic(
                    message, f"catalog {catalog.name}", None, "aliases", f"`{alias.old}`", "one meaning", fix
                )


class CatalogFolder(Protocol):
    """Location of a catalog, and its plugin."""

    @property
    def folder(self) -> Path: ...
    @property
    def distribution(self) -> str: ...


MOST_KEPT = 200_000
"""Maximum number of offers, facilities, and prices in the cache, at a few kB each."""


@dataclass(slots=True)
class _Head:
    place: CatalogFolder
    tables: CatalogTables
    keys: dict[str, Any]
    sure: bool
    wanted: bool
    requires: tuple[str, ...] = field(default=())


class Once:
    """Cache of valid catalogs by folder, for several cases."""

    def __init__(self) -> None:
        self._drafts: SizeLimitedCache[tuple[object, ...], tuple[CatalogDraft, Sequence[CatalogDraft]]] = (
            SizeLimitedCache(MOST_KEPT)
        )

    def draft(
        self, head: _Head, required: Sequence[CatalogDraft], known: KnownIds, found: list[Diagnostic]
    ) -> CatalogDraft:
        """Return a catalog, read after those that it requires, with their ids `known`."""
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


@without_gc()
def read_catalogs(
    wanted: Sequence[CatalogFolder],
    find: Callable[[str], CatalogFolder] | None = None,
    overlaps: Sequence[Overlap] = (),
    ids: KnownIds | None = None,
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
    """Return every catalog as far as it can be read."""
    drafts: dict[str, CatalogDraft] = {}
    for name in _ordered(heads, found):
        head = heads[name]
        required = [drafts[one] for one in head.requires if one in drafts]
        known = KnownIds()
        for draft in required:
            known.merge(draft.known)
        if not head.sure or not drafts.keys() >= set(head.requires):
            known.unsure |= ALL_IDS
        drafts[name] = once.draft(head, required, known, found)
    return drafts


def _read(head: _Head, known: KnownIds, found: list[Diagnostic]) -> CatalogDraft:
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
    """Read a head. None if a catalog with its name is known already."""
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
    """Return the location of its tables: a path, or tables of a reader."""
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
    """Return the names in an order in which required catalogs come first. Circles are reported and come last."""
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
    """Return errors for offers whose facility is in a catalog that the case doesn't name."""
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
    """Return an error for each thing that two catalogs define both, or differently. `used`: catalogs whose facilities and offers count. None: all."""
    return [clash_error(clash) for clash in clashing(catalogs, used)]


@dataclass(frozen=True, slots=True)
class Clash:
    """A thing that two catalogs define both, or differently."""

    noun: str
    name: str
    first: Catalog
    second: Catalog


def clashing(catalogs: Sequence[Catalog], used: set[str] | None = None) -> list[Clash]:
    """Return the same as records."""
    found: list[Clash] = []
    seen: dict[tuple[str, str], tuple[Catalog, object]] = {}
    for catalog in catalogs if len(catalogs) > 1 else ():
        counts = used is None or catalog.name in used
        own: dict[tuple[str, str], object] = {}
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
                found.append(Clash(*key, other[0], catalog))
    return found


def clash_error(clash: Clash) -> Diagnostic:
    """Return a clash as an error."""
    noun = clash.noun
    both = " and ".join(f"`{c.name}` ({c.distribution or 'beside the case'})" for c in (clash.first, clash.second))
    same = noun in ("material", "factor", "rate", "site")
    return Diagnostic(
        f"{noun} `{clash.name}` is defined by two catalogs" + (", and differently" if same else ""),
        file=f"catalog {clash.second.name}",
        column=noun,
        found=both,
        expected="one definition" + (", or the same one in both" if same else ""),
        fix="rename it in one catalog, or use only one of the two"
        + (", or say in the case's [[overlap]] which one to keep" if noun == "facility" else ""),
    )
