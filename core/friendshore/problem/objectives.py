"""Lexicographic objectives: what each level of a case adds up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from ..domain.case import Case, Level, Minimise
from ..domain.suggest import did_you_mean
from ..errors import Diagnostic
from ..rules.base import Facts
from ..rules.kinds.limits import Concentration
from ..rules.kinds.shared import listed
from ..rules.rows import Row
from .demands import Demand, demand_name
from .merged import Merged

LAST = Level(minimise=Minimise.COST)
"""What settles all that the levels of a case leave open."""


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """One level, resolved."""

    level: Level
    sentence: str
    """What is made as small as possible, in words."""
    demands: tuple[int, ...] = ()
    """For `shortage`: the demands whose shortage it adds up."""
    rows: tuple[Row, ...] = ()
    """For `concentration`: rows without bounds, whose values it adds up."""
    implied: bool = False
    """Whether the case does not state it: cost, which comes last."""

    @property
    def in_money(self) -> bool:
        """Whether it adds up money; else kilograms."""
        return self.level.minimise is not Minimise.CONCENTRATION


def resolve_objectives(case: Case, demands: Sequence[Demand], merged: Merged, facts: Facts) -> tuple[Objective, ...]:
    """The levels of a case in order of rank, cost last if nothing before it settles the rest; none if the case ranks nothing.

    Raises:
        InputError: if a level counts contained element, and nobody knows how much of it a material contains.
    """
    levels = case.objectives
    found = [_resolved(level, number, demands, merged, facts) for number, level in enumerate(levels, 1)]
    if levels and not any(level.minimise is Minimise.COST and not level.within for level in levels):
        found.append(Objective(LAST, _COST, implied=True))
    return tuple(found)


_COST = "cost: money spent, penalties and priced shortage"


def _resolved(level: Level, number: int, demands: Sequence[Demand], merged: Merged, facts: Facts) -> Objective:
    match level.minimise:
        case Minimise.SHORTAGE:
            named = f" of {listed(level.of)}" if level.of else ""
            wanted = tuple(i for i, demand in enumerate(demands) if _is_of(demand, level.of))
            return Objective(level, f"shortage{named}, at its price", demands=wanted)
        case Minimise.CONCENTRATION:
            counting = _counting(merged, level, number)
            return Objective(level, counting.sentence(), rows=tuple(counting.largest(facts)))
        case Minimise.SPEND:
            return Objective(level, "money spent")
        case Minimise.COST:
            return Objective(level, _COST)
        case _:
            assert_never(level.minimise)


def _is_of(demand: Demand, names: tuple[str, ...]) -> bool:
    return not names or any(name in (demand.id, demand.use.end_use, demand.use.material.id) for name in names)


def _counting(merged: Merged, level: Level, number: int) -> Concentration:
    return Concentration(
        id=f"objective {number}",
        by=level.by,
        stage=level.stage,
        per=level.per,
        materials=tuple(name for name in level.of if name in merged.materials),
        elements=tuple(name for name in level.of if name not in merged.materials),
    )


def unknown_names(case: Case, merged: Merged) -> Iterator[Diagnostic]:
    """Names in objectives that nothing answers to."""
    wanted = {name for spec in case.demands for name in (spec.material, spec.end_use, demand_name(spec, case))}
    counted = {*merged.materials, *(material.element for material in merged.materials.values())} - {""}
    known = {
        Minimise.SHORTAGE: (wanted, "an end use, a material or a demand of the case"),
        Minimise.CONCENTRATION: (counted, "a material of the case's catalogs, or an element"),
    }
    for level in case.objectives:
        names, expected = known.get(level.minimise, (set(), "nothing: it is about everything"))
        for name in level.of:
            if name not in names:
                yield Diagnostic(
                    f"the objective `{level.minimise}` names `{name}`, which is not there",
                    column="objective.of",
                    found=name,
                    expected=expected,
                    fix=did_you_mean(name, names),
                )
