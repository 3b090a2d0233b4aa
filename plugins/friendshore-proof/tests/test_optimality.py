"""`verify` on runs that claim to be better than they are: a dearer plan is found, and what cannot be shown is not vouched for."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from friendshore.cli import app
from friendshore.domain.change import Change
from friendshore.domain.plan import Plan, PlanStatus
from friendshore.plugins import Registry
from friendshore.recommend import ProofEffort, plan, verdicts, verify_run
from friendshore.recommend.describe import run_of
from friendshore.recommend.facts import facts_file
from friendshore.recommend.recheck import _as_told, read_facts
from friendshore.run import read_run, write_run
from friendshore.session import Session
from friendshore.solve import Limits
from friendshore.verify import verify
from friendshore_proof import friendshore_checks

SMALL = Path(__file__).parents[3] / "docs" / "cases" / "small"
MAKE = Callable[[Plan], Plan]
REGISTRY = Registry.of(checks=friendshore_checks())
"""Only the kernel and the checks of this plugin."""


def planned(case: str, folder: Path) -> Path:
    """An honest run of a small case."""
    import friendshore

    found = plan(friendshore.load_case(SMALL / case / "case.toml"), registry=Registry.of(), workers=1)
    write_run(folder / "run", found.run, found.facts(), verdicts(found.plan))
    return folder / "run"


def claimed(original: Path, out: Path, make: MAKE, share: str = "1") -> Path:
    """A run of the same facts with another plan, whose bound is said to be so large a share of what it costs."""
    stored = read_run(original)
    read = read_facts(stored.facts, Registry.of())
    made = make(read.plan)
    loose = {"status": PlanStatus.FEASIBLE, "objective": Decimal(10**12), "bound": Decimal(-(10**12))}
    cost = verify(read.problem, made.model_copy(update=loose)).cost.objective
    stated = {"status": PlanStatus.FEASIBLE, "objective": cost, "bound": cost * Decimal(share)}
    verified = verify(read.problem, made.model_copy(update=stated))
    optimal = verified.plan.model_copy(update={"status": PlanStatus.OPTIMAL})
    file = facts_file(stored.facts).model_copy(update={"plan": optimal})
    run = run_of(verified, _as_told(stored.run, read)).model_copy(update={"status": PlanStatus.OPTIMAL})
    write_run(out, run, file.written, verdicts(verified))
    return out


def dearer(original: Path, offer: str) -> Plan:
    """The plan of facts in which an offer costs three times as much."""
    read = read_facts(read_run(original).facts, Registry.of())
    changed = read.inputs.after((Change(price=offer, factor=Decimal(3)),))
    return Session.open(changed, Limits(workers=1)).verified.plan


def test_an_honest_run_is_proved_to_be_the_cheapest(tmp_path: Path) -> None:
    """The sentence says what no plan costs less than, and that this was proved."""
    checked = verify_run(planned("stock", tmp_path), REGISTRY)
    assert checked.findings == ()
    assert checked.optimality_proved
    assert checked.sentences[0] == "optimality: proved: no plan costs less than USD 444,567.90 (this one is within 0 %)"


@pytest.mark.parametrize(("case", "offer"), [("stock", "river-antimony"), ("orders", "forge-antimony")])
def test_a_dearer_plan_whose_bound_is_its_cost_is_not_so(tmp_path: Path, case: str, offer: str) -> None:
    """A plan made for other prices, in a run that holds in all else: a cheaper one is found, told, and ends in exit code 4."""
    original = planned(case, tmp_path)
    found = dearer(original, offer)
    checked = verify_run(claimed(original, tmp_path / "forged", lambda _: found), REGISTRY)
    (finding,) = checked.findings
    assert "less than the run says that any can" in finding.message
    assert checked.exit_code == 4
    assert "VERIFICATION FAILED" in checked.sentences[0]


def test_a_plan_that_buys_nothing_is_not_so(tmp_path: Path) -> None:
    """All demand short, and said to be the cheapest: it is not."""
    original = planned("limits", tmp_path)
    read = read_facts(read_run(original).facts, Registry.of())
    idle = Plan.model_validate(
        {
            "status": "optimal",
            "objective": 0,
            "bound": 0,
            "shorts": [
                {"demand": demand.id, "period": t, "quantity": quantity}
                for demand in read.problem.demands
                for t, quantity in enumerate(demand.quantity)
                if quantity
            ],
        }
    )
    checked = verify_run(claimed(original, tmp_path / "forged", lambda _: idle), REGISTRY)
    assert any("less than the run says that any can" in f.message for f in checked.findings)


def test_a_plan_called_optimal_at_a_wide_gap_is_not_so(tmp_path: Path) -> None:
    """`optimal` beside a gap of 0.54: status, bound and gap do not go together."""
    original = planned("stock", tmp_path)
    checked = verify_run(claimed(original, tmp_path / "forged", lambda plan: plan, share="0.46"), REGISTRY)
    assert any("is called optimal" in finding.message for finding in checked.findings)


def test_what_is_not_proved_is_said_and_not_vouched_for(tmp_path: Path) -> None:
    """Without time for it nothing is proved: the answer and the sentence say so; planned again, the same is found."""
    original = planned("orders", tmp_path)
    checked = verify_run(original, REGISTRY, effort=ProofEffort(seconds=0.0, solve=True))
    assert checked.verified
    assert not checked.optimality_proved
    assert "not proved in the time given: the run claims to be within 0 %" in checked.sentences[0]
    assert checked.sentences[0].endswith("planned again (optimal), it comes to the same")


def test_a_dearer_plan_is_found_by_planning_again_where_it_is_not_by_proof(tmp_path: Path) -> None:
    """With no time for a proof, `--solve` finds it."""
    original = planned("stock", tmp_path)
    found = dearer(original, "river-antimony")
    forged = claimed(original, tmp_path / "forged", lambda _: found)
    checked = verify_run(forged, REGISTRY, effort=ProofEffort(seconds=0.0, solve=True))
    assert "less than the run says that any can" in checked.findings[0].message


def test_the_command_says_it(tmp_path: Path) -> None:
    """On the terminal and as JSON; without a proof the answer in the first line says that, too."""
    folder = str(planned("orders", tmp_path))
    said = CliRunner().invoke(app, ["verify", folder, "--json"])
    data: dict[str, Any] = json.loads(said.stdout)
    assert data["optimality_proved"] is True
    assert said.exit_code == 0
    said = CliRunner().invoke(app, ["verify", folder, "--time-limit", "0"])
    assert "that it is as good as it says is not proved" in " ".join(said.stdout.split())
    assert said.exit_code == 0
