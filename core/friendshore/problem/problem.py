"""Problem of one case: resolved, sorted, and indexed facts, and ranked objectives, for program and verifier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import accumulate
from operator import mul
from typing import assert_never

from ..domain.case import Case, FrozenPrices, Level, Minimize
from ..domain.suggest import did_you_mean
from ..domain.use import Use
from ..errors import Diagnostic
from ..rules.base import Facts, Rule
from ..rules.kinds.limits import Concentration
from ..rules.kinds.shared import listed
from ..rules.rows import Row, Rows
from .capacity import Pool
from .compliance_classes import ComplianceClass
from .decimal_arrays import Floats, table
from .demands import Demand, Lot, demand_name
from .law import Judgement, Law
from .merged import Merged
from .network import Moves, Network, Node
from .offers import Assumption, Lead, OfferFacts
from .rule_facts import ProblemFacts, query_limit_rules
from .shared import SharedData
from .trade import Commitment, PriceSpan, TermSpan

LAST = Level(minimize=Minimize.COST)
"""Level that decides between plans that are equal in all levels of the case."""


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """Resolved level."""

    level: Level
    sentence: str
    demands: tuple[int, ...] = ()
    """Demands whose shortage it sums, for `shortage`."""
    rows: tuple[Row, ...] = ()
    """Rows without bounds whose values it sums, for `concentration`."""
    implied: bool = False
    """True if the case doesn't state it. It is then cost, and comes last."""

    @property
    def in_money(self) -> bool:
        """False if it sums kilograms."""
        return self.level.minimize is not Minimize.CONCENTRATION


def resolve_objectives(case: Case, demands: Sequence[Demand], merged: Merged, facts: Facts) -> tuple[Objective, ...]:
    """Return the levels of a case by rank, with cost last if no earlier level settles the rest. Empty if the case ranks nothing."""
    levels = case.objectives
    objectives = [_resolved(level, number, demands, merged, facts) for number, level in enumerate(levels, 1)]
    if levels and not any(level.minimize is Minimize.COST and not level.within for level in levels):
        objectives.append(Objective(LAST, _COST, implied=True))
    return tuple(objectives)


_COST = "cost: money spent, penalties, and priced shortage"


def _resolved(level: Level, number: int, demands: Sequence[Demand], merged: Merged, facts: Facts) -> Objective:
    match level.minimize:
        case Minimize.SHORTAGE:
            of_names = f" of {listed(level.of)}" if level.of else ""
            names_by_demand = ((demand.id, demand.use.end_use, demand.use.material.id) for demand in demands)
            positions = tuple(
                i for i, names in enumerate(names_by_demand) if not level.of or not set(level.of).isdisjoint(names)
            )
            return Objective(level, f"shortage{of_names}, at its price", demands=positions)
        case Minimize.CONCENTRATION:
            limit = _counting(merged, level, number)
            return Objective(level, limit.sentence(), rows=tuple(limit.largest(facts)))
        case Minimize.SPEND:
            return Objective(level, "money spent")
        case Minimize.COST:
            return Objective(level, _COST)
        case _:
            assert_never(level.minimize)


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
    demand_names = {name for spec in case.demands for name in (spec.material, spec.end_use, demand_name(spec, case))}
    material_names = {*merged.materials, *(material.element for material in merged.materials.values())} - {""}
    names_by_kind = {
        Minimize.SHORTAGE: (demand_names, "an end use, material, or demand of the case"),
        Minimize.CONCENTRATION: (material_names, "a material of the catalogs, or an element"),
    }
    for level in case.objectives:
        names, expected = names_by_kind.get(level.minimize, (set(), "no names: this objective is about everything"))
        for name in level.of:
            if name not in names:
                yield Diagnostic(
                    f"objective `{level.minimize}` refers to `{name}`, which doesn't exist",
                    column="objective.of",
                    found=name,
                    expected=expected,
                    fix=did_you_mean(name, names),
                    code="FS241",
                )


@dataclass(frozen=True, slots=True)
class Store:
    """Storage of a material at a place, by period."""

    holding: tuple[Decimal, ...]
    """Money per kilogram and year, by period."""
    limit: tuple[Decimal | None, ...]
    """Maximum kilograms at the end of each period. None means no limit."""
    kept: tuple[Decimal, ...]
    """Fraction of a kilogram held at the end of the previous period that is left."""

    @property
    def stores_nothing(self) -> bool:
        return not any(limit is None or limit for limit in self.limit)

    def remaining_shares(self, since: int) -> tuple[Decimal, ...]:
        """Return the fraction of a kilogram from `since` that is left at the end of each period from then on, before rounding."""
        return tuple(accumulate(self.kept[since + 1 :], mul, initial=Decimal(1)))


@dataclass(frozen=True)
class Problem:
    """All facts of one case, resolved, sorted, and indexed, with the verdicts and charges of every rule."""

    case: Case
    merged: Merged
    rules: tuple[Rule, ...]
    offers: tuple[OfferFacts, ...]
    leads: tuple[Lead, ...]
    demands: tuple[Demand, ...]
    lots: tuple[Lot, ...]
    network: Network
    law: Law
    judgements: Mapping[Use, Judgement]
    compliance_classes: tuple[ComplianceClass, ...]
    moves: Moves
    pools: tuple[Pool, ...]
    price_spans: tuple[PriceSpan, ...]
    term_spans: tuple[TermSpan, ...]
    commitments: tuple[Commitment, ...]
    stores: Mapping[Node, Store]
    shortage_price: tuple[Decimal, ...]
    """Penalty per kilogram of shortage, by demand."""
    frozen: FrozenPrices
    """Shortage penalties and holding costs as facts, which a changed case keeps."""
    discount: tuple[Decimal, ...]
    facts: ProblemFacts
    assumptions: tuple[Assumption, ...]
    shared: SharedData | None = None

    def __repr__(self) -> str:
        return f"<Problem {self.case.name}: {len(self.demands):,} demands, {len(self.offers):,} offers, {len(self.rules):,} rules>"

    @cached_property
    def class_of(self) -> Mapping[str, ComplianceClass]:
        return {compliance_class.label: compliance_class for compliance_class in self.compliance_classes}

    @cached_property
    def capacity(self) -> Floats:
        """Kilograms of every pool in every period, as doubles. Infinity means unlimited."""
        return table([pool.capacity for pool in self.pools], self.case.horizon.count)

    @cached_property
    def limit_rows(self) -> list[tuple[Rule, Row | Rows]]:
        """Rows of every limit rule, queried once for the program. The verifier queries rules of plugins again."""
        return query_limit_rules(self.rules, self.case.horizon.periods, self.law, self.facts)

    @cached_property
    def objectives(self) -> tuple[Objective, ...]:
        """Lexicographic objectives, cost last. Empty means cost alone."""
        return resolve_objectives(self.case, self.demands, self.merged, self.facts)
