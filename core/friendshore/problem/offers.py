"""Offers as the case sees them: evidence accepted or not, prices by period, limits by period; and leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from typing import NamedTuple

from ..domain.base import as_decimal, exact, rounded
from ..domain.case import Case, OfferAssumption
from ..domain.evidence import Confidence
from ..domain.facts import Facility, Material, Offer, Price, Quote
from ..domain.market import basis_factor
from ..domain.quantities import readable
from ..domain.runtime import told_each
from ..domain.time import Delay, Period, Span
from ..domain.use import Chained
from ..errors import InputError
from .float_tables import Scaled
from .merged import CASE_SOURCE, Merged, exchange
from .rates import Paths

_NOTHING = Decimal(0)


class OfferFacts(NamedTuple):
    """An offer that counts, with all that the model needs of it."""

    offer: Offer
    facility: Facility
    place: str
    """Where its inputs are taken."""
    chained: tuple[Chained, ...]
    """As rules see it, one an output."""
    price: Sequence[Decimal]
    """Money per unit in each order period, in the case's currency."""
    most: tuple[Decimal | None, ...]
    """Most units ordered in each period by its own limits; 0 where it may not be ordered."""
    pools: tuple[str, ...]
    """Facilities whose capacity it draws on, its own first."""
    onboarding: Decimal
    """One-off cost in the case's currency."""

    @property
    def least(self) -> Decimal:
        """Least units of an order: its minimum, in whole lots; 0 for none."""
        return self.in_lots(self.offer.min_order or Decimal(0))

    def in_lots(self, units: Decimal) -> Decimal:
        """Units rounded up to whole lots."""
        lot = self.offer.lot
        return units if lot is None else exact((units / lot).to_integral_value(ROUND_CEILING) * lot)

    @property
    def single(self) -> bool:
        """Whether its unit is a kilogram of its one output."""
        return len(self.offer.outputs) == 1

    @property
    def limited(self) -> bool:
        """Whether it says how much is ordered in a period, or in all."""
        return bool(self.offer.min_order) or self.offer.total is not None or self.most.count(None) < len(self.most)

    @property
    def paid_periods(self) -> tuple[int, ...]:
        """Order periods in which it may be ordered at a price below zero."""
        if not self.offer.paid:
            return ()
        periods = enumerate(zip(self.price, self.most, strict=True))
        return tuple(t for t, (price, most) in periods if price < 0 and most != 0)

    @property
    def mass_per_unit(self) -> Decimal:
        """Kilograms of all outputs per unit."""
        mass = _NOTHING
        for line in self.offer.outputs:
            mass += line.per_unit
        return mass


@dataclass(frozen=True, slots=True)
class Lead:
    """An offer that is shown and never counted, and why."""

    offer: Offer
    reasons: tuple[str, ...]


class Assumption(NamedTuple):
    """Something taken as given, in a planner's words."""

    subject: str
    text: str


def resolve_offers(merged: Merged, case: Case) -> tuple[list[OfferFacts], list[Lead], list[Assumption]]:
    """Every offer of the catalogs as something that counts, or as a lead; in the order of ids."""
    given = {assumption.id: assumption for assumption in case.assume.offer}
    paths = Paths(merged, case)
    counted: list[OfferFacts] = []
    leads: list[Lead] = []
    assumptions: list[Assumption] = []
    for offer in told_each(list(merged.offers.values()), "pricing offers", "offers"):
        reader = OfferReader(merged, paths, case, offer, given.get(offer.id))
        facts = reader.read()
        if isinstance(facts, Lead):
            leads.append(facts)
        else:
            counted.append(facts)
            assumptions.extend(reader.assumptions)
    return counted, leads, assumptions


class OfferReader:
    """Reads one offer: collects the reasons that make it a lead, and what is assumed."""

    def __init__(self, merged: Merged, paths: Paths, case: Case, offer: Offer, given: OfferAssumption | None) -> None:
        self.merged = merged
        self.paths = paths
        self.case = case
        self.given = given
        self.offer = self._with_assumption(offer)
        self.facility = merged.facilities[offer.facility]
        self.incumbent = offer.id in paths.incumbents
        """Whether it is bought from today."""
        self.qualified = self._qualified()
        """First period in which it may be ordered."""
        self.open: frozenset[int] | None = None
        """Periods throughout which a quotation holds; None: it has none."""
        self.reasons: list[str] = []
        self.assumptions: list[Assumption] = []

    def read(self) -> OfferFacts | Lead:
        price = self.prices()
        most = self._most()
        once = Decimal(0) if self.incumbent else self.offer.onboarding
        onboarding = self._money(once, self.offer.onboarding_currency, "onboarding cost")
        self._note_assumed_recipe()
        if self.reasons or price is None:
            return Lead(self.offer, tuple(self.reasons))
        return OfferFacts(
            offer=self.offer,
            facility=self.facility,
            place=self.facility.place or self.facility.country,
            chained=tuple(self._chained(self.merged.materials[line.material]) for line in self.offer.outputs),
            price=price,
            most=most,
            pools=self._pools(),
            onboarding=onboarding,
        )

    def _with_assumption(self, offer: Offer) -> Offer:
        given = self.given
        if given is None:
            return offer
        update: dict[str, object] = {}
        factor = self._given_basis(offer, given)
        if given.capacity is not None:
            update |= {
                "max_per_year": exact(given.capacity * factor),
                "start": given.start or offer.start,
                "source": CASE_SOURCE,
            }
        if given.price is not None:
            amount = given.price.amount
            per_unit = exact(amount / factor) if amount is not None else None
            update["price"] = given.price.but(amount=per_unit, source=CASE_SOURCE)
            update["quotes"] = ()
        if given.chain:
            stated = {entry.stage for entry in given.chain}
            kept = tuple(entry for entry in offer.chain if entry.stage not in stated)
            update["chain"] = kept + tuple(e.but(source=CASE_SOURCE) for e in given.chain)
        return offer.but(**update)

    def _given_basis(self, offer: Offer, given: OfferAssumption) -> Decimal:
        factor = basis_factor(self.merged.materials[offer.outputs[0].material], given.substance, self.paths.factors)
        if factor is None:
            raise InputError(
                f"the figure given for `{offer.id}` is of {given.substance}, which cannot be turned into {offer.outputs[0].material}",
                column="assume.offer",
                found=given.substance,
                fix="state it in the material's own basis, or add a row to factors.csv with its source",
            )
        return factor

    def _pools(self) -> tuple[str, ...]:
        """The facility and those around it; its own figure is passed over where the case gives the offer one."""
        pools = self.paths.pools(self.facility)
        if self.given is None or self.given.capacity is None:
            return pools
        return tuple(name for name in pools if name != self.facility.id)

    def _most(self) -> tuple[Decimal | None, ...]:
        offer, least = self.offer, self.case.accept.confidence
        own = offer.max_per_year is not None or offer.total is not None
        if own and not self.merged.confidence(offer.source).reaches(least):
            self.reasons.append(f"its quantity is only {self.merged.confidence(offer.source)}")
        if not own:
            steps = self.paths.steps(self.facility)
            if not self.facility.capacity:
                self.reasons.append("nobody published its capacity")
            elif not steps:
                best = max((self.merged.confidence(s.source) for s in self.facility.capacity), key=lambda c: c.rank)
                self.reasons.append(f"its capacity is only {best}")
        if not self._limited():
            return self.paths.unlimited
        return tuple(self._most_in(period) for period in self.case.horizon.periods)

    def _limited(self) -> bool:
        """Whether it says anything of dates or quantities."""
        offer = self.offer
        dates = (offer.start, offer.end, offer.qualification)
        quantities = (offer.max_per_year, offer.max_order, offer.total, offer.lot, offer.max_lots)
        said = (*dates, *quantities)
        return bool(offer.quotes) or said.count(None) < len(said)

    def _most_in(self, period: Period) -> Decimal | None:
        if not Span(start=self.offer.start, end=self.offer.end).covers(period.span):
            return Decimal(0)
        if period.index < self.qualified or (self.open is not None and period.index not in self.open):
            return Decimal(0)
        limits = []
        if self.offer.max_per_year is not None:
            limits.append(as_decimal(Fraction(self.offer.max_per_year) * period.years))
        if self.offer.max_order is not None:
            limits.append(self.offer.max_order)
        if self.offer.lot is not None and self.offer.max_lots is not None:
            limits.append(exact(self.offer.lot * self.offer.max_lots))
        if self.offer.total is not None:
            limits.append(self.offer.total)
        return min(limits) if limits else None

    def _qualified(self) -> int:
        """The period from which it may be ordered: an incumbent is qualified already."""
        months = self.offer.qualification
        if months is None or self.incumbent:
            return 0
        return self.case.horizon.arrival(0, Delay.of(months))

    def prices(self) -> Sequence[Decimal] | None:
        """Its price in each period, in the case's currency; None, with the reason kept, if it has none that counts."""
        price = self.offer.price
        if self.offer.quotes:
            return self._by_quotes()
        if price is None:
            self.reasons.append("nobody published its price")
            return None
        if price.amount is None:
            return self._benchmarked(price)
        return self._leveled(self._quoted(price))

    def _leveled(self, prices: tuple[Decimal, ...] | None) -> tuple[Decimal, ...] | None:
        """The same prices; offers with one and the same price in every period share them."""
        if prices is not None and prices.count(prices[0]) == len(prices):
            return self.paths.level(prices[0])
        return prices

    def _by_quotes(self) -> tuple[Decimal, ...] | None:
        """The quotation that holds on every day of each period; where none does, the offer is not open, at the last one's price."""
        found: dict[int, Quote] = {}
        refused: list[str] = []
        for quote in self.offer.quotes:
            dates = Span(start=quote.start, end=quote.end)
            within = [p.index for p in self.case.horizon.periods if dates.covers(p.span)]
            reason = self._weighed(quote.amount, quote.currency, quote.source) if within else ""
            if reason:
                refused.append(reason)
                continue
            found |= dict.fromkeys(within, quote)
        if not found:
            self.reasons += refused or ["no quotation holds throughout a period of the plan"]
            return None
        self.open = frozenset(found)
        last = found[min(found)]
        held = [last := found.get(t, last) for t in range(self.case.horizon.count)]
        return self._in_case_currency([quote.amount for quote in held], [quote.currency for quote in held])

    def _quoted(self, price: Price) -> tuple[Decimal, ...] | None:
        assert price.amount is not None
        reason = self._weighed(price.amount, price.currency, price.source)
        if reason:
            self.reasons.append(reason)
        count = self.case.horizon.count
        return self._in_case_currency([price.amount] * count, [price.currency] * count)

    def _weighed(self, amount: Decimal, currency: str, source: str) -> str:
        """Why a price does not count; empty if it does, and what is taken as given is noted."""
        confidence = self.merged.confidence(source)
        accepted = confidence.reaches(self.case.accept.confidence)
        price = f"price {readable(amount)} {currency}/kg"
        if confidence is Confidence.ASSUMED or (confidence is Confidence.COMPUTED and not accepted):
            reference = self.merged.sources[source].reference if source in self.merged.sources else ""
            self._assume(
                f"{price} is {confidence.value}"
                + (f": {reference.removeprefix(f'{confidence.value.capitalize()}: ')}" if reference else "")
            )
        elif not accepted:
            return f"its price is only {confidence}"
        elif source == CASE_SOURCE:
            self._assume(f"{price} is given by the case")
        return ""

    def _benchmarked(self, price: Price) -> Sequence[Decimal] | None:
        rows = self.paths.rows(price.benchmark)
        if not rows:
            self.reasons.append(f"no price of benchmark `{price.benchmark}` is well enough founded")
            return None
        materials = self.merged.materials
        material = materials[self.offer.outputs[0].material]
        found = self.paths.benchmarked(price.benchmark, material)
        if found is None:
            other = next(r.material for r in rows if self.paths.basis(materials[r.material], material) is None)
            self.reasons.append(
                f"benchmark `{price.benchmark}` is of {other}, which has no known content to convert by"
            )
            return None
        if price.premium:
            self._assume(
                f"priced at benchmark {price.benchmark} {'+' if price.premium > 0 else ''}{(price.premium * 100).normalize():f} %"
            )
        else:
            self._assume(f"priced at benchmark {price.benchmark}, without a premium")
        factor = 1 + price.premium
        if not found.at_home:
            return self._leveled(self._in_case_currency(list(Scaled(found.amounts, factor)), found.currencies))
        if found.steady:
            return self.paths.level(rounded(found.amounts[0] * factor))
        return Scaled(found.amounts, factor)

    def _in_case_currency(self, amounts: Sequence[Decimal], currencies: Sequence[str]) -> tuple[Decimal, ...] | None:
        unknown = self.paths.without_rate(currencies)
        if unknown is not None:
            self.reasons.append(f"no exchange rate from {unknown} to {self.case.currency}")
            return None
        return self.paths.in_case_currency(amounts, currencies)

    def _money(self, amount: Decimal | None, currency: str, what: str) -> Decimal:
        if not amount:
            return _NOTHING
        rate = exchange(self.merged.rates, currency or self.case.currency, self.case.currency, self.case.horizon.start)
        if rate is None:
            self.reasons.append(f"no exchange rate from {currency} to {self.case.currency} for its {what}")
            return Decimal(0)
        return exact(amount * rate)

    def _chained(self, material: Material) -> Chained:
        stages = self.paths.stages(self.offer, material)
        fields = {
            "offer": self.offer,
            "material": material,
            "facility": self.facility,
            "performed": stages.performed,
            "missing": stages.missing,
            "supplied": stages.supplied,
            "source": not self.offer.inputs,
        }
        made = self.paths.sharing.made(Chained, fields)
        if made.origin_contradicted:
            told = " and ".join(sorted(made.last_countries[0]))
            text = f"states {self.offer.customs_origin} as its customs origin, where none of its stages is done: counted as of {told} too"
            self._assume(text)
        return made

    def _note_assumed_recipe(self) -> None:
        for line in self.offer.inputs:
            confidence = self.merged.confidence(line.source)
            if not confidence.reaches(Confidence.REPORTED):
                self._assume(f"takes {line.per_unit.normalize():f} kg of {line.material} a unit ({confidence})")
        for line in self.offer.outputs if len(self.offer.outputs) > 1 else ():
            confidence = self.merged.confidence(line.source)
            if not confidence.reaches(Confidence.REPORTED):
                self._assume(f"gives {line.per_unit.normalize():f} kg of {line.material} a unit ({confidence})")
        if self.given is not None and self.given.capacity is not None:
            self._assume(
                f"capacity {self.given.capacity.normalize():f} kg/year given by the case"
                + (f": {self.given.why}" if self.given.why else "")
            )
        if self.given is not None and self.given.chain:
            stages = ", ".join(sorted(e.stage for e in self.given.chain))
            self._assume(f"origin of {stages} given by the case" + (f": {self.given.why}" if self.given.why else ""))

    def _assume(self, text: str) -> None:
        self.assumptions.append(Assumption(self.offer.id, text))
