"""The plan of one scenario, made by a worker that is given the case once: a thread, a process, or a process of another machine.

Every scenario is planned as `plan` plans it, by the same code, from the facts as they were given. What problems of one case share, and
components that were solved before, are kept from one scenario to the next.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from threading import local

from friendshore.domain.base import exact, grouped, totals
from friendshore.domain.plan import Plan, PlanStatus
from friendshore.domain.run import RunPurchase
from friendshore.errors import FriendshoreError
from friendshore.plugins.processes import packed, unpacked
from friendshore.problem.inputs import Applied, Inputs
from friendshore.problem.kept import Kept
from friendshore.questions.pools import WorkerPool, here
from friendshore.recommend.describe import purchases
from friendshore.recommend.gather import refuse_old_prices
from friendshore.session import Session
from friendshore.solve import AnswerCache, Cancel, Limits
from friendshore.verify import VerifiedPlan, examine

from .records import FAILED, KeptScenario, ScenarioMaterial, ScenarioPlan, ScenarioPurchase

_HERE = local()
"""What this thread holds of cases: nothing of it is shared with another."""


@dataclass(frozen=True, slots=True, eq=False)
class SweptCase:
    """A case as it goes to workers, once to each."""

    facts: Inputs
    """As they were given: nothing is applied to them."""
    answers: AnswerCache
    """Components that are solved already."""
    limits: Limits
    """Of each scenario."""

    def here(self, workers: int | None, scenarios: int) -> WorkerPool:
        """Processes of this machine that plan it."""
        return here(workers, scenarios, self.limits.seconds)

    def packed(self) -> bytes:
        """It, with what code it needs, as it is sent."""
        return packed(self, self.facts.rules)


@dataclass(frozen=True, slots=True)
class AskedScenario:
    """A scenario as it goes to a worker."""

    number: int
    """Its place, from 0."""
    applied: Applied
    case: str
    """The case that it is of, by its hash."""
    packed: bytes | None = None
    """That case, for a worker that has not got it; None: left out, since most have."""
    known: str | None = None
    """A plan of it that was kept, as JSON, to be checked; None: there is none."""


def planned(asked: AskedScenario, cancel: Cancel | None = None) -> str | None:
    """Return the plan of a scenario as JSON: the one that is known, if it holds, else a new one. None: the case is not here, and did not come along.

    Raises:
        InputError: if friendshore here is not what the case was sent by.
    """
    case = _case(asked)
    if case is None:
        return None
    if asked.known is not None and _holds(case, asked.applied, KeptScenario.model_validate_json(asked.known)):
        return asked.known
    return _planned(case, asked.applied, cancel).model_dump_json()


def _holds(case: SweptCase, applied: Applied, known: KeptScenario) -> bool:
    """Return True if a plan that was kept is one of the scenario, and its figures are those that are kept. Of an error nothing can be checked."""
    if not known.entries:
        return known.told.failed
    try:
        plan = Plan.model_validate_json(zlib.decompress(b64decode(known.entries, validate=True)))
        inputs = case.facts.apply(applied)
        refuse_old_prices(inputs, applied)
        verified, _ = examine(inputs.problem(), plan)
    except (FriendshoreError, ValueError, zlib.error):
        return False
    return verified is not None and told(verified) == known.told


def _case(asked: AskedScenario) -> SweptCase | None:
    if getattr(_HERE, "name", "") != asked.case:
        if asked.packed is None:
            return None
        case = unpacked(asked.packed)
        assert isinstance(case, SweptCase)
        _HERE.case = replace(case, facts=replace(case.facts, kept=Kept()))
        _HERE.name = asked.case
    held: SweptCase = _HERE.case
    return held


def _planned(case: SweptCase, applied: Applied, cancel: Cancel | None) -> KeptScenario:
    try:
        inputs = case.facts.apply(applied)
        refuse_old_prices(inputs, applied)
        verified = Session.open(inputs, case.limits, None, cancel, case.answers).verified
    except FriendshoreError as error:
        return KeptScenario(told=failed(map(str, error.problems)))
    entries = verified.plan.model_dump_json(exclude_defaults=True).encode()
    return KeptScenario(told=told(verified), entries=b64encode(zlib.compress(entries)).decode())


def failed(messages: Iterable[str]) -> ScenarioPlan:
    """Return what is told of a scenario without a plan."""
    return ScenarioPlan(status=FAILED, message="; ".join(messages))


def told(verified: VerifiedPlan) -> ScenarioPlan:
    """A verified plan in a few figures."""
    plan, bought = verified.plan, purchases(verified.problem, verified.lines, verified.judging)
    conflicts = "; ".join(f"rules conflict: {', '.join(one.rules)}" for one in plan.infeasible)
    short = plan.short_by_demand
    return ScenarioPlan(
        status=plan.status.value,
        message=conflicts if plan.status is PlanStatus.INFEASIBLE else "",
        bound=exact(min(plan.bound, verified.cost.objective)),
        cost=verified.cost,
        demands_short=sum(1 for kilograms in short.values() if kilograms),
        materials=tuple(_materials(verified, bought)),
        purchases=tuple(_purchases(bought)),
    )


def _materials(verified: VerifiedPlan, bought: Iterable[RunPurchase]) -> Iterable[ScenarioMaterial]:
    demands, none = verified.problem.demands, Decimal(0)
    material = {demand.id: demand.use.material.id for demand in demands}
    wanted = totals((material[demand.id], sum(demand.quantity, none)) for demand in demands)
    short = totals((material[name], kilograms) for name, kilograms in verified.plan.short_by_demand.items())
    kilograms = totals((one.material, one.quantity_kg) for one in bought)
    money = totals((one.material, one.cost) for one in bought)
    for name in sorted({*wanted, *kilograms}):
        figures = (exact(each.get(name, none)) for each in (wanted, short, kilograms, money))
        names = ("wanted_kg", "short_kg", "bought_kg", "cost")
        yield ScenarioMaterial(material=name, **dict(zip(names, figures, strict=True)))


def _purchases(bought: Iterable[RunPurchase]) -> Iterable[ScenarioPurchase]:
    groups = grouped(((one.material, one.end_use, one.offer, one.place), one) for one in bought)
    kilograms = totals((one.material, one.quantity_kg) for group in groups.values() for one in group)
    for (material, end_use, offer, place), group in sorted(groups.items()):
        quantity = sum((one.quantity_kg for one in group), Decimal(0))
        yield ScenarioPurchase(
            material=material,
            end_use=end_use,
            offer=offer,
            facility=group[0].facility,
            country=group[0].country,
            place=place,
            quantity_kg=exact(quantity),
            share=exact(quantity / kilograms[material]),
            cost=exact(sum((one.cost for one in group), Decimal(0))),
        )


def name_of(packed: bytes) -> str:
    """A case as it is sent, by its hash."""
    return sha256(packed).hexdigest()
