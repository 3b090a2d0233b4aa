"""Changes applied to a case's facts: the one place where scenarios, bills and what-ifs become other facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from ..domain.case import Accept, Case, DemandSpec, Scenario, WaiverSpec
from ..domain.change import Change
from ..domain.facts import CapacityStep, Catalog, Facility, Offer, Status
from ..domain.suggest import closest
from ..domain.time import add_months
from ..errors import Diagnostic, InputError
from ..rules.amend import Amend, amended
from ..rules.base import Rule, misfits
from ..rules.pack import LegislativeBill
from .change_kinds import (
    OFFERS,
    Facts,
    add_demand,
    add_stock,
    demand_words,
    grant,
    own_quantity,
    prove,
    relax,
    removes,
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
from .readings import ambiguity
from .repricing import reprice

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
        return removes(change, offer, facilities[offer.facility])

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
