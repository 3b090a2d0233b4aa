"""Construction of a problem from a case, its catalogs, and its rules."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache, partial

from ..document.figures import count
from ..domain.assumption_codes import FREIGHT, LEAD_TIME, LICENSE, SEPARATE_MAKING
from ..domain.base import exact, grouped
from ..domain.basis import Factors, basis_factor
from ..domain.case import Case, StoreSpec
from ..domain.facts import Catalog
from ..domain.runtime import without_gc
from ..domain.time import Delay
from ..errors import Diagnostic, InputError
from ..plugins import attributed
from ..rules.answers import as_rule
from ..rules.base import Rule
from .case_checks import (
    acceptance_assumptions,
    carryover_assumptions,
    check_names,
    check_stock_floors,
    end_use_assumptions,
    incomplete_law_assumptions,
    overlap_assumptions,
    renaming_assumptions,
    siteless_buyer_assumptions,
    unexamined_assumptions,
)
from .compliance_classes import Grouping, share_with_less_strict
from .demands import Demand, Lot, resolve_incumbents, round_to
from .law import Charges, Law, judge_all
from .merged import exchange
from .network import Network, Node, build_moves, lanes_to
from .offers import Assumption, Lead, OfferFacts, missing_rates
from .prices import DerivedPrices, PriceDerivation
from .problem import Problem, Store
from .rule_facts import ProblemFacts, attributed_to_rule, collect_errors
from .shared import Resolved, SharedData, SharedFacts
from .trade import resolve_trade

_POWER = Context(prec=30)


@without_gc()
def build_problem(
    case: Case,
    catalogs: Sequence[Catalog],
    rules: Sequence[Rule],
    *,
    part: bool = False,
    shared: SharedData | None = None,
) -> Problem:
    """Build the problem of a case, or of `part` of its facts, whose names were checked as a whole. `shared` is data shared with other problems."""
    return _Builder(case, catalogs, rules, part, shared).problem()


class _Builder:
    def __init__(
        self, case: Case, catalogs: Sequence[Catalog], rules: Sequence[Rule], part: bool, shared: SharedData | None
    ) -> None:
        self.case = case
        self.part = part
        self.shared = shared
        self.facts = SharedFacts(case, catalogs, shared)
        self.merged = self.facts.merged
        self.catalogs = catalogs
        self.unpriced_rules = sorted(rules, key=lambda rule: rule.id)
        self.rules: tuple[Rule, ...] = ()
        self.factors = Factors(self.merged.factors)
        self.assumptions: list[Assumption] = []

    def _resolve(self) -> tuple[Resolved, Sequence[Demand], Sequence[Lot]]:
        """Return offers, demands, and lots, and set `rules`, or raise an InputError with all errors."""
        problems: list[Diagnostic] = []
        if not self.part:
            collect_errors(lambda: check_names(self.case, self.merged, self.unpriced_rules), problems)
            problems.extend(missing_rates(self.merged, self.case))
        # A rule without a rate is left out, and its error added to `problems`.
        converted = [collect_errors(partial(self._in_currency, rule), problems) for rule in self.unpriced_rules]
        self.rules = tuple(rule if self.shared is None else self.shared.same(rule) for rule in converted if rule)
        offers = collect_errors(self.facts.offers, problems)
        demands = collect_errors(partial(self.facts.demands, self._basis), problems)
        lots = collect_errors(partial(self.facts.lots, self._basis), problems)
        if problems or offers is None or demands is None or lots is None:
            raise InputError(dict.fromkeys(problems))
        return offers, demands, lots

    def problem(self) -> Problem:
        case, merged = self.case, self.merged
        (counted, leads, assumptions), demands, lots = self._resolve()
        network = self.facts.network(counted, lots, demands)
        law = self._law(network)
        uses = list(dict.fromkeys(demand.use for demand in demands))
        answers = self.shared.planned if self.shared is not None else None
        judgements = judge_all(network, law, uses, self.shared)
        charges = Charges(network, law, counted, answers)
        common = charges.common(judgements)
        grouping = Grouping(network, law, demands, lots, judgements, charges.surcharges(judgements))
        moves = build_moves(network, counted, lots, case.horizon, common)
        prices = PriceDerivation(case, merged, network, counted, common, self._basis, self.assumptions).prices(demands)
        compliance_classes = tuple(grouping.compliance_classes())
        if any(rule.watches_stock for rule in self.rules):
            share_with_less_strict(compliance_classes, network, demands)
        incumbents = resolve_incumbents(merged, case, lots, self._basis)
        usable_offers = [counted[i].offer for i in sorted({arc.offer for arc in network.arcs if arc.offer >= 0})]
        usable_ids = {offer.id for offer in usable_offers}
        if not self.part:
            self._add_assumptions(network, counted, demands, law)
            self.assumptions += overlap_assumptions(case, self.catalogs, usable_offers) + renaming_assumptions(case)
        trade, trade_assumptions = resolve_trade(merged, case, counted, network, moves, self.facts.capacities())
        return Problem(
            case=case,
            merged=merged,
            rules=self.rules,
            offers=tuple(counted),
            leads=tuple(lead for lead in leads if _may_serve_demand(lead, network)),
            demands=tuple(demands),
            lots=tuple(lots),
            network=network,
            law=law,
            judgements=judgements,
            compliance_classes=compliance_classes,
            moves=moves,
            pools=trade.pools,
            price_spans=trade.price_spans,
            term_spans=trade.term_spans,
            commitments=trade.commitments,
            stores=self._stores(network, prices),
            shortage_price=prices.shortage,
            frozen=prices.frozen(demands),
            discount=_discounts(1 + case.discount, case.horizon.length.months, case.horizon.count),
            facts=ProblemFacts(case, merged, network, moves, counted, demands, compliance_classes, incumbents, trade),
            assumptions=(
                *self.assumptions,
                *(a for a in (*assumptions, *trade_assumptions) if a.subject in usable_ids),
            ),
            shared=self.shared,
        )

    def _add_assumptions(
        self, network: Network, counted: Sequence[OfferFacts], demands: Sequence[Demand], law: Law
    ) -> None:
        self._add_stated_assumptions(network, counted)
        self._add_freight_assumption(network, counted)
        self.assumptions += unexamined_assumptions(demands, law)
        self.assumptions += incomplete_law_assumptions(demands, law)
        self.assumptions += acceptance_assumptions(self.case, self.rules)
        self.assumptions += end_use_assumptions(self.case, self.rules)
        self.assumptions += carryover_assumptions(self.case)
        self.assumptions += siteless_buyer_assumptions([counted[i] for i in network.feeds], self.rules)
        if network.feeds and len({demand.use for demand in demands}) > 1:
            text = "assumed: a plant that takes inputs separates its products for different uses"
            self.assumptions.append(Assumption("makers", text, SEPARATE_MAKING))

    def _law(self, network: Network) -> Law:
        law = Law(self.rules, self.case)
        if not self.part:
            check_stock_floors(self.case, self.merged, network, law)
        return law

    def _in_currency(self, rule: Rule) -> Rule:
        def rate(currency: str) -> Decimal | None:
            return exchange(self.merged.rates, currency, self.case.currency, self.case.horizon.start)

        try:
            with attributed(rule):
                return as_rule(rule.in_currency(self.case.currency, rate))
        except InputError as error:
            raise attributed_to_rule(rule, error) from error

    def _basis(self, material: str, substance: str) -> Decimal:
        factor = basis_factor(self.merged.materials[material], substance, self.factors)
        if factor is None:
            raise InputError(
                f"kilograms of {substance} can't be converted to kilograms of {material}",
                found=substance,
                expected=f"a factor between {substance} and {self.merged.materials[material].basis}",
                fix="add a row to factors.csv of a catalog of the case, with its source",
                code="FS252",
            )
        return factor

    def _stores(self, network: Network, prices: DerivedPrices) -> dict[Node, Store]:
        specs_by_node = grouped(((spec.material, spec.place or self.case.place), spec) for spec in self.case.stores)
        periods = self.case.horizon.periods
        stores = {}
        for node in network.nodes:
            specs = specs_by_node.get(node, ())
            if not specs or (specs[0].start is None and specs[0].end is None):
                spec_by_period = [specs[0] if specs else None] * len(periods)
            else:
                spec_by_period = [
                    next((spec for spec in specs if spec.applies_on(period.end)), None) for period in periods
                ]
            figures = {spec: self._store_figures(node, spec, prices) for spec in dict.fromkeys(spec_by_period)}
            figures_by_period = [figures[spec] for spec in spec_by_period]
            stores[node] = Store(
                holding=tuple(holding for holding, _, _ in figures_by_period),
                limit=tuple(limit for _, limit, _ in figures_by_period),
                kept=tuple(_share_after_loss(f[2], p.years) for f, p in zip(figures_by_period, periods, strict=True)),
            )
        return stores

    def _store_figures(
        self, node: Node, spec: StoreSpec | None, prices: DerivedPrices
    ) -> tuple[Decimal, Decimal | None, Decimal]:
        """Return a node's holding cost, maximum stock (None means no limit), and yearly loss."""
        if spec is None:
            return prices.holding[node], None, Decimal(0)
        factor = self._basis(node[0], spec.substance) if spec.limit is not None else Decimal(1)
        limit = None if spec.limit is None else round_to(spec.limit * factor, self.case.resolution)
        # Read with a limit, what the case states is money per kilogram of the substance that the limit is of.
        holding = prices.holding[node] if spec.holding is None else exact(spec.holding / factor)
        return holding, limit, spec.loss

    def _add_stated_assumptions(self, network: Network, counted: Sequence[OfferFacts]) -> None:
        months = self.case.assume.lead_time
        without = {
            counted[arc.offer].offer.id
            for arc in network.arcs
            if arc.offer >= 0 and counted[arc.offer].offer.lead_time is None
        }
        if without and months:
            text = f"assumed to be {months.normalize():f} months for {count(len(without), 'offer')} without one"
            self.assumptions.append(Assumption("lead time", text, LEAD_TIME))
        if self.case.assume.safety_lead and network.arcs:
            wait = Delay.of(self.case.assume.safety_lead)
            text = f"every purchase is ordered {wait} earlier than its lead time requires, as a safety margin"
            self.assumptions.append(Assumption("lead time", text, LEAD_TIME))
        for end_use, state in sorted(self.case.assume.license.items()):
            if state == "granted":
                self.assumptions.append(
                    Assumption(
                        "licenses", f"every export license that {end_use} use needs is assumed to be granted", LICENSE
                    )
                )

    def _add_freight_assumption(self, network: Network, counted: Sequence[OfferFacts]) -> None:
        freight = self.case.assume.freight
        arcs = [arc for arc in network.arcs if arc.offer >= 0 and arc.move.crosses] if freight else []
        without = set()
        for arc in arcs:
            offer = counted[arc.offer].offer
            lanes = lanes_to(offer, arc.move.to.id)
            if not lanes or any(lane.freight is None for lane in lanes):
                without.add(offer.id)
        if without and freight is not None:
            money = f"{freight.normalize():f} {self.case.currency}/kg"
            text = f"assumed to be {money} across a border for {count(len(without), 'offer')} without one"
            self.assumptions.append(Assumption("freight", text, FREIGHT))


@lru_cache(maxsize=64)
def _discounts(rate: Decimal, months: int, count: int) -> tuple[Decimal, ...]:
    """Return the discount factor at the start of each period. `rate` is 1 plus the yearly discount."""
    if rate == 1:
        return (Decimal(1),) * count
    return tuple(exact(_POWER.power(rate, -(Decimal(t * months) / 12))) for t in range(count))


def _share_after_loss(loss: Decimal, years: Fraction) -> Decimal:
    if not loss:
        return Decimal(1)
    return exact(_POWER.power(1 - loss, _POWER.divide(Decimal(years.numerator), Decimal(years.denominator))))


def _may_serve_demand(lead: Lead, network: Network) -> bool:
    materials = {material for material, _ in network.nodes}
    return any(line.material in materials for line in lead.offer.outputs)
