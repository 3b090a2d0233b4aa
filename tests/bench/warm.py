"""Time of an open session to answer a change of one material, relative to solving the whole case."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from friendshore.domain.change import Change
from friendshore.problem.inputs import Inputs
from friendshore.rules.kinds.limits import MaxShare
from friendshore.session import Session
from friendshore.solve import Limits

from .answer import Answer
from .folders import facility_id, material_id, offer_id
from .instances import INSTANCES, Instance
from .ours import read_instance
from .table import CLOSE, columns

GAPS = {"L": 1e-6, "D": 1e-4}
"""Instance -> gap of its solution."""
_TIGHTER = "tighter"


@dataclass(frozen=True, slots=True)
class Warm:
    """Answers to one kind of change, applied to each material in turn."""

    name: str
    kind: str
    cold: float
    """Seconds to build, solve, and verify the whole case."""
    ready: float
    """Seconds to find the parts of the case, once."""
    seconds: tuple[float, ...]
    """Seconds by material."""
    solved: int
    """Solved components in total."""
    agrees: bool
    """True if the first answer equals a new solution of the changed case."""

    @property
    def shares(self) -> tuple[float, float]:
        """Median and maximum, relative to `cold`."""
        return statistics.median(self.seconds) / self.cold, max(self.seconds) / self.cold


def measure(name: str, scale: float) -> list[Warm]:
    """Open a session on an instance, and apply each kind of change to each material."""
    instance = INSTANCES[name](scale)
    case, catalogs, _ = read_instance(instance, Answer())
    materials = [material_id(m) for m in range(len(instance.demand))]
    rules = [] if instance.share is None else [_cap("country", m, instance.share) for m in materials]
    rules += [_cap(_TIGHTER, m, 0.4, phases=[{"status": "pending"}]) for m in materials]
    limits = Limits(gap=GAPS[name])
    started = time.perf_counter()
    session = Session.open(Inputs(case, catalogs, tuple(rules)), limits)
    cold = time.perf_counter() - started
    _ = session.parts
    ready = time.perf_counter() - started - cold
    return [_ask(session, name, kind, changes, cold, ready) for kind, changes in _changes(instance)]


def _cap(prefix: str, material: str, share: float, **more: object) -> MaxShare:
    fields = {"id": f"{prefix}-share-{material}", "by": "country", "share": str(share), "of": "purchases"}
    return MaxShare.model_validate({**fields, "per": "period", "materials": [material], **more})


def _changes(instance: Instance) -> Iterator[tuple[str, list[Change]]]:
    """Yield each kind of change with one change per material."""
    materials = range(len(instance.demand))
    offers = [np.flatnonzero(instance.material == m) for m in materials]
    cheapest = [int(own[np.argmin(instance.price[own])]) for own in offers]
    yield "offer price -10%", [Change(price=offer_id(o), factor=0.9) for o in cheapest]
    yield "offer price +50%", [Change(price=offer_id(o), factor=1.5) for o in cheapest]
    yield "offer removed", [Change(remove=offer_id(o)) for o in cheapest]
    sites = [facility_id(int(instance.facility[o])) for o in cheapest]
    yield "capacity -20%", [Change(capacity=site, factor=0.8) for site in sites]
    yield "demand +10%", [Change(demand=material_id(m), factor=1.1) for m in materials]
    yield "rule on", [Change(enable=f"{_TIGHTER}-share-{material_id(m)}") for m in materials]
    if instance.share is not None:
        yield "rule off", [Change(disable=f"country-share-{material_id(m)}") for m in materials]


def _ask(session: Session, name: str, kind: str, changes: Sequence[Change], cold: float, ready: float) -> Warm:
    seconds, solved, costs = [], 0, []
    for change in changes:
        started = time.perf_counter()
        answer = session.what_if(change)
        seconds.append(time.perf_counter() - started)
        solved += answer.solved
        costs.append(float(answer.cost.objective))
    fresh = Session.open(session.inputs.after(changes[:1]), session.limits)
    difference = abs(float(fresh.verified.cost.objective) - costs[0])
    agrees = difference <= max(CLOSE, 2 * session.limits.gap) * abs(costs[0])
    return Warm(name, kind, cold, ready, tuple(seconds), solved, agrees)


def written(results: Sequence[Warm]) -> str:
    head = ("", "change of one material", "whole s", "parts s", "asked", "solved", "median s", "worst s", "median", "worst", "agrees")  # fmt: skip
    rows: list[tuple[str, ...]] = [head]
    for warm in results:
        shares = warm.shares
        figures = f"{warm.cold:.2f}", f"{warm.ready:.2f}", f"{len(warm.seconds)}", f"{warm.solved}"
        answers = *(f"{share * warm.cold:.4f}" for share in shares), *(f"{share:.2%}" for share in shares)
        rows.append((warm.name, warm.kind, *figures, *answers, "yes" if warm.agrees else "NO"))
    return columns(rows, left={0, 1})


def line(warm: Warm) -> dict[str, object]:
    median, worst = warm.shares
    return {
        "name": warm.name,
        "warm": warm.kind,
        "asked": len(warm.seconds),
        "solved": warm.solved,
        "cold_seconds": round(warm.cold, 4),
        "parts_seconds": round(warm.ready, 4),
        "median_seconds": round(median * warm.cold, 5),
        "worst_seconds": round(worst * warm.cold, 5),
        "median_share": round(median, 5),
        "worst_share": round(worst, 5),
        "agree": warm.agrees,
    }
