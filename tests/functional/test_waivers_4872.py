"""A waiver of 10 USC 4872 as a planner records it: held to 36 months by every command that reads the case."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_cli import friendshore

CASE = """
schema = 1
[case]
name = "waived"
start = 2027-01-01
periods = 5
period = "year"
currency = "USD"
place = "US"
[use]
catalogs = ["usgs-2026", "world"]
packs = ["us-10usc4872"]
[[demand]]
material = "ndfeb-magnet"
end_use = "defense"
per_year = "10 t"
[[waiver]]
rule = "us-4872-ndfeb-2027"
quantity = "50 t"
from = 2027-01-01
until = {until}
{under}
[[scenario]]
name = "longer"
change = [{{ waive = "us-4872-ndfeb-2027", of = "ndfeb-magnet", quantity = "1 t", from = 2027-01-01, until = {later} }}]
"""


@pytest.mark.parametrize("command", ["check", "plan"])
def test_four_years_of_nonavailability_are_refused(command: str, tmp_path: Path) -> None:
    """With file, key, what was found, what would do, and the other kind of waiver that may be meant."""
    path = tmp_path / "case.toml"
    path.write_text(CASE.format(until="2030-12-31", under="", later="2027-12-31"), encoding="utf-8")
    done = friendshore(command, str(path))
    assert done.returncode == 2
    told = " ".join((done.stdout + done.stderr).split())
    assert "10 USC 4872(c)(1)(B) lets a waiver run 36 months at most" in told
    assert "waiver.until" in told
    assert "2029-12-31 or an earlier day" in told
    assert 'under = "national-security"' in told


@pytest.mark.parametrize(
    ("until", "under"), [("2029-12-31", ""), ("2030-12-31", 'under = "national-security"')], ids=["three", "acceptance"]
)
def test_what_the_law_lets_run_is_taken(until: str, under: str, tmp_path: Path) -> None:
    """Three years of nonavailability, or an acceptance for national security for as long as it says."""
    path = tmp_path / "case.toml"
    path.write_text(CASE.format(until=until, under=under, later="2027-12-31"), encoding="utf-8")
    assert friendshore("check", str(path)).returncode == 0


def test_a_scenario_cannot_bring_a_longer_one(tmp_path: Path) -> None:
    """`check` tells of it before anybody plans the scenario."""
    path = tmp_path / "case.toml"
    path.write_text(CASE.format(until="2029-12-31", under="", later="2030-12-31"), encoding="utf-8")
    done = friendshore("check", str(path))
    assert done.returncode == 2
    assert "(scenario `longer`)" in " ".join((done.stdout + done.stderr).split())
