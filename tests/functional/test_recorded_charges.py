"""A rule whose plugin is not what judged a run: its charges are taken as recorded, said so, and no figure of the run is blamed for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from friendshore.case import load_case
from friendshore.cli.cases import write_starter
from friendshore.plugins import Registry
from friendshore.recommend import plan, verdicts, verify_run
from friendshore.run import write_run

if TYPE_CHECKING:
    from conftest import Site

CODE = '''
from decimal import Decimal
from pathlib import Path
from typing import Literal

from friendshore.hookspecs import hookimpl
from friendshore.rules.base import Rule


class Duty(Rule):
    """A duty by a table."""

    kind: Literal["acme-duty"] = "acme-duty"
    title: str = "A duty by a table"

    def charge(self, offer, move, use, origin, value):
        return Decimal((Path(__file__).parent / "rates.csv").read_text()) if move.crosses else Decimal(0)


@hookimpl
def friendshore_rules():
    return [Duty]
'''


@pytest.fixture
def run(site: Site, tmp_path: Path) -> Path:
    """A run in which a plugin's rule charges by a table of its own."""
    site.plugin("acme-duty", 'api = 1\nkinds = ["acme-duty"]\n', code=CODE, files={"rates.csv": "25"})
    write_starter(tmp_path / "case")
    with (tmp_path / "case" / "case.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[rule]]\nkind = "acme-duty"\nid = "duty"\n')
    found = plan(load_case(tmp_path / "case"), registry=Registry.discover(), workers=1)
    write_run(tmp_path / "run", found.run, found.facts(), verdicts(found.plan))
    return tmp_path / "run"


def test_charges_of_a_rule_that_cannot_be_asked_are_taken_as_recorded(run: Path, site: Site) -> None:
    """The table of the rule was edited since: that is said first, and nothing in the run is called wrong for it."""
    assert verify_run(run, Registry.discover()).exit_code == 0
    (site.folder / "acme_duty" / "rates.csv").write_text("5")
    found = verify_run(run, Registry.discover())
    assert (found.findings, found.exit_code, found.verified) == ((), 3, False)
    assert any("rates.csv changed" in text for text in found.differs)
    assert any("what rule duty charges" in text for text in found.as_told)
    gone = verify_run(run, Registry.of())
    assert (gone.findings, gone.exit_code) == ((), 3)
    told = json.loads((run / "run.json").read_text(encoding="utf-8"))
    told["purchases"][0]["charges"] += 10
    told["purchases"][0]["cost"] += 10
    (run / "run.json").write_text(json.dumps(told), encoding="utf-8")
    said = [finding.message for finding in verify_run(run, Registry.discover()).findings]
    assert any("charged beyond the rules that can be asked" in text for text in said)


def test_what_follows_from_the_facts_is_compared_without_a_rule_too(run: Path, site: Site) -> None:
    """What was applied follows from the facts whatever a rule says; what does not is named as taken from the run, and no total is vouched for."""
    (site.folder / "acme_duty" / "rates.csv").write_text("5")
    told = json.loads((run / "run.json").read_text(encoding="utf-8"))
    told |= {"objective": 1, "scenario": ["cover"], "strict": True}
    (run / "run.json").write_text(json.dumps(told), encoding="utf-8")
    found = verify_run(run, Registry.discover())
    assert {one.column for one in found.findings} == {"scenario", "strict"}
    assert any(text.startswith("all totals, full prices, demands") for text in found.as_told)


def test_a_full_price_agrees_with_the_recorded_costs_without_a_rule_too(run: Path, site: Site) -> None:
    """What a purchase and its inputs cost is taken as recorded, and their sum is not."""
    (site.folder / "acme_duty" / "rates.csv").write_text("5")
    told = json.loads((run / "run.json").read_text(encoding="utf-8"))
    told["purchases"][0]["full_price_per_kg"] -= 1
    (run / "run.json").write_text(json.dumps(told), encoding="utf-8")
    found = verify_run(run, Registry.discover())
    assert "purchases[1].full_price_per_kg" in {one.column for one in found.findings}


def test_optimality_is_not_proved_with_rules_that_are_not_the_runs(run: Path, site: Site) -> None:
    """A table that was edited, though it says the same: what is cheapest under the rule as it is here says nothing of the run."""
    assert verify_run(run, Registry.discover()).optimality_proved
    (site.folder / "acme_duty" / "rates.csv").write_text("25.0")
    found = verify_run(run, Registry.discover())
    assert found.findings == ()
    assert not found.optimality_proved
    assert found.sentences[0] == "optimality: not checked, since rules are left unverified"
