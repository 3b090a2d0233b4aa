"""Who is behind the facilities of a case, suppliers, parents and owners, what these facilities are called, and who holds what of whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from friendshore.domain.case import Overlap
from friendshore.domain.facts import Catalog, Facility

from .names.normal import name
from .ownership import INDEPENDENT, Stake

ALL, NOTHING = Fraction(1), Fraction(0)


@dataclass(frozen=True, slots=True)
class Party:
    """A company, a person or a facility that is screened."""

    name: str
    roles: tuple[str, ...]
    """`supplier`, `parent`, `owner`, `facility`: each that it has. Lists name plants too."""
    facilities: tuple[str, ...]
    """Facilities that it runs itself, or that are called so, with what is within them."""
    behind: tuple[str, ...]
    """These, and those whose operator it owns, along any chain, whatever its share."""
    countries: tuple[str, ...] = ()
    """Where these lie."""


def facilities_of(catalogs: Iterable[Catalog], overlaps: Iterable[Overlap]) -> tuple[Facility, ...]:
    """The facilities of a case, each that names no operator with that of the plant, or the plant around it, which it is within: whoever runs a plant
    runs its lines.

    Of several records that the case calls one facility, all are there, under the name of the one that is kept: that a record does not count is no
    word of who runs the plant.

    Args:
        catalogs: as they were read.
        overlaps: what the case says of facilities that are one.
    """
    into = {name: one.keep.partition(":")[2] for one in overlaps for name in one.dropped}
    listed: dict[str, list[Facility]] = defaultdict(list)
    for catalog in catalogs:
        homes = (catalog.name, *catalog.requires)
        for facility in catalog.facilities:
            own = into.get(f"{catalog.name}:{facility.id}", facility.id)
            around = (into[name] for home in homes if (name := f"{home}:{facility.within}") in into)
            listed[own].append(facility.but(id=own, within=next(around, facility.within)))
    return tuple(
        facility.but(operator=runs.operator, parent=facility.parent or runs.parent)
        for own in sorted(listed)
        for facility in listed[own]
        for runs in _run_by(facility, listed)
    )


def _run_by(facility: Facility, listed: Mapping[str, Sequence[Facility]]) -> tuple[Facility, ...]:
    """Those of a facility and the plants around it that say who runs it, the nearest ones; it itself, if none does."""
    nearest: list[Facility] = [facility]
    seen = {facility.id}
    while nearest and not any(one.operator for one in nearest):
        around = {one.within for one in nearest} & listed.keys() - seen
        seen |= around
        nearest = [one for name in sorted(around) for one in listed[name]]
    return tuple(one for one in nearest if one.operator) or (facility,)


def plants(facilities: Iterable[Facility]) -> dict[str, set[str]]:
    """What facilities are called -> those that are called so, with all that is within them."""
    listed: dict[str, list[Facility]] = defaultdict(list)
    for facility in facilities:
        listed[facility.id].append(facility)
    found: dict[str, set[str]] = defaultdict(set)
    for own in listed:
        seen, waiting = {own}, [own]
        while waiting:
            for one in listed[waiting.pop()]:
                if one.name:
                    found[one.name].add(own)
                if one.within in listed and one.within not in seen:
                    seen.add(one.within)
                    waiting.append(one.within)
    return found


def called(facilities: Iterable[Facility]) -> frozenset[str]:
    """What suppliers and parents are called, each parent of several by itself."""
    names: set[str] = set()
    for facility in facilities:
        names |= {facility.supplier, *map(str.strip, facility.parent.split(";"))}
    return frozenset(names - {""})


def stated_stakes(facilities: Iterable[Facility]) -> tuple[Stake, ...]:
    """What `parent` says: all of the operator, on every day. Of several parents in one cell, set apart by `;`, nobody knows who holds what."""
    found: dict[tuple[str, str], Stake] = {}
    for facility in facilities:
        parents = [text for part in facility.parent.split(";") if (text := part.strip())]
        for parent in parents:
            if _same(parent, facility.supplier):
                continue
            least = ALL if len(parents) == 1 else NOTHING
            source = f"parent of facility `{facility.id}`"
            found.setdefault((parent, facility.supplier), Stake(parent, facility.supplier, least, ALL, source=source))
    return _consistent(found.values())


def _consistent(stakes: Iterable[Stake]) -> tuple[Stake, ...]:
    """Where facilities name different parents of one operator, nobody knows who holds what."""
    of: dict[str, list[Stake]] = defaultdict(list)
    for stake in stakes:
        of[stake.owned].append(stake)
    return tuple(
        stake if len(held) == 1 else Stake(stake.owner, stake.owned, NOTHING, ALL, source=stake.source)
        for held in of.values()
        for stake in held
    )


def all_stakes(facilities: Iterable[Facility], owners: Iterable[Stake]) -> tuple[Stake, ...]:
    """What the table of owners says, and `parent` of the companies that it says nothing of.

    Of a company that it does speak of, a parent whom it does not name may hold whatever it leaves open.
    """
    told = tuple(owners)
    owned = {stake.owned for stake in told}
    named = {(name(stake.owner).words, stake.owned) for stake in told}
    return told + tuple(
        stake if stake.owned not in owned else replace(stake, least=NOTHING)
        for stake in stated_stakes(facilities)
        if (name(stake.owner).words, stake.owned) not in named
    )


def parties(facilities: Iterable[Facility], stakes: Iterable[Stake]) -> tuple[Party, ...]:
    """Everybody behind some facilities, and what these are called, by name. `independent` is nobody."""
    listed = tuple(facilities)
    runs: dict[str, set[str]] = defaultdict(set)
    roles: dict[str, set[str]] = defaultdict(set)
    lies = {facility.id: facility.country for facility in listed}
    for facility in listed:
        if facility.operator or facility.name:
            runs[facility.supplier].add(facility.id)
            roles[facility.supplier].add("supplier")
        if facility.name not in ("", facility.supplier):
            roles[facility.name].add("facility")
        for parent in filter(None, map(str.strip, facility.parent.split(";"))):
            roles[parent].add("parent")
    owned: dict[str, set[str]] = defaultdict(set)
    for stake in stakes:
        if stake.owner != INDEPENDENT:
            owned[stake.owner].add(stake.owned)
            roles[stake.owner].add("owner")
    called_so = plants(listed)
    found = []
    for one in sorted(roles):
        own = runs.get(one, set()) | called_so.get(one, set())
        behind = _behind(one, owned, runs) | own
        where = tuple(sorted({lies[facility] for facility in behind if lies[facility]}))
        found.append(Party(one, tuple(sorted(roles[one])), tuple(sorted(own)), tuple(sorted(behind)), where))
    return tuple(found)


def _behind(one: str, owned: Mapping[str, set[str]], runs: Mapping[str, set[str]]) -> set[str]:
    """Facilities that a party runs, or that what it owns runs."""
    seen, waiting, found = {one}, [one], set()
    while waiting:
        company = waiting.pop()
        found |= runs.get(company, set())
        new = owned.get(company, set()) - seen
        seen |= new
        waiting.extend(sorted(new))
    return found


def _same(one: str, other: str) -> bool:
    return name(one).words == name(other).words
