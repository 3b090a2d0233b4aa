"""What the rules in force find of an offer, stage by stage, for each use that its material is wanted for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ...domain.base import Record
from ...domain.stages import Stage
from ...domain.use import Result, Use, Verdict
from ...explain.eligibility import Eligibilities


class StageCheck(Record):
    """One stage of an offer for one use, or the move itself."""

    end_use: str
    """The end use; of an input also the good that it ends in."""
    stage: str
    """A stage that the material's chain must have; empty: the move, which export controls and exclusions judge."""
    countries: list[str]
    """Where the offer may have performed it; none where nobody says, or its inputs bring it."""
    from_inputs: bool
    """Whether it is done before, on what the offer takes in."""
    result: Literal["pass", "unproven", "fail", "undecided"]
    """`undecided`: no rule finds against it, but one that already did at another stage need not have looked at this one."""
    rule: str = ""
    """The rule that decided, if one finds against it."""
    clause: str = ""
    since: str = ""
    """First period of the plan in which that rule is in force."""
    reason: str = ""


def checks(standings: Eligibilities, offer: int, material: str) -> Iterator[StageCheck]:
    """Every stage of what an offer delivers, and the move, for every use, in the order of uses and stages."""
    problem = standings.problem
    facts = problem.offers[offer]
    chained = next(one for one in facts.chained if one.material.id == material)
    for use in standings.uses[material]:
        against = _against(standings, facts.offer.id, material, use)
        decided = any(verdict.stage for verdict in against)
        for stage in [stage.value for stage in chained.material.stages] + [""]:
            here = [verdict for verdict in against if verdict.stage == stage]
            worst = max(here, key=lambda verdict: verdict.result.rank, default=None)
            entries = chained.entries(Stage(stage)) if stage else ()
            yield StageCheck(
                end_use=use.end_use if use.material.id == material else f"{use.material.id} for {use.end_use}",
                stage=stage,
                countries=sorted(frozenset().union(*(entry.countries for entry in entries))),
                from_inputs=not entries and any(supplied.value == stage for supplied in chained.supplied),
                result=_told(worst.result) if worst else "undecided" if stage and decided else "pass",
                rule=worst.rule if worst else "",
                clause=worst.clause if worst else "",
                since=_since(standings, worst.rule) if worst else "",
                reason=worst.reason if worst else "",
            )


def _told(result: Result) -> Literal["pass", "unproven", "fail"]:
    told: dict[Result, Literal["pass", "unproven", "fail"]] = {
        Result.PASS: "pass", Result.UNPROVEN: "unproven", Result.FAIL: "fail",
    }  # fmt: skip
    return told[result]


def _against(standings: Eligibilities, offer: str, material: str, use: Use) -> list[Verdict]:
    out = standings.out.get(offer, [])
    return [kept.verdict for kept in out if kept.use == use and kept.arc.chained.material.id == material]


def _since(standings: Eligibilities, rule: str) -> str:
    problem = standings.problem
    position = next(i for i, one in enumerate(problem.rules) if one.id == rule)
    periods = [p for p in problem.case.horizon.periods if problem.law.in_force(position, p.span)]
    return periods[0].label if periods else ""
