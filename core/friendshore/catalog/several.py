"""Several catalogs together: order of reading, clashes, and facilities that the case merges."""

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
from .known import ALL_IDS, KnownIds, nesting_cycle
from .tables import NO_FACTS, CatalogTables, tables_at

B = TypeVar("B", Terms, PriceSchedule)


@dataclass(frozen=True, slots=True)
class LikelyDuplicates:
    """Two facilities of different catalogs that are probably the same."""

    first: Facility
    first_catalog: str
    second: Facility
    second_catalog: str
    why: str

    @property
    def names(self) -> tuple[str, str]:
        return f"{self.first_catalog}:{self.first.id}", f"{self.second_catalog}:{self.second.id}"


def likely_duplicates(catalogs: Sequence[Catalog], overlaps: Sequence[Overlap] = ()) -> list[LikelyDuplicates]:
    """Return undeclared pairs of facilities in one country that share a name, or a company and a material."""
    seen: dict[tuple[str, ...], list[tuple[str, Facility]]] = {}
    pairs: dict[tuple[str, str], LikelyDuplicates] = {}
    declared = [frozenset(overlap.facilities) for overlap in overlaps]
    for catalog in sorted(catalogs, key=lambda c: c.name) if len(catalogs) > 1 else ():
        sold: dict[str, set[str]] = {}
        for offer in catalog.offers:
            sold.setdefault(offer.facility, set()).update(line.material for line in offer.outputs)
        for facility in catalog.facilities:
            for feature, why in _features(facility, sold.get(facility.id, ())):
                for name, other in seen.setdefault(feature, []):
                    pair = LikelyDuplicates(other, name, facility, catalog.name, why)
                    is_declared = any(names.issuperset(pair.names) for names in declared)
                    if name != catalog.name and not is_declared:
                        pairs.setdefault(pair.names, pair)
                seen[feature].append((catalog.name, facility))
    return list(pairs.values())


def _features(facility: Facility, sold: Iterable[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    name = _plain(facility.name)
    if name:
        yield ("name", facility.country, name), f"both are called {facility.name}, in {facility.country}"
    for company in dict.fromkeys(filter(None, (_plain(facility.supplier), _plain(facility.parent)))):
        for material in sorted(sold):
            why = f"both sell {material} of the same company in {facility.country}"
            yield ("company", facility.country, company, material), why


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def merge_facilities(catalogs: Sequence[Catalog], overlaps: Sequence[Overlap]) -> tuple[Catalog, ...]:
    """Return the catalogs with one record for each group of facilities that the case merges. Idempotent."""
    overlap_by_dropped = {name: overlap for overlap in overlaps for name in overlap.dropped}
    return (
        tuple(_merged_catalog(catalog, overlap_by_dropped) for catalog in catalogs)
        if overlap_by_dropped
        else tuple(catalogs)
    )


def _merged_catalog(catalog: Catalog, overlap_by_dropped: Mapping[str, Overlap]) -> Catalog:
    own = {facility.id for facility in catalog.facilities}

    def overlap_of(facility: str) -> Overlap | None:
        """Return the overlap that drops a facility of this catalog, or of one that it requires."""
        homes = (catalog.name,) if facility in own else (catalog.name, *catalog.requires)
        names = (f"{home}:{facility}" for home in homes)
        return next((overlap_by_dropped[name] for name in names if name in overlap_by_dropped), None)

    def kept_id(facility: str) -> str:
        overlap = overlap_of(facility)
        return overlap.keep.partition(":")[2] if overlap else facility

    def keeps_offers(facility: str) -> bool:
        overlap = overlap_of(facility)
        return overlap is None or overlap.offers == "all"

    dropped_offers = {offer.id for offer in catalog.offers if not keeps_offers(offer.facility)}

    def kept_records(records: tuple[B, ...]) -> tuple[B, ...]:
        return tuple(
            record.but(id=kept_id(record.id)) if record.of == "facility" else record
            for record in records
            if not (record.of == "offer" and record.id in dropped_offers)
            and not (record.of == "facility" and not keeps_offers(record.id))
        )

    return catalog.but(
        facilities=tuple(
            facility.but(within=kept_id(facility.within))
            for facility in catalog.facilities
            if f"{catalog.name}:{facility.id}" not in overlap_by_dropped
        ),
        offers=tuple(
            offer.but(facility=kept_id(offer.facility)) for offer in catalog.offers if offer.id not in dropped_offers
        ),
        schedules=kept_records(catalog.schedules),
        terms=kept_records(catalog.terms),
    )


def overlap_problems(catalogs: Sequence[Catalog], overlaps: Sequence[Overlap]) -> list[Diagnostic]:
    if not overlaps:
        return []
    records = _records(catalogs)
    problems: list[Diagnostic] = []
    for overlap in overlaps:
        unknown = [name for name in overlap.facilities if name not in records]
        problems += [_unknown(name, records, catalogs) for name in unknown]
        if unknown or not overlap.keep:
            continue
        kept = records[overlap.keep]
        for name in overlap.dropped:
            problems += _differences(overlap, kept, records[name], name, catalogs)
    return problems or _cycle_problems(merge_facilities(catalogs, overlaps))


def _cycle_problems(catalogs: Sequence[Catalog]) -> list[Diagnostic]:
    within = {f.id: f.within for c in catalogs for f in c.facilities}
    circles = filter(None, (nesting_cycle(name, outer, within) for name, outer in sorted(within.items())))
    fix = "declare the facilities distinct, because one is a part of the other: `distinct = true`"
    return [
        _problem(f"merging would put `{names[0]}` within itself", " in ".join(names), "no circle", fix)
        for names in circles
    ]


def _unknown(name: str, records: Mapping[str, Facility], catalogs: Sequence[Catalog]) -> Diagnostic:
    fix = did_you_mean(name, records)
    if name.partition(":")[0] not in {catalog.name for catalog in catalogs}:
        fix = fix or f"add `{name.partition(':')[0]}` to [use] catalogs"
    return _problem(f"no facility `{name}`", name, "a facility of a catalog of the case", fix, "FS102")


def _problem(message: str, found: str, expected: str, fix: str, code: str = "FS123") -> Diagnostic:
    return Diagnostic(message, column="overlap.facilities", found=found, expected=expected, fix=fix, code=code)


def _differences(
    overlap: Overlap, kept: Facility, dropped: Facility, name: str, catalogs: Sequence[Catalog]
) -> Iterator[Diagnostic]:
    if kept.country != dropped.country:
        yield _problem(
            f"`{name}` and `{overlap.keep}` can't be one facility, because they are in different countries",
            f"{dropped.country} and {kept.country}",
            "one country, because origin and export controls depend on it",
            "declare them distinct with `distinct = true`, or correct the country in one catalog",
        )
    if overlap.offers == "kept":
        return
    ours, theirs = _bases(overlap.keep, catalogs), _bases(name, catalogs)
    if ours and not theirs <= ours:
        yield _problem(
            f"offers of `{name}` have a different basis from the capacity of `{overlap.keep}`",
            ", ".join(sorted(theirs)),
            ", ".join(sorted(ours)),
            'keep only the offers of one facility with `offers = "kept"`',
        )
    for catalog in catalogs:
        for record in (*catalog.schedules, *catalog.terms):
            if record.of == "supplier" and record.id == dropped.supplier != kept.supplier:
                yield _problem(
                    f"terms or prices of {record.name} in catalog `{catalog.name}` would no longer apply to offers of `{name}`",
                    f"`{kept.supplier}`, which sells from `{overlap.keep}`",
                    f"`{dropped.supplier}`",
                    f'keep `{name}`, or only the offers of one facility with `offers = "kept"`',
                )


def _bases(name: str, catalogs: Sequence[Catalog]) -> set[str]:
    home, _, facility = name.partition(":")
    basis = {m.id: m.basis if m.basis != "gross" else m.id for c in catalogs for m in c.materials}
    offers = [o for c in catalogs if c.name == home for o in c.offers if o.facility == facility]
    return {basis[line.material] for offer in offers for line in offer.outputs}


def ignored_figures(catalogs: Sequence[Catalog], overlaps: Sequence[Overlap]) -> list[Diagnostic]:
    """Return notes on figures of merged facilities that are ignored because another record is kept."""
    pairs = [(overlap.keep, name) for overlap in overlaps for name in overlap.dropped]
    records = _records(catalogs) if pairs else {}
    return [
        Diagnostic(
            f"`{field}` of `{dropped}` is ignored, because the case keeps `{kept}`",
            column="overlap.keep",
            found=_shown(theirs),
            expected=_shown(ours) or "nothing",
            code="FS124",
        )
        for kept, dropped in pairs
        for field in ("operator", "parent", "place", "within", "capacity", "owners")
        for ours, theirs in [(getattr(records[kept], field), getattr(records[dropped], field))]
        if theirs and theirs != ours
    ]


def _records(catalogs: Sequence[Catalog]) -> dict[str, Facility]:
    return {f"{c.name}:{f.id}": f for c in catalogs for f in c.facilities}


def _shown(value: object) -> str:
    if not isinstance(value, tuple):
        return str(value)
    return "; ".join(
        ("unlimited" if step.per_year is None else f"{step.per_year:,f} kg/year")
        + (f" from {step.start}" if step.start else "")
        for step in value
    )


def required_part(catalog: Catalog) -> Catalog:
    """Return the part of a catalog that is used if only other catalogs require it: nothing about facilities and offers."""
    aliases = tuple(alias for alias in catalog.aliases if alias.of in ("material", "benchmark"))
    return catalog.but(facilities=(), offers=(), schedules=(), terms=(), aliases=aliases)


def ambiguous(catalogs: Sequence[Catalog]) -> Iterator[Diagnostic]:
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
    targets: dict[tuple[str, str], tuple[str, str]] = {}
    for catalog in catalogs:
        for alias in catalog.aliases:
            key = (alias.of, alias.old)
            other, target = targets.setdefault(key, (catalog.name, alias.new))
            message = ""
            if key in used:
                message = f"this catalog renames or retires {alias.of} `{alias.old}`, but catalog `{used[key]}` still uses that id"
            elif target != alias.new:
                theirs, own = (f"renames it to `{new}`" if new else "retires it" for new in (target, alias.new))
                message = (
                    f"{alias.of} `{alias.old}` is ambiguous, because catalog `{other}` {theirs} and this one {own}"
                )
            if message:
                fix = "rename it in one catalog, or use only one of the two"
                place = f"catalog {catalog.name}"
                yield Diagnostic(message, place, None, "aliases", f"`{alias.old}`", "one meaning", fix, "FS109")


class CatalogFolder(Protocol):
    """Location of a catalog, and its plugin."""

    @property
    def folder(self) -> Path: ...
    @property
    def distribution(self) -> str: ...


MAX_CACHED_RECORDS = 200_000
"""Maximum number of offers, facilities, and prices in the cache, at a few kB each."""


@dataclass(slots=True)
class _Head:
    place: CatalogFolder
    tables: CatalogTables
    keys: dict[str, Any]
    is_complete: bool
    is_named: bool
    """True if the case names the catalog, and not only other catalogs."""
    requires: tuple[str, ...] = field(default=())


class CatalogCache:
    """Cache of valid catalogs by folder, for several cases."""

    def __init__(self) -> None:
        self._drafts: SizeLimitedCache[tuple[object, ...], tuple[CatalogDraft, Sequence[CatalogDraft]]] = (
            SizeLimitedCache(MAX_CACHED_RECORDS)
        )

    def draft(
        self, head: _Head, required: Sequence[CatalogDraft], known: KnownIds, problems: list[Diagnostic]
    ) -> CatalogDraft:
        """Return a catalog. `known` are the ids of the catalogs that it requires."""
        place = _tables_of(head.place)
        if not isinstance(place, Path):
            return _read(head, known, problems)
        columns = getattr(head.place, "columns", NO_FACTS)
        key = (place.resolve(), head.place.distribution, columns, head.is_complete, *map(id, required))
        entry = self._drafts.get(key)
        if entry is not None:
            return entry[0]
        before = len(problems)
        draft = _read(head, known, problems)
        if len(problems) == before:
            catalog = draft.catalog
            records = len(catalog.offers) + len(catalog.facilities) + len(catalog.prices)
            # The key contains ids of `required`. They stay unique, because the entry keeps the objects alive.
            self._drafts.keep(key, (draft, required), records)
        return draft


@without_gc()
def read_catalogs(
    named: Sequence[CatalogFolder],
    find: Callable[[str], CatalogFolder] | None = None,
    overlaps: Sequence[Overlap] = (),
    ids: KnownIds | None = None,
    cache: CatalogCache | None = None,
) -> tuple[Catalog, ...]:
    """Return the catalogs that a case names and those that they require, sorted by name. `merge_facilities` merges their facilities.

    A catalog that is only required contributes materials, prices, rates, factors, and sources.

    Args:
        named: Catalogs that a case names.
        find: Function that returns a required catalog by name, or raises its own error.
        overlaps: Facilities that are no clash, because the case states which of their records counts.
        ids: Receives the ids that the catalogs define, even if they have errors.
        cache: Cache of catalogs that were read for other cases.

    Raises:
        InputError: With all problems of all catalogs, or with all clashes between them.
    """
    problems: list[Diagnostic] = []
    heads = _read_heads(named, find, problems)
    drafts = _read_drafts(heads, problems, cache or CatalogCache())
    if ids is not None:
        ids.unsure -= ALL_IDS
        for draft in drafts.values():
            ids.merge(draft.known)
    if problems:
        raise all_of(problems)
    used = {name for name, head in heads.items() if head.is_named}
    catalogs = [drafts[name].catalog for name in sorted(drafts)]
    problems += [*_missing_facilities(catalogs, used), *clashes(merge_facilities(catalogs, overlaps), used)]
    if problems:
        raise all_of(problems)
    used_parts = tuple(c if c.name in used else required_part(c) for c in catalogs)
    problems += ambiguous(used_parts)
    if problems:
        raise all_of(problems)
    return used_parts


def _read_drafts(heads: dict[str, _Head], problems: list[Diagnostic], cache: CatalogCache) -> dict[str, CatalogDraft]:
    drafts: dict[str, CatalogDraft] = {}
    for name in _sorted_by_dependence(heads, problems):
        head = heads[name]
        required = [drafts[required_name] for required_name in head.requires if required_name in drafts]
        known = KnownIds()
        for draft in required:
            known.merge(draft.known)
        if not head.is_complete or not drafts.keys() >= set(head.requires):
            known.unsure |= ALL_IDS
        drafts[name] = cache.draft(head, required, known, problems)
    return drafts


def _read(head: _Head, known: KnownIds, problems: list[Diagnostic]) -> CatalogDraft:
    return read_draft(head.tables, head.keys, head.place.distribution, known, problems)


def _read_heads(
    places: Sequence[CatalogFolder], find: Callable[[str], CatalogFolder] | None, problems: list[Diagnostic]
) -> dict[str, _Head]:
    heads: dict[str, _Head] = {}
    for place in places:
        _add_head(heads, place, problems, is_named=True)
    pending = [name for head in heads.values() for name in head.requires]
    while pending:
        name = pending.pop(0)
        if name in heads:
            continue
        head = None
        if find is not None:
            try:
                head = _add_head(heads, find(name), problems, is_named=False)
            except InputError as error:
                problems.extend(error.problems)
                continue
        if head is None and name not in heads:
            dependent = next(h for h in heads.values() if name in h.requires)
            problems.append(
                Diagnostic(
                    f"required catalog `{name}` is missing",
                    file=dependent.tables.head_file,
                    column="requires",
                    found=f"`{name}`",
                    fix=f"install the plugin that contains `{name}`, or name its folder in the case's [use] catalogs",
                    code="FS118",
                )
            )
        elif head is not None:
            pending.extend(head.requires)
    return heads


def _add_head(
    heads: dict[str, _Head], place: CatalogFolder, problems: list[Diagnostic], *, is_named: bool
) -> _Head | None:
    """Read and add a head. None if there already is a catalog with its name."""
    tables = tables_at(_tables_of(place), problems, getattr(place, "columns", NO_FACTS))
    head = read_head(tables, problems)
    keys = head.keys
    name = keys.get("name", place.folder.name)
    existing = heads.get(name)
    if existing is None:
        heads[name] = _Head(place, tables, keys, head.is_complete, is_named, keys.get("requires", ()))
        return heads[name]
    if _home(existing.place) != _home(place):
        problems.append(
            Diagnostic(
                f"two catalogs have the name `{name}`",
                file=tables.head_file,
                column="name",
                found=f"{_origin(place)} and {_origin(existing.place)}",
                expected="one catalog of each name",
                fix="rename one of them, or use only one",
                code="FS121",
            )
        )
    return None


def _tables_of(place: CatalogFolder) -> Path | CatalogRows:
    tables: Path | CatalogRows = getattr(place, "place", place.folder)
    return tables


def _home(place: CatalogFolder) -> object:
    tables = _tables_of(place)
    return tables.resolve() if isinstance(tables, Path) else tables


def _origin(place: CatalogFolder) -> str:
    tables = _tables_of(place)
    path = str(tables if isinstance(tables, Path) else tables.file)
    return f"{path} ({place.distribution})" if place.distribution else path


def _sorted_by_dependence(heads: dict[str, _Head], problems: list[Diagnostic]) -> list[str]:
    """Return the names in an order in which required catalogs come first. Circles are reported and come last."""
    ordered: list[str] = []
    pending = sorted(heads)
    while pending:
        ready = [n for n in pending if all(r in ordered or r not in heads for r in heads[n].requires)]
        if not ready:
            problems.append(
                Diagnostic(
                    "catalogs require one another in a circle",
                    file=heads[pending[0]].tables.head_file,
                    column="requires",
                    found=", ".join(pending),
                    fix="move the tables that they share into another catalog",
                    code="FS120",
                )
            )
            ready = pending
        ordered += ready
        pending = [n for n in pending if n not in ready]
    return ordered


def _missing_facilities(catalogs: Iterable[Catalog], used: set[str]) -> list[Diagnostic]:
    homes = {f.id: c.name for c in catalogs for f in c.facilities}
    return [
        Diagnostic(
            f"offer `{offer.id}` is from a facility of catalog `{homes[offer.facility]}`, which the case doesn't use",
            file=f"catalog {catalog.name}",
            column="offers",
            found=f"`{offer.facility}`",
            fix=f'add "{homes[offer.facility]}" to the case\'s [use] catalogs',
            code="FS119",
        )
        for catalog in catalogs
        if catalog.name in used
        for offer in catalog.offers
        if homes[offer.facility] not in used
    ]


def clashes(catalogs: Sequence[Catalog], used: set[str] | None = None) -> list[Diagnostic]:
    """Return an error for each clash. See `find_clashes`."""
    return [clash_error(clash) for clash in find_clashes(catalogs, used)]


@dataclass(frozen=True, slots=True)
class Clash:
    """An id that two catalogs both define, or define differently."""

    noun: str
    name: str
    first: Catalog
    second: Catalog


def find_clashes(catalogs: Sequence[Catalog], used: set[str] | None = None) -> list[Clash]:
    """Return the ids that two catalogs both define, or define differently. `used` names those with facilities and offers (None: all)."""
    all_clashes: list[Clash] = []
    seen: dict[tuple[str, str], tuple[Catalog, object]] = {}
    for catalog in catalogs if len(catalogs) > 1 else ():
        is_used = used is None or catalog.name in used
        own: dict[tuple[str, str], object] = {}
        for material in catalog.materials:
            own["material", material.id] = material.but(source="", content=None)
        for factor in catalog.factors:
            own["factor", f"{factor.element} in {factor.compound}"] = factor.kg_per_kg
        for rate in catalog.rates:
            own["rate", f"{rate.currency} to {rate.to} from {rate.start}"] = rate.rate
        for price in catalog.prices:
            own["benchmark", price.id] = catalog.name
        for facility in catalog.facilities if is_used else ():
            own["facility", facility.id] = catalog.name
            if facility.place:
                own["site", facility.place] = facility.country
        for offer in catalog.offers if is_used else ():
            own["offer", offer.id] = catalog.name
        for key, value in own.items():
            first, first_value = seen.setdefault(key, (catalog, value))
            if first_value != value:
                all_clashes.append(Clash(*key, first, catalog))
    return all_clashes


def clash_error(clash: Clash) -> Diagnostic:
    noun = clash.noun
    both = " and ".join(f"`{c.name}` ({c.distribution or 'beside the case'})" for c in (clash.first, clash.second))
    may_repeat = noun in ("material", "factor", "rate", "site")
    return Diagnostic(
        f"{noun} `{clash.name}` is defined by two catalogs" + (", and differently" if may_repeat else ""),
        file=f"catalog {clash.second.name}",
        column=noun,
        found=both,
        expected="one definition" + (", or the same one in both" if may_repeat else ""),
        fix="rename it in one catalog, or use only one of the catalogs"
        + (", or choose the one to keep in an [[overlap]] of the case" if noun == "facility" else ""),
        code="FS122",
    )
