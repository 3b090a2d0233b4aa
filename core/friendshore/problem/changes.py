"""Changes applied to the facts of a case, for scenarios, bills, and questions. `KINDS` maps each subject of a change to its effect on the facts and the offers that it names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain, count
from typing import Any, Final, TypeVar

from ..domain.base import Record, exact
from ..domain.case import Case, DemandSpec, LicenseSpec, Scenario, StockSpec, WaiverSpec
from ..domain.change import Change, TermKind
from ..domain.facts import CapacityStep, Catalog, ChainEntry, Facility, Offer, RecipeLine, Status
from ..domain.market import BenchmarkPrice, Price, Quote
from ..domain.suggest import closest
from ..domain.terms import OrderCondition, Terms, Tier
from ..domain.time import add_months
from ..errors import Diagnostic, InputError
from ..rules.amend import Amend, amended, with_bills
from ..rules.base import Rule, waiver_problems
from ..rules.pack import LegislativeBill
from .case_checks import end_use_problems
from .demands import demand_name
from .merged import CASE_SOURCE
from .trade import covers

_MAX_INHERITED = 100


def scenario_changes(case: Case, names: Sequence[str]) -> tuple[Change, ...]:
    """Return all changes of the named scenarios, inherited ones first, each scenario once."""
    scenario_by_name = {scenario.name: scenario for scenario in case.scenarios}
    changes: list[Change] = []
    added: set[str] = set()

    def add(name: str, path: tuple[str, ...]) -> None:
        if name in added:
            return
        if len(path) > _MAX_INHERITED:
            message = f"scenario `{path[0]}` inherits through more than {_MAX_INHERITED} others"
            fix = "combine the changes of some of them"
            raise InputError(message, column="scenario.inherits", fix=fix, code="FS245")
        if name in path:
            message, cycle = f"scenario `{name}` inherits from itself", " > ".join((*path, name))
            fix = f"remove `{name}` from the `inherits` of `{path[-1]}`"
            raise InputError(message, column="scenario.inherits", found=cycle, fix=fix, code="FS245")
        if name not in scenario_by_name:
            raise InputError(
                f"unknown scenario `{name}`",
                found=name,
                expected="one of " + ", ".join(sorted(scenario_by_name)) if scenario_by_name else "",
                fix=closest(name, scenario_by_name)
                if scenario_by_name
                else "add a [[scenario]] to the case, or state the change: --change 'price=OFFER, factor=1.1'",
                code="FS241",
            )
        scenario: Scenario = scenario_by_name[name]
        for parent in scenario.inherits:
            add(parent, (*path, name))
        added.add(name)
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
    """Return the facts after all changes, in order. `amend` replaces `amend_rule` as the function that changes one rule."""
    facts = _Facts(case, tuple(catalogs))
    expanded = with_bills(changes, bills)
    for change in expanded:
        facts.problems += _unread_date_problems(change)
    for change in expanded:
        apply = KINDS[change.subject].apply
        problem = ambiguity(change, facts.case, facts.catalogs)
        if problem is not None:
            facts.problems.append(problem)
        elif apply is not None:
            apply(change, facts)
    try:
        rules = amended(rules, expanded, bills, amend)
    except InputError as error:
        facts.problems += error.problems
    facts.problems += _waiver_length_problems(facts.case.waivers[len(case.waivers) :], rules)
    new_uses = {demand.end_use for demand in facts.case.demands} - {demand.end_use for demand in case.demands}
    facts.problems += end_use_problems((("end_use", use) for use in sorted(new_uses)), case, rules)
    if facts.problems:
        raise InputError(facts.problems)
    return facts.case, facts.catalogs, tuple(rules)


def _unread_date_problems(change: Change) -> Iterator[Diagnostic]:
    """Yield an error for each date that a change doesn't read, since ignoring it would give another plan than requested."""
    keys = Change.SUBJECTS[change.subject].reads
    duration = "to the end of the plan" if "start" in keys else "for the whole plan"
    for key, name, date_value in (("from", "start", change.start), ("until", "end", change.end)):
        if date_value is not None and name not in keys:
            message = f"a change of `{change.subject}` has no `{key}`, since it applies {duration}"
            yield Diagnostic(message, column=key, found=str(date_value), fix=f"delete `{key}`", code="FS258")


def _waiver_length_problems(waivers: Sequence[WaiverSpec], rules: Sequence[Rule]) -> Iterator[Diagnostic]:
    rule_by_id = {rule.id: rule for rule in rules}
    for waiver in waivers:
        # A change can't state the kind of waiver, so the usual one applies.
        terms = rule_by_id[waiver.rule].waivers[:1] if waiver.rule in rule_by_id else ()
        for problem in waiver_problems(waiver, terms):
            yield replace(problem, column=problem.column.replace("waiver", "change"))


R = TypeVar("R", bound=Record)


@dataclass(slots=True)
class _Facts:
    """Facts of a case, except rules, to which changes are being applied."""

    case: Case
    catalogs: tuple[Catalog, ...]
    problems: list[Diagnostic] = field(default_factory=list)

    def all(self, table: str) -> list[Any]:
        return [record for catalog in self.catalogs for record in getattr(catalog, table)]

    def ids(self, table: str) -> list[str]:
        return [record.id for record in self.all(table)]

    def replace(self, table: str, altered: Callable[[Any], Record]) -> None:
        self.catalogs = tuple(c.but(**{table: tuple(map(altered, getattr(c, table)))}) for c in self.catalogs)

    def replace_offers(self, ids: Collection[str], altered: Callable[[Offer], Offer]) -> None:
        self.replace("offers", lambda offer: altered(offer) if offer.id in ids else offer)

    def facilities(self) -> dict[str, Facility]:
        return {facility.id: facility for facility in self.all("facilities")}

    def named_offers(self, change: Change) -> frozenset[str]:
        is_named, facilities = KINDS[change.subject].names_offer, self.facilities()
        return frozenset(
            offer.id for offer in self.all("offers") if is_named(change, offer, facilities[offer.facility])
        )

    def report(self, code: str, message: str, column: str, value: str, fix: str, expected: str = "") -> None:
        self.problems.append(Diagnostic(message, "", None, column, value, expected, fix, code))

    def unknown(self, change: Change, name: str, expected: str, valid_names: Iterable[str]) -> None:
        message = f"`{change.subject}` refers to `{name}`, which matches nothing in the case"
        self.report("FS241", message, change.subject, name, closest(name, valid_names), expected)

    def unknown_offers(self, change: Change, name: str) -> None:
        owners = (
            owner for facility in self.all("facilities") for owner in (facility.id, facility.supplier, facility.owner)
        )
        self.unknown(change, name, OFFERS, [*self.ids("offers"), *owners])


# Names of offers, demands, and benchmarks in a change.

OFFERS: Final = (
    "an offer, facility, supplier, or parent (if ambiguous, `offer:name`, `facility:name`, and so on), `country:XX`, "
    "`outside:XX`, or `catalog:name`"
)
OFFER_WORDS: Final = ("offer", "facility", "supplier", "parent")
DEMAND_WORDS: Final = ("demand", "material", "end_use")
PRICE_WORDS: Final = ("offer", "material", "benchmark")
"""Kinds that a plain name may mean. As a prefix with a colon, a word selects its kind."""


def offer_words(offer: Offer, facility: Facility) -> dict[str, str]:
    names = (offer.id, facility.id, facility.supplier, facility.owner)
    return dict(zip(OFFER_WORDS, names, strict=True))


def demand_words(demand: DemandSpec, case: Case) -> dict[str, str]:
    return dict(zip(DEMAND_WORDS, (demand_name(demand, case), demand.material, demand.end_use), strict=True))


def names_offer(name: str, offer: Offer, facility: Facility) -> bool:
    """Return True if a name means an offer: its id, facility, supplier, or owner, or a kind and a value."""
    kind, colon, value = name.partition(":")
    if colon:
        match kind:
            case "country":
                return facility.country == value
            case "outside":
                return facility.country != value
            case "catalog":
                return offer.catalog == value
    words = offer_words(offer, facility)
    return words[kind] == value if colon and kind in words else name in words.values()


def names_price(change: Change, offer: Offer, facility: Facility) -> bool:
    """Return True if a change of prices names an offer, a material that it delivers, or its country. A change with a date names a benchmark."""
    kind, colon, name = change.price.partition(":")
    if change.date is not None or (colon and kind == "benchmark"):
        return False
    material = name if colon and kind == "material" else change.price
    by_place = colon and names_offer(change.price, offer, facility)
    return bool(by_place) or change.price == offer.id or any(material == line.material for line in offer.outputs)


def benchmark_named(change: Change) -> str:
    return change.price.removeprefix("benchmark:")


def _follows(change: Change, row: BenchmarkPrice) -> bool:
    return benchmark_named(change) == row.id and change.date in (None, row.date)


def names_demand(change: Change, demand: DemandSpec, case: Case) -> bool:
    words = demand_words(demand, case)
    kind, colon, name = change.demand.partition(":")
    return words[kind] == name if colon and kind in words else change.demand in words.values()


def ambiguity(change: Change, case: Case, catalogs: Sequence[Catalog]) -> Diagnostic | None:
    """Return the error of a change whose name means several things with different effects. None if it is clear."""
    meanings = _meanings(change, case, catalogs)
    if len(set(meanings.values())) < 2:
        return None
    key = _name_field(change)
    name = getattr(change, key)
    kinds = " and ".join(f"a{'n' * (word[0] in 'aeiou')} {word.replace('_', ' ')}" for word in meanings)
    qualified_names = [f"`{word}:{name}`" for word in meanings]
    return Diagnostic(
        f"`{name}` is ambiguous: it names {kinds}",
        column=key,
        found=name,
        expected=" or ".join(qualified_names),
        fix=f"write {qualified_names[0]} if you mean the {next(iter(meanings)).replace('_', ' ')}",
        code="FS257",
    )


def without_kind(change: Change, case: Case, catalogs: Sequence[Catalog]) -> Change:
    """Return a change without the word before its name, if the name alone means the same."""
    key, words = _name_field(change), KINDS[change.subject].words
    word, _, name = getattr(change, key).partition(":")
    if word not in words:
        return change
    unqualified = change.but(**{key: name})
    meanings = _meanings(unqualified, case, catalogs)
    return unqualified if change.date is not None or (word in meanings and len(set(meanings.values())) == 1) else change


def _name_field(change: Change) -> str:
    return "of" if change.lift is not None else change.subject


def _meanings(change: Change, case: Case, catalogs: Sequence[Catalog]) -> Mapping[str, frozenset[str]]:
    """Return the possible meanings of a change's name: kinds, each with the affected offers, demands, or benchmark. Empty if the change states its kind."""
    kinds = KINDS[change.subject].words
    name = getattr(change, _name_field(change)) if kinds else ""
    if not name or ":" in name or change.date is not None:
        return {}
    subjects_by_kind: dict[str, set[str]] = {kind: set() for kind in kinds}
    named_subjects: Iterable[tuple[str, Mapping[str, str]]]
    if change.demand:
        named_subjects = ((str(number), demand_words(demand, case)) for number, demand in enumerate(case.demands))
    else:
        named_subjects = _named_subjects(name, change, catalogs)
    for subject, name_by_kind in named_subjects:
        for kind, kind_name in name_by_kind.items():
            if kind_name == name:
                subjects_by_kind[kind].add(subject)
    return {kind: frozenset(subject) for kind, subject in subjects_by_kind.items() if subject}


def _named_subjects(name: str, change: Change, catalogs: Sequence[Catalog]) -> Iterator[tuple[str, Mapping[str, str]]]:
    facilities = {facility.id: facility for catalog in catalogs for facility in catalog.facilities}
    for catalog in catalogs:
        for offer in catalog.offers:
            if change.price:
                delivers = any(line.material == name for line in offer.outputs)
                yield offer.id, {"offer": offer.id, "material": name if delivers else ""}
            else:
                yield offer.id, offer_words(offer, facilities[offer.facility])
        if change.price and any(row.id == name for row in catalog.prices):
            yield f"benchmark {name}", {"benchmark": name}


# Offers: removed, priced, timed, and made otherwise.


def _remove(change: Change, facts: _Facts) -> None:
    offer_ids, case = facts.named_offers(change), facts.case
    if not offer_ids:
        facts.unknown_offers(change, change.remove)
        return
    # Orders on their way still arrive, and losing an incumbent counts as churn, so these offers end instead of disappearing.
    kept_ids = {order.offer for order in case.orders} | {stock.offer for stock in case.stocks}
    kept_ids |= {incumbent.offer for incumbent in case.incumbents}
    removed_ids = frozenset() if change.start else offer_ids - kept_ids
    last_day = (change.start or case.horizon.start) - timedelta(days=1)

    def ended(offer: Offer) -> Offer:
        until = min(last_day, offer.end) if offer.end else last_day
        if offer.start and offer.start > until:  # It would start only after the removal, so it never does.
            return offer.but(start=None, end=case.horizon.start - timedelta(days=1))
        return offer.but(end=until)

    facts.replace_offers(offer_ids - removed_ids, ended)
    if removed_ids:
        facts.catalogs = tuple(
            c.but(offers=tuple(o for o in c.offers if o.id not in removed_ids)) for c in facts.catalogs
        )
        assumptions = tuple(assumption for assumption in case.assume.offer if assumption.id not in removed_ids)
        facts.case = case.but(assume=case.assume.but(offer=assumptions))


P = TypeVar("P", Price, Quote, BenchmarkPrice)


def _price(change: Change, facts: _Facts) -> None:
    offer_ids = facts.named_offers(change)
    rows = [row for row in facts.all("prices") if _follows(change, row)]
    if change.factor is not None:
        # An offer without any price is a lead, so there is nothing to multiply.
        offer_ids = frozenset(
            o.id for o in facts.all("offers") if o.id in offer_ids and (o.price is not None or o.quotes)
        )
    if not offer_ids and not rows:
        _report_no_price(change, facts)
        return
    if change.factor is not None:
        _multiply_prices(change, change.factor, offer_ids, facts)
        return
    currency = change.currency or facts.case.currency
    price = Price(amount=change.amount, currency=currency, source=CASE_SOURCE)
    fields = {"amount": change.amount, "low": None, "high": None, "currency": currency, "source": CASE_SOURCE}
    facts.replace_offers(offer_ids, lambda offer: offer.but(price=price, quotes=()))
    facts.replace("prices", lambda row: row.but(**fields) if _follows(change, row) else row)


def _multiply_prices(change: Change, factor: Decimal, offers: Collection[str], facts: _Facts) -> None:
    """Multiply the prices of offers and of their own tiers. Discounts follow the list price."""

    def repriced(offer: Offer) -> Offer:
        price = offer.price
        if price is None:
            return offer.but(quotes=tuple(_times(quote, factor) for quote in offer.quotes))
        if price.amount is not None:
            return offer.but(price=_times(price, factor))
        return offer.but(price=price.but(premium=(1 + price.premium) * factor - 1))

    def tier(tier: Tier) -> Tier:
        return tier if tier.price is None else tier.but(price=tier.price * factor)

    facts.replace_offers(offers, repriced)
    facts.replace("prices", lambda row: _times(row, factor) if _follows(change, row) else row)
    facts.replace(
        "schedules",
        lambda schedule: (
            schedule.but(tiers=tuple(map(tier, schedule.tiers)))
            if schedule.of == "offer" and schedule.id in offers
            else schedule
        ),
    )


def _times(price: P, factor: Decimal) -> P:
    figures = {"amount": price.amount, "low": price.low, "high": price.high}
    return price.but(**{name: figure * factor for name, figure in figures.items() if figure is not None})


def _report_no_price(change: Change, facts: _Facts) -> None:
    if facts.named_offers(change):
        message = f"`{change.price}` has no price to multiply"
        facts.report("FS259", message, "price", change.price, "state one with `amount`")
        return
    days = [str(row.date) for row in facts.all("prices") if row.id == benchmark_named(change)]
    if change.date is None or not days:
        expected = "an offer, material, or benchmark" if change.date is None else "a benchmark"
        facts.unknown(change, change.price, expected, chain(*map(facts.ids, ("offers", "materials", "prices"))))
        return
    message = f"benchmark `{benchmark_named(change)}` has no price on {change.date}"
    facts.report("FS259", message, "date", str(change.date), "", "one of " + ", ".join(days))


def _lead_time(change: Change, facts: _Facts) -> None:
    factor, offer_ids, default = change.factor, facts.named_offers(change), facts.case.assume.lead_time
    assert factor is not None

    def scaled(offer: Offer) -> Offer:
        lead_time = default if offer.lead_time is None else offer.lead_time
        lanes = (
            lane if lane.lead_time is None else lane.but(lead_time=exact(lane.lead_time * factor))
            for lane in offer.lanes
        )
        return offer.but(lead_time=exact(lead_time * factor), lanes=tuple(lanes))

    if not offer_ids:
        facts.unknown_offers(change, change.lead_time)
    facts.replace_offers(offer_ids, scaled)


def _recipe(change: Change, facts: _Facts) -> None:
    factor, offer_ids = change.factor, facts.named_offers(change)
    assert factor is not None

    def scaled(lines: tuple[RecipeLine, ...]) -> tuple[RecipeLine, ...]:
        return tuple(ln.but(per_unit=exact(ln.per_unit * factor)) if ln.material == change.of else ln for ln in lines)

    if not offer_ids:
        expected = f"an offer that takes or gives `{change.of}`"
        facts.unknown(change, change.recipe, expected, {*facts.ids("offers")} - {change.recipe})
    facts.replace_offers(offer_ids, lambda o: o.but(inputs=scaled(o.inputs), outputs=scaled(o.outputs)))


def _prove(change: Change, facts: _Facts) -> None:
    if not facts.named_offers(change):
        facts.unknown(change, change.prove, "an offer", facts.ids("offers"))
    accept = facts.case.accept
    facts.case = facts.case.but(accept=accept.but(proven=tuple(sorted({*accept.proven, change.prove}))))


OFFER_TERMS: dict[TermKind, dict[str, object]] = {
    TermKind.MINIMUM_LOAD: {"min_order": None},
    TermKind.MAXIMUM_LOAD: {"max_order": None, "max_lots": None, "max_per_year": None, "total": None},
    TermKind.LOT: {"lot": None, "max_lots": None},
    TermKind.ONBOARDING: {"onboarding": None},
    TermKind.QUALIFICATION: {"qualification": None},
    TermKind.DATES: {"start": None, "end": None},
    TermKind.LEAD_TIME: {"lead_time": Decimal(0)},
    TermKind.TAKE_OR_PAY: {"take_or_pay": None, "take_or_pay_share": Decimal(1)},
}
"""Kind of term -> fields of an offer that state it, each with its value for none."""
TERMS_FIGURES: dict[TermKind, str] = {
    TermKind.FIXED_COST: "fixed",
    TermKind.MINIMUM_LOAD: "least",
    TermKind.MAXIMUM_LOAD: "most",
    TermKind.SETUP: "setup_use",
}
"""Kind of term -> field of `Terms` that states it."""


def _lift(change: Change, facts: _Facts) -> None:
    kind, offer_ids = change.lift, facts.named_offers(change)
    assert kind is not None
    if change.of and not offer_ids:
        facts.unknown_offers(change, change.of)
    offers, facilities = facts.all("offers"), facts.facilities()
    cleared_fields = OFFER_TERMS.get(kind)

    def free(offer: Offer) -> Offer:
        if kind is TermKind.MAXIMUM_LOAD and offer.has_negative_price:
            return offer  # Without its limit, a plan would buy without end.
        lanes = tuple(lane.but(lead_time=None) for lane in offer.lanes) if kind is TermKind.LEAD_TIME else offer.lanes
        return offer.but(**(cleared_fields or {}), lanes=lanes)

    def applies(term: OrderCondition) -> bool:
        """Return True if the change names all offers that a term applies to. Terms that also apply to others stay."""
        covered = [offer.id for offer in offers if covers(term, offer, facilities)]
        return not change.of or (bool(covered) and offer_ids.issuperset(covered))

    if cleared_fields is not None:
        facts.replace_offers(offer_ids, free)
    if kind is TermKind.TIERS:
        facts.catalogs = tuple(
            c.but(schedules=tuple(schedule for schedule in c.schedules if not applies(schedule)))
            for c in facts.catalogs
        )
    if kind in TERMS_FIGURES:
        facts.catalogs = tuple(
            c.but(terms=tuple(_without_term(c.terms, TERMS_FIGURES[kind], applies))) for c in facts.catalogs
        )


def _without_term(terms: tuple[Terms, ...], field: str, applies: Callable[[OrderCondition], bool]) -> Iterator[Terms]:
    for entry in terms:
        if not applies(entry):
            yield entry
            continue
        remaining = entry.but(**{field: None})
        if any(getattr(remaining, name) is not None for name in TERMS_FIGURES.values()):
            yield remaining


# Capacities of facilities, and quantities of offers.


def _capacity(change: Change, facts: _Facts) -> None:
    if change.capacity.startswith("offer:"):
        _offer_quantity(change, facts)
        return
    if change.quantity is not None:
        message, fix = "`quantity` applies to offers, not to facilities", "write `offer:` before the name of an offer"
        facts.report("FS258", message, "quantity", change.capacity, fix)

    def altered(facility: Facility) -> Facility:
        if facility.id != change.capacity:
            return facility
        steps = facility.capacity
        if change.per_year is not None and (not steps or steps[0].start is not None):
            # The stated capacity may apply before the first published step. Until then, there is none.
            steps = (CapacityStep(per_year=Decimal(0), status=Status.OPERATING, source=CASE_SOURCE), *steps)
        return facility.but(capacity=tuple(_steps(steps, change)))

    facilities = [facility for facility in facts.all("facilities") if facility.id == change.capacity]
    if not facilities:
        facts.unknown(change, change.capacity, "a facility", facts.ids("facilities"))
    elif change.per_year is None and not any(facility.capacity for facility in facilities):
        message = f"facility `{change.capacity}` has no capacity to change"
        fix = "state one in capacity.csv of its catalog, or with `per_year` in the change"
        facts.report("FS259", message, "capacity", change.capacity, fix)
    facts.replace("facilities", altered)


def _steps(steps: Sequence[CapacityStep], change: Change) -> Iterator[CapacityStep]:
    starts = [step.start for step in steps]
    cuts = [day for day in (change.start, change.end + timedelta(days=1) if change.end else None) if day is not None]
    for step, until in zip(steps, [*starts, None][1:], strict=True):
        inside = [day for day in cuts if (step.start is None or day > step.start) and (until is None or day < until)]
        for start in (step.start, *inside):
            part, day = step.but(start=start), start or date.min
            changes = (change.start is None or day >= change.start) and (change.end is None or day <= change.end)
            yield _step(part, change, begins=start == step.start) if changes else part


def _step(step: CapacityStep, change: Change, begins: bool) -> CapacityStep:
    """Return a step after the change. A delay applies only if the capacity itself `begins` with the step."""
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


def _offer_quantity(change: Change, facts: _Facts) -> None:
    factor, offer_ids = change.factor, facts.named_offers(change)
    unused_keys = {"status": change.status, "delay": change.delay, "from": change.start, "until": change.end}
    for word in (word for word, value in unused_keys.items() if value is not None):
        message = f"`{word}` doesn't apply to an offer's own quantity, which is for the whole plan"
        facts.report("FS258", message, word, change.capacity, f"delete `{word}`, or name the facility")

    def altered(offer: Offer) -> Offer:
        fields: dict[str, object] = {}
        for key, new_limit in (("max_per_year", change.per_year), ("total", change.quantity)):
            limit = getattr(offer, key)
            if new_limit is not None:
                fields |= {key: new_limit, "source": CASE_SOURCE}
            elif factor is not None and limit is not None:
                fields[key] = exact(limit * factor)
        return offer.but(**fields)

    limited_offers = [
        o for o in facts.all("offers") if o.id in offer_ids and (o.max_per_year is not None or o.total is not None)
    ]
    if not offer_ids:
        facts.unknown(change, change.capacity, "an offer", (f"offer:{name}" for name in facts.ids("offers")))
    elif factor is not None and not limited_offers:
        message = f"offer `{change.capacity.removeprefix('offer:')}` has no quantity of its own to change"
        facts.report("FS259", message, "capacity", change.capacity, "state one with `per_year` or `quantity`")
    facts.replace_offers(offer_ids, altered)


# The case: its demands, orders, and stock, and what it accepts.


def _demand(change: Change, facts: _Facts) -> None:
    case = facts.case
    if change.quantities and not _has_quantity_per_period(change, facts):
        return
    _check_currency(change, facts)
    is_named = [names_demand(change, demand, case) for demand in case.demands]
    if not any(is_named):
        names = {word for demand in case.demands for word in demand_words(demand, case).values()}
        facts.unknown(change, change.demand, "a demand, material, or end use", names)

    def altered(demand: DemandSpec) -> DemandSpec:
        demand = _scaled(demand, change.factor) if change.factor is not None else demand
        if change.per_year is not None or change.quantities:
            demand = demand.but(per_year=change.per_year, quantities=change.quantities, low=None, high=None)
        if change.shortage_price is not None:
            demand = demand.but(shortage_price=change.shortage_price)
        if change.delay is None:
            return demand
        return demand.but(later=demand.later + int(change.delay))

    demands = tuple(altered(d) if named else d for d, named in zip(case.demands, is_named, strict=True))
    facts.case = case.but(demands=demands)


def _scaled(demand: DemandSpec, factor: Decimal) -> DemandSpec:
    rates = {"per_year": demand.per_year, "low": demand.low, "high": demand.high}
    scaled = {name: rate * factor for name, rate in rates.items() if rate is not None}
    return demand.but(**scaled, quantities=tuple(quantity * factor for quantity in demand.quantities))


def _has_quantity_per_period(change: Change, facts: _Facts) -> bool:
    periods, quantities = facts.case.horizon.count, len(change.quantities)
    if quantities != periods:
        message = f"the change lists {quantities} quantities, but the plan has {periods} periods"
        facts.report("FS249", message, "quantities", f"{quantities} masses", "list one mass for each period")
    return quantities == periods


def _check_currency(change: Change, facts: _Facts) -> None:
    if change.currency not in ("", facts.case.currency):
        message = f"the shortage penalty is in {change.currency}, but the case is in {facts.case.currency}"
        value = f"{change.shortage_price} {change.currency}/kg"
        facts.report("FS260", message, "shortage_price", value, f"convert the price to {facts.case.currency}")


def _want(change: Change, facts: _Facts) -> None:
    case, materials = facts.case, facts.ids("materials")
    if change.want not in materials:
        facts.unknown(change, change.want, "a material", materials)
    name = change.called or f"{change.want}/{change.end_use}/{change.place or case.place}"
    if name in {demand_name(demand, case) for demand in case.demands}:
        fix = "change that demand with `demand`, or name the new one with `called`"
        facts.report("FS243", f"the case already has a demand `{name}`", "want", change.want, fix)
    if change.quantities:
        _has_quantity_per_period(change, facts)
    _check_currency(change, facts)
    same = ("end_use", "place", "buyer", "per_year", "quantities", "start", "end", "shortage_price", "why")
    demand = DemandSpec(id=name, material=change.want, **{key: getattr(change, key) for key in same})
    facts.case = case.but(demands=(*case.demands, demand))


def _order(change: Change, facts: _Facts) -> None:
    case = facts.case
    if change.order not in case.order_names:
        facts.unknown(change, change.order, "an order of the case", case.order_names)
    orders = tuple(
        order.but(quantity=change.quantity) if name == change.order else order
        for name, order in zip(case.order_names, case.orders, strict=True)
    )
    facts.case = case.but(orders=orders)


def _stock(change: Change, facts: _Facts) -> None:
    """Add stock of a material at the case's place, with all its stages in the stated countries."""
    assert change.quantity is not None
    stages = {material.id: material.stages for material in facts.all("materials")}
    if change.stock not in stages:
        facts.unknown(change, change.stock, "a material", stages)
    stock = StockSpec(
        id=_numbered(f"stock:{change.stock}", facts.case.stocks),
        material=change.stock,
        quantity=change.quantity,
        chain=tuple(
            ChainEntry(stage=stage, countries=change.countries, complete=True) for stage in stages.get(change.stock, ())
        ),
        why=change.why,
    )
    facts.case = facts.case.but(stocks=(*facts.case.stocks, stock))


# Names in waivers and licenses are checked later, with those of the case.
def _waive(change: Change, facts: _Facts) -> None:
    assert change.quantity is not None
    waiver = WaiverSpec(
        id=_numbered(f"waiver:{change.waive}:{change.of}", facts.case.waivers),
        rule=change.waive,
        demand=change.of,
        quantity=change.quantity,
        start=change.start,
        end=change.end,
        why=change.why,
    )
    facts.case = facts.case.but(waivers=(*facts.case.waivers, waiver))


def _grant(change: Change, facts: _Facts) -> None:
    license = LicenseSpec(
        id=_numbered(f"license:{change.grant}:{change.of or '*'}", facts.case.licenses),
        rule=change.grant,
        exporter=change.of,
        quantity=change.quantity,
        start=change.start,
        end=change.end,
        why=change.why,
    )
    facts.case = facts.case.but(licenses=(*facts.case.licenses, license))


def _numbered(name: str, records: Iterable[StockSpec | WaiverSpec | LicenseSpec]) -> str:
    used_names = {record.id for record in records}
    return next(n for n in chain((name,), (f"{name}:{i}" for i in count(2))) if n not in used_names)


def _revoke(change: Change, facts: _Facts) -> None:
    assume = facts.case.assume
    if change.revoke not in assume.license:
        expected = "an end use of [assume.license]: " + (", ".join(sorted(assume.license)) or "there are none")
        facts.unknown(change, change.revoke, expected, assume.license)
    license = {use: state for use, state in assume.license.items() if use != change.revoke}
    facts.case = facts.case.but(assume=assume.but(license=license))


def _accept(change: Change, facts: _Facts) -> None:
    assert change.accept is not None
    accept = facts.case.accept
    facts.case = facts.case.but(accept=accept.but(capacity={**accept.capacity, change.accept: change.factor}))


def _no_offer(change: Change, offer: Offer, facility: Facility) -> bool:
    del change, offer, facility
    return False


@dataclass(frozen=True, slots=True)
class ChangeKind:
    """Effect of the changes of one subject."""

    apply: Callable[[Change, _Facts], None] | None = None
    """Function that alters the facts. None means that the change alters a rule, by `amend_rule`."""
    names_offer: Callable[[Change, Offer, Facility], bool] = _no_offer
    words: tuple[str, ...] = ()
    """Kinds of things that its name may mean, if there are several."""


KINDS: Final[Mapping[str, ChangeKind]] = {
    **dict.fromkeys(("enable", "disable", "move", "loosen", "limit"), ChangeKind()),
    "remove": ChangeKind(_remove, lambda c, o, f: names_offer(c.remove, o, f), OFFER_WORDS),
    "price": ChangeKind(_price, names_price, PRICE_WORDS),
    "lead_time": ChangeKind(_lead_time, lambda c, o, f: names_offer(c.lead_time, o, f), OFFER_WORDS),
    "recipe": ChangeKind(
        _recipe, lambda c, o, _: o.id == c.recipe and c.of in {r.material for r in (*o.inputs, *o.outputs)}
    ),
    "prove": ChangeKind(_prove, lambda c, o, _: o.id == c.prove),
    "lift": ChangeKind(_lift, lambda c, o, f: not c.of or names_offer(c.of, o, f), OFFER_WORDS),
    "capacity": ChangeKind(_capacity, lambda c, o, _: c.capacity == f"offer:{o.id}"),
    "demand": ChangeKind(_demand, words=DEMAND_WORDS),
    "want": ChangeKind(_want),
    "order": ChangeKind(_order),
    "stock": ChangeKind(_stock),
    "waive": ChangeKind(_waive),
    "grant": ChangeKind(_grant),
    "revoke": ChangeKind(_revoke),
    "accept": ChangeKind(_accept),
}
