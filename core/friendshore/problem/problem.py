"""A problem: all facts of one case, resolved, sorted and indexed, which program and verifier both read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import accumulate
from operator import mul

from ..domain.case import Case, FrozenPrices
from ..domain.use import Use
from ..rules.base import Rule
from ..rules.rows import Row, Rows
from .capacity import Pool
from .compliance_classes import ComplianceClass
from .demands import Demand, Lot
from .float_tables import Floats, table
from .judging import Judgement, Law
from .kept import Kept
from .limiting import ask_limits
from .merged import Merged
from .moves import Moves
from .network import Network, Node
from .objectives import Objective, resolve_objectives
from .offers import Assumption, Lead, OfferFacts
from .rule_facts import ProblemFacts
from .schedules import PriceSpan
from .trade import Commitment, TermSpan


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
        """Whether nothing can be held at the end of any period."""
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
