"""What more than one catalog speaks of: facilities, made one where a case says how, and ids that one renames and another uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..domain.case import Overlap
from ..domain.facts import Catalog, Facility
from ..domain.suggest import did_you_mean
from ..domain.terms import Bearing, PriceSchedule, Terms
from ..errors import Diagnostic
from .known import circle

B = TypeVar("B", Terms, PriceSchedule)


@dataclass(frozen=True, slots=True)
class Twins:
    """Two facilities of different catalogs that look like one."""

    first: Facility
    first_catalog: str
    second: Facility
    second_catalog: str
    why: str
    """What they have in common."""

    @property
    def names(self) -> tuple[str, str]:
        """`catalog:facility` of both."""
        return f"{self.first_catalog}:{self.first.id}", f"{self.second_catalog}:{self.second.id}"


def twins(catalogs: Sequence[Catalog], overlaps: Sequence[Overlap] = ()) -> list[Twins]:
    """Facilities of different catalogs that look like one: in one country, of one name, or of one company and selling the same material.

    What a case calls distinct is left out.
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
    """What two facilities that are one would share, each with its words."""
    name = _plain(facility.name)
    if name:
        yield ("name", facility.country, name), f"both are called {facility.name}, in {facility.country}"
    for company in dict.fromkeys(filter(None, (_plain(facility.supplier), _plain(facility.parent)))):
        for material in sorted(sold):
            why = f"both sell {material} of the same company in {facility.country}"
            yield ("company", facility.country, company, material), why


def _plain(name: str) -> str:
    """A name without case, blanks and punctuation."""
    return re.sub(r"[\W_]+", "", name.casefold())


def united(catalogs: Sequence[Catalog], overlaps: Sequence[Overlap]) -> tuple[Catalog, ...]:
    """The catalogs with one record of each facility that the case says is one. Done twice, it changes nothing more."""
    into = {name: overlap for overlap in overlaps for name in overlap.dropped}
    return tuple(_united(catalog, into) for catalog in catalogs) if into else tuple(catalogs)


def _united(catalog: Catalog, into: Mapping[str, Overlap]) -> Catalog:
    own = {facility.id for facility in catalog.facilities}

    def meant(facility: str) -> Overlap | None:
        """What is said of the facility that this catalog calls so: its own, or that of a catalog it requires."""
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
    """Why facilities that a case calls one cannot be, in catalogs as they were read: they are not there, lie apart, count in other kilograms, or
    terms of trade that name their company would no longer bear on what they sell.
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
    """Facilities that lie within themselves once others have been made one."""
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
            if _would_lapse(bearing, kept, dropped):
                yield _problem(
                    f"terms or prices of {bearing.name} in catalog `{catalog.name}` would no longer bear on the offers of `{name}`",
                    f"`{kept.supplier}`, which sells from `{overlap.keep}`",
                    f"`{dropped.supplier}`",
                    f'keep `{name}`, or the offers of one: `offers = "kept"`',
                )


def _bases(name: str, catalogs: Sequence[Catalog]) -> set[str]:
    """What the kilograms of a facility's outputs are of."""
    home, _, facility = name.partition(":")
    basis = {m.id: m.basis if m.basis != "gross" else m.id for c in catalogs for m in c.materials}
    offers = [o for c in catalogs if c.name == home for o in c.offers if o.facility == facility]
    return {basis[line.material] for offer in offers for line in offer.outputs}


def _would_lapse(bearing: Bearing, kept: Facility, dropped: Facility) -> bool:
    return bearing.of == "supplier" and bearing.id == dropped.supplier != kept.supplier


def overridden(catalogs: Sequence[Catalog], overlaps: Sequence[Overlap]) -> list[Diagnostic]:
    """What catalogs say of facilities that a case calls one, and which does not count since another record is kept."""
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
    """Facilities by `catalog:facility`."""
    return {f"{c.name}:{f.id}": f for c in catalogs for f in c.facilities}


def _shown(value: object) -> str:
    if not isinstance(value, tuple):
        return str(value)
    rate = [
        f"{'unlimited' if s.per_year is None else f'{s.per_year:,f} kg/year'} from {s.start or 'ever'}" for s in value
    ]
    return "; ".join(rate)


def as_required(catalog: Catalog) -> Catalog:
    """What a catalog contributes that is only required by others: neither facilities nor offers, nor what is said of them."""
    kept = tuple(alias for alias in catalog.aliases if alias.of in ("material", "benchmark"))
    return catalog.but(facilities=(), offers=(), schedules=(), terms=(), aliases=kept)


def ambiguous(catalogs: Sequence[Catalog]) -> Iterator[Diagnostic]:
    """Ids that one catalog, as it counts, says were renamed or retired, and another uses, or says something else of."""
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
