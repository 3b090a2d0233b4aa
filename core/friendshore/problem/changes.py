"""Changes applied to a case's facts: the one place where scenarios, bills and what-ifs become other facts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from ..domain.case import Accept, Case, DemandSpec, Scenario, WaiverSpec
from ..domain.change import Change
from ..domain.facts import CapacityStep, Catalog, Facility, Offer, Status
from ..domain.market import BenchmarkPrice, Price, Quote
from ..domain.suggest import closest
from ..domain.terms import Tier
from ..domain.time import add_months
from ..errors import Diagnostic, InputError
from ..rules.amend import Amend, amended
from ..rules.base import Rule, misfits
from ..rules.pack import LegislativeBill
from .change_kinds import (
    DEMAND_WORDS,
    OFFER_WORDS,
    OFFERS,
    Facts,
    add_demand,
    add_stock,
    benchmark_named,
    demand_words,
    follows,
    grant,
    names_offer,
    offer_words,
    own_quantity,
    prove,
    relax,
    reprices,
    resize_order,
    resizes,
    revoke,
    scale_lead_times,
    scale_recipe,
    sellers_of,
    unknown,
    waive,
)
from .merged import CASE_SOURCE

PRICE_WORDS = ("offer", "material", "benchmark")
_FIELDS = {"remove": "remove", "lead_time": "lead_time", "lift": "of", "price": "price", "demand": "demand"}
"""Subject of a change -> the field that names what may be several things."""
_WORDS = {"price": PRICE_WORDS, "demand": DEMAND_WORDS}
"""Subject -> what its name may be; of all others one of the words for offers."""


def ambiguity(change: Change, case: Case, catalogs: Sequence[Catalog]) -> Diagnostic | None:
    """What is wrong with a change whose name means several things, of which not all come to the same; None: nothing."""
    found = readings(change, case, catalogs)
    if len(set(found.values())) < 2:
        return None
    name = getattr(change, _FIELDS[change.subject])
    what = " and ".join(f"a{'n' * (word[0] in 'aeiou')} {word.replace('_', ' ')}" for word in found)
    said = [f"`{word}:{name}`" for word in found]
    return Diagnostic(
        f"`{name}` is the name of {what}, and which of them is meant is not said",
        column=_FIELDS[change.subject],
        found=name,
        expected=" or ".join(said),
        fix=f"write {said[0]} if the {next(iter(found)).replace('_', ' ')} is meant",
    )


def shortest(change: Change, case: Case, catalogs: Sequence[Catalog]) -> Change:
    """A change without the word before its name, where the name alone means the same."""
    field = _FIELDS.get(change.subject, "")
    word, _, name = getattr(change, field).partition(":") if field else ("", "", "")
    if word not in _WORDS.get(change.subject, OFFER_WORDS):
        return change
    bare = change.but(**{field: name})
    found = readings(bare, case, catalogs)
    return bare if change.date is not None or (word in found and len(set(found.values())) == 1) else change


def readings(change: Change, case: Case, catalogs: Sequence[Catalog]) -> Mapping[str, frozenset[str]]:
    """What the name of a change may be -> the offers, demands or benchmark that the change then is about; nothing where it says so itself."""
    field = _FIELDS.get(change.subject, "")
    name = getattr(change, field) if field else ""
    if not name or ":" in name or change.date is not None:
        return {}
    if change.demand:
        found = {
            word: {str(n) for n, d in enumerate(case.demands) if demand_words(d, case)[word] == name}
            for word in DEMAND_WORDS
        }
    else:
        found = _of_offers(name, change, catalogs)
    return {word: frozenset(about) for word, about in found.items() if about}


def _of_offers(name: str, change: Change, catalogs: Sequence[Catalog]) -> dict[str, set[str]]:
    facilities = {facility.id: facility for catalog in catalogs for facility in catalog.facilities}
    words = PRICE_WORDS if change.price else OFFER_WORDS
    found: dict[str, set[str]] = {word: set() for word in words}
    for catalog in catalogs:
        for offer in catalog.offers:
            called = offer_words(offer, facilities[offer.facility])
            if change.price:
                called = {
                    "offer": offer.id,
                    "material": name if any(ln.material == name for ln in offer.outputs) else "",
                }
            for word, known in called.items():
                if known == name:
                    found[word].add(offer.id)
        if change.price and any(row.id == name for row in catalog.prices):
            found["benchmark"].add(f"benchmark {name}")
    return found


P = TypeVar("P", Price, Quote, BenchmarkPrice)


def reprice(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """Multiplies the prices of an offer, of all offers of a material, or of a benchmark; or states that of offers."""
    if change.amount is not None:
        return _priced(change, case, catalogs, troubles)
    factor = change.factor
    assert factor is not None
    facilities = {f.id: f for catalog in catalogs for f in catalog.facilities}
    found = False

    def repriced(offer: Offer) -> Offer:
        nonlocal found
        if not reprices(change, offer, facilities[offer.facility]) or (offer.price is None and not offer.quotes):
            return offer
        found = True
        price = offer.price
        if price is None:
            quotes = tuple(_times(quote, factor) for quote in offer.quotes)
            return offer.but(quotes=quotes)
        if price.amount is not None:
            return offer.but(price=_times(price, factor))
        return offer.but(price=price.but(premium=(1 + price.premium) * factor - 1))

    changed = []
    for catalog in catalogs:
        prices = tuple(_times(row, factor) if follows(change, row) else row for row in catalog.prices)
        found = found or any(follows(change, row) for row in catalog.prices)
        offers = tuple(map(repriced, catalog.offers))
        changed.append(catalog.but(offers=offers, prices=prices))
    hit = {
        offer.id
        for before, after in zip(catalogs, changed, strict=True)
        for offer, other in zip(before.offers, after.offers, strict=True)
        if offer is not other
    }
    changed = [_repriced_tiers(catalog, hit, factor) for catalog in changed]
    if not found:
        _unpriced(change, catalogs, troubles)
    return case, tuple(changed)


def _times(price: P, factor: Decimal) -> P:
    """A price a multiple of itself, with the range that it has."""
    figures = {"amount": price.amount, "low": price.low, "high": price.high}
    return price.but(**{name: figure * factor for name, figure in figures.items() if figure is not None})


def _priced_names(catalogs: Sequence[Catalog]) -> list[str]:
    """Names of all that has a price."""
    offers = [offer.id for catalog in catalogs for offer in catalog.offers]
    materials = [material.id for catalog in catalogs for material in catalog.materials]
    return [*offers, *materials, *(price.id for catalog in catalogs for price in catalog.prices)]


def _unpriced(change: Change, catalogs: Sequence[Catalog], troubles: list[Diagnostic]) -> None:
    """Notes a price that is none: by its name, or by the day of a benchmark that has others."""
    days = [str(row.date) for catalog in catalogs for row in catalog.prices if row.id == benchmark_named(change)]
    if change.date is None or not days:
        what = "an offer, a material or a benchmark" if change.date is None else "a benchmark"
        unknown(change, change.price, what, troubles, _priced_names(catalogs))
        return
    message = f"the benchmark `{benchmark_named(change)}` has no price of that day"
    troubles.append(Diagnostic(message, column="date", found=str(change.date), expected="one of " + ", ".join(days)))


def _priced(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """States the price of offers, in place of what they quote, or of a benchmark."""
    facilities = {f.id: f for catalog in catalogs for f in catalog.facilities}
    hit = {o.id for catalog in catalogs for o in catalog.offers if reprices(change, o, facilities[o.facility])}
    if not hit and not any(follows(change, row) for catalog in catalogs for row in catalog.prices):
        _unpriced(change, catalogs, troubles)
    currency = change.currency or case.currency
    price = Price(amount=change.amount, currency=currency, source=CASE_SOURCE)

    def stated(offer: Offer) -> Offer:
        return offer.but(price=price, quotes=()) if offer.id in hit else offer

    def followed(row: BenchmarkPrice) -> BenchmarkPrice:
        if not follows(change, row):
            return row
        return row.but(amount=change.amount, low=None, high=None, currency=currency, source=CASE_SOURCE)

    return case, tuple(
        c.but(offers=tuple(map(stated, c.offers)), prices=tuple(map(followed, c.prices))) for c in catalogs
    )


def _repriced_tiers(catalog: Catalog, offers: Collection[str], factor: Decimal) -> Catalog:
    """A catalog in which the prices of some offers' own tiers are multiplied; discounts follow the list price of themselves."""

    def repriced(tier: Tier) -> Tier:
        return tier if tier.price is None else tier.but(price=tier.price * factor)

    schedules = tuple(
        schedule.but(tiers=tuple(map(repriced, schedule.tiers)))
        if schedule.of == "offer" and schedule.id in offers
        else schedule
        for schedule in catalog.schedules
    )
    return catalog.but(schedules=schedules)


MOST_INHERITED = 100
"""Scenarios over which one may inherit from another."""


def scenario_changes(case: Case, names: Sequence[str]) -> tuple[Change, ...]:
    """All changes of the named scenarios, inherited ones first, each scenario once.

    Raises:
        InputError: for an unknown scenario, or one that inherits itself.
    """
    known = {scenario.name: scenario for scenario in case.scenarios}
    changes: list[Change] = []
    done: set[str] = set()

    def add(name: str, path: tuple[str, ...]) -> None:
        if name in done:
            return
        if len(path) > MOST_INHERITED:
            message = f"scenario `{path[0]}` inherits over more than {MOST_INHERITED} others"
            raise InputError(message, column="scenario.inherits", fix="write the changes of some of them together")
        if name in path:
            raise InputError(
                f"scenario `{name}` inherits itself", column="scenario.inherits", found=" > ".join((*path, name))
            )
        if name not in known:
            raise InputError(
                f"unknown scenario `{name}`",
                found=name,
                expected="one of " + ", ".join(sorted(known)) if known else "",
                fix=closest(name, known)
                if known
                else "add a [[scenario]] to the case, or state the change: --change CHANGE",
            )
        scenario: Scenario = known[name]
        for parent in scenario.inherits:
            add(parent, (*path, name))
        done.add(name)
        changes.extend(scenario.change)

    for name in names:
        add(name, ())
    return tuple(changes)


def apply_changes(
    changes: Sequence[Change],
    case: Case,
    catalogs: Sequence[Catalog],
    rules: Sequence[Rule],
    bills: Sequence[LegislativeBill] = (),
    amend: Amend | None = None,
) -> tuple[Case, tuple[Catalog, ...], tuple[Rule, ...]]:
    """The facts after all changes, in order; `amend` is what changes one rule, if it is not `amend_rule`.

    Raises:
        InputError: for every change that names nothing in the case.
    """
    troubles: list[Diagnostic] = []
    spelt_out = with_bills(changes, bills)
    troubles.extend(trouble for change in spelt_out for trouble in _undated(change))
    facts = (case, tuple(catalogs))
    for change in spelt_out:
        apply = _APPLY.get(change.subject)
        unclear = ambiguity(change, *facts)
        if unclear is not None:
            troubles.append(unclear)
        elif apply is not None:
            facts = apply(change, *facts, troubles)
    try:
        rules = amended(rules, changes, bills, amend)
    except InputError as error:
        troubles.extend(error.problems)
    troubles.extend(_overlong(facts[0].waivers[len(case.waivers) :], rules))
    if troubles:
        raise InputError(troubles)
    return (*facts, tuple(rules))


def _overlong(waivers: Sequence[WaiverSpec], rules: Sequence[Rule]) -> Iterator[Diagnostic]:
    """What the law of their rules has against waivers that changes bring; unknown rules are told when the case is put together."""
    known = {rule.id: rule for rule in rules}
    for waiver in waivers:
        # A change cannot say that it is of another kind.
        terms = known[waiver.rule].waivers[:1] if waiver.rule in known else ()
        for trouble in misfits(waiver, terms):
            yield replace(trouble, column=trouble.column.replace("waiver", "change"))


def with_bills(changes: Sequence[Change], bills: Sequence[LegislativeBill]) -> list[Change]:
    """Bills spelt out: they may change other facts than rules. `amended` refuses a bill that enables itself."""
    known = {bill.id: bill for bill in bills}
    found: list[Change] = []

    def spell(some: Sequence[Change], within: tuple[str, ...]) -> None:
        for change in some:
            if change.enable not in known:
                found.append(change)
            elif change.enable not in within:
                spell(known[change.enable].change, (*within, change.enable))

    spell(changes, ())
    return found


_READS_FROM = ("enable", "disable", "move", "remove", "capacity", "waive", "grant", "want")
_READS_UNTIL = ("enable", "disable", "move", "capacity", "waive", "grant", "want")


def _undated(change: Change) -> list[Diagnostic]:
    """Dates of a change that holds for the whole plan: read past, they would give another plan than was asked for."""
    dates = (("from", change.start, _READS_FROM), ("until", change.end, _READS_UNTIL))
    holds = "to the end of the plan" if change.subject in _READS_FROM else "for the whole plan"
    return [
        Diagnostic(
            f"a change of `{change.subject}` has no `{word}`: it holds {holds}",
            column=word,
            found=str(day),
            fix=f"leave `{word}` out",
        )
        for word, day, reads in dates
        if day is not None and change.subject not in reads
    ]


_Apply = Callable[[Change, Case, tuple[Catalog, ...], list[Diagnostic]], Facts]


def _remove(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """Takes offers away: altogether, or from a day on."""
    facilities = {f.id: f for catalog in catalogs for f in catalog.facilities}

    def hit(offer: Offer) -> bool:
        return names_offer(change.remove, offer, facilities[offer.facility])

    count = sum(hit(offer) for catalog in catalogs for offer in catalog.offers)
    if not count:
        unknown(change, change.remove, OFFERS, troubles, sellers_of(catalogs))
        return case, catalogs
    # What is on its way still comes, and who bought of it until today still did: what is lost of that counts as churn.
    named = (
        {order.offer for order in case.orders}
        | {stock.offer for stock in case.stocks}
        | {today.offer for today in case.incumbents}
    )
    last = (change.start or case.horizon.start) - timedelta(days=1)
    gone: set[str] = set()

    def without(catalog: Catalog) -> Catalog:
        offers = []
        for offer in catalog.offers:
            if not hit(offer):
                offers.append(offer)
            elif change.start or offer.id in named:
                until = min(last, offer.end) if offer.end else last
                ended: dict[str, date | None] = {"end": until}
                if offer.start and offer.start > until:  # it was to be sold only later: never, then
                    ended = {"start": None, "end": case.horizon.start - timedelta(days=1)}
                offers.append(offer.but(**ended))
            else:
                gone.add(offer.id)
        return catalog.but(offers=tuple(offers))

    left = tuple(without(catalog) for catalog in catalogs)
    if not gone:
        return case, left
    kept = tuple(given for given in case.assume.offer if given.id not in gone)
    return case.but(assume=case.assume.but(offer=kept)), left


def _capacity(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """Multiplies, derates or delays the capacity of a facility, within the dates of the change; or says what an offer gives by itself."""
    if change.capacity.startswith("offer:"):
        return own_quantity(change, case, catalogs, troubles)
    if change.quantity is not None:
        message = "`quantity` is that of an offer over the plan"
        troubles.append(
            Diagnostic(message, column="quantity", found=change.capacity, fix="write `offer:` before its name")
        )
    found: list[Facility] = []

    def changed(facility: Facility) -> Facility:
        if facility.id != change.capacity:
            return facility
        found.append(facility)
        steps = facility.capacity
        if change.per_year is not None and (not steps or steps[0].start is not None):
            # What is stated may hold before anything was published; until then there is none.
            steps = (CapacityStep(per_year=Decimal(0), status=Status.OPERATING, source=CASE_SOURCE), *steps)
        return facility.but(capacity=tuple(_steps(steps, change)))

    result = tuple(catalog.but(facilities=tuple(map(changed, catalog.facilities))) for catalog in catalogs)
    if not found:
        unknown(change, change.capacity, "a facility", troubles, (f.id for c in catalogs for f in c.facilities))
    elif change.per_year is None and not any(facility.capacity for facility in found):
        message = f"`{change.capacity}` has no capacity that could be changed: nobody states any"
        fix = "state one in capacity.csv of its catalog, or with `per_year` in the change"
        troubles.append(Diagnostic(message, column="capacity", found=change.capacity, fix=fix))
    return case, result


def _steps(steps: Sequence[CapacityStep], change: Change) -> list[CapacityStep]:
    """The steps, cut where the change begins and ends."""
    found: list[CapacityStep] = []
    starts = [step.start for step in steps]
    for step, until in zip(steps, [*starts, None][1:], strict=True):
        cuts = [
            day for day in (change.start, change.end + timedelta(days=1) if change.end else None) if day is not None
        ]
        inside = [day for day in cuts if (step.start is None or day > step.start) and (until is None or day < until)]
        for start in (step.start, *inside):
            part = step.but(start=start)
            day = start or date.min
            changes = (change.start is None or day >= change.start) and (change.end is None or day <= change.end)
            found.append(_step(part, change, begins=start == step.start) if changes else part)
    return found


def _step(step: CapacityStep, change: Change, begins: bool) -> CapacityStep:
    """A step changed; `begins`: whether the capacity itself begins with it, so that a delay delays it."""
    update: dict[str, object] = {}
    if change.factor is not None and step.per_year is not None:
        update["per_year"] = step.per_year * change.factor
    if change.per_year is not None:
        update |= {"per_year": change.per_year, "source": CASE_SOURCE}
    if change.status is not None:
        update["status"] = change.status
    if change.delay is not None and step.start is not None and begins:
        update["start"] = add_months(step.start, int(change.delay))
    return step.but(**update)


def _demand(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """Multiplies, restates or delays demands, or states what they cost where they are short: one, all of a material, or all of an end use."""
    count, stated = case.horizon.count, len(change.quantities)
    if stated and stated != count:
        message, fix = f"the plan has {count} periods", "state a mass for each of them"
        troubles.append(Diagnostic(message, column="quantities", found=f"{stated} masses", fix=fix))
        return case, catalogs
    if change.currency not in ("", case.currency):
        message, found = f"the case is in {case.currency}", f"{change.shortage_price} {change.currency}/kg"
        troubles.append(Diagnostic(message, column="shortage_price", found=found, fix="convert the price"))
    named = [resizes(change, demand, case) for demand in case.demands]
    if not any(named):
        names = {word for demand in case.demands for word in demand_words(demand, case).values()}
        unknown(change, change.demand, "a demand, a material or an end use", troubles, names)

    def changed(demand: DemandSpec) -> DemandSpec:
        demand = _scaled(demand, change.factor) if change.factor is not None else demand
        if change.per_year is not None or change.quantities:
            demand = demand.but(per_year=change.per_year, quantities=change.quantities, low=None, high=None)
        if change.shortage_price is not None:
            demand = demand.but(shortage_price=change.shortage_price)
        if change.delay is None:
            return demand
        return demand.but(later=demand.later + int(change.delay))

    demands = tuple(changed(d) if hit else d for d, hit in zip(case.demands, named, strict=True))
    return case.but(demands=demands), catalogs


def _scaled(demand: DemandSpec, factor: Decimal) -> DemandSpec:
    rates = {"per_year": demand.per_year, "low": demand.low, "high": demand.high}
    scaled = {name: rate * factor for name, rate in rates.items() if rate is not None}
    return demand.but(**scaled, quantities=tuple(quantity * factor for quantity in demand.quantities))


def _accept(change: Change, case: Case, catalogs: tuple[Catalog, ...], _: list[Diagnostic]) -> Facts:
    """Restates what a capacity status counts for."""
    assert change.accept is not None and change.factor is not None
    accept: Accept = case.accept.but(capacity={**case.accept.capacity, change.accept: change.factor})
    return case.but(accept=accept), catalogs


_APPLY: dict[str, _Apply] = {
    "remove": _remove,
    "price": reprice,
    "capacity": _capacity,
    "demand": _demand,
    "accept": _accept,
    "prove": prove,
    "waive": waive,
    "grant": grant,
    "revoke": revoke,
    "stock": add_stock,
    "want": add_demand,
    "order": resize_order,
    "lead_time": scale_lead_times,
    "recipe": scale_recipe,
    "lift": relax,
}
