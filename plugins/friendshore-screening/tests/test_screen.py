"""The question `screen`, as a planner asks it, on a case small enough to follow by hand."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from friendshore.case import load_case
from friendshore.cli.app import app
from friendshore.recommend import plan
from friendshore.rules.kinds.trade import Exclude
from friendshore_screening.prohibitions import RULES, laws

from .test_lists import EU_HEAD

CATALOG = {
    "catalog.toml": 'schema = 1\nname = "small"\ntitle = "Invented"\nas_of = 2026-10-01\n',
    "sources.csv": "id,reference,date,confidence\ns,Invented,2026-10-01,verified\n",
    "materials.csv": "id,element,form,basis,stages,source\nga,Ga,metal,gross,refined,s\n",
    "facilities.csv": "id,name,operator,parent,country,source\n"
    "cheap,Cheap works,Hentzau Metals,,CN,s\nowned,Owned works,Zenda Smelting,Strelsau Holding,KZ,s\ndear,Dear works,Acme,,AU,s\n",
    "capacity.csv": "facility,from,per_year,status,source\ncheap,,9 t/year,operating,s\nowned,,9 t/year,operating,s\ndear,,9 t/year,operating,s\n",
    "offers.csv": "id,facility,material,price,price_source,lead_time,source\n"
    "from-cheap,cheap,ga,100 USD/kg,s,0,s\nfrom-owned,owned,ga,150 USD/kg,s,0,s\nfrom-dear,dear,ga,300 USD/kg,s,0,s\n",
    "chain.csv": "offer,stage,countries,complete,source\nfrom-cheap,refined,CN,yes,s\nfrom-owned,refined,KZ,yes,s\nfrom-dear,refined,AU,yes,s\n",
}
LISTED = 'lists = [{ file = "sdn.csv", format = "table", list = "us-sdn", edition = 2026-11-20 }]'
CASE = f"""schema = 1
[case]
name = "small"
start = 2027-01-01
periods = 4
period = "quarter"
place = "US"
[use]
catalogs = ["./catalog"]
[[demand]]
material = "ga"
end_use = "civil"
per_year = "1 t"
[plugin.friendshore-screening]
{LISTED}
"""
LIST = "name,id,from,source\nHentzau Metals Co. Ltd.,7,2026-01-01,invented\n"
NOW = {"SOURCE_DATE_EPOCH": "1795737600"}  # 2026-11-27
IN_ONE = {**NOW, "FRIENDSHORE_PLUGIN_LIMIT": "0"}
"""With nothing of it in a process of its own, which takes its time to begin: `test_planned` has the usual."""


def write_catalog(folder: Path, replaced: tuple[str, str] = ("", "")) -> None:
    """The catalog of the small case, with something in it replaced."""
    (folder / "catalog").mkdir()
    for name, text in CATALOG.items():
        (folder / "catalog" / name).write_text(text.replace(*replaced) if replaced[0] else text)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A case whose cheapest supplier stands on a list."""
    write_catalog(tmp_path)
    (tmp_path / "case.toml").write_text(CASE)
    (tmp_path / "sdn.csv").write_text(LIST)
    return tmp_path


def run(*words: str | Path, code: int = 0, env: Mapping[str, str] = IN_ONE) -> str:
    done = CliRunner().invoke(app, [*map(str, words)], env={**env, "COLUMNS": "400"})
    assert done.exit_code == code, done.output
    return " ".join((done.output if code else done.stdout).split())


def data(*words: str | Path, code: int = 0, env: Mapping[str, str] = IN_ONE) -> Any:
    done = CliRunner().invoke(app, [*map(str, words), "--json", "--quiet"], env=env)
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def edit(case: Path, old: str, new: str) -> None:
    """Replaces something in the case."""
    file = case / "case.toml"
    file.write_text(file.read_text().replace(old, new))


def owners(case: Path, *rows: str, columns: str = "owner,owned,share,source") -> None:
    """A table of owners, named by the case."""
    (case / "owners.csv").write_text("\n".join([columns, *rows, ""]))
    if "owners =" not in (case / "case.toml").read_text():
        set_in(case, 'owners = "owners.csv"\n')


def decide(case: Path, cells: dict[str, str], **more: str) -> None:
    """A table of one decision."""
    told = {**cells, "by": "J. Doe", "date": "2026-11-25", **more}
    (case / "decisions.csv").write_text(f"{','.join(told)}\n{','.join(told.values())}\n")


def asked(case: Path, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = data("screen", case, *words)
    return found


def refused(case: Path, *words: str) -> str:
    return run("screen", case, *words, code=2)


def set_in(case: Path, text: str) -> None:
    """More settings."""
    with (case / "case.toml").open("a") as file:
        file.write(text)


def test_a_match_is_explained_and_priced(case: Path) -> None:
    """Who, on which list, why; what it bars; and the plan without it costs what `plan` says under a rule that excludes it."""
    answer = asked(case)
    (hit,) = answer["hits"]
    assert (hit["party"], hit["band"], hit["list"], hit["entry"]) == ("Hentzau Metals", "match", "us-sdn", "7")
    assert hit["why"] == "agree: hentzau, metal"
    assert (hit["kilograms"], hit["money"]) == ({"ga": 1000.0}, 100_000.0)
    (bar,) = answer["prohibitions"]
    assert (bar["facilities"], bar["law"]) == (["cheap"], "us-sdn-blocked")
    (case / "case.toml").write_text(CASE.partition("[plugin")[0])
    without = plan(load_case(case / "case.toml"), rules=[Exclude(id="x", facilities=frozenset({"cheap"}))])
    assert answer["without"]["spent"] == pytest.approx(float(without.cost.total))
    assert answer["without"]["spent"] > answer["spent"]
    assert {bought.offer for bought in without.run.purchases} == {"from-owned"}


def test_what_a_listed_party_owns_is_barred_while_it_owns_it(case: Path) -> None:
    """A parent on the list bars what its subsidiary makes; sold in the middle of the plan, in the first half alone."""
    (case / "sdn.csv").write_text(LIST.replace("Hentzau Metals", "Strelsau Holding"))
    found = asked(case)
    assert [bar["facilities"] for bar in found["prohibitions"]] == [["owned"]]
    assert [one["standing"] for one in found["owned"]] == ["owned"]
    sold = "Strelsau Holding,Zenda Smelting,60%,,2027-06-30,s", "independent,Zenda Smelting,100%,2027-07-01,,s"
    owners(case, *sold, columns="owner,owned,share,from,until,source")
    (bar,) = asked(case)["prohibitions"]
    assert [(phase["from"], phase["until"]) for phase in bar["phases"]] == [("2027-01-01", "2027-06-30")]
    owners(case, "Strelsau Holding,Zenda Smelting,,s")
    found = asked(case)
    assert not found["prohibitions"]
    assert [(one["standing"], one["min_share"], one["max_share"]) for one in found["owned"]] == [("unproven", "0", "1")]
    assert "Zenda Smelting" in found["owners_unknown"]


def test_a_false_positive_has_a_price(case: Path) -> None:
    """A name that is only alike bars nothing, and it is told what barring it would cost, at which threshold."""
    (case / "sdn.csv").write_text(LIST.replace("Hentzau Metals Co. Ltd.", "Hentzau Shipyard"))
    set_in(case, "review = 0.4\n")
    answer = asked(case)
    assert [(hit["band"], hit["score"]) for hit in answer["hits"]] == [("review", 0.4938)]
    assert not answer["prohibitions"]
    assert answer["without"]["rise"] == 0 < answer["with_reviews"]["rise"]
    assert [step["facilities"] for step in answer["steps"]] == [["cheap"]]
    assert answer["steps"][0]["rise"] == answer["with_reviews"]["rise"]


def test_decisions_are_honoured_until_the_entry_changes(case: Path) -> None:
    done = CliRunner().invoke(app, ["screen", str(case), "--draft", "--quiet"], env=IN_ONE)
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    row |= {"decision": "other", "reason": "another company"}
    decide(case, row)
    set_in(case, 'decisions = "decisions.csv"\n')
    found = asked(case)
    assert (found["hits"][0]["band"], found["hits"][0]["decision"]["by"]) == ("no match", "J. Doe")
    assert not found["prohibitions"]
    decide(case, row, date="2026-11-28")
    assert "FS948" in refused(case)
    decide(case, row)
    (case / "sdn.csv").write_text(LIST.replace("2026-01-01", "2026-01-02"))
    found = asked(case)
    assert (found["hits"][0]["band"], found["hits"][0]["lapsed"]["reason"]) == ("match", "another company")
    assert "has lapsed" in found["notes"][0]


def test_an_old_list_stops_who_is_strict(case: Path) -> None:
    """It is told in any case; `--strict` refuses it, and a case without a list."""
    set_in(case, "oldest = 5\n")
    assert "7 days old" in asked(case)["notes"][0]
    assert "older than the case allows" in refused(case, "--strict")
    (case / "case.toml").write_text(CASE.partition("[plugin")[0])
    assert "no company was screened" in asked(case)["notes"][0]
    assert "FS945" in refused(case, "--strict")


def test_a_run_keeps_no_lists(case: Path, tmp_path: Path) -> None:
    """It is the case that is asked."""
    run("plan", case, "--out", tmp_path / "run", "--quiet")
    assert "FS949" in refused(tmp_path / "run")


def test_all_mistakes_of_all_files(case: Path) -> None:
    """List, owners and decisions are read before any is refused."""
    (case / "sdn.csv").write_text("name\n")
    owners(case, "A,B,160%,s")
    set_in(case, 'decisions = "gone.csv"\n')
    problems = refused(case)
    assert all(name in problems for name in ("sdn.csv", "owners.csv", "gone.csv"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("review = 0.9\n", "above `match`"),
        ("match = 2\n", ""),
        ("lists = [{ file = 1 }]\n", ""),
        ("oldest = -1\n", ""),
        ('lists = [{ file = "a.csv", edition = 2026-01-01 }]\n', "[plugin.friendshore-screening.lists[1].format]"),
        (
            'lists = [{ format = "table", list = "us-sdn", edition = 2026-01-01 }]\n',
            "[plugin.friendshore-screening.lists[1].file]",
        ),
        ("lists = [{ edition = 2026-01-01 }]\n", "[plugin.friendshore-screening.lists[1].list]"),
    ],
)
def test_settings_that_make_no_sense(case: Path, line: str, message: str) -> None:
    """They are mistakes of the case file, at their line."""
    if line.startswith("lists"):
        (case / "case.toml").write_text(CASE.partition("lists =")[0])
    set_in(case, line)
    problems = refused(case)
    assert "case.toml:1" in problems
    assert message in problems


def lists(case: Path, *names: str, of: str = "Hentzau Metals Co. Ltd.") -> None:
    """The party on these lists."""
    (case / "own.csv").write_text(f"name,id,source\n{of},7,invented\n")
    each = (f'{{ file = "own.csv", format = "table", list = "{name}", edition = 2026-11-20 }}' for name in names)
    edit(case, LISTED, f"lists = [{', '.join(each)}]")


def test_what_is_not_known_of_the_law_is_enforced_where_asked(case: Path) -> None:
    """A clause that was not read bars under --strict alone; it is told in both cases."""
    lists(case, "us-nonproliferation")
    edit(case, '"civil"', '"defense"')
    shown, enforced = asked(case), asked(case, "--strict")
    assert [bar["phases"][0]["status"] for bar in shown["prohibitions"]] == ["unknown"]
    assert (shown["without"]["rise"], enforced["without"]["rise"]) == (0, pytest.approx(50_000, rel=0.05))


@pytest.mark.parametrize(
    ("name", "use", "place", "barred"),
    [
        ("us-sdn", "civil", "US", True),
        ("us-sdn", "civil", "PR", True),  # which has a country code of its own
        ("us-sdn", "civil", "DE", False),
        ("us-1260h", "civil", "US", False),
        ("us-1260h", "defense", "US", True),
        ("us-uflpa", "civil", "US", True),
        ("us-uflpa", "civil", "DE", False),
        ("us-entity-list", "defense", "US", False),
        ("eu-consolidated", "civil", "DE", False),
        ("of-our-own", "civil", "US", False),
    ],
)
def test_each_list_bars_what_its_law_says(case: Path, name: str, use: str, place: str, barred: bool) -> None:
    """By end use and by who buys; a list that is about exports, or of which nothing is known, bars no purchase."""
    lists(case, name)
    edit(case, '"civil"', f'"{use}"')
    edit(case, 'place = "US"', f'place = "{place}"')
    answer = asked(case)
    assert [hit["band"] for hit in answer["hits"]] == ["match"]
    assert (answer["without"]["rise"] > 0) is barred


@pytest.mark.parametrize(
    ("name", "standing"), [("us-sdn", "owned"), ("us-1260h", "unproven"), ("us-entity-list", "owned")]
)
def test_ownership_by_the_rule_of_each_list(case: Path, name: str, standing: str) -> None:
    """At exactly one half OFAC's rule is met; where control counts, it proves nothing."""
    lists(case, name, of="Strelsau Holding")
    owners(case, "Strelsau Holding,Zenda Smelting,50%,s", "independent,Zenda Smelting,50%,s")
    answer = asked(case)
    assert [one["standing"] for one in answer["owned"]] == [standing]
    assert bool(answer["prohibitions"]) is (name == "us-sdn")


@pytest.mark.parametrize(
    ("start", "status"), [("2025-10-01", "enacted"), ("2026-11-01", "suspended"), ("2026-11-10", "unknown")]
)
def test_the_affiliates_rule_by_date(case: Path, start: str, status: str) -> None:
    """In force from 2025-09-29, suspended from 2025-11-10 to 2026-11-09, and then nobody knows; a listed owner of unknown share is told of."""
    lists(case, "us-entity-list", of="Strelsau Holding")
    owners(case, "Strelsau Holding,Zenda Smelting,,s")
    edit(case, "start = 2027-01-01", f"start = {start}")
    (owned,) = asked(case)["owned"]
    assert (owned["status"], owned["standing"]) == (status, "unproven")
    assert "Red Flag 29" in run("screen", case, "--full")


def test_law_has_a_clause_and_says_what_was_read() -> None:
    """Every line of the law names its clause and its source; what was not read has the status unknown."""
    for law in laws():
        assert law.citation
        assert law.source
        assert law.ownership in {"", *RULES}
        assert bool(law.id) != bool(law.says), law.list
        if law.id and law.source.startswith("not read"):
            assert {phase.status.value for phase in law.phases} == {"unknown"}, law.id
    assert len({law.id or law.list for law in laws()}) == len(laws())


@pytest.mark.parametrize(
    ("program", "place", "status"),
    [("UKR", "DE", "enacted"), ("CHEM", "DE", "enacted"), ("UKR", "US", None), ("RUR", "DE", "unknown")],
)
def test_the_union_freezes_by_program(case: Path, program: str, place: str, status: str | None) -> None:
    """Article 2 of the regulations that were read binds buyers in the Union; what other programs say is not known, and one law alone is told of an entry."""
    (case / "eu.csv").write_text(f"{EU_HEAD}28/10/2026;7;EU.1.1;2026-02-03;E;;{program};Hentzau Metals Co. Ltd.;\n")
    edit(case, LISTED, 'lists = [{ file = "eu.csv", format = "eu-csv", edition = 2026-11-20 }]')
    edit(case, 'place = "US"', f'place = "{place}"')
    answer = asked(case)
    assert [hit["band"] for hit in answer["hits"]] == ["match"]
    told = [phase["status"] for bar in answer["prohibitions"] for phase in bar["phases"]]
    assert told == ([status] if status else [])


@pytest.mark.parametrize(
    ("law", "day", "status"),
    [
        ("us-uflpa", "2022-06-20", ""),  # section 3 takes effect 180 days after 2021-12-23
        ("us-uflpa", "2022-06-21", "enacted"),
        ("us-uflpa", "2029-12-22", "enacted"),
        ("us-uflpa", "2029-12-23", "unknown"),  # eight years after its enactment, or after it took effect
        ("us-1260h-direct", "2026-06-29", ""),
        ("us-1260h-direct", "2026-06-30", "enacted"),
        ("eu-asset-freeze-ukraine", "2014-03-16", ""),
        ("eu-asset-freeze-ukraine", "2014-03-17", "enacted"),
        ("eu-asset-freeze-chemical", "2018-10-16", "enacted"),
        ("us-plc", "2006-04-11", ""),
        ("us-plc", "2006-04-12", "enacted"),
        ("us-entity-list", "2025-11-09", "enacted"),  # whom its affiliates rule reaches
        ("us-entity-list", "2026-11-09", "suspended"),
        ("us-entity-list", "2026-11-10", "unknown"),  # said to be put off, and no notice was found
        ("us-meu", "2027-01-11", "unknown"),
    ],
)
def test_days_of_the_law(law: str, day: str, status: str) -> None:
    """The day before and the day on which each clause begins, as its text has them."""
    (one,) = (one for one in laws() if law in (one.id, one.list))
    assert one.status(date.fromisoformat(day)) == status
