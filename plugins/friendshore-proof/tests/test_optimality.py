"""`verify` on runs that claim to be better than they are: a dearer plan is found, and what cannot be shown is not vouched for."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from friendshore.case import load_case
from friendshore.cli import app
from friendshore.domain.change import Change
from friendshore.domain.plan import Plan, PlanStatus
from friendshore.plugins import Registry
from friendshore.recommend import ProofEffort, plan, verdicts, verify_run
from friendshore.recommend.describe import run_of
from friendshore.recommend.facts import facts_file
from friendshore.recommend.recheck import _context_of, read_facts
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
    """Write an honest run of a small case."""
    found = plan(load_case(SMALL / case / "case.toml"), registry=Registry.of(), workers=1)
    write_run(folder / "run", found.run, found.facts(), verdicts(found.plan))
    return folder / "run"


def claimed(original: Path, out: Path, make: MAKE, share: str = "1") -> Path:
    """Write a run of the same facts with another plan, whose stated bound is a share of its cost."""
    stored = read_run(original)
    read = read_facts(stored.facts, Registry.of())
    made = make(read.plan)
    loose = {"status": PlanStatus.FEASIBLE, "objective": Decimal(10**12), "bound": Decimal(-(10**12))}
    cost = verify(read.problem, made.model_copy(update=loose)).cost.objective
    stated = {"status": PlanStatus.FEASIBLE, "objective": cost, "bound": cost * Decimal(share)}
    verified = verify(read.problem, made.model_copy(update=stated))
    optimal = verified.plan.model_copy(update={"status": PlanStatus.OPTIMAL})
    file = facts_file(stored.facts).model_copy(update={"plan": optimal})
    run = run_of(verified, _context_of(stored.run, read)).model_copy(update={"status": PlanStatus.OPTIMAL})
    write_run(out, run, file.written, verdicts(verified))
    return out


def dearer(original: Path, offer: str) -> Plan:
    """Return the plan of facts in which an offer costs three times as much."""
    read = read_facts(read_run(original).facts, Registry.of())
    changed = read.inputs.after((Change(price=offer, factor=Decimal(3)),))
    return Session.open(changed, Limits(workers=1)).verified.plan


HURRIED = ProofEffort(seconds=0.0, solve=True)
"""No time for a proof; the case is planned again."""


@pytest.mark.parametrize(
    ("case", "offer", "effort"),
    [
        ("stock", "river-antimony", ProofEffort()),
        ("orders", "forge-antimony", ProofEffort()),
        ("stock", "river-antimony", HURRIED),
    ],
)
def test_a_dearer_plan_whose_bound_is_its_cost_is_found(
    tmp_path: Path, case: str, offer: str, effort: ProofEffort
) -> None:
    """By proof, and by planning again: a cheaper plan exists."""
    original = planned(case, tmp_path)
    found = dearer(original, offer)
    checked = verify_run(claimed(original, tmp_path / "forged", lambda _: found), REGISTRY, effort=effort)
    (finding,) = checked.findings
    assert (finding.code, finding.column) == ("FS938", "plan.bound")
    assert checked.exit_code == 4
    assert checked.sentences[0].startswith("optimality: VERIFICATION FAILED")


def test_a_plan_called_optimal_at_a_wide_gap_is_found(tmp_path: Path) -> None:
    """Status, bound, and gap contradict each other."""
    original = planned("stock", tmp_path)
    checked = verify_run(claimed(original, tmp_path / "forged", lambda plan: plan, share="0.46"), REGISTRY)
    assert any("is called optimal" in finding.message for finding in checked.findings)


def test_what_is_not_proved_is_said_and_not_vouched_for(tmp_path: Path) -> None:
    """Planning again comes to the same, which proves nothing."""
    checked = verify_run(planned("orders", tmp_path), REGISTRY, effort=HURRIED)
    assert (checked.verified, checked.optimality_proved) == (True, False)
    assert "not proved in the time given: the run claims to be within 0%" in checked.sentences[0]
    assert checked.sentences[0].endswith("planned again (optimal), same value")


def test_the_command_says_whether_it_is_proved(tmp_path: Path) -> None:
    """As JSON, and in the first line on the terminal."""
    folder = str(planned("orders", tmp_path))
    said = CliRunner().invoke(app, ["verify", folder, "--json"])
    data: dict[str, Any] = json.loads(said.stdout)
    assert (said.exit_code, data["findings"], data["optimality_proved"]) == (0, [], True)
    said = CliRunner().invoke(app, ["verify", folder, "--time-limit", "0"])
    assert "its bound isn't proved" in " ".join(said.stdout.split())
    assert said.exit_code == 0
