"""Recommendations: plans from Python, and what callers are told about wrong arguments."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from threading import Barrier
from typing import Any

import pytest

import friendshore
from friendshore.domain.case import Case, Scenario
from friendshore.domain.change import Change
from friendshore.domain.facts import Catalog
from friendshore.domain.plan import PlanStatus
from friendshore.domain.time import PeriodLength
from friendshore.errors import InputError, PluginError
from friendshore.plugins import Registry
from friendshore.recommend import TABLES, Recommendation, recheck, reverify
from friendshore.rules.base import Rule
from friendshore.rules.kinds.export_control import ExportControl
from friendshore.rules.kinds.limits import MaxShare, MinSuppliers
from friendshore.rules.kinds.tariff import Tariff

from ..building import (
    METAL,
    ban,
    bought,
    case,
    catalog,
    chain,
    demand,
    facility,
    lines,
    maker,
    metals,
    planned,
    refused,
    rule,
    source,
    stock,
    store,
)

# ----------------------------------------------------------------------------------------------------------------- plans


def world(factor: int = 1) -> tuple[Case, Catalog, list[Rule]]:
    """A case with something in every table: makes, lots, draws, stock, shortage, exposure, leads, limits, assumptions."""
    run = source("AU", 60, "oxide", name="au-run", outputs=lines(oxide=1, salt=3))
    facts = metals(
        facility("x", "CN", capacity=()),
        run,
        source("CN", 9, name="cn-lead", plant="x"),
        source("JP", 30, name="jp-vague", chain=chain("JP?", *METAL)),
        maker("JP", 20),
        cn=60,
    )
    facts = facts.but(offers=tuple(o.but(min_order=5) if o.id == "au-metal" else o for o in facts.offers))
    given = case(
        demand("metal", "defense", 30 * factor, 50 * factor),
        demand("metal", "civil", 40, 40),
        demand("salt", "civil", 20, 10),
        demand("magnet", "defense", 3, 3),
        stocks=(stock("metal", 12, chain("AU", *METAL)),),
        stores=(store("metal", 1), store("salt", 1)),
        scenarios=(Scenario(name="double", change=(Change(price="cn-metal", factor=2),)),),
        assume={"holding": "0.01", "freight": 2},
        discount="0.05",
    )
    rules = [
        ban("mined"),
        ban("refined", id="maybe", phases=[{"status": "unknown"}]),
        rule(Tariff, rate="0.1", origins=["CN"]),
        rule(MaxShare, by="facility", share="0.9", materials=["metal"]),
        rule(MinSuppliers, count=2, materials=["metal"]),
        rule(ExportControl, exporters=["CN"], effect="prohibit", end_uses=["nuclear"]),
    ]
    return given, facts, rules


@pytest.fixture(scope="module")
def found() -> Recommendation:
    """Its plan."""
    given, facts, rules = world()
    return planned(given, facts, *rules)


def text(run: Recommendation) -> str:
    """A run as it is written."""
    return json.dumps(run.to_dict())


def test_the_library_plans_what_is_in_memory_and_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Case, catalog and rules as objects, nothing installed is looked for, nothing is printed or changed."""
    given, facts, rules = world()
    before = given.model_dump_json(), facts.model_dump_json(), [r.model_dump_json() for r in rules]
    result = friendshore.plan(given, catalogs=[facts], rules=rules)
    ctypes.CDLL(None).fflush(None)
    assert capfd.readouterr() == ("", "")
    assert (result.status, result.verified) == (PlanStatus.OPTIMAL, True)
    assert isinstance(result, friendshore.Recommendation)
    assert (given.model_dump_json(), facts.model_dump_json(), [r.model_dump_json() for r in rules]) == before


def test_the_figures_of_a_recommendation_are_those_of_its_run(found: Recommendation) -> None:
    """Status, cost, objective, bound and gap; and its dictionary is JSON as it stands."""
    told = found.to_dict()
    assert told["status"] == found.status.value == "optimal"
    assert told["objective"] == found.objective
    assert told["bound"] == found.bound <= found.objective
    assert told["gap"] == found.gap <= 1e-6
    assert told["cost"]["total"] == float(found.cost.total)
    assert json.loads(text(found)) == told


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_a_frame(found: Recommendation, table: str) -> None:
    """One row an entry, the fields of the schema as columns, whether there are rows or not."""
    frame = found.to_frame(table)
    rows = found.to_dict()[table]
    assert len(frame) == len(rows)
    assert len(frame.columns) > 1
    for row in rows[:1]:
        assert list(frame.columns) == list(row)
        assert frame.iloc[0].to_dict() == pytest.approx(row) if not _nested(row) else frame.iloc[0].tolist()
    empty = planned(case(demand("metal", "civil", 0)), metals()).to_frame(table)
    assert list(empty.columns) == list(frame.columns)


def _nested(row: dict[str, Any]) -> bool:
    return any(isinstance(value, dict | list | str) or value is None for value in row.values())


def test_a_frame_adds_up(found: Recommendation) -> None:
    """An analyst's question: kilograms and money by offer."""
    frame = found.to_frame()
    assert frame.groupby("offer")["quantity_kg"].sum().to_dict() == pytest.approx(bought(found))
    landed = frame["price"] + frame["charges"] + frame["freight"]
    assert landed.tolist() == pytest.approx(frame["cost"].tolist())


def test_an_unknown_table_is_refused_with_the_known_ones(found: Recommendation) -> None:
    """The message lists what there is."""
    with pytest.raises(ValueError, match="purchases, discounts, makes"):
        found.to_frame("prices")


def test_scenarios_are_applied_by_name_and_in_order() -> None:
    """One name or several; further changes come after them; the run says which were applied."""
    given, facts, rules = world()
    one = planned(given, facts, *rules, scenario="double")
    assert one.run.scenario == ["double"]
    assert planned(given, facts, *rules, scenario=("double",)).to_dict() == one.to_dict()
    undone = planned(given, facts, *rules, scenario="double", changes=[Change(price="cn-metal", factor="0.5")])
    assert undone.objective == planned(given, facts, *rules).objective < one.objective


def test_progress_tells_parts_and_seconds() -> None:
    """Called at least once, ending with all parts solved; never backwards."""
    given, facts, rules = world()
    calls: list[tuple[int, int, float]] = []
    result = planned(given, facts, *rules, progress=lambda *call: calls.append(call))
    assert calls
    assert calls[-1][:2] == (result.run.components, result.run.components)
    assert [c[0] for c in calls] == sorted(c[0] for c in calls)
    assert [c[2] for c in calls] == sorted(c[2] for c in calls)


def test_what_progress_raises_is_not_swallowed() -> None:
    """A host that wants out by an exception gets out."""

    def refuse(*_: object) -> None:
        raise InterruptedError("enough")

    with pytest.raises(InterruptedError, match="enough"):
        planned(case(demand("metal", "civil", 1)), metals(), progress=refuse)


def test_several_plans_at_once_are_the_plans_alone() -> None:
    """Six different cases in three threads, started together, twice each: the same bytes as one after another."""
    worlds = [world(factor) for factor in (1, 2, 3, 1, 2, 3)]
    alone = [text(planned(given, facts, *rules)) for given, facts, rules in worlds[:3]] * 2
    assert len(set(alone)) == 3
    together = Barrier(3)

    def run(number: int) -> str:
        given, facts, rules = worlds[number]
        if number < 3:
            together.wait(timeout=60)
        return text(planned(given, facts, *rules, workers=2))

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(run, range(6))) == alone


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_neither_workers_nor_the_order_of_facts_change_a_byte(found: Recommendation, workers: int) -> None:
    """Every list of case, catalog and rules shuffled, any number of workers."""
    given, facts, rules = world()
    dice = Random(workers)
    lists = {name: getattr(facts, name) for name in ("materials", "facilities", "offers", "sources")}
    facts = facts.model_copy(update={k: tuple(dice.sample(v, len(v))) for k, v in lists.items()})
    wanted, stores = (tuple(dice.sample(v, len(v))) for v in (given.demands, given.stores))
    given = given.but(demands=wanted, stores=stores)
    again = planned(given, facts, *dice.sample(rules, len(rules)), workers=workers)
    assert text(again) == text(found)


def test_facts_prove_the_plan_elsewhere(found: Recommendation) -> None:
    """Through JSON and back, with nothing but friendshore's own kinds: verified again, at the same cost."""
    facts = json.loads(json.dumps(found.facts()))
    verified, findings, unchecked = reverify(facts, Registry.of())
    assert (findings, unchecked) == ([], [])
    assert verified.cost == found.cost
    assert verified.plan == found.plan.plan


def test_facts_of_a_case_that_gives_figures_to_what_it_does_not_want() -> None:
    """A figure for an offer of another good belongs to the case: the facts hold the offer, and the plan can be checked."""
    assumed = {"id": "cn-salt", "capacity": 5}
    given = case(demand("metal", "civil", 10), assume={"offer": [assumed]})
    result = planned(given, metals(source("CN", 3, "salt")))
    verified, findings, _ = reverify(json.loads(json.dumps(result.facts())), Registry.of())
    assert findings == []
    assert verified is not None


def test_facts_changed_are_found(found: Recommendation) -> None:
    """A quantity of the plan, then a country of an offer that it buys from."""
    facts = json.loads(json.dumps(found.facts()))
    facts["plan"]["purchases"][0]["quantity"] += 1
    verified, findings, _ = reverify(facts, Registry.of())
    assert verified is None
    assert findings
    facts = json.loads(json.dumps(found.facts()))
    for offer_data in facts["catalogs"][0]["offers"]:
        for link in offer_data["chain"]:
            link["countries"] = ["CN"]
    verified, findings, _ = reverify(facts, Registry.of())
    assert verified is None
    assert any("forbidden by `ban` at mined (CN)" in f.message for f in findings)


def test_facts_hold_catalogs_whole() -> None:
    """Offers of goods that the case does not want too: what was left out could not be missed."""
    result = planned(case(demand("metal", "civil", 10)), metals(source("CN", 3, "salt")))
    facts = result.facts()
    assert {o["id"] for o in facts["catalogs"][0]["offers"]} == {"au-metal", "cn-metal", "jp-metal", "cn-salt"}
    assert set(facts) >= {"format", "case", "catalogs", "plugins", "plan"}


def test_a_run_tells_what_it_rests_on(found: Recommendation) -> None:
    """Versions, periods, materials, rules with status, compliance classes with what they forbid."""
    run = found.run
    assert {"friendshore", "python", "ortools"} <= set(run.versions)
    assert [(p.label, str(p.end)) for p in run.periods] == [("2026", "2026-12-31"), ("2027", "2027-12-31")]
    assert {r.id: (r.status, r.bites) for r in run.rules} == {
        "ban": ("enacted", True),
        "maybe": ("unknown", False),
        "tariff": ("enacted", True),
        "max-share": ("enacted", True),
        "min-suppliers": ("enacted", True),
        "export-control": ("enacted", True),
    }
    forbids = {use: r.forbids for r in run.requirements for use in r.uses}
    assert forbids["metal-defense 2027"] == ["ban"]
    assert forbids["metal-defense 2026"] == []
    assert {p.order_by.isoformat() for p in run.purchases} == {"2026-01-01", "2027-01-01"}


def test_an_order_whose_day_passed_before_the_facts_were_looked_at_is_late() -> None:
    """The catalog is of 11 January: an order of the 1st is ten days late, one of the next year is not. The clock has no part in it."""
    facts = metals().but(as_of=date(2026, 1, 11))
    found = planned(case(demand("metal", "civil", 1, 1), stores=(store("metal", 0, limit=0),)), facts)
    assert [(str(one.order_by), one.late_days) for one in found.run.purchases] == [
        ("2026-01-01", 10),
        ("2027-01-01", 0),
    ]
    again = recheck(found.facts(), found.run, Registry.of())
    assert again.run == found.run


def test_a_plan_in_shorter_periods_says_so() -> None:
    """By months in the place of quarters: what is asked stands among the changes, and the run is checked in those periods."""
    wanted = demand("metal", "civil", per_year=Decimal(120), quantities=())
    given = case(wanted, start=date(2027, 1, 1), length="quarter", count=2, assume={"lead_time": 1})
    found = planned(given, metals(), period=PeriodLength.MONTH)
    assert [period.label for period in found.run.periods] == [f"2027-0{month}" for month in range(1, 7)]
    assert found.run.changes == ['period = "month"']
    assert [s.period for s in found.run.shortages] == ["2027-01"]
    again = recheck(found.facts(), found.run, Registry.of())
    assert (again.run, again.findings) == (found.run, ())
    assert planned(given, metals(), period=PeriodLength.QUARTER).run.purchases == planned(given, metals()).run.purchases


@pytest.mark.parametrize(
    ("length", "wanted", "words"),
    [
        ("year", {"per_year": Decimal(1), "quantities": ()}, "periods longer than those of the case"),
        (
            "month",
            {"quantities": (Decimal(1), Decimal(2))},
            "demand `metal-civil` is stated by quarter: it cannot be planned by month",
        ),
        ("month", {"per_year": Decimal(1), "quantities": (), "later": 3}, "it cannot be planned by month"),
    ],
)
def test_what_cannot_be_planned_in_shorter_periods_is_refused(length: str, wanted: dict[str, Any], words: str) -> None:
    """Longer ones, and what is stated by period."""
    given = case(demand("metal", "civil", **wanted), start=date(2027, 1, 1), length="quarter", count=2)
    with pytest.raises(InputError, match=words):
        planned(given, metals(), period=PeriodLength(length))


def test_names_without_a_registry_are_looked_up_where_they_are_installed() -> None:
    """A case that names what is not given asks for it by name: here nothing is installed, and that is said."""
    named = case(demand("metal", "civil", 1), catalogs=("tiny",))
    assert bought(planned(named, metals())) == {"cn-metal": 1}  # given in memory under its name
    with pytest.raises(PluginError, match="no catalog `other` is installed"):
        planned(named.but(catalogs=("tiny", "other")), metals())


def test_all_that_a_case_names_wrongly_is_told_at_once() -> None:
    """A catalog, a pack and a rule's kind."""
    named = case(
        demand("metal", "civil", 1), catalogs=("nowhere",), packs=("nothing",), rules=({"kind": "wish", "id": "w"},)
    )
    with pytest.raises((InputError, PluginError)) as caught:
        planned(named, metals())
    said = str(caught.value)
    assert all(name in said for name in ("nowhere", "nothing", "wish"))


def test_two_catalogs_of_one_id_are_refused() -> None:
    """The same offer defined differently in two catalogs: both are named."""
    other = catalog(source("CN", 11)).but(name="other")
    with pytest.raises(InputError, match="other"):
        planned(case(demand("metal", "civil", 1)), [metals(), other])


@pytest.mark.parametrize(
    "options",
    [
        {"rules": {"kind": "max-share"}},
        {"rules": [{"kind": "max-share"}]},
        {"rules": MaxShare.model_validate({"id": "r", "by": "country", "share": "0.5"})},
        {"catalogs": ["ours"]},
        {"changes": {"price": "cn-metal", "factor": 2}},
        {"changes": Change(remove="cn-metal")},
        {"scenario": 1},
        {"memory_mb": -1},
        {"memory_mb": "128"},
    ],
)
def test_arguments_of_another_type_are_refused_in_words(options: dict[str, Any]) -> None:
    """What was found and what is taken, in the place of an error from deep inside."""
    given = case(demand("metal", "civil", 100))
    (problem,) = refused(friendshore.plan, given, **{"catalogs": [metals(cn=60)], **options})
    assert problem.found
    assert problem.expected


@pytest.mark.parametrize("rules", [{"kind": "max-share"}, "max-share", None, (1,)])
def test_rules_of_a_case_that_are_no_tables_are_refused_in_words(rules: Any) -> None:
    """A copy of a case is looked at like one that is read from a file."""
    given = case(demand("metal", "civil", 100)).but(rules=rules)
    assert all(
        "rules" in problem.column and problem.expected
        for problem in refused(friendshore.plan, given, catalogs=[metals(cn=60)], registry=Registry.of())
    )


# ------------------------------------------------------------------------------------------------------- wrong arguments


OF_SESSIONS = (
    "alternatives", "calendar", "compare", "compare_plans", "ledger", "repairs",
)  # fmt: skip


def told(call: Callable[..., Any], *given: Any) -> str:
    """What is said of a call."""
    with pytest.raises(InputError) as caught:
        call(*given)
    return str(caught.value)


@pytest.mark.parametrize("path", ["docs/cases/us-2027", Path("docs/cases/us-2027")])
def test_a_path_is_no_case(path: object) -> None:
    """The line to write is told, with the path in it."""
    said = told(friendshore.plan, path)
    assert "`plan` takes a Case" in said
    assert 'give it `friendshore.load_case("docs/cases/us-2027")`' in said


@pytest.mark.parametrize("name", OF_SESSIONS)
def test_a_path_or_a_plan_is_no_session(name: str) -> None:
    """Questions are asked of a session: where that stands is told."""
    ask = getattr(friendshore, name)
    assert 'friendshore.plan(friendshore.load_case("my/case.toml")).session' in told(ask, "my/case.toml")
    found = planned(case(demand("metal", "civil", 1)), metals())
    said = told(ask, found)
    assert f"`{name}` takes a Session; found `Recommendation`" in said


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"gap": "x"}, "the gap is not valid"),
        ({"gap": -0.1}, "the gap is not valid"),
        ({"gap": float("nan")}, "the gap is not valid"),
        ({"time_limit": -1}, "the time limit is not valid"),
        ({"time_limit": float("inf")}, "the time limit is not valid"),
        ({"workers": 0}, "the number of workers is not valid"),
        ({"workers": 1.5}, "the number of workers is not valid"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(limits: dict[str, Any], message: str) -> None:
    """With what was passed in, and what to pass instead."""
    (problem,) = refused(planned, case(demand("metal", "civil", 1)), metals(), **limits)
    (value,) = limits.values()
    assert (problem.message, problem.found) == (message, repr(value))
    assert problem.fix


def test_all_limits_that_make_no_sense_are_reported_together() -> None:
    """Not one after the other."""
    assert len(refused(planned, case(demand("metal", "civil", 1)), metals(), gap="x", time_limit=-1, workers=0)) == 3


def test_a_catalog_may_be_named_by_a_text() -> None:
    """A folder as a path or as its name."""
    folder = Path(__file__).parents[1] / "data" / "good-catalog"
    assert friendshore.read_catalog(str(folder)).digest == friendshore.read_catalog(folder).digest
