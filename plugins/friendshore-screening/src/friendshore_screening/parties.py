"""Who is behind the facilities of a case: suppliers, parents and owners, and who holds what of whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from friendshore.domain.facts import Facility

from .names.normal import name
from .ownership import INDEPENDENT, Stake

ALL, NOTHING = Fraction(1), Fraction(0)


@dataclass(frozen=True, slots=True)
class Party:
    """A company or person that is screened."""

    name: str
    roles: tuple[str, ...]
    """`supplier`, `parent`, `owner`: each that it has."""
    facilities: tuple[str, ...]
    """Facilities that it runs itself."""
    behind: tuple[str, ...]
    """Facilities that it runs, or whose operator it owns, along any chain, whatever its share."""
    countries: tuple[str, ...] = ()
    """Where these lie."""


def run_by(facilities: Iterable[Facility]) -> tuple[Facility, ...]:
    """The facilities, each that names no operator with that of the plant, or the plant around it, which it is within: whoever runs a plant runs its lines."""
    listed = tuple(facilities)
    known = {facility.id: facility for facility in listed}

    def runs(facility: Facility) -> Facility:
        seen = {facility.id}
        around = facility
        while not around.operator and around.within in known and around.within not in seen:
            seen.add(around.within)
            around = known[around.within]
        if facility.operator or not around.operator:
            return facility
        return facility.but(operator=around.operator, parent=facility.parent or around.parent)

    return tuple(map(runs, listed))


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
    """Everybody behind some facilities, by name. `independent` is nobody."""
    listed = tuple(facilities)
    runs: dict[str, set[str]] = defaultdict(set)
    roles: dict[str, set[str]] = defaultdict(set)
    lies = {facility.id: facility.country for facility in listed}
    for facility in listed:
        if facility.operator or facility.name:
            runs[facility.supplier].add(facility.id)
            roles[facility.supplier].add("supplier")
        for parent in filter(None, map(str.strip, facility.parent.split(";"))):
            roles[parent].add("parent")
    owned: dict[str, set[str]] = defaultdict(set)
    for stake in stakes:
        if stake.owner != INDEPENDENT:
            owned[stake.owner].add(stake.owned)
            roles[stake.owner].add("owner")
    found = []
    for one in sorted(roles):
        behind = _behind(one, owned, runs)
        where = tuple(sorted({lies[facility] for facility in behind if lies[facility]}))
        found.append(
            Party(one, tuple(sorted(roles[one])), tuple(sorted(runs.get(one, ()))), tuple(sorted(behind)), where)
        )
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
