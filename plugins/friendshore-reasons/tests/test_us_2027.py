"""Repairs of the worked case: the reference page prints what the command does, and each repair, pasted into the case, serves what was short."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.functional.program import here

import friendshore
from friendshore_reasons.repairs.document import repairs_toml

ROOT = Path(__file__).parents[3]
CASE = ROOT / "docs" / "cases" / "us-2027"
pytestmark = pytest.mark.deep
PAGE = (ROOT / "docs" / "reference" / "questions" / "repairs.md").read_text(encoding="utf-8")


def test_the_page_shows_what_is_printed() -> None:
    """Line by line."""
    asked = ("gallium-metal-4n", "--scenario", "minerals-ban", "--top", "5")
    printed = here("repairs", CASE, *asked).stdout
    _, block = PAGE.split(f"$ friendshore repairs docs/cases/us-2027 {' '.join(asked)}\n")
    shown = "\n".join(block.split("```")[0].strip().splitlines())
    assert shown in "\n".join(line.rstrip() for line in printed.splitlines())


@pytest.mark.parametrize(
    ("material", "steps"),
    [
        # Nothing of it can be made before the powder has come, and its maker says nothing of where it is refined: from stock, or waited for.
        pytest.param(
            "tungsten-heavy-alloy",
            [["proof", "stock", "lead"], ["proof", "stock", "lead"], ["later", "proof", "lead"]],
            marks=pytest.mark.nightly,
        ),
        # The one lead that takes no inputs, whose origin has to be proved; the others would need alloy of a second lead.
        ("smco-magnet", [["proof", "lead"]]),
    ],
)
def test_a_pasted_repair_serves_what_was_short(material: str, steps: list[list[str]], tmp_path: Path) -> None:
    """Planned as a scenario, at the cost that was printed."""
    before = friendshore.plan(friendshore.load_case(CASE))
    answer = friendshore.repairs(before.session, material, trials=10**9)
    (gap,) = answer.gaps
    assert gap.complete
    assert [[use.kind.value for use in repair.uses] for repair in answer.repairs] == steps
    copied = shutil.copytree(CASE, tmp_path / "case")
    with (copied / "case.toml").open("a", encoding="utf-8") as file:
        file.write("\n" + repairs_toml(answer))
    case = friendshore.load_case(copied)
    for repair in answer.repairs:
        after = friendshore.plan(case, scenario=f"repair-{material}-{repair.rank}")
        assert after.verified
        assert not [d.id for d in after.run.demands if d.short_kg and d.id in gap.demands]
        assert repair.cost is not None
        assert repair.cost.proved
        rise = after.cost.objective - before.cost.objective
        assert abs(rise - repair.cost.value) <= max(1, abs(rise) / 1_000_000)
