"""Headline of a run: its story in a few sentences, computed once for all outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from ..document import elements as doc
from ..document.figures import count, large_money, percent
from ..domain.base import Number, Record
from ..domain.countries import country_name
from ..domain.plan import PlanStatus
from ..domain.run import Run, RunDemand, RunDependence, RunExposed, RunPurchase
from .demand import is_impossible
from .mix import cost_of, in_orders

Trust = Literal["proved", "not proved", "conflict", "not verified", "failed"]
_ZERO = Decimal(0)


class Headline(Record):
    """The story of a run: needs, money, dependence, deadlines, and risk. Money is cash, not discounted."""

    title: str
    """Title of the case, or its name, with the scenarios."""
    text: str
    """All sentences."""
    sentences: tuple[str, ...]
    trust: Trust
    """`proved`: optimal and verified. `not proved`: verified, but maybe not the cheapest plan. `conflict`: hard rules conflict, so that some materials
    have no plan. `not verified`: not verified for this output. `failed`: failed verification; all figures are 0 then."""
    made: date | None
    version: str
    """Version of friendshore that made the run."""
    currency: str
    needs: int = 0
    needs_unmet: int = 0
    """Number of needs with a shortage in any period."""
    needs_never_met: int = 0
    """Part of these that no period from some day on meets in full."""
    unmet_end_uses: tuple[str, ...] = ()
    limits_relaxed: int = 0
    """Number of rows of hard limits that can't be kept, and that the plan relaxes."""
    spend: Number = _ZERO
    concern_share: Number | None = None
    """Share of the purchases' cash that depends on countries of concern for certain. None if the case names none, or nothing is bought."""
    concern_share_max: Number | None = None
    """The same with purchases that may depend on them."""
    concern_spend: Number = _ZERO
    concern_spend_max: Number = _ZERO
    concern_country: str = ""
    """Code of the country that sells everything in `concern_spend`. Empty if there are several."""
    overdue_spend: Number = _ZERO
    """Spend on orders whose last day has passed."""
    overdue_orders: int = 0
    next_order_by: date | None = None
    """Next last day of an order. None if there are no further orders."""
    next_order_spend: Number = _ZERO
    """Spend on orders with that last day."""
    at_risk_spend: Number = _ZERO
    """Spend on purchases that `at_risk_rule` would prohibit, the rule of unknown status with the most."""
    at_risk_rule: str = ""
    rules_of_unknown_status: int = 0
    """Number of rules of unknown status that would prohibit purchases."""

    @property
    def tone(self) -> doc.Tone:
        """Tone of the mark before it: red for shortages and failures, green only if nothing is short and the plan is proved."""
        if self.needs_unmet or self.limits_relaxed or self.trust in ("failed", "conflict"):
            return doc.Tone.BAD
        return doc.Tone.GOOD if self.trust == "proved" else doc.Tone.DOUBTFUL

    @property
    def origin(self) -> str:
        """Date and version, such as `made 2026-11-30 with friendshore 0.1.0`."""
        return f"made {self.made or 'on an unknown day'} with friendshore {self.version}"


def run_title(run: Run) -> str:
    return (run.title or run.case) + (f" with {', '.join(run.scenario)}" if run.scenario else "")


def headline_of(run: Run, *, is_verified: bool = True, is_proved: bool = True, has_failed: bool = False) -> Headline:
    """Return the headline of a run.

    Args:
        is_verified: False if the run was read from files and not verified.
        is_proved: False if the run was read from files, and a check couldn't prove its bound.
        has_failed: True if it failed verification. Its figures are then left out.
    """
    trust = _trust(run, is_verified=is_verified, is_proved=is_proved, has_failed=has_failed)
    title, version = run_title(run), run.versions.get("friendshore", "of an unknown version")
    if trust == "failed":
        text = "This run failed verification. Don't rely on it."
        return Headline(
            title=title,
            text=text,
            sentences=(text,),
            trust=trust,
            made=run.planned_on,
            version=version,
            currency=run.currency,
        )
    lacking = [demand for demand in run.demands if demand.short_kg]
    concern = concern_of(run)
    overdue, due, day = _deadlines(run)
    exposed = max(run.exposed, key=lambda row: (row.cost, row.rule), default=None)
    country = _concern_country(run)
    sentences = (
        *_relaxed_sentences(run),
        *_trust_sentences(run, trust),
        f"{_needs(run, lacking, trust)}{_money(run, lacking, concern, country)}.",
        _orders(run, overdue, due, day),
        _risk(run, exposed),
    )
    sentences = tuple(filter(None, sentences))
    return Headline(
        title=title,
        text=" ".join(sentences),
        sentences=sentences,
        trust=trust,
        made=run.planned_on,
        version=version,
        currency=run.currency,
        needs=len(run.demands),
        needs_unmet=len(lacking),
        needs_never_met=sum(1 for demand in lacking if not demand.first_met),
        unmet_end_uses=tuple(dict.fromkeys(demand.end_use for demand in lacking)),
        limits_relaxed=len(run.relaxed),
        spend=run.cost.nominal,
        concern_share=concern.known_concern_cost / concern.cost if concern else None,
        concern_share_max=concern.share if concern else None,
        concern_spend=concern.known_concern_cost if concern else _ZERO,
        concern_spend_max=concern.known_concern_cost + concern.possible_concern_cost if concern else _ZERO,
        concern_country=country,
        overdue_spend=cost_of(overdue),
        overdue_orders=len(in_orders(overdue)),
        next_order_by=day,
        next_order_spend=cost_of(due),
        at_risk_spend=exposed.cost if exposed else _ZERO,
        at_risk_rule=exposed.rule if exposed else "",
        rules_of_unknown_status=len(run.exposed),
    )


def concern_of(run: Run) -> RunDependence | None:
    """Return the dependence of the plan on countries of concern. None if nothing is paid, or the case names no such country."""
    return next((row for row in run.dependence if row.scope == "plan" and row.cost), None)


def is_overdue(run: Run, purchase: RunPurchase) -> bool:
    """Return True if the last day of an order has passed."""
    return bool(purchase.late_days) or (run.planned_on is not None and purchase.order_by < run.planned_on)


def _trust(run: Run, *, is_verified: bool, is_proved: bool, has_failed: bool) -> Trust:
    if has_failed or not run.verified:
        return "failed"
    if run.status is PlanStatus.INFEASIBLE:
        return "conflict"
    if not is_verified:
        return "not verified"
    return "proved" if is_proved and run.status is PlanStatus.OPTIMAL else "not proved"


def _trust_sentences(run: Run, trust: Trust) -> Iterator[str]:
    match trust:
        case "conflict":
            names = [run.names.material(name) for part in run.conflicts for name in part.materials]
            materials = list(dict.fromkeys(names))
            more = f" and {count(len(materials) - 1, 'other material')}" if len(materials) > 1 else ""
            yield (
                f"There is no plan for {materials[0]}{more}: hard rules conflict."
                if materials
                else "Hard rules conflict."
            )
        case "not verified":
            yield "This run wasn't verified for this output."
    if run.status not in (PlanStatus.OPTIMAL, PlanStatus.INFEASIBLE):
        yield f"This plan isn't proved cheapest (gap {percent(run.gap)})."
    elif trust == "not proved":
        yield "A check couldn't prove that this plan is the cheapest."


def _relaxed_sentences(run: Run) -> Iterator[str]:
    if not run.relaxed:
        return
    limits = list(dict.fromkeys(f"the {row.limit} ({row.rule})" for row in run.relaxed))
    more = f" and {count(len(limits) - 1, 'other limit')}" if len(limits) > 1 else ""
    yield f"This plan doesn't keep {limits[0]}{more}, which can't be kept."


def _needs(run: Run, lacking: Sequence[RunDemand], trust: Trust) -> str:
    needs = count(len(run.demands), "need")
    if not lacking:
        few = ("Nothing is needed", "The only need is met", "Both needs are met")
        return few[len(run.demands)] if len(run.demands) < len(few) else f"All {needs} are met"
    never = [demand for demand in lacking if not demand.first_met]
    subject = f"{len(never) or len(lacking)} of {needs}" if len(run.demands) > 1 else "The only need"
    subject += _all_of(never or lacking)
    if not never:
        return f"{subject} {_are(lacking)} met only later, from {_latest_period(run, lacking)} on"
    in_full = " in full" if any(demand.delivered_kg for demand in never) else ""
    verb = "cannot be" if trust == "proved" and is_impossible(run, never) else f"{_are(never)} not"
    later = len(lacking) - len(never)
    others = (
        f"; {later} more {'is' if later == 1 else 'are'} met only from {_latest_period(run, [d for d in lacking if d.first_met])} on"
        if later
        else ""
    )
    return f"{subject} {verb} met{in_full}{others}"


def _are(demands: Sequence[RunDemand]) -> str:
    return "is" if len(demands) == 1 else "are"


def _all_of(demands: Sequence[RunDemand]) -> str:
    uses = list(dict.fromkeys(demand.end_use for demand in demands))
    if len(uses) > 1:
        return ""
    return f", {'all ' if len(demands) > 1 else ''}{uses[0]},"


def _latest_period(run: Run, demands: Sequence[RunDemand]) -> str:
    order = {period.label: number for number, period in enumerate(run.periods)}
    return max((demand.first_met for demand in demands), key=order.__getitem__)


def _money(run: Run, lacking: Sequence[RunDemand], concern: RunDependence | None, country: str) -> str:
    spend = large_money(abs(run.cost.nominal), run.currency)
    if not run.purchases:
        return ". Nothing is bought" if lacking else " without purchases"
    verb = "earns" if run.cost.nominal < 0 else "costs"
    if lacking:
        subject = "The rest" if any(demand.delivered_kg for demand in run.demands) else "The plan"
        money = f". {subject} {verb} {spend}"
    else:
        money = f" for {spend}" if verb == "costs" else f", and the plan earns {spend}"
    return f"{money}; {_concern(concern, country)}" if concern else money


def _concern(row: RunDependence, country: str) -> str:
    certain, possible = row.known_concern_cost / row.cost, row.share
    if not possible:
        return "none of it depends on countries of concern"
    if not certain:
        return f"up to {percent(possible)} of it may depend on countries of concern"
    where = country_name(country) if country else "countries of concern"
    if percent(certain) == percent(possible):
        return f"{percent(certain)} of it depends on {where}" + (", a country of concern" if country else "")
    return f"{percent(certain)} of it depends on {where}, and up to {percent(possible)} on countries of concern"


def _concern_country(run: Run) -> str:
    sellers = {purchase.country for purchase in run.purchases if purchase.concern == "is" and purchase.cost}
    return sellers.pop() if len(sellers) == 1 and sellers <= set(run.countries_of_concern) else ""


def _deadlines(run: Run) -> tuple[list[RunPurchase], list[RunPurchase], date | None]:
    """Return the overdue orders, and the next ones with their last day."""
    overdue = [purchase for purchase in run.purchases if is_overdue(run, purchase)]
    others = [purchase for purchase in run.purchases if not is_overdue(run, purchase)]
    day = min((purchase.order_by for purchase in others), default=None)
    return overdue, [purchase for purchase in others if purchase.order_by == day], day


def _orders(run: Run, overdue: list[RunPurchase], due: list[RunPurchase], day: date | None) -> str:
    if overdue:
        days = sorted({purchase.order_by for purchase in overdue})
        orders = count(len(in_orders(overdue)), "order was", "orders were")
        when = f"by {days[0]}" if len(days) == 1 else f"from {days[0]} to {days[-1]}"
        return f"Order {large_money(cost_of(overdue), run.currency)} now: {orders} due {when}."
    return f"Order {large_money(cost_of(due), run.currency)} by {day}." if due else ""


def _risk(run: Run, exposed: RunExposed | None) -> str:
    if exposed is None:
        return ""
    others = f" (the largest of {len(run.exposed)} such amounts)" if len(run.exposed) > 1 else ""
    rule = exposed.title or exposed.rule
    return f"{large_money(exposed.cost, run.currency)}{others} is at risk if a rule of unknown status applies: {rule}."
