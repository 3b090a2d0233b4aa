"""Problem of one case: resolved, sorted, and indexed facts, and ranked objectives, for program and verifier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import accumulate
from operator import mul
from typing import assert_never

from ..domain.case import Case, FrozenPrices, Level, Minimise
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
from .kept import Kept
from .law import Judgement, Law
from .merged import Merged
from .network import Moves, Network, Node
from .offers import Assumption, Lead, OfferFacts
from .rule_facts import ProblemFacts, ask_limits
from .trade import Commitment, PriceSpan, TermSpan

LAST = Level(minimise=Minimise.COST)
"""Level that settles everything that the levels of a case leave open."""


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """Resolved level."""

    level: Level
    sentence: str
    """Minimized quantity, in words."""
    demands: tuple[int, ...] = ()
    """Demands whose shortage it sums, for `shortage`."""
    rows: tuple[Row, ...] = ()
    """Rows without bounds whose values it sums, for `concentration`."""
    implied: bool = False
    """True if the case doesn't state it. It is then cost, and comes last."""

    @property
    def in_money(self) -> bool:
        """True if it sums money, and False if it sums kilograms."""
        return self.level.minimise is not Minimise.CONCENTRATION


def resolve_objectives(case: Case, demands: Sequence[Demand], merged: Merged, facts: Facts) -> tuple[Objective, ...]:
    """Return the levels of a case by rank, with cost last if no earlier level settles the rest. Empty if the case ranks nothing.

    Raises:
        InputError: If a level counts contained element, and a material's content is unknown.
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
            names = ((demand.id, demand.use.end_use, demand.use.material.id) for demand in demands)
            wanted = tuple(i for i, known in enumerate(names) if not level.of or not set(level.of).isdisjoint(known))
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
    """Yield an error for each unknown name in the objectives."""
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


@dataclass(frozen=True, slots=True)
class Store:
    """Storage of a material at a place, by period."""

    holding: tuple[Decimal, ...]
    """Money per kilogram and year."""
    limit: tuple[Decimal | None, ...]
    """Maximum kilograms at the end of each period. None means no limit."""
    kept: tuple[Decimal, ...]
    """Fraction of a kilogram held at the end of the previous period that is left."""

    @property
    def holds_nothing(self) -> bool:
        """True if nothing can be held at the end of any period."""
        return not any(most is None or most for most in self.limit)

    def left(self, since: int) -> tuple[Decimal, ...]:
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
    """Price schedules, one entry per span."""
    term_spans: tuple[TermSpan, ...]
    """Terms of trade, one entry per span."""
    commitments: tuple[Commitment, ...]
    """Take-or-pay, one entry per year of an offer."""
    stores: Mapping[Node, Store]
    shortage_price: tuple[Decimal, ...]
    """Penalty per kilogram of shortage, by demand."""
    frozen: FrozenPrices
    """Shortage penalties and holding costs as facts, which a changed case keeps."""
    discount: tuple[Decimal, ...]
    """Discount factor of each period."""
    facts: ProblemFacts
    """Facts for limit rules."""
    assumptions: tuple[Assumption, ...]
    kept: Kept | None = None
    """Data shared with the other problems of a session."""

    def __repr__(self) -> str:
        return f"<Problem {self.case.name}: {len(self.demands):,} demands, {len(self.offers):,} offers, {len(self.rules):,} rules>"

    @cached_property
    def class_of(self) -> Mapping[str, ComplianceClass]:
        return {each.label: each for each in self.compliance_classes}

    @cached_property
    def capacity(self) -> Floats:
        """Kilograms of every pool in every period, as doubles. Infinity means unlimited."""
        return table([pool.capacity for pool in self.pools], self.case.horizon.count)

    @cached_property
    def limit_rows(self) -> list[tuple[Rule, Row | Rows]]:
        """Rows of every limit rule, queried once for the program. The verifier queries rules of plugins again.

        Raises:
            PluginError: If a plugin's rule raises.
        """
        return ask_limits(self.rules, self.case.horizon.periods, self.law, self.facts)

    @cached_property
    def objectives(self) -> tuple[Objective, ...]:
        """Lexicographic objectives, cost last. Empty means cost alone.

        Raises:
            InputError: If one counts contained element, and a material's content is unknown.
        """
        return resolve_objectives(self.case, self.demands, self.merged, self.facts)
