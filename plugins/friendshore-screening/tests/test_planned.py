"""Lists prohibit companies in every plan of a case, with list, entry, and clause. Possible prohibitions are reported, and apply with --strict."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from friendshore.case import load_case
from friendshore.cli.app import app
from friendshore.plugins import Registry
from friendshore.recommend import Recommendation, plan, verdicts
from friendshore.recommend.verify_run import verify_run
from friendshore.run import write_run

from .test_screen import CASE, CATALOG, LIST, LISTED, NOW, case, data, decide, edit, owners, run, set_in

__all__ = ["case"]


@pytest.fixture(autouse=True)
def in_one(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """All but the slow ones have nothing in a process of its own, which takes its time to begin."""
    if request.node.get_closest_marker("deep") is None:
        monkeypatch.setenv("FRIENDSHORE_PLUGIN_LIMIT", "0")


def output_of(*words: str | Path, code: int = 0) -> str:
    return run(*words, code=code, env=NOW)


def planned(case: Path, **asked: Any) -> Recommendation:
    """The plan."""
    return plan(load_case(case / "case.toml"), registry=Registry.discover(), **asked)


def bought(case: Path, **asked: Any) -> set[str]:
    """Offers that it buys."""
    return {line.offer for line in planned(case, **asked).run.purchases}


def test_whom_a_list_names_nothing_is_bought_from(case: Path) -> None:
    """In the plan, which names the list with its age and whom it bars; and why-not names company, entry, list and clause."""
    assert bought(case) == {"from-owned"}
    told = output_of("plan", case)
    assert "sdn.csv, as of 2026-11-20, 7 days old: prohibits Hentzau Metals" in told
    told = output_of("why-not", case, "from-cheap")
    for part in ("Hentzau Metals is entry 7 of us-sdn (Hentzau Metals Co. Ltd.; sdn.csv of 2026-11-20)", "31 CFR"):
        assert part in told, told
    (case / "case.toml").write_text(CASE.partition("[plugin")[0])
    assert bought(case) == {"from-cheap"}


def test_what_a_listed_party_owns_is_barred(case: Path) -> None:
    """By its parent; with half of it sold in the middle of the plan, in the first half alone, and then it is not known who holds the rest."""
    (case / "sdn.csv").write_text(LIST + "Strelsau Holding,8,2026-01-01,invented\n")
    assert bought(case) == {"from-dear"}
    assert "Zenda Smelting is owned by listed parties" in output_of("why-not", case, "from-owned")
    rows = (f"Strelsau Holding,Zenda Smelting,{held},s" for held in ("60%,,2027-06-30", "10%,2027-07-01,"))
    owners(case, *rows, columns="owner,owned,share,from,until,source")
    rule = next(rule for rule in planned(case).run.rules if rule.id == "us-sdn-blocked-zenda-smelting")
    assert rule.phases == ["2027-01-01..2027-06-30 enacted", "2027-07-01..2027-12-31 unknown"]
    assert bought(case) == {"from-dear", "from-owned"}
    assert bought(case, strict=True) == {"from-dear"}


@pytest.mark.parametrize(
    ("row", "strict"),
    [("A fund,Zenda Smelting,5%,s", "from-dear"), ("independent,Zenda Smelting,100%,s", "from-owned")],
)
def test_a_table_of_owners_that_is_silent_of_a_listed_parent_clears_nobody(case: Path, row: str, strict: str) -> None:
    """Who holds five of a hundred shares is no word of the rest, which the parent may hold; that somebody else holds all of them is."""
    (case / "sdn.csv").write_text(LIST + "Strelsau Holding,8,2026-01-01,invented\n")
    owners(case, row)
    assert (bought(case), bought(case, strict=True)) == ({"from-owned"}, {strict})


def within(case: Path, line: str, *plants: str) -> None:
    """Makes the cheapest facility a line of another, and adds facilities."""
    file, steps = case / "catalog/facilities.csv", case / "catalog/capacity.csv"
    rows = file.read_text().replace(",source\n", ",source,within\n", 1).replace(",s\n", ",s,\n")
    rows = rows.replace("cheap,Cheap works,Hentzau Metals,,CN,s,", f"cheap,{line},,CN,s,plant")
    file.write_text(rows + "".join(f"{plant},,CN,s,\n" for plant in plants))
    steps.write_text(
        steps.read_text() + "".join(f"{plant.partition(',')[0]},,9 t/year,operating,s\n" for plant in plants)
    )


@pytest.mark.parametrize(("operator", "offer"), [("", "from-owned"), ("Acme", "from-cheap")])
def test_a_line_of_a_plant_is_run_by_who_runs_the_plant(case: Path, operator: str, offer: str) -> None:
    """Where it names nobody itself: a listed company's line is barred with its plant; one with an operator of its own is not."""
    within(case, f"Cheap works,{operator}", "plant,Plant,Hentzau Metals")
    assert bought(case) == {offer}


def test_a_plant_that_a_list_names_is_barred(case: Path) -> None:
    """By its own name, whoever runs it, with the lines within it; who screens is told once where it only says what its operator's name says."""
    plants = "plant,Tarlenheim smelter,Bischenheim", "other,Bischenheim works,Bischenheim"
    within(case, "Line 1,Ruritania Tin", *plants)
    assert bought(case) == {"from-cheap"}
    (case / "sdn.csv").write_text(LIST + "Tarlenheim Smelter,8,,invented\nBischenheim,9,,invented\n")
    assert bought(case) == {"from-owned"}
    assert "Tarlenheim smelter is entry 8 of us-sdn" in output_of("why-not", case, "from-cheap")
    hits = data("screen", case, env=NOW)["hits"]
    assert {(hit["party"], *hit["roles"]): hit["facilities"] for hit in hits} == {
        ("Tarlenheim smelter", "facility"): ["cheap", "plant"],
        ("Bischenheim", "supplier"): ["other", "plant"],
    }


def test_who_runs_a_plant_by_a_record_that_does_not_count_is_screened(case: Path) -> None:
    """Of two catalogs, one says that a listed company runs it: that the case keeps the record of the other lifts no bar."""
    file = case / "catalog/facilities.csv"
    file.write_text(file.read_text().replace("Hentzau Metals", "Bischenheim"))
    (case / "other").mkdir()
    for name, text in (
        ("catalog.toml", CATALOG["catalog.toml"].replace("small", "other")),
        ("sources.csv", CATALOG["sources.csv"]),
        ("facilities.csv", "id,name,operator,country,source\ntwin,Twin works,Hentzau Metals,CN,s\n"),
    ):
        (case / "other" / name).write_text(text)
    text = (case / "case.toml").read_text().replace('["./catalog"]', '["./catalog", "./other"]')
    same = '[[overlap]]\nfacilities = ["small:cheap", "other:twin"]\nkeep = "small:cheap"\noffers = "all"\nwhy = "one address"\n[plugin'
    for told, offer in ((text, "from-cheap"), (text.replace("[plugin", same), "from-owned")):
        (case / "case.toml").write_text(told)
        assert bought(case) == {offer}
    assert data("screen", case, env=NOW)["without"]["rise"] > 0


def test_stock_in_hand_is_told_to_be_screened_by_nothing(case: Path) -> None:
    """Nobody says who made it: once, with the first list, and not where there is none."""
    text = CASE.replace("[plugin", '[[stock]]\nmaterial = "ga"\nquantity = "1 kg"\n[plugin')
    (case / "two.csv").write_text(LIST)
    two = '{ file = "two.csv", format = "table", list = "us-1260h", edition = 2026-11-20 }'
    listed_twice = text.replace("lists = [", f"lists = [{two}, ")
    for told, times in ((CASE, 0), (text, 1), (listed_twice, 1), (text.partition("[plugin")[0], 0)):
        (case / "case.toml").write_text(told)
        caveats = output_of("plan", case, "--full").partition(" Demand ")[0]
        assert caveats.count("1 stock in hand names no supplier") == times


@pytest.mark.parametrize("table", ["[plugin.friendshore-screening]\n", "[plugin.friendshore-screening]\nlists = []\n"])
def test_a_case_that_names_no_list_is_not_called_screened(case: Path, table: str) -> None:
    """Whoever writes the table believes that something is screened: nothing is planned, and the answer says what to write."""
    (case / "case.toml").write_text(CASE.partition("[plugin")[0] + table)
    for command in ("plan", "check", "screen"):
        output = output_of(command, case, code=2)
        for part in ("plugin.friendshore-screening.lists", "FS945", "or delete the table"):
            assert part in output


@pytest.mark.parametrize(
    ("rows", "given", "message"),
    [
        ("name,id,from,source\n", "", "FS941"),
        (LIST, 'list = ""', "the list of the table isn't named"),
        (LIST, 'list = "us-sdnn"', "write `us-sdn`"),
        (LIST, 'list = "US-SDN"', "write `us-sdn`"),
        (LIST, 'format = "csl-csv", list = "us-sdn"', "names its own list"),
        (LIST, "edition = 2026-11-28", "FS944"),
    ],
)
def test_a_list_that_could_bar_nobody_by_a_slip_is_refused(case: Path, rows: str, given: str, message: str) -> None:
    """A header alone, a list that there is not, an edition that nobody has seen: each would leave the plan without it, or new for ever."""
    (case / "sdn.csv").write_text(rows)
    keys = {"format": '"table"', "list": '"us-sdn"', "edition": "2026-11-20"}
    keys |= dict(one.split(" = ") for one in given.split(", ") if given)
    text = ", ".join(f"{key} = {value}" for key, value in keys.items())
    edit(case, LISTED, f'lists = [{{ file = "sdn.csv", {text} }}]')
    assert message in output_of("plan", case, code=2)


def test_names_under_review_are_told_and_barred_where_one_is_strict(case: Path) -> None:
    """Purchases from them are at risk, with their money. A reviewer's decision settles it."""
    (case / "sdn.csv").write_text(LIST.replace("Hentzau Metals Co. Ltd.", "Hentzau Shipyard"))
    set_in(case, "review = 0.4\n")
    recommendation = planned(case)
    assert {line.offer for line in recommendation.run.purchases} == {"from-cheap"}
    told = [(one.rule, one.offers, float(one.cost)) for one in recommendation.run.exposed]
    assert told == [("us-sdn-blocked-hentzau-metals", ["from-cheap"], 100_000)]
    assert "may prohibit Hentzau Metals (--strict)" in output_of("plan", case)
    assert bought(case, strict=True) == {"from-owned"}
    done = CliRunner().invoke(app, ["screen", str(case), "--draft", "--quiet"], env=NOW)
    (cells,) = (row for row in csv.DictReader(io.StringIO(done.stdout)) if row["party"] == "Hentzau Metals")
    set_in(case, 'decisions = "decisions.csv"\n')
    for decision, strict, offer in (("other", True, "from-cheap"), ("same", False, "from-owned")):
        decide(case, cells, decision=decision, reason="looked it up")
        assert bought(case, strict=strict) == {offer}


def test_a_list_binds_the_buyers_that_its_law_names(case: Path) -> None:
    """Of one case that delivers to the United States and to Germany, the first alone: the rule bears on that use."""
    edit(case, "[plugin", '[[demand]]\nmaterial = "ga"\nend_use = "civil"\nper_year = "1 t"\nplace = "DE"\n[plugin')
    lines = {(line.place, line.offer) for line in planned(case).run.purchases}
    assert lines == {("US", "from-owned"), ("DE", "from-cheap")}


@pytest.mark.parametrize("command", ["plan", "check"])
def test_an_old_list_stops_plan_and_check(case: Path, command: str) -> None:
    """Where they are strict; else both tell it."""
    set_in(case, "oldest = 5\n")
    assert "older than the case allows" in output_of(command, case)
    assert "`sdn.csv` is older than the case allows" in output_of(command, case, "--strict", code=2)


@pytest.mark.deep
def test_a_run_holds_by_its_lists_rules(case: Path, tmp_path: Path) -> None:
    """It is verified without the lists; beside the case, a run that was planned without one of them is found."""
    recommendation = planned(case)
    write_run(tmp_path / "run", recommendation.run, recommendation.facts(), verdicts(recommendation.plan))
    assert verify_run(tmp_path / "run", Registry.discover()).verified
    assert verify_run(tmp_path / "run", Registry.discover(), case).verified
    (case / "sdn.csv").write_text("name,id,from,source\nNobody,7,2026-01-01,invented\n")
    free = planned(case)
    write_run(tmp_path / "free", free.run, free.facts(), verdicts(free.plan))
    (case / "sdn.csv").write_text(LIST)
    check = verify_run(tmp_path / "free", Registry.discover(), case)
    assert any("us-sdn-blocked-hentzau-metals" in finding.message for finding in check.findings), check.findings


@pytest.mark.deep
def test_screen_prices_what_the_plan_bars_already(case: Path) -> None:
    """The same figures whether a scenario takes the rule away or not: without the lists, with them, with reviews, and by threshold."""
    (case / "sdn.csv").write_text(LIST + "Zenda Foundry,9,2026-01-01,invented\n")
    set_in(case, "review = 0.4\n")
    rules = (f"disable=us-sdn-blocked-{name}" for name in ("hentzau-metals", "zenda-smelting"))
    away = [word for rule in rules for word in ("--change", rule)]
    rows, free, strict = (data("screen", case, *more, env=NOW) for more in ((), away, ("--strict",)))
    for key in ("spent", "without", "with_reviews", "steps"):
        assert rows[key] == pytest.approx(free[key]) if key == "spent" else rows[key] == free[key], key
        assert rows[key] == strict[key], key
    assert rows["spent"] < rows["without"]["spent"] < rows["with_reviews"]["spent"]
