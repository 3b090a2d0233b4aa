"""Limits on amounts: deliveries, purchases from named offers, money, and stock."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ....domain.base import Number, as_decimal, grouped
from ....domain.facts import Material, Place
from ....domain.suggest import did_you_mean
from ....domain.time import Span
from ....domain.use import Chained
from ....errors import Diagnostic, InputError
from ...base import DemandLine, Facts, Names, Rule
from ...rows import ForUses, Row, Term, lacking
from ...verdicts import Dependence, dependence_of
from ..shared import (
    Amount,
    Countries,
    Covering,
    EndUses,
    InMoney,
    Kilograms,
    Parties,
    PerKilogram,
    Rate,
    Share,
    WeightTable,
    country_list,
    for_use,
    is_party,
    listed,
)
from .counting import STRETCH, Per, bounds_text, check_bounds, end_use_filter, row_bounds, row_of


class MinDelivered(Covering, InMoney):
    """Delivers at least a share of the demand, by default all of it. A shortage has its usual penalty as well. If the share can't be delivered, the
    rule is relaxed to what can be, or with `--strict-limits` nothing is planned for its demands.
    """

    model_config = {"json_schema_extra": {"examples": [{}, {"share": "98%", "per": "year"}]}}

    kind: Literal["min-delivered"] = "min-delivered"
    share: Share = Decimal(1)
    """Share of the demand, from 0 to 1, or like `98%`."""
    demands: Annotated[tuple[str, ...], Names("demand")] = ()
    """Demands by id. Empty means all."""
    end_uses: EndUses = frozenset()
    """End uses of the demands. Empty means all."""
    places: Annotated[tuple[str, ...], Names("place")] = ()
    """Places of the demands. Empty means all."""
    per: Per = "period"
    """Time over which the share is reached: every period, every calendar year, or the whole plan."""
    together: bool = False
    """True to count all these demands in one row, false to count each in its own."""
    penalty: PerKilogram | None = Field(default=None, gt=0)
    """Money per kilogram of violation, a number or like `5 USD/kg`. None means that it must be satisfied."""

    def rows(self, facts: Facts) -> Iterable[Row]:
        for name, demands in self._demands_by_row(facts):
            weight = _membership_weight(demands)
            reads = frozenset(demand.use.material.id for demand in demands)
            for label, periods in facts.spans(self.per):
                demanded = facts.demanded(weight, periods)
                if demanded:
                    short = facts.short(weight, periods)
                    yield row_of(self, f"{name} {label}", (short,), at_most=demanded * (1 - self.share), reads=reads)

    def _demands_by_row(self, facts: Facts) -> Iterator[tuple[str, Sequence[DemandLine]]]:
        demands = [demand for demand in facts.demands if self.counts_demand(demand)]
        if self.together:
            yield "together", demands
        else:
            yield from ((demand.id, [demand]) for demand in demands)

    def counts_demand(self, demand: DemandLine) -> bool:
        use = demand.use
        return (
            self.covers(use.material)
            and (not self.demands or demand.id in self.demands)
            and (not self.end_uses or use.end_use in self.end_uses)
            and (not self.places or use.place.id in self.places)
        )

    def sentence(self) -> str:
        quantity = "All" if self.share == 1 else f"At least {(self.share * 100).normalize():f}%"
        where = f" at {listed(self.places, 'or')}" if self.places else ""
        which = f" ({listed(self.demands, 'or')})" if self.demands else ""
        each = "all together" if self.together else "demand by demand"
        goods = f"{self.subject()}{for_use(self.end_uses)}{where}{which}"
        return f"{quantity} of the demand for {goods} must be delivered, {each}, {STRETCH[self.per]}."


def _membership_weight(demands: Sequence[DemandLine]) -> Callable[[DemandLine], int]:
    ids = {demand.id for demand in demands}
    return lambda demand: int(demand.id in ids)


class Pin(InMoney):
    """A decision of the planner: a quantity from an offer, or from several by weight, over some deliveries."""

    kind: Literal["pin"] = "pin"
    offer: Annotated[str, Names("offer")] = ""
    """Offer."""
    offers: Annotated[WeightTable, Names("offer")] = ()
    """Several offers instead: a table of offers with the weight of a kilogram, like `{ a = 1, b = 0.5 }`."""
    place: Annotated[str, Names("place")] = ""
    """Place of delivery. Empty means any."""
    places: Annotated[tuple[str, ...], Names("place")] = ()
    """Several places instead, counted together."""
    material: Annotated[str, Names("material")] = ""
    """Output of the offer. Empty means all."""
    exactly: Kilograms | None = None
    """Exact quantity in kilograms (times their weights)."""
    at_least: Kilograms | None = None
    """Minimum."""
    at_most: Kilograms | None = None
    """Maximum."""
    end_uses: EndUses = frozenset()
    """End uses of the purchases. Empty means all. A purchase for several uses counts for the maximum, but not for the minimum."""
    per: Per = "horizon"
    """Time that a quantity is for: all deliveries, those of each calendar year, or those of each period."""
    start: datetime.date | None = Field(default=None, alias="from")
    """First day of the deliveries, or orders."""
    end: datetime.date | None = Field(default=None, alias="until")
    """Last day."""
    penalty: PerKilogram | None = Field(default=None, gt=0)
    """Money per kilogram of violation, a number or like `5 USD/kg`. None means that it must be satisfied."""

    may_count_orders: ClassVar[bool] = True

    model_config = {
        **Rule.model_config,
        "json_schema_extra": {"examples": [{"offer": "acme-metal", "at_most": "10 t"}]},
    }

    @model_validator(mode="after")
    def _check_fields(self) -> Pin:
        check_bounds(self)
        if bool(self.offer) == bool(self.offers):
            raise ValueError("give either `offer`, or a table of `offers` with the weight of a kilogram from each")
        if self.place and self.places:
            raise ValueError("give either `place` or `places`")
        return self

    @property
    def counted_end_uses(self) -> frozenset[str]:
        return self.end_uses

    @property
    def weights(self) -> dict[str, Decimal]:
        """Weight of a kilogram by offer."""
        return dict(self.offers) or {self.offer: Decimal(1)}

    def rows(self, facts: Facts) -> Iterable[Row]:
        """Raise `InputError` if no offer has one of the names."""
        offer_ids = {offer.offer.id for offer in facts.offers}
        unknown = [self._unknown_offer(name, offer_ids) for name in self.weights if name not in offer_ids]
        if unknown:
            raise InputError(unknown)
        dates = Span(start=self.start, end=self.end)
        pinned_periods = {period.index for period in facts.horizon.periods if dates.meets(period.span)}
        for label, periods in facts.spans(self.per):
            counted_periods = [t for t in periods if t in pinned_periods]
            for bounds in row_bounds(self) if counted_periods or self.per == "horizon" else ():
                name = listed(self.weights) + ("" if self.per == "horizon" else f" {label}") + bounds.name
                bought = facts.bought(self._purchase_weight, counted_periods, for_uses=bounds.for_uses)
                reads = frozenset(offer.material.id for offer in facts.offers if offer.offer.id in self.weights)
                yield row_of(self, name, (bought,), bounds.at_least, bounds.at_most, reads)

    def _unknown_offer(self, name: str, offer_ids: set[str]) -> Diagnostic:
        return Diagnostic(
            f"rule `{self.id}` pins the offer `{name}`, which this case can't use",
            column="rule.offer",
            found=name,
            expected="an offer with a known capacity and price",
            fix=did_you_mean(name, offer_ids) or "if it is a lead, add the missing figures with [[assume.offer]]",
            code="FS310",
        )

    def _purchase_weight(self, offer: Chained, place: Place) -> Decimal:
        is_here = place.id in (self.places or (self.place or place.id,))
        is_counted = is_here and self.material in ("", offer.material.id)
        return self.weights.get(offer.offer.id, Decimal(0)) if is_counted else Decimal(0)

    def sentence(self) -> str:
        offers = [name if weight == 1 else f"{name} (times {weight:f})" for name, weight in self.weights.items()]
        span = Span(start=self.start, end=self.end)
        verb = "ordered" if self.dated_by == "order" else "delivered"
        when = f", {verb} {span}" if self.start or self.end else ", by order date" if verb == "ordered" else ""
        every = "" if self.per == "horizon" else f" {STRETCH[self.per]}"
        where = f" to {listed(self.places or (self.place,), 'or')}" if self.place or self.places else ""
        return f"Buy {bounds_text(self)} from {listed(offers)}{for_use(self.end_uses)}{where}{every}{when}."


class Budget(Covering, InMoney):
    """Spends at most an amount: price less discounts, charges, freight, onboarding, fixed costs, and holding, not discounted, by order date.
    Discounts and surcharges of a price schedule count at settlement, if the budget covers all goods of the schedule. Fixed costs of terms of trade,
    and quantities paid for but not taken, count when they are due, if the budget covers any of their goods.
    """

    model_config = {
        "json_schema_extra": {"examples": [{"amount": 5000}, {"amount": "2,000,000 USD", "countries": ["CN"]}]}
    }

    kind: Literal["budget"] = "budget"
    amount: Amount = Field(ge=0)
    """Money: a number in the case's currency, or like `60,000,000 USD`."""
    end_uses: EndUses = frozenset()
    """End uses of the spending. Empty means all. Holding then doesn't count. Rejected if a covered cost is the same for all uses: onboarding, price
    schedules, fixed costs, take-or-pay, or runs of several goods that take no inputs."""
    countries: Countries = frozenset()
    """Countries of concern. Only purchases count whose seller, or any step of whose chain, is or may be in one of them, and goods made from these.
    Empty means all purchases. A step with an unknown country may be in any. Holding and one-off costs of other makers then don't count."""
    suppliers: Parties = ()
    """Companies: only purchases from them, or from companies that they own, count. Empty means all. Holding then doesn't count."""
    per: Per = "year"
    """Time that the amount is for: every period, every calendar year, or the whole plan."""
    penalty: Rate | None = Field(default=None, gt=0)
    """Money per unit of overdraft, or like `10%`. None means that it must be satisfied."""

    amounts: ClassVar[tuple[str, ...]] = ("amount",)

    @property
    def is_in_all(self) -> bool:
        """True if it covers all spending, including holding."""
        return self.subject() == "any material" and not (self.end_uses or self.countries or self.suppliers)

    @property
    def counted_end_uses(self) -> frozenset[str]:
        return self.end_uses

    @property
    def keeps_apart(self) -> bool:
        return bool(self.countries)

    def taints(self, offer: Chained) -> bool:
        return dependence_of(offer, self.countries) is not Dependence.NO

    def rows(self, facts: Facts) -> Iterable[Row]:
        reads = frozenset(material.id for material in facts.materials if self.covers(material))
        for_uses = end_use_filter(self.end_uses, surely=False)
        for_tainted_uses = ForUses(self.end_uses, surely=False, not_free_of=self.id)
        direct_weight, input_weight = _cached_weight(self.counts), _cached_weight(self.counts_if_tainted)
        for label, periods in facts.spans(self.per):
            terms = tuple(facts.spent(direct_weight, periods, for_uses))
            if self.is_in_all:
                terms = (*terms, facts.holding(periods))
            if self.countries:
                terms = (*terms, *facts.spent(input_weight, periods, for_tainted_uses))
            yield row_of(self, label, terms, at_most=self.amount, reads=reads)

    def counts(self, offer: Chained) -> bool:
        """Return True if payments for an offer count, whatever its inputs."""
        return self._is_about(offer) and (not self.countries or self.taints(offer))

    def counts_if_tainted(self, offer: Chained) -> bool:
        """Return True if payments for an offer count because its inputs are, or may be, of concern."""
        return bool(self.countries and offer.offer.inputs) and self._is_about(offer) and not self.taints(offer)

    def _is_about(self, offer: Chained) -> bool:
        sellers = (offer.facility.supplier, offer.facility.owner)
        is_from_supplier = not self.suppliers or any(is_party(name, self.suppliers) for name in sellers)
        return is_from_supplier and self.covers(offer.material)

    def sentence(self) -> str:
        stretch = STRETCH[self.per].replace("every", "any")
        subject = "in all, holding included," if self.is_in_all else f"on {self.subject()}{for_use(self.end_uses)}"
        subject += f" from {listed(self.suppliers, 'or')}" if self.suppliers else ""
        subject += (
            f" that is, or may be, sold or made in {country_list(self.countries, 'or')}, or made of such inputs,"
            if self.countries
            else ""
        )
        return f"No more than {self.amount:,f}, in the case's currency, may be spent {subject} {stretch}."


def _cached_weight(counts: Callable[[Chained], bool]) -> Callable[[Chained, Place], Decimal]:
    weight_by_offer: dict[int, Decimal] = {}

    def count(offer: Chained, _place: Place) -> Decimal:
        if id(offer) not in weight_by_offer:
            weight_by_offer[id(offer)] = Decimal(counts(offer))
        return weight_by_offer[id(offer)]

    return count


class Cover(Covering, InMoney):
    """Stock for a number of days of demand, at the end of every period. Stock counts if it may be delivered to the demand that it covers: if it was
    bought for the compliance class of the coming deliveries, or for a stricter one. Unused lots don't count, nor does stock that could only be
    delivered under a waiver.
    """

    watches_stock: ClassVar[bool] = True

    model_config = {"json_schema_extra": {"examples": [{"days": 30}]}}

    kind: Literal["cover"] = "cover"
    days: Number = Field(gt=0)
    """Days of demand after the end of the period. Each period's demand is spread evenly over its days; after the plan, the last period's rate continues."""
    places: Annotated[tuple[str, ...], Names("place")] = ()
    """Places of the demand. Empty means all."""
    end_uses: EndUses = frozenset()
    """End uses of the demand. Empty means all."""
    penalty: PerKilogram | None = Field(default=None, gt=0)
    """Money per kilogram of violation in a period, a number or like `5 USD/kg`. None means that it must be satisfied."""

    def rows(self, facts: Facts) -> Iterable[Row]:
        """Yield rows per material, place, and period: one per set of demands on the same stock, or if soft one for the worst set, so that it has one penalty."""
        covered_demands = (demand for demand in facts.demands if self._is_covered(demand))
        demands_by_place = grouped(
            ((demand.use.material.id, demand.use.place.id), demand) for demand in covered_demands
        )
        for (material, place), demands in sorted(demands_by_place.items()):
            for label, periods in facts.spans("period"):
                deliveries = [
                    entry for demand in demands for entry in self._future_deliveries(facts, demand, periods[0])
                ]
                stock_sets = facts.usable(deliveries, periods[0])
                yield from self._rows(f"{material} {place}", label, stock_sets)

    def _rows(self, name_prefix: str, label: str, stock_sets: Iterable[tuple[str, Term, Decimal]]) -> Iterator[Row]:
        sets = list(stock_sets)
        if self.penalty is None or len(sets) < 2:
            for name, term, quantity in sets:
                yield row_of(self, f"{name_prefix} {name} {label}", (term,), at_least=quantity)
        else:
            shortfall = lacking(*((quantity, term) for _, term, quantity in sets))
            yield row_of(self, f"{name_prefix} {label}", (shortfall,), at_most=Decimal(0))

    def _is_covered(self, demand: DemandLine) -> bool:
        use = demand.use
        is_here = not self.places or use.place.id in self.places
        return is_here and self.covers(use.material) and (not self.end_uses or use.end_use in self.end_uses)

    def _future_deliveries(
        self, facts: Facts, demand: DemandLine, period: int
    ) -> Iterator[tuple[DemandLine, int, Decimal]]:
        """Yield the quantities of a demand after a period, each with the period of its delivery."""
        days_left = Fraction(self.days)
        periods = facts.horizon.periods
        last = len(periods) - 1
        for t in range(period + 1, last + 1):
            days = min(days_left, Fraction(periods[t].days))
            yield from self._delivery(demand, t, days / periods[t].days)
            days_left -= days
        yield from self._delivery(demand, last, days_left / periods[last].days)

    @staticmethod
    def _delivery(demand: DemandLine, period: int, share: Fraction) -> Iterator[tuple[DemandLine, int, Decimal]]:
        quantity = Fraction(demand.quantity[period]) * share
        if quantity:
            yield demand, period, as_decimal(quantity)

    def sentence(self) -> str:
        where = f" at {listed(self.places, 'or')}" if self.places else ""
        return f"Stock of {self.subject()}{for_use(self.end_uses)}{where} must cover {self.days.normalize():f} days of demand at the end of every period."


class StockLevel(Covering, InMoney):
    """Kilograms in stock at the end of every period or of the plan: a minimum, a maximum, or an exact quantity. All stock counts, including unused
    lots. With `end_uses`, only stock for these counts.
    """

    model_config = {"json_schema_extra": {"examples": [{"at_least": "5 kg"}]}}

    kind: Literal["stock-level"] = "stock-level"
    exactly: Kilograms | None = None
    """Exact quantity."""
    at_least: Kilograms | None = None
    """Minimum."""
    at_most: Kilograms | None = None
    """Maximum."""
    when: Literal["every-period", "end"] = "every-period"
    """Time: the end of every period, or only of the last."""
    places: Annotated[tuple[str, ...], Names("place")] = ()
    """Places of the stock. Empty means all."""
    end_uses: EndUses = frozenset()
    """End uses of the stock. Empty means all. Unused lots are for none. Stock for several uses counts for the maximum, but not for the minimum."""
    together: bool = False
    """True to count all these materials and places in one row, false to count each material at each place in its own."""
    weights: Annotated[WeightTable, Names("material")] = ()
    """Weight of a kilogram of a material, such as the room that it takes: `{ oxide = 1, metal = 0.4 }`. Defaults to 1."""
    penalty: PerKilogram | None = Field(default=None, gt=0)
    """Money per kilogram of violation at the end of a period, a number or like `5 USD/kg`. None means that it must be satisfied."""

    @model_validator(mode="after")
    def _check_bounds(self) -> StockLevel:
        check_bounds(self)
        return self

    def rows(self, facts: Facts) -> Iterable[Row]:
        last = len(facts.horizon.periods) - 1
        for name, part, place in self._row_parts(facts):
            for label, periods in facts.spans("period"):
                for bounds in row_bounds(self) if self.when == "every-period" or periods == (last,) else ():
                    stock = part.stock(self._weight_at(place), periods, bounds.for_uses)
                    reads = frozenset(material.id for material in part.materials)
                    yield row_of(self, f"{name} {label}{bounds.name}", (stock,), bounds.at_least, bounds.at_most, reads)

    @property
    def counted_end_uses(self) -> frozenset[str]:
        return self.end_uses

    def _row_parts(self, facts: Facts) -> Iterator[tuple[str, Facts, str]]:
        """Yield, for each row, its name, the facts about its materials, and its place if it has one."""
        materials = [material.id for material in facts.materials if self.covers(material)]
        if self.together:
            yield "together", facts.about(materials), ""
            return
        for material in materials:
            part = facts.about([material])
            for place in part.places:
                if not self.places or place.id in self.places:
                    yield f"{material} {place.id}", part, place.id

    def _weight_at(self, place_id: str) -> Callable[[Material, Place], Decimal]:
        weights = dict(self.weights)

        def count(material: Material, place: Place) -> Decimal:
            is_here = place.id == place_id if place_id else not self.places or place.id in self.places
            return weights.get(material.id, Decimal(1)) if is_here and self.covers(material) else Decimal(0)

        return count

    def sentence(self) -> str:
        bounds = bounds_text(self)
        where = f" at {listed(self.places, 'or')}" if self.places else ""
        when = "at the end of every period" if self.when == "every-period" else "at the end of the plan"
        weights = f", {listed(f'{name} times {weight:f}' for name, weight in self.weights)}" if self.weights else ""
        return f"Stock of {self.subject()}{for_use(self.end_uses)}{where} must be {bounds}{' together' if self.together else ''} {when}{weights}."
