"""Changes applied to a case's facts: the one place where scenarios, bills and what-ifs become other facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal

from ..domain.case import Accept, Case, DemandSpec, Scenario
from ..domain.change import Change
from ..domain.facts import CapacityStep, Catalog, Facility, Offer
from ..domain.time import add_months
from ..errors import InputError
from ..errors import Problem as Trouble
from ..reading.suggest import did_you_mean
from ..rules.amend import amended
from ..rules.base import Rule
from ..rules.pack import Bill


def scenario_changes(case: Case, names: Sequence[str]) -> tuple[Change, ...]:
    """All changes of the named scenarios, inherited ones first, each scenario once.

    Raises:
        InputError: for an unknown scenario, or one that inherits itself.
    """
    known = {scenario.name: scenario for scenario in case.scenarios}
    changes: list[Change] = []
    done: set[str] = set()

    def add(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise InputError(
                Trouble(f"scenario `{name}` inherits itself", column="scenario.inherits", found=" > ".join(path))
            )
        if name not in known:
            raise InputError(
                Trouble(
                    f"unknown scenario `{name}`",
                    found=name,
                    expected="one of " + (", ".join(sorted(known)) or "none: the case holds no scenario"),
                    fix=did_you_mean(name, known),
                )
            )
        scenario: Scenario = known[name]
        for parent in scenario.inherits:
            add(parent, (*path, name))
        if name not in done:
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
    bills: Sequence[Bill] = (),
) -> tuple[Case, tuple[Catalog, ...], tuple[Rule, ...]]:
    """The facts after all changes, in order.

    Raises:
        InputError: for every change that names nothing in the case.
    """
    troubles: list[Trouble] = []
    spelt_out = _with_bills(changes, {bill.id: bill for bill in bills})
    facts = (case, tuple(catalogs))
    for change in spelt_out:
        apply = _APPLY.get(change.subject)
        if apply is not None:
            facts = apply(change, *facts, troubles)
    try:
        rules = amended(rules, changes, bills)
    except InputError as error:
        troubles.extend(error.problems)
    if troubles:
        raise InputError(troubles)
    return (*facts, tuple(rules))


def _with_bills(changes: Sequence[Change], bills: dict[str, Bill]) -> list[Change]:
    """Bills spelt out: they may change other facts than rules."""
    found: list[Change] = []
    for change in changes:
        if change.enable in bills:
            found.extend(_with_bills(bills[change.enable].change, bills))
        else:
            found.append(change)
    return found


Facts = tuple[Case, tuple[Catalog, ...]]
_Apply = Callable[[Change, Case, tuple[Catalog, ...], list[Trouble]], Facts]


def _unknown(change: Change, name: str, expected: str, troubles: list[Trouble]) -> None:
    troubles.append(
        Trouble(f"`{change.subject}` names nothing in the case", column=change.subject, found=name, expected=expected)
    )


def _remove(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Trouble]) -> Facts:
    """Takes offers away: altogether, or from a day on."""
    kind, colon, value = change.remove.partition(":")
    facilities = {f.id: f for catalog in catalogs for f in catalog.facilities}

    def hit(offer: Offer) -> bool:
        facility = facilities[offer.facility]
        if colon and kind == "country":
            return facility.country == value
        if colon and kind == "catalog":
            return offer.catalog == value
        return change.remove in (offer.id, facility.id, facility.supplier, facility.owner)

    count = sum(hit(offer) for catalog in catalogs for offer in catalog.offers)
    if not count:
        _unknown(change, change.remove, "an offer, facility, supplier, `country:XX` or `catalog:name`", troubles)
        return case, catalogs
    until = change.start - timedelta(days=1) if change.start else None

    def without(catalog: Catalog) -> Catalog:
        offers = []
        for offer in catalog.offers:
            if not hit(offer):
                offers.append(offer)
            elif until is not None:
                end = min(until, offer.end) if offer.end else until
                offers.append(offer.model_copy(update={"end": end}))
        return catalog.model_copy(update={"offers": tuple(offers)})

    return case, tuple(without(catalog) for catalog in catalogs)


def _price(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Trouble]) -> Facts:
    """Multiplies the prices of an offer, of all offers of a material, or of a benchmark."""
    factor = change.factor
    assert factor is not None
    found = False

    def repriced(offer: Offer) -> Offer:
        nonlocal found
        named = change.price == offer.id or any(change.price == line.material for line in offer.outputs)
        if not named or offer.price is None:
            return offer
        found = True
        price = offer.price
        if price.amount is not None:
            return offer.model_copy(update={"price": price.model_copy(update={"amount": price.amount * factor})})
        return offer.model_copy(
            update={"price": price.model_copy(update={"premium": (1 + price.premium) * factor - 1})}
        )

    changed = []
    for catalog in catalogs:
        prices = tuple(
            row.model_copy(update={"amount": row.amount * factor}) if row.id == change.price else row
            for row in catalog.prices
        )
        found = found or prices != catalog.prices
        changed.append(catalog.model_copy(update={"offers": tuple(map(repriced, catalog.offers)), "prices": prices}))
    if not found:
        _unknown(change, change.price, "an offer, a material or a benchmark", troubles)
    return case, tuple(changed)


def _capacity(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Trouble]) -> Facts:
    """Multiplies, delays or restates the capacity of a facility."""
    found = False

    def changed(facility: Facility) -> Facility:
        nonlocal found
        if facility.id != change.capacity:
            return facility
        found = True
        return facility.model_copy(update={"capacity": tuple(_step(step, change) for step in facility.capacity)})

    result = tuple(
        catalog.model_copy(update={"facilities": tuple(map(changed, catalog.facilities))}) for catalog in catalogs
    )
    if not found:
        _unknown(change, change.capacity, "a facility", troubles)
    return case, result


def _step(step: CapacityStep, change: Change) -> CapacityStep:
    update: dict[str, object] = {}
    if change.factor is not None and step.per_year is not None:
        update["per_year"] = step.per_year * change.factor
    if change.status is not None:
        update["status"] = change.status
    if change.delay is not None and step.start is not None:
        update["start"] = add_months(step.start, int(change.delay))
    if change.start is not None:
        update["start"] = change.start
    return step.model_copy(update=update)


def _demand(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Trouble]) -> Facts:
    """Multiplies demands: one, all of a material, or all of an end use."""
    factor = change.factor
    assert factor is not None
    named = [change.demand in (demand.id, demand.material, demand.end_use) for demand in case.demands]
    if not any(named):
        _unknown(change, change.demand, "a demand, a material or an end use", troubles)
    demands = [_scaled(d, factor) if hit else d for d, hit in zip(case.demands, named, strict=True)]
    return case.model_copy(update={"demands": tuple(demands)}), catalogs


def _scaled(demand: DemandSpec, factor: Decimal) -> DemandSpec:
    per_year = demand.per_year * factor if demand.per_year is not None else None
    quantities = tuple(quantity * factor for quantity in demand.quantities)
    return demand.model_copy(update={"per_year": per_year, "quantities": quantities})


def _accept(change: Change, case: Case, catalogs: tuple[Catalog, ...], _: list[Trouble]) -> Facts:
    """Restates what a capacity status counts for."""
    assert change.accept is not None and change.factor is not None
    accept: Accept = case.accept.model_copy(update={"capacity": {**case.accept.capacity, change.accept: change.factor}})
    return case.model_copy(update={"accept": accept}), catalogs


_APPLY: dict[str, _Apply] = {
    "remove": _remove,
    "price": _price,
    "capacity": _capacity,
    "demand": _demand,
    "accept": _accept,
}
