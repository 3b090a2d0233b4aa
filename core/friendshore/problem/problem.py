"""A problem: all facts of one case, resolved, sorted and indexed, and the ranked objectives. Program and verifier both read it."""

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
    """True if the case does not state it: cost, which comes last."""

    @property
    def in_money(self) -> bool:
        """True if it adds up money; else kilograms."""
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


@dataclass(frozen=True, slots=True)
class Store:
    """How a material is held at a place, period by period."""

    holding: tuple[Decimal, ...]
    """Money per kilogram and year."""
    limit: tuple[Decimal | None, ...]
    """Most kilograms at the end of each period; None: any number."""
    kept: tuple[Decimal, ...]
    """What is left in each period of a kilogram held at the end of the one before."""

    @property
    def holds_nothing(self) -> bool:
        """True if nothing can be held at the end of any period."""
        return not any(most is None or most for most in self.limit)

    def left(self, since: int) -> tuple[Decimal, ...]:
        """What is left at the end of each period from `since` on of a kilogram that is there in `since`, before rounding."""
        return tuple(accumulate(self.kept[since + 1 :], mul, initial=Decimal(1)))


@dataclass(frozen=True)
class Problem:
    """All facts of one case, resolved, sorted and indexed, with what every rule says of them."""

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
    """Price schedules, one entry a span."""
    term_spans: tuple[TermSpan, ...]
    """Terms of trade, one entry a span."""
    commitments: tuple[Commitment, ...]
    """Take-or-pay, one entry a year of an offer."""
    stores: Mapping[Node, Store]
    shortage_price: tuple[Decimal, ...]
    """Money per kilogram short, by demand."""
    frozen: FrozenPrices
    """What a shortage and holding cost, as facts: in a changed case they stay what they are here."""
    discount: tuple[Decimal, ...]
    """What money of each period counts for."""
    facts: ProblemFacts
    """What limit rules may ask."""
    assumptions: tuple[Assumption, ...]
    kept: Kept | None = None
    """What it shares with the other problems of a session."""

    def __repr__(self) -> str:
        return f"<Problem {self.case.name}: {len(self.demands):,} demands, {len(self.offers):,} offers, {len(self.rules):,} rules>"

    @cached_property
    def class_of(self) -> Mapping[str, ComplianceClass]:
        """Compliance classes by label."""
        return {each.label: each for each in self.compliance_classes}

    @cached_property
    def capacity(self) -> Floats:
        """Kilograms of every pool in every period, in doubles; infinite: unlimited."""
        return table([pool.capacity for pool in self.pools], self.case.horizon.count)

    @cached_property
    def limit_rows(self) -> list[tuple[Rule, Row | Rows]]:
        """Every row of every limit rule, asked once: what the program compiles. The verifier asks rules of plugins again.

        Raises:
            PluginError: if a plugin's rule raises.
        """
        return ask_limits(self.rules, self.case.horizon.periods, self.law, self.facts)

    @cached_property
    def objectives(self) -> tuple[Objective, ...]:
        """Lexicographic objectives, cost last; none: cost alone.

        Raises:
            InputError: if one counts contained element, and nobody knows how much of it a material contains.
        """
        return resolve_objectives(self.case, self.demands, self.merged, self.facts)
