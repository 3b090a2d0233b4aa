"""A rule whose plugin is not the one that judged a run: its charges are taken as recorded, and no figure of the run is blamed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from friendshore.case import load_case
from friendshore.cli.cases import write_starter
from friendshore.plugins import Registry
from friendshore.recommend import plan, verdicts, verify_run
from friendshore.run import write_run

from .test_tampered_run import change_json

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
    """Return a run in which a plugin's rule charges by a table of its own."""
    site.plugin("acme-duty", 'api = 1\nkinds = ["acme-duty"]\n', code=CODE, files={"rates.csv": "25"})
    site.official("friendshore-proof")
    write_starter(tmp_path / "case")
    with (tmp_path / "case" / "case.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[rule]]\nkind = "acme-duty"\nid = "duty"\n')
    found = plan(load_case(tmp_path / "case"), registry=Registry.discover(), workers=1)
    write_run(tmp_path / "run", found.run, found.facts(), verdicts(found.plan))
    return tmp_path / "run"


def charge(site: Site, rate: str) -> None:
    """Edit the table of the rule."""
    (site.folder / "acme_duty" / "rates.csv").write_text(rate)


def edit(run: Path, **amounts: float) -> None:
    """Change figures of the first purchase of the run by some amounts."""

    def change(told: Any) -> None:
        for name, amount in amounts.items():
            told["purchases"][0][name] += amount

    change_json(run / "run.json", change)


def test_charges_of_a_rule_that_cannot_be_asked_are_taken_as_recorded(run: Path, site: Site) -> None:
    """The edited table is reported first, and nothing in the run is called wrong for it."""
    assert verify_run(run, Registry.discover()).exit_code == 0
    charge(site, "5")
    found = verify_run(run, Registry.discover())
    assert (found.findings, found.exit_code, found.verified) == ((), 3, False)
    assert any("rates.csv changed" in text for text in found.differs)
    assert any(text.startswith("charges of rule duty, ") for text in found.as_told)
    gone = verify_run(run, Registry.of())
    assert (gone.findings, gone.exit_code) == ((), 3)
    edit(run, charges=10, cost=10)
    assert "FS613" in [finding.code for finding in verify_run(run, Registry.discover()).findings]


def test_what_follows_from_the_facts_is_compared_without_a_rule_too(run: Path, site: Site) -> None:
    """What was applied follows from the facts. Totals don't, and are named as taken from the run."""
    charge(site, "5")
    change_json(run / "run.json", lambda told: told.update(objective=1, scenario=["cover"], strict=True))
    found = verify_run(run, Registry.discover())
    assert {one.column for one in found.findings} == {"scenario", "strict"}
    assert any(text.startswith("all totals, full prices, demands") for text in found.as_told)


def test_a_full_price_agrees_with_the_recorded_costs_without_a_rule_too(run: Path, site: Site) -> None:
    """The costs of a purchase and its inputs are taken as recorded, but not their sum."""
    charge(site, "5")
    edit(run, full_price_per_kg=-1)
    findings = verify_run(run, Registry.discover()).findings
    assert "purchases[1].full_price_per_kg" in {one.column for one in findings}


def test_optimality_is_not_proved_with_rules_that_are_not_the_runs(run: Path, site: Site) -> None:
    """The cheapest plan under an edited rule says nothing of the run, even if the rule charges the same."""
    assert verify_run(run, Registry.discover()).optimality_proved
    charge(site, "25.0")
    found = verify_run(run, Registry.discover())
    assert (found.findings, found.optimality_proved) == ((), False)
    assert found.sentences[0] == "optimality: not checked, because some rules are unverified"
