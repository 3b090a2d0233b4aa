"""What a page offers to change: each lever as the change of the case that it stands for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from friendshore.domain.change import Change
from friendshore.domain.time import add_months

if TYPE_CHECKING:
    from friendshore.domain.facts import Facility
    from friendshore.session import Session

SIZED = ("price", "capacity", "demand")
"""Kinds of levers that multiply."""
DELAYS = (6, 12, 24)
"""Months by which capacities and demands come later."""
MOVES = (12, 24)
"""Months by which rules begin later."""


@dataclass(frozen=True, slots=True)
class PageLever:
    """One thing that can be changed."""

    kind: str
    """`price`, `capacity`, `demand`: multiplied. `delay`, `move`: one of some dates. `remove`: offers taken away, from a period on. `disable`, `enable`."""
    name: str
    """Of an offer, a facility, a demand or a rule; of who is lost, as a change names them."""
    title: str
    change: Change
    """What a case file would say; of what is multiplied, without its factor."""
    choice: str = ""
    """Which of some dates."""
    offers: tuple[str, ...] = ()
    """Offers that are taken away."""

    @property
    def sized(self) -> bool:
        """Whether it is a factor; else it is done or not."""
        return self.kind in SIZED

    def at(self, factor: Decimal = Decimal(1), start: date | None = None) -> Change:
        """The change of the case, from a day on where it takes something away."""
        if self.sized:
            return self.change.but(factor=factor)
        return self.change if start is None or self.kind != "remove" else self.change.but(start=start)

    @property
    def words(self) -> str:
        """As `--change` takes it; factor and first day are added."""
        return in_words(self.change, *(("factor",) if self.sized else ()))


def in_words(change: Change, *without: str) -> str:
    """A change as `--change` takes it, without some of its keys."""

    def told(value: object) -> str:
        some = sorted(map(str, value)) if isinstance(value, frozenset | list) else [str(value)]
        return ";".join(some)

    words = {key: value for key, value in change.as_written("").items() if key not in (*without, "why")}
    return ", ".join(f"{key}={told(value)}" for key, value in words.items())


def wanted(session: Session, offers: frozenset[str]) -> list[PageLever]:
    """All that is tried out, in the order in which a page lists it; `offers` are those that a plan can buy."""
    return [*_amounts(session, offers), *_delays(session), *_losses(session, offers), *_rules(session)]


def losses(session: Session, offers: frozenset[str]) -> list[PageLever]:
    """Losses of some offers alone, and of suppliers, owners, countries and catalogs with all that they offer."""
    return list(_losses(session, offers))


def _amounts(session: Session, offers: frozenset[str]) -> Iterator[PageLever]:
    facilities = session.problem.merged.facilities
    known = [facts.offer for facts in session.problem.offers if facts.offer.id in offers]
    for offer in known:
        yield PageLever("price", offer.id, _at(facilities[offer.facility]), _sized(price=f"offer:{offer.id}"))
    for name in sorted({offer.facility for offer in known}):
        yield PageLever("capacity", name, _at(facilities[name]), _sized(capacity=name))
    for demand in session.problem.demands:
        yield PageLever("demand", demand.id, demand.use.material.id, _sized(demand=f"demand:{demand.id}"))


def _sized(**subject: str) -> Change:
    return Change.model_validate({**subject, "factor": 1})


def _delays(session: Session) -> Iterator[PageLever]:
    case = session.problem.case
    first = case.horizon.start
    for facility in sorted(session.problem.merged.facilities.values(), key=lambda facility: facility.id):
        if any(step.start is not None and add_months(step.start, 24) > first for step in facility.capacity):
            for months in DELAYS:
                change = Change(capacity=facility.id, delay=Decimal(months))
                yield PageLever("delay", facility.id, _at(facility), change, _later(months))
    for demand in session.problem.demands:
        for months in DELAYS:
            change = Change(demand=f"demand:{demand.id}", delay=Decimal(months))
            yield PageLever("later", demand.id, demand.use.material.id, change, _later(months))


def _later(months: int) -> str:
    return f"{months} months later"


def _losses(session: Session, offers: frozenset[str]) -> Iterator[PageLever]:
    facilities = session.problem.merged.facilities
    groups: dict[str, list[str]] = defaultdict(list)
    for catalog in session.inputs.catalogs:
        for offer in catalog.offers:
            if offer.id not in offers:
                continue
            facility = facilities[offer.facility]
            yield PageLever("remove", offer.id, _at(facility), Change(remove=f"offer:{offer.id}"), offers=(offer.id,))
            for kind, name in (
                ("country", facility.country),
                ("supplier", facility.supplier),
                ("parent", facility.owner),
                ("catalog", offer.catalog),
            ):
                if name:
                    groups[f"{kind}:{name}"].append(offer.id)
    told: set[tuple[str, ...]] = set()
    for name, taken in sorted(groups.items()):
        kind = name.partition(":")[0]
        if kind == "parent" and tuple(taken) in told:
            continue  # the same as its supplier
        told.add(tuple(taken))
        title = f"{len(taken)} offer{'s' if len(taken) > 1 else ''}"
        yield PageLever("remove", name, title, Change(remove=name), offers=tuple(taken))


def _rules(session: Session) -> Iterator[PageLever]:
    horizon = session.problem.case.horizon
    held = frozenset(session.problem.case.accept.rule_status)
    for rule in session.problem.rules:
        title = rule.title or rule.citation
        spans = [phase for phase in rule.phases if phase.span.meets(horizon.span)]
        if any(phase.status in held for phase in spans):
            yield PageLever("disable", rule.id, title, Change(disable=rule.id))
        if any(phase.status in ("pending", "unknown") and phase.status not in held for phase in spans):
            yield PageLever("enable", rule.id, title, Change(enable=rule.id))
        begins = [phase.start for phase in spans if phase.status in held and phase.start is not None]
        if begins and min(begins) > horizon.start:
            for months in MOVES:
                day = add_months(min(begins), months)
                yield PageLever("move", rule.id, title, Change(move=rule.id, start=day), f"from {day}")
    for bill in session.inputs.bills:
        yield PageLever("enable", bill.id, bill.title, Change(enable=bill.id))


def _at(facility: Facility) -> str:
    return f"{facility.name or facility.id}, {facility.country}"


def of_offers(lever: PageLever, offers: frozenset[str]) -> PageLever:
    """The same lever for those of its offers alone that there are."""
    return replace(lever, offers=tuple(name for name in lever.offers if name in offers))
