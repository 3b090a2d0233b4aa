"""Which parts, and so which programmes, can be built in which periods, by what a plan delivers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from friendshore.domain.base import grouped, totals

from .bill import PROGRAMME, Rolled

if TYPE_CHECKING:
    from friendshore.verify import VerifiedPlan

NO_PROGRAMME = "(none)"
"""Of demands that state no programme."""


@dataclass(frozen=True, slots=True)
class Held:
    """A part, or a programme, and from when on it can be built in full."""

    name: str
    met_from: str
    """First period from which it can be built in full to the end; empty: never."""
    late: bool
    """Whether there is a period in which it is wanted and cannot be built in full."""
    held_by: tuple[str, ...]
    """Materials that keep it from being built earlier, those that are short longest first."""


@dataclass(frozen=True, slots=True)
class ProgrammeLine:
    """A programme."""

    whole: Held
    parts: tuple[Held, ...]
    """Its parts that are late, those that are late longest first; none where no bill of materials is known."""
    of: int
    """Parts in all; 0: no bill of materials is known."""
    short: tuple[tuple[str, Decimal], ...]
    """Material -> kilograms short over the plan."""


@dataclass(frozen=True, slots=True)
class _Met:
    """A demand period by period."""

    material: str
    wanted: Sequence[Decimal]
    missing: Sequence[Decimal]


def programme_of(facts: Mapping[str, object]) -> str:
    """The programme that a demand states."""
    return str(facts.get(PROGRAMME, NO_PROGRAMME))


def programmes(verified: VerifiedPlan, bill: Iterable[Rolled]) -> list[ProgrammeLine]:
    """Every programme, by name; parts as a bill of materials has them.

    What a demand gets goes to its parts in proportion to what they need.
    """
    problem = verified.problem
    met = _met(verified)
    of = grouped((programme_of(demand.use.stated), met[demand.id]) for demand in problem.demands)
    contents = (
        (rolled.stated[PROGRAMME], content.part, met[rolled.id]) for rolled in bill for content in rolled.contents
    )
    parts = grouped(((programme, part), demand) for programme, part, demand in contents)
    labels = [period.label for period in problem.case.horizon.periods]
    lines = []
    for name, demands in sorted(of.items()):
        own = [_held(part, found, labels) for (programme, part), found in parts.items() if programme == name]
        late = sorted((part for part in own if part.late), key=lambda part: (-_until(part, labels), part.name))
        lacking = totals((demand.material, sum(demand.missing, Decimal(0))) for demand in demands)
        short = sorted(((m, kg) for m, kg in lacking.items() if kg), key=lambda pair: (-pair[1], pair[0]))
        lines.append(ProgrammeLine(_held(name, demands, labels), tuple(late), len(own), tuple(short)))
    return lines


def _met(verified: VerifiedPlan) -> dict[str, _Met]:
    """Every demand, by name; rounding of a few grams is no shortage."""
    problem = verified.problem
    slack = problem.case.resolution * 10
    missing: dict[tuple[str, int], Decimal] = {
        (short.demand, short.period): short.quantity for short in verified.plan.shorts if short.quantity > slack
    }
    return {
        demand.id: _Met(
            demand.use.material.id,
            demand.quantity,
            [missing.get((demand.id, t), Decimal(0)) for t in range(len(demand.quantity))],
        )
        for demand in problem.demands
    }


def _until(held: Held, labels: Sequence[str]) -> int:
    return labels.index(held.met_from) if held.met_from else len(labels)


def _held(name: str, demands: Sequence[_Met], labels: Sequence[str]) -> Held:
    last = -1
    wanted_in: list[int] = []
    lateness: dict[str, int] = {}
    for t in range(len(labels)):
        wanted = [one for one in demands if one.wanted[t]]
        lacking = [one.material for one in wanted if one.missing[t]]
        if wanted:
            wanted_in.append(t)
        if lacking:
            last = t
        for material in dict.fromkeys(lacking):
            lateness[material] = lateness.get(material, 0) + 1
    later = [t for t in wanted_in if t > last]
    held_by = tuple(sorted(lateness, key=lambda material: (-lateness[material], material)))
    return Held(name, labels[later[0]] if later else "", last >= 0, held_by)
