"""Construction of a problem from a case, its catalogs, and its rules."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache, partial

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
    accepted,
    carryover_assumptions,
    check_names,
    check_stock_floors,
    end_use_assumptions,
    incomplete_law_assumptions,
    overlap_assumptions,
    renamed,
    siteless_buyer_assumptions,
    unexamined,
)
from .compliance_classes import Grouping, share_with_less_strict
from .demands import Demand, resolve_incumbents, round_to
from .kept import Kept, SharedFacts
from .law import Charges, Law, judge_all
from .merged import exchange
from .network import Network, Node, build_moves, lanes_to
from .offers import Assumption, Lead, OfferFacts, missing_rates
from .prices import DerivedPrices, PriceDerivation
from .problem import Problem, Store
from .rule_facts import ProblemFacts, of_rule, tried
from .trade import resolve_trade

_POWER = Context(prec=30)


@without_gc()
def build_problem(
    case: Case, catalogs: Sequence[Catalog], rules: Sequence[Rule], *, part: bool = False, kept: Kept | None = None
) -> Problem:
    """Build the problem of a case.

    Args:
        part: True if these are part of a case's facts, whose names were checked as a whole.
        kept: Data shared with problems of changed facts. None shares nothing.

    Raises:
        InputError: With every inconsistency.
        PluginError: If a plugin's rule raises.
    """
    return _Builder(case, catalogs, rules, part, kept).problem()


class _Builder:
    def __init__(
        self, case: Case, catalogs: Sequence[Catalog], rules: Sequence[Rule], part: bool, kept: Kept | None
    ) -> None:
        self.case = case
        self.part = part
        self.kept = kept
        self.facts = SharedFacts(case, catalogs, kept)
        self.merged = self.facts.merged
        self.catalogs = catalogs
        self.given = sorted(rules, key=lambda rule: rule.id)
        self.rules: tuple[Rule, ...] = ()
        self.factors = Factors(self.merged.factors)
        self.assumptions: list[Assumption] = []

    def problem(self) -> Problem:
        case, merged = self.case, self.merged
        wrong: list[Diagnostic] = []
        if not self.part:
            tried(lambda: check_names(case, merged, self.given), wrong)
            wrong.extend(missing_rates(merged, case))
        self.rules = self._priced_rules(wrong)
        offers = tried(self.facts.offers, wrong)
        demands = tried(partial(self.facts.demands, self._basis), wrong)
        lots = tried(partial(self.facts.lots, self._basis), wrong)
        if wrong or offers is None or demands is None or lots is None:
            raise InputError(dict.fromkeys(wrong))
        counted, leads, assumptions = offers
        network = self.facts.network(counted, lots, demands)
        law = self._law(network)
        uses = list(dict.fromkeys(demand.use for demand in demands))
        answers = self.kept.planned if self.kept is not None else None
        judgements = judge_all(network, law, uses, answers)
        charges = Charges(network, law, counted, answers)
        common = charges.common(judgements)
        grouping = Grouping(network, law, demands, lots, judgements, charges.surcharges(judgements))
        moves = build_moves(network, counted, lots, case.horizon, common)
        prices = PriceDerivation(case, merged, network, counted, common, self._basis, self.assumptions).prices(demands)
        compliance_classes = tuple(grouping.compliance_classes())
        if any(rule.watches_stock for rule in self.rules):
            share_with_less_strict(compliance_classes, network, demands)
        incumbents = resolve_incumbents(merged, case, lots, self._basis)
        reached = [counted[i].offer for i in sorted({arc.offer for arc in network.arcs if arc.offer >= 0})]
        relevant = {offer.id for offer in reached}
        self._note(network, counted, demands, law)
        if not self.part:
            self.assumptions += overlap_assumptions(case, self.catalogs, reached) + renamed(case)
        trade, assumed = resolve_trade(merged, case, counted, network, moves, self.facts.capacities())
        return Problem(
            case=case,
            merged=merged,
            rules=self.rules,
            offers=tuple(counted),
            leads=tuple(lead for lead in leads if _wanted(lead, network)),
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
            assumptions=(*self.assumptions, *(a for a in (*assumptions, *assumed) if a.subject in relevant)),
            kept=self.kept,
        )

    def _note(self, network: Network, counted: Sequence[OfferFacts], demands: Sequence[Demand], law: Law) -> None:
        """Add the assumptions about offers, law, and makers."""
        self._note_lead_times(network, counted)
        self._note_freight(network, counted)
        self.assumptions += unexamined(demands, law)
        self.assumptions += incomplete_law_assumptions(demands, law)
        self.assumptions += accepted(self.case, self.rules)
        self.assumptions += end_use_assumptions(self.case, self.rules)
        self.assumptions += carryover_assumptions(self.case)
        self.assumptions += siteless_buyer_assumptions([counted[i] for i in network.feeds], self.rules)
        if network.feeds and len({demand.use for demand in demands}) > 1:
            text = "a plant that takes inputs is taken to keep apart what it makes for different uses"
            self.assumptions.append(Assumption("makers", text))

    def _law(self, network: Network) -> Law:
        law = Law(self.rules, self.case)
        if not self.part:
            check_stock_floors(self.case, self.merged, network, law)
        return law

    def _priced_rules(self, wrong: list[Diagnostic]) -> tuple[Rule, ...]:
        """Return the rules with their money in the case's currency. A rule without a rate is left out, and its error added to `wrong`."""
        found = (tried(partial(self._in_currency, rule), wrong) for rule in self.given)
        return tuple([rule if self.kept is None else self.kept.same(rule) for rule in found if rule])

    def _in_currency(self, rule: Rule) -> Rule:
        def rate(currency: str) -> Decimal | None:
            return exchange(self.merged.rates, currency, self.case.currency, self.case.horizon.start)

        try:
            with attributed(rule):
                return as_rule(rule.in_currency(self.case.currency, rate))
        except InputError as error:
            raise of_rule(rule, error) from error

    def _basis(self, material: str, substance: str) -> Decimal:
        factor = basis_factor(self.merged.materials[material], substance, self.factors)
        if factor is None:
            raise InputError(
                f"kilograms of {substance} cannot be turned into kilograms of {material}",
                found=substance,
                expected=f"a factor between {substance} and {self.merged.materials[material].basis}",
                fix="add a row to factors.csv of a catalog of the case, with its source",
            )
        return factor

    def _stores(self, network: Network, prices: DerivedPrices) -> dict[Node, Store]:
        given = grouped(((spec.material, spec.place or self.case.place), spec) for spec in self.case.stores)
        periods = self.case.horizon.periods
        stores = {}
        for node in network.nodes:
            specs = given.get(node, ())
            if not specs or (specs[0].start is None and specs[0].end is None):
                told = [specs[0] if specs else None] * len(periods)
            else:
                told = [next((spec for spec in specs if spec.holds_on(period.end)), None) for period in periods]
            each = {spec: self._held(node, spec, prices) for spec in dict.fromkeys(told)}
            held = [each[spec] for spec in told]
            stores[node] = Store(
                holding=tuple(holding for holding, _, _ in held),
                limit=tuple(limit for _, limit, _ in held),
                kept=tuple(_kept(loss, period.years) for (_, _, loss), period in zip(held, periods, strict=True)),
            )
        return stores

    def _held(
        self, node: Node, spec: StoreSpec | None, prices: DerivedPrices
    ) -> tuple[Decimal, Decimal | None, Decimal]:
        """Return the holding cost, the maximum stock, and the yearly loss of a node. Costs that aren't stated are derived."""
        if spec is None:
            return prices.holding[node], None, Decimal(0)
        factor = self._basis(node[0], spec.substance) if spec.limit is not None else Decimal(1)
        limit = None if spec.limit is None else round_to(spec.limit * factor, self.case.resolution)
        # Read with a limit, what the case states is money per kilogram of the substance that the limit is of.
        holding = prices.holding[node] if spec.holding is None else exact(spec.holding / factor)
        return holding, limit, spec.loss

    def _note_lead_times(self, network: Network, counted: Sequence[OfferFacts]) -> None:
        months = self.case.assume.lead_time
        without = {
            counted[arc.offer].offer.id
            for arc in network.arcs
            if arc.offer >= 0 and counted[arc.offer].offer.lead_time is None
        }
        if without and months:
            text = f"offers that publish no lead time ({len(without)}) are taken to need {months.normalize():f} months"
            self.assumptions.append(Assumption("lead time", text))
        if self.case.assume.safety_lead and network.arcs:
            wait = Delay.of(self.case.assume.safety_lead)
            text = f"every purchase is ordered {wait} earlier than its lead time asks, to be safe"
            self.assumptions.append(Assumption("lead time", text))
        for end_use, state in sorted(self.case.assume.licence.items()):
            if state == "granted":
                self.assumptions.append(
                    Assumption("licences", f"every export licence that {end_use} use needs is taken as granted")
                )

    def _note_freight(self, network: Network, counted: Sequence[OfferFacts]) -> None:
        """Add an assumption for the assumed freight, with the number of offers that it is charged on."""
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
            text = f"offers that state no freight ({len(without)}) are taken to cost {money} to move across a border"
            self.assumptions.append(Assumption("freight", text))


@lru_cache(maxsize=64)
def _discounts(rate: Decimal, months: int, count: int) -> tuple[Decimal, ...]:
    """Return the discount factor at the start of each of `count` periods. `rate` is 1 plus the yearly discount."""
    if rate == 1:
        return (Decimal(1),) * count
    return tuple(exact(_POWER.power(rate, -(Decimal(t * months) / 12))) for t in range(count))


def _kept(loss: Decimal, years: Fraction) -> Decimal:
    """Return the fraction of a kilogram that is left after some years, as a stored number. `loss` is the yearly loss."""
    if not loss:
        return Decimal(1)
    return exact(_POWER.power(1 - loss, _POWER.divide(Decimal(years.numerator), Decimal(years.denominator))))


def _wanted(lead: Lead, network: Network) -> bool:
    materials = {material for material, _ in network.nodes}
    return any(line.material in materials for line in lead.offer.outputs)
