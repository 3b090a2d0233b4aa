"""Stock in hand and orders already placed in words: what a run tells of them."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain.held import RunHolding, RunHoldingBar, RunHoldingUse
from ..domain.use import Result
from ..explain import Holding
from ..explain.holdings import Bar
from ..problem import Problem


def describe_holdings(problem: Problem, found: Sequence[Holding]) -> list[RunHolding]:
    """Stock in hand and orders already placed, with what bars them."""
    label = problem.case.horizon.label
    return [
        RunHolding(
            lot=one.lot.id,
            kind="order" if one.lot.on_order else "stock",
            offer=one.lot.chained.offer.id if one.lot.on_order else "",
            material=one.lot.material,
            place=one.lot.place.id,
            arrives=one.lot.arrives,
            available=label(one.lot.period),
            quantity_kg=one.lot.quantity,
            used_kg=one.lot.quantity - one.left,
            left_kg=one.left,
            uses=[
                RunHoldingUse(
                    demand_material=served.use.material.id,
                    end_use=served.use.end_use,
                    place=served.use.place.id,
                    verdict=served.state,
                    periods=[label(t) for t in served.periods],
                    bars=[_bar(bar) for bar in served.bars],
                )
                for served in one.served
            ],
        )
        for one in found
    ]


def _bar(bar: Bar) -> RunHoldingBar:
    verdict = bar.verdict
    return RunHoldingBar(
        rule=verdict.rule,
        start=bar.start,
        end=bar.end,
        unproven=verdict.result is Result.UNPROVEN,
        stage=verdict.stage,
        countries=list(verdict.countries),
        clause=verdict.clause,
        reason=verdict.reason,
        heals=bar.heals,
    )
