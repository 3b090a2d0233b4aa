"""Recommendations: plans from Python, and what callers are told about wrong arguments."""

from __future__ import annotations

import ctypes
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path
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
from friendshore.rules.kinds.limits import MaxShare, MinSuppliers
from friendshore.rules.kinds.trade import ExportControl, Tariff

from ..building import (
    METAL,
    ban,
    bought,
    case,
    chain,
    changed,
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
    unstored,
)

# ----------------------------------------------------------------------------------------------------------------- plans


def world(factor: int = 1) -> tuple[Case, Catalog, list[Rule]]:
    """A case with something in every table: makes, lots, draws, stock, shortage, exposure, leads, limits, assumptions."""
    facts = metals(
        facility("x", "CN", capacity=()),
        source("AU", 60, "oxide", name="au-run", outputs=lines(oxide=1, salt=3)),
        source("CN", 9, name="cn-lead", plant="x"),
        source("JP", 30, name="jp-vague", chain=chain("JP?", *METAL)),
        maker("JP", 20),
        cn=60,
    )
    wanted = {
        ("metal", "defense"): (30 * factor, 50 * factor),
        ("metal", "civil"): (40, 40),
        ("salt", "civil"): (20, 10),
    }
    given = case(
        *(demand(*what, *quantities) for what, quantities in {**wanted, ("magnet", "defense"): (3, 3)}.items()),
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
    return given, changed(facts, "au-metal", min_order=5), rules


def planned_world(factor: int = 1, **options: Any) -> Recommendation:
    """Its plan."""
    given, facts, rules = world(factor)
    return planned(given, facts, *rules, **options)


@pytest.fixture(scope="module")
def found() -> Recommendation:
    """The plan of the world."""
    return planned_world()


def text(run: Recommendation) -> str:
    """A run as it is written."""
    return json.dumps(run.to_dict())


def test_the_library_plans_what_is_in_memory_and_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Case, catalog and rules as objects, nothing installed is looked for, nothing is printed or changed."""
    given, facts, rules = world()
    before = [one.model_dump_json() for one in (given, facts, *rules)]
    result = friendshore.plan(given, catalogs=[facts], rules=rules)
    ctypes.CDLL(None).fflush(None)
    assert capfd.readouterr() == ("", "")
    assert (type(result), result.status, result.verified) == (friendshore.Recommendation, PlanStatus.OPTIMAL, True)
    assert [one.model_dump_json() for one in (given, facts, *rules)] == before


def test_the_figures_of_a_recommendation_are_those_of_its_run(found: Recommendation) -> None:
    """Status, cost, objective, bound and gap; and its dictionary is JSON as it stands."""
    told = found.to_dict()
    assert (told["status"], found.status.value) == ("optimal", "optimal")
    assert told["objective"] == found.objective >= told["bound"] == found.bound
    assert told["gap"] == found.gap <= 1e-6
    assert told["cost"]["total"] == float(found.cost.total)
    assert json.loads(text(found)) == told


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_a_frame(found: Recommendation, table: str) -> None:
    """One row an entry, the fields of the schema as columns, whether there are rows or not."""
    frame, rows = found.to_frame(table), found.to_dict()[table]
    assert len(frame) == len(rows)
    assert len(frame.columns) > 1
    for row in rows[:1]:
        assert list(frame.columns) == list(row)
        numbers = {key: value for key, value in row.items() if isinstance(value, float)}
        assert {key: frame.iloc[0][key] for key in numbers} == pytest.approx(numbers)
    empty = planned(case(demand("metal", "civil", 0)), metals()).to_frame(table)
    assert list(empty.columns) == list(frame.columns)


def test_an_unknown_table_is_refused_with_the_known_ones(found: Recommendation) -> None:
    """The message lists what there is."""
    with pytest.raises(ValueError, match="purchases, discounts, makes"):
        found.to_frame("prices")


def test_scenarios_are_applied_by_name_and_in_order(found: Recommendation) -> None:
    """One name or several; further changes come after them; the run says which were applied."""
    one = planned_world(scenario="double")
    assert one.run.scenario == ["double"]
    assert planned_world(scenario=("double",)).to_dict() == one.to_dict()
    undone = planned_world(scenario="double", changes=[Change(price="cn-metal", factor="0.5")])
    assert undone.objective == found.objective < one.objective


def test_progress_tells_parts_and_seconds() -> None:
    """Called at least once, ending with all parts solved; never backwards."""
    calls: list[tuple[int, int, float]] = []
    result = planned_world(progress=lambda *call: calls.append(call))
    assert calls[-1][:2] == (result.run.components, result.run.components)
    for column in (0, 2):
        assert [c[column] for c in calls] == sorted(c[column] for c in calls)


def test_what_progress_raises_is_not_swallowed() -> None:
    """A host that wants out by an exception gets out."""

    def refuse(*_: object) -> None:
        raise InterruptedError("enough")

    with pytest.raises(InterruptedError, match="enough"):
        planned(case(demand("metal", "civil", 1)), metals(), progress=refuse)


def test_several_plans_at_once_are_the_plans_alone() -> None:
    """Six different cases in three threads, started together, twice each: the same bytes as one after another."""
    alone = [text(planned_world(factor)) for factor in (1, 2, 3)] * 2
    assert len(set(alone)) == 3
    together = Barrier(3)

    def run(number: int) -> str:
        if number < 3:
            together.wait(timeout=60)
        return text(planned_world(number % 3 + 1, workers=2))

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(run, range(6))) == alone


def proved(facts: dict[str, Any]) -> tuple[Any, list[Any], Any]:
    """What the facts of a run prove once they have been JSON, with nothing but friendshore's own kinds."""
    verified, findings, unchecked = reverify(json.loads(json.dumps(facts)), Registry.of())
    return verified, list(findings), unchecked


def test_facts_prove_the_plan_elsewhere(found: Recommendation) -> None:
    """Through JSON and back: verified again, at the same cost."""
    verified, findings, unchecked = proved(found.facts())
    assert (findings, list(unchecked)) == ([], [])
    assert (verified.cost, verified.plan) == (found.cost, found.plan.plan)


def test_facts_of_a_case_that_gives_figures_to_what_it_does_not_want() -> None:
    """Facts hold catalogs whole: an offer of another good, to which the case gives a figure, is there, and the plan can be checked."""
    given = case(demand("metal", "civil", 10), assume={"offer": [{"id": "cn-salt", "capacity": 5}]})
    facts = planned(given, metals(source("CN", 3, "salt"))).facts()
    assert {o["id"] for o in facts["catalogs"][0]["offers"]} == {"au-metal", "cn-metal", "jp-metal", "cn-salt"}
    assert set(facts) >= {"format", "case", "catalogs", "plugins", "plan"}
    verified, findings, _ = proved(facts)
    assert (verified is not None, findings) == (True, [])


def test_facts_changed_are_found(found: Recommendation) -> None:
    """A quantity of the plan, then a country of an offer that it buys from."""
    facts = json.loads(json.dumps(found.facts()))
    facts["plan"]["purchases"][0]["quantity"] += 1
    verified, findings, _ = proved(facts)
    assert (verified, len(findings) > 0) == (None, True)
    facts = json.loads(json.dumps(found.facts()))
    for link in (link for sold in facts["catalogs"][0]["offers"] for link in sold["chain"]):
        link["countries"] = ["CN"]
    verified, findings, _ = proved(facts)
    assert verified is None
    assert any(f.code == "FS628" and "by `ban` at mined (CN)" in f.message for f in findings)


def test_a_run_tells_what_it_rests_on(found: Recommendation) -> None:
    """Versions, periods, materials, rules with status, compliance classes with what they forbid."""
    run = found.run
    assert {"friendshore", "python", "ortools"} <= set(run.versions)
    assert [(p.label, str(p.end)) for p in run.periods] == [("2026", "2026-12-31"), ("2027", "2027-12-31")]
    in_force = dict.fromkeys(("ban", "tariff", "max-share", "min-suppliers", "export-control"), ("enacted", True))
    assert {r.id: (r.status, r.applies) for r in run.rules} == {**in_force, "maybe": ("unknown", False)}
    forbids = {use: r.excluding_rules for r in run.compliance_classes for use in r.uses}
    assert (forbids["metal-defense 2026"], forbids["metal-defense 2027"]) == ([], ["ban"])
    assert {p.order_by.isoformat() for p in run.purchases} == {"2026-01-01", "2027-01-01"}


def test_an_order_whose_day_passed_before_the_facts_were_looked_at_is_late() -> None:
    """The catalog is of 11 January: an order of the 1st is ten days late, one of the next year is not. The clock has no part in it."""
    found = planned(unstored(1, 1), metals().but(as_of=date(2026, 1, 11)))
    assert {str(one.order_by): one.late_days for one in found.run.purchases} == {"2026-01-01": 10, "2027-01-01": 0}
    assert recheck(found.facts(), found.run, Registry.of()).run == found.run


YEARLY = {"per_year": Decimal(1), "quantities": ()}


@pytest.mark.parametrize(
    ("length", "wanted", "words"),
    [
        ("year", YEARLY, "FS250"),
        ("month", {"quantities": (Decimal(1), Decimal(2))}, "FS250"),
        ("month", {**YEARLY, "later": 3}, "FS250"),
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
    wrong = {"catalogs": ("nowhere",), "packs": ("nothing",), "rules": ({"kind": "wish", "id": "w"},)}
    with pytest.raises((InputError, PluginError)) as caught:
        planned(case(demand("metal", "civil", 1), **wrong), metals())
    assert all(name in str(caught.value) for name in ("nowhere", "nothing", "wish"))


@pytest.mark.parametrize(
    "options",
    [
        {"rules": {"kind": "max-share"}}, {"rules": [{"kind": "max-share"}]}, {"rules": rule(MaxShare, by="country", share="0.5")},
        {"catalogs": ["ours"]}, {"changes": {"price": "cn-metal", "factor": 2}}, {"changes": Change(remove="cn-metal")},
        {"scenario": 1}, {"memory_mb": -1}, {"memory_mb": "128"},
    ],
)  # fmt: skip
def test_arguments_of_another_type_are_refused_in_words(options: dict[str, Any]) -> None:
    """What was found and what is taken, in the place of an error from deep inside."""
    given = case(demand("metal", "civil", 100))
    (problem,) = refused(friendshore.plan, given, **{"catalogs": [metals(cn=60)], **options})
    assert problem.found
    assert problem.expected


@pytest.mark.parametrize("rules", [{"kind": "max-share"}, "max-share", None, (1,)])
def test_rules_of_a_case_that_are_no_tables_are_refused_in_words(rules: Any) -> None:
    """A copy of a case is looked at like one that is read from a file."""
    problems = refused(planned, case(demand("metal", "civil", 100)).but(rules=rules), metals())
    assert all("rules" in problem.column and problem.expected for problem in problems)


# ------------------------------------------------------------------------------------------------------- wrong arguments


QUESTIONS = ("alternatives", "calendar", "compare", "compare_plans", "ledger", "repairs")


@pytest.mark.parametrize("path", ["docs/cases/us-2027", Path("docs/cases/us-2027")])
def test_a_path_is_no_case(path: object) -> None:
    """The fix is the line to write, with the path in it."""
    (problem,) = refused(friendshore.plan, path)
    assert problem.code == "FS590"
    assert problem.fix == 'pass `friendshore.load_case("docs/cases/us-2027")`'


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_about_a_path_is_refused(name: str, found: Recommendation) -> None:
    """Questions take a recommendation, a session, or a case."""
    more = {"compare": ((), ()), "compare_plans": (found,), "why_not": ("o1",)}.get(name, ())
    for given in ("my/case.toml", 5):
        (problem,) = refused(getattr(friendshore, name), given, *more)
        assert problem.code == "FS590"
        assert problem.expected == "a Case, Session, or Recommendation"


@pytest.mark.parametrize(
    "limits",
    [
        {"gap": "x"}, {"gap": -0.1}, {"gap": float("nan")}, {"time_limit": -1}, {"time_limit": float("inf")},
        {"workers": 0}, {"workers": 1.5}, {"gap": "x", "time_limit": -1, "workers": 0},
    ],
)  # fmt: skip
def test_limits_that_make_no_sense_are_refused(limits: dict[str, Any]) -> None:
    """All of them together, with what was passed in, and what to pass instead."""
    words = {"gap": "the gap", "time_limit": "the time limit", "workers": "the number of workers"}
    problems = refused(planned, case(demand("metal", "civil", 1)), metals(), **limits)
    assert {(p.code, p.found) for p in problems} == {("FS012", repr(v)) for v in limits.values()}
    assert all(any(words[k] in p.message for p in problems) for k in limits)
    assert all(problem.fix for problem in problems)
