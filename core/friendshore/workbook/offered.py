"""What edits of catalogs come to: each record of today beside the one that the workbook makes, and the changes that lead from one to the other.

Whether they do is looked at by whoever asks: here they are only found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal, localcontext

from ..domain.base import DIGITS, exact, grouped
from ..domain.change import Change, TermKind
from ..domain.facts import CapacityStep, Catalog, Facility, Offer
from ..domain.market import BenchmarkPrice
from ..domain.terms import Terms
from ..domain.time import add_months
from ..problem.change_kinds import OFFER_TERMS, TERMS_FIGURES

_DAY = timedelta(days=1)


def changes_of_catalogs(old: Sequence[Catalog], new: Sequence[Catalog], lead_time: Decimal) -> Iterator[Change]:
    """Changes that may lead from some catalogs to others of the same names; `lead_time` is that of offers that state none."""
    for before, after in zip(old, new, strict=True):
        if before is after or before.digest == after.digest:
            continue
        offers = {offer.id: offer for offer in after.offers}
        for offer in before.offers:
            yield from _of_offer(offer, offers[offer.id], lead_time)
        facilities = {facility.id: facility for facility in after.facilities}
        for facility in before.facilities:
            yield from _of_facility(facility, facilities[facility.id])
        prices = grouped((row.id, row) for row in after.prices)
        for name, rows in grouped((row.id, row) for row in before.prices).items():
            yield from _of_benchmark(rows, prices.get(name, []))
        subjects = {(one.of, one.id) for one in after.schedules}
        for of, name in dict.fromkeys((one.of, one.id) for one in before.schedules):
            if (of, name) not in subjects:
                yield Change(lift=TermKind.TIERS, of=_named(of, name))
        yield from _of_terms(before.terms, after.terms)


def factor_between(old: Decimal, new: Decimal) -> Decimal | None:
    """What multiplies one number to another, as a change multiplies it; None: no number of as many digits as a change keeps does."""
    if not old:
        return None
    with localcontext() as context:
        context.prec = DIGITS
        quotient = new / old
        steps = (quotient, quotient.next_plus(), quotient.next_minus())
    return next((step for step in steps if exact(old * step) == new), None)


def _of_offer(old: Offer, new: Offer, lead_time: Decimal) -> Iterator[Change]:
    if old == new:
        return
    price, before = new.price, old.price
    if price is not None and price.amount is not None and (before is None or before.amount != price.amount):
        yield Change(price=f"offer:{old.id}", amount=price.amount, currency=price.currency)
    elif price is not None and before is not None and price.premium != before.premium:
        yield from _multiplied(f"offer:{old.id}", factor_between(1 + before.premium, 1 + price.premium))
    elif len(old.quotes) == len(new.quotes) and old.quotes != new.quotes:
        one, other = next((a, b) for a, b in zip(old.quotes, new.quotes, strict=True) if a != b)
        yield from _multiplied(f"offer:{old.id}", factor_between(one.amount, other.amount))
    if new.end is not None and new.end != old.end:
        yield Change(remove=f"offer:{old.id}", start=new.end + _DAY)
    yield from _lifted(old, new)
    if new.lead_time and new.lead_time != old.lead_time:
        factor = factor_between(lead_time if old.lead_time is None else old.lead_time, new.lead_time)
        yield from [] if factor is None else [Change(lead_time=f"offer:{old.id}", factor=factor)]
    for line, now in zip((*old.inputs, *old.outputs), (*new.inputs, *new.outputs), strict=False):
        factor = None if line.per_unit == now.per_unit else factor_between(line.per_unit, now.per_unit)
        yield from [] if factor is None else [Change(recipe=old.id, of=line.material, factor=factor)]


def _lifted(old: Offer, new: Offer) -> Iterator[Change]:
    """Kinds of terms of which all that an offer stated is gone; one that another says as well is left out."""
    freed: dict[TermKind, set[str]] = {}
    for kind, gone in OFFER_TERMS.items():
        changed = {field for field in gone if getattr(old, field) != getattr(new, field)}
        if changed and all(getattr(new, field) == none for field, none in gone.items()):
            freed[kind] = changed
    for kind, changed in freed.items():
        if not any(changed < others for others in freed.values()):
            yield Change(lift=kind, of=f"offer:{old.id}")


def _multiplied(name: str, factor: Decimal | None) -> Iterator[Change]:
    if factor is not None:
        yield Change(price=name, factor=factor)


def _of_benchmark(old: Sequence[BenchmarkPrice], new: Sequence[BenchmarkPrice]) -> Iterator[Change]:
    """One change, where all its prices become one or the same multiple of themselves; else one a date."""
    if old == new or len(old) != len(new):
        return
    factors = {factor_between(one.amount, other.amount) for one, other in zip(old, new, strict=True)}
    if len({(row.amount, row.currency) for row in new}) == 1:
        yield Change(price=f"benchmark:{new[0].id}", amount=new[0].amount, currency=new[0].currency)
    elif (
        len(factors) == 1
        and None not in factors
        and all(a.currency == b.currency for a, b in zip(old, new, strict=True))
    ):
        yield from _multiplied(f"benchmark:{new[0].id}", *factors)
    else:
        for one, row in zip(old, new, strict=True):
            if (one.amount, one.currency) != (row.amount, row.currency):
                yield Change(price=f"benchmark:{row.id}", date=row.date, amount=row.amount, currency=row.currency)


def _of_facility(old: Facility, new: Facility) -> Iterator[Change]:
    steps, others = old.capacity, new.capacity
    if [*map(_stated, steps)] == [*map(_stated, others)] or len(others) < len(steps):
        return
    starts = [step.start for step in (*steps, *others[len(steps) :])]
    ends = [None if start is None else start - _DAY for start in [*starts[1:], None]]
    for number, (step, end) in enumerate(zip(others, ends, strict=True)):
        before = steps[number] if number < len(steps) else None
        if before is None or _stated(step) != _stated(before):
            # The first holds since ever as far as anything is known: only what states a quantity must say from when on.
            first = number == 0 and before is not None and step.per_year == before.per_year
            yield from _of_step(old.id, before, step, end, first)


def _stated(step: CapacityStep) -> CapacityStep:
    return step.but(source="")


def _of_step(name: str, old: CapacityStep | None, new: CapacityStep, end: date | None, first: bool) -> Iterator[Change]:
    """One step of a capacity; `old`: None where it is new."""
    said: dict[str, object] = {"capacity": name, "until": end}
    if old is None:
        if new.per_year is not None:
            yield Change.model_validate(said | {"per_year": new.per_year, "status": new.status, "from": new.start})
        return
    if new.start is not None and old.start is not None and new.start < old.start and new.per_year is not None:
        # No file delays by less than nothing: what holds earlier is stated from that day on.
        yield Change.model_validate(said | {"per_year": new.per_year, "status": new.status, "from": new.start})
        return
    said["from"] = None if first else old.start
    if new.per_year != old.per_year and new.per_year is not None:
        said["per_year"] = new.per_year
    if new.status != old.status:
        said["status"] = new.status
    if new.start != old.start and new.start is not None and old.start is not None:
        months = (new.start.year - old.start.year) * 12 + new.start.month - old.start.month
        if months > 0 and add_months(old.start, months) == new.start:
            said["delay"] = Decimal(months)
    if said.keys() & {"per_year", "status", "delay"}:
        yield Change.model_validate(said)


def _of_terms(old: Iterable[Terms], new: Iterable[Terms]) -> Iterator[Change]:
    """Figures of terms that are gone. A kind of term is relaxed of all that its subject states."""
    lifted: dict[tuple[TermKind, str], None] = {}
    left = {_about(one): one for one in new}
    for one in old:
        now = left.get(_about(one))
        for kind, figure in TERMS_FIGURES.items():
            if getattr(one, figure) is not None and (now is None or getattr(now, figure) is None):
                lifted[kind, _named(one.of, one.id)] = None
    for kind, name in lifted:
        yield Change(lift=kind, of=name)


def _about(one: Terms) -> Terms:
    """What terms are about, without what they say."""
    return one.model_copy(update={**dict.fromkeys(TERMS_FIGURES.values()), "currency": "", "source": ""})


def _named(of: str, name: str) -> str:
    return f"{of}:{name}"
