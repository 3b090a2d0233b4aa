"""Decisions before events are known, in cases that can be followed by hand, and the command."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from friendshore.cli.app import app
from friendshore.document.terminal import plain_text
from friendshore.errors import InputError, VerificationError
from friendshore.explain.results import QuestionCounter
from friendshore.rules.kinds.origin_ban import OriginBan
from friendshore_risk.events import Event, sample_scenarios
from friendshore_risk.risk import check_saved, risk_document
from friendshore_risk.risk_answer import FrontierPoint, Risk, RiskSearch, recompute_answer, risk_of
from friendshore_risk.twostage import RiskMeasure

from .small import BAN, COVER, Seller, opened, searching

DAY = date(2027, 1, 1)
EXPECTED = RiskMeasure()


def event(name: str, probability: float | None, **stated: object) -> Event:
    """An event."""
    return Event.model_validate({"name": name, "probability": probability, **stated})


CHEAP = Seller("CN", 10)
PAIR = [CHEAP, Seller("AU", 50)]
SCARCE = [CHEAP, Seller("AU", 50, 4)]
TENS = {"civil": [10, 10, 10]}
SHORT = {"civil": 100, "defense": 1000}
LOST = event("lost", 0.5, lose="country:CN")
BARRED = event("ban", 0.5, change=[{"enable": "ban"}])


def asked(sellers: list[Seller], wanted: dict[str, list[int]], *events: Event, measure: RiskMeasure = EXPECTED) -> Risk:
    """The answer; a kilogram held costs 1 a year."""
    return risk_of(searching(opened(sellers, wanted, SHORT, holding=1), events, DAY), measure, frontier=True)


def costs(found: Risk) -> dict[str, tuple[float, float | None, float]]:
    """Return the costs of each scenario: as planned, with the current plan, and with perfect information."""
    return {
        scenario.name: (
            float(scenario.objective),
            None if scenario.current_plan is None else float(scenario.current_plan),
            float(scenario.known_in_advance),
        )
        for scenario in found.scenarios
    }


def test_stock_is_bought_before_a_supplier_may_fail() -> None:
    """10 kg a year at 10; once China is lost 4 kg at 50 and the rest is short: 20 kg lie there when 2026 ends, and are held for 30."""
    answer = asked(SCARCE, TENS, LOST)
    # As it is: 100 in 2026, then 4 kg at 50 and 6 kg short at 100 in each of two years.
    assert costs(answer) == {"nothing happens": (330, 300, 300), "lost": (330, 1700, 330)}
    assert (answer.expected, answer.vss, answer.evpi) == (330, 670, 15)
    assert (answer.any_short, answer.more_short, answer.without_events, answer.today) == (0, 0, 330, 300)
    assert [(one.offer, one.kilograms, one.today) for one in answer.before] == [("cn-metal", 30, 10)]
    assert [(one.material, one.kilograms, one.today) for one in answer.held] == [("metal", 20, 0)]


def test_an_unlikely_loss_is_borne_and_told() -> None:
    """At one in a hundred no stock is worth its holding: the loss leaves 12 kg short."""
    answer = asked(SCARCE, TENS, event("lost", 0.01, lose="country:CN"))
    assert costs(answer)["lost"] == (1700, 1700, 330)
    assert (answer.vss, answer.any_short) == (0, Decimal("0.01"))
    assert [(one.material, one.kilograms) for one in answer.expected_short] == [("metal", Decimal("0.12"))]
    assert "metal 12 kg" in plain_text(risk_document(answer, 10), 100)


def test_who_minds_the_worst_alone_stocks_for_it_all_the_same() -> None:
    """The frontier goes from 314, with a worst of 1,700, to 330 whatever comes."""
    answer = asked(SCARCE, TENS, event("lost", 0.01, lose="country:CN"), measure=RiskMeasure(1.0, 0.99))
    assert (answer.minimized, answer.cvar, answer.expected) == (330, 330, 330)
    assert [(one.expected, one.cvar) for one in answer.frontier] == [(314, 1700), (330, 330)]


@pytest.mark.parametrize(
    ("sellers", "wanted", "event", "expected"),
    [
        # Doubled from 2027 on: buying for 2027 beforehand costs 1 a kilogram to hold and saves 5 in expectation.
        (
            [CHEAP],
            {"civil": [10, 10]},
            event("dear", 0.5, price="cn-metal", factor=2),
            {"nothing happens": (210, 200, 200), "dear": (210, 300, 210)},
        ),
        # Trebled, halved, or as it is: stock at 11 is more expensive than the expected price of 10 x 1.05, and is not bought.
        (
            [CHEAP],
            {"civil": [10, 10]},
            event("moves", None, price="cn-metal", factors=[3, 0.5], chances=[0.1, 0.3]),
            {"nothing happens": (200,), "moves x 3": (400,), "moves x 0.5": (150,)},
        ),
        # China delivers a year after the order, in the year of the ban: neither delivered nor paid for.
        (
            [Seller("CN", 10, lead=1), PAIR[1]],
            {"defense": [0, 10]},
            BARRED,
            {"nothing happens": (100, 100, 100), "ban": (500, 500, 500)},
        ),
        # 10 kg are bought in 2027 at 10, the other 10 in 2026 at 11, which half the time serve nobody, and are then held another year.
        (
            [Seller("CN", 10, 10)],
            {"civil": [0, 20]},
            event("gone", 0.5, demand="civil", factor=0),
            {"nothing happens": (210,), "gone": (120,)},
        ),
    ],
)
def test_costs_by_hand(
    sellers: list[Seller], wanted: Any, event: Event, expected: dict[str, tuple[float, ...]]
) -> None:
    """As planned, as the plan is today, and for whoever had known."""
    found = costs(asked(sellers, wanted, event))
    for name, cost in expected.items():
        assert found[name][: len(cost)] == pytest.approx(cost, abs=0.2), name


def test_what_is_ordered_before_a_ban_may_come_is_not_barred_by_it() -> None:
    """Of Australia it is there in 2027, whatever comes; so is what was ordered of China, for nothing, where no ban comes."""
    late = asked([CHEAP, Seller("AU", 50, lead=1)], {"defense": [10, 10]}, BARRED)
    assert costs(late)["ban"] == (600, 10100, 600)
    assert [(one.kilograms, one.today) for one in late.before if one.offer == "au-metal"] == [(10, 0)]


@pytest.mark.parametrize(("longer", "stock", "cost"), [(0.01, 10, (310, 310, 1210)), (0.5, 20, (330, 330, 330))])
def test_a_second_year_without_a_supplier_is_bridged_where_it_is_likely(
    longer: float, stock: int, cost: tuple[int, int, int]
) -> None:
    """10 kg a year at 10, else 100 a kilogram short: bridging the second year as well costs 20 more, and saves 880 if it comes."""
    lost = event("lost", 0.5, lose="country:CN", durations=[12, 24], duration_chances=[1 - longer, longer])
    answer = asked([CHEAP], TENS, lost)
    assert tuple(scenario.objective for scenario in answer.scenarios) == cost
    assert [one.kilograms for one in answer.held] == [stock]


def test_all_that_is_wrong_with_events_is_told_at_once_with_the_event_that_it_is_wrong_with() -> None:
    """Who is lost, whose price moves, when it begins, which rule and which scenario: each by the number of its event."""
    wrong: dict[str, dict[str, Any]] = {
        "lose": {"lose": "country:XX"},
        "price": {"price": "tin", "factor": 2},
        "from": {"lose": "country:CN", "from": date(2026, 1, 1)},
        "change": {"change": [{"lead_time": "cn-metal", "factor": 2}]},
        "scenario": {"scenario": "none"},
        "lose ": {"lose": "route:CN>KR"},
        " lose": {"lose": "country:CN", "share": 0.5},
    }
    events = [*(event(f"e{n}", 0.1, **stated) for n, stated in enumerate(wrong.values())), LOST]
    with pytest.raises(InputError) as caught:
        searching(opened([CHEAP], {"civil": [10, 10]}, SHORT, holding=1), events, DAY)
    keys = [f"{n}].{key.strip()}" for n, key in enumerate(wrong, 1)]
    assert [problem.column for problem in caught.value.problems] == [
        f"plugin.friendshore-risk.event[{key}" for key in keys
    ]


def test_a_newsvendor_orders_the_critical_share_of_uniform_demand() -> None:
    """Ordered a year ahead at 10, short at 110, left over for nothing: the order meets demand in 100 of 110 cases (Arrow, Harris and Marschak 1951)."""
    moves = event("moves", None, demand="civil", uniform=[0.5, 1.5])
    session = opened([CHEAP._replace(lead=1)], {"civil": [0, 1000]}, {"civil": 110}, holding=0)
    draws = sample_scenarios([moves], DAY, session.problem.case.horizon, 40, "1")
    answer = risk_of(RiskSearch(session, [moves], draws, DAY, QuestionCounter(session)), EXPECTED)
    (ordered,) = answer.before
    wanted = sorted(1000 * float(draw.events[0].factor or 0) for draw in draws)
    assert float(ordered.kilograms) == pytest.approx(wanted[math.ceil(40 * 100 / 110) - 1], abs=0.01)
    assert float(ordered.kilograms) == pytest.approx(500 + 1000 * 100 / 110, abs=3 * 1000 * math.sqrt(10 / 110 / 40))


def test_what_a_ban_bars_unless_it_is_lifted_is_not_ordered_before_that_is_known() -> None:
    """Chinese metal takes a year: ordered in 2026 it would be there in time where the ban is lifted, and barred where nothing happens."""
    held = OriginBan.model_validate({**BAN.model_dump(), "id": "held", "phases": [{"status": "enacted"}]})
    session = opened([Seller("CN", 10, lead=1), PAIR[1]], {"defense": [0, 10]}, SHORT, holding=1, rules=[held])
    answer = risk_of(searching(session, [event("lifted", 0.5, change=[{"disable": "held"}])], DAY), EXPECTED)
    assert costs(answer) == {"nothing happens": (500, 500, 500), "lifted": (500, 500, 100)}


def test_where_classes_cannot_be_split_an_event_that_lets_law_tell_them_apart_is_refused() -> None:
    """A rule that watches stock: with a loss alone it is answered; a ban that may come would have all that is for defense decided by whoever knows."""
    wanted = {"civil": [10, 10], "defense": [10, 10]}
    session = opened(PAIR, wanted, {"civil": 100, "defense": 100}, holding=1, rules=[COVER])
    lost = risk_of(searching(session, [LOST], DAY), EXPECTED)
    assert lost.scenarios[1].objective == pytest.approx(420, abs=1)
    with pytest.raises(InputError, match="FS980") as caught:
        searching(session, [event("comes", 0.5, change=[{"enable": "ban"}])], DAY)
    assert caught.value.problems[0].found == "comes, for metal"


@pytest.mark.parametrize(("holding", "onboarded", "expected"), [(1, (), (110, 110)), (60, ("au-metal",), (160, 560))])
def test_onboarding_is_decided_before_it_is_known_whether_it_is_needed(
    holding: int, onboarded: tuple[str, ...], expected: tuple[int, int]
) -> None:
    """Australia costs 60 to be onboarded, and is worth 500 x 0.5 if China is lost, unless stock is cheaper."""
    session = opened([CHEAP, Seller("AU", 50, onboarding=60)], {"civil": [0, 10]}, SHORT, holding)
    answer = risk_of(searching(session, [event("lost", 0.5, lose="cn", share=1)], DAY), EXPECTED)
    assert answer.onboarded == onboarded
    assert tuple(scenario.objective for scenario in answer.scenarios) == expected


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"change": [{"price": "cn-metal", "factor": 2}]}, "FS979"),
        ({"change": [{"enable": "ban", "from": "2026-06-01"}]}, "FS979"),
        ({"lose": "nobody"}, "FS241"),
        ({"lose": "au", "share": "50%"}, "FS980"),
    ],
)
def test_an_event_that_would_change_what_was_before_it_is_refused(stated: dict[str, object], told: str) -> None:
    """With the words for what is wrong."""
    with pytest.raises(InputError, match=told):
        asked(PAIR, {"civil": [10, 10]}, event("e", 0.5, **stated))


def test_what_follows_an_event_is_verified() -> None:
    """A plan that delivers more than was ordered is invalid."""
    search = searching(opened([CHEAP], {"civil": [10, 10]}, SHORT, holding=1), [LOST], DAY)
    answer = search.best(EXPECTED)
    search.verified_stages(answer)
    with pytest.raises(VerificationError):
        search.verified_stages(replace(answer, x=answer.x / 2))


CASE = """schema = 1
[case]
name = "small"
start = 2027-01-01
periods = 2
period = "year"
place = "US"
[use]
catalogs = ["./catalog"]
[[demand]]
material = "ga"
end_use = "civil"
per_year = "10 kg"
shortage_price = "1000 USD/kg"
[plugin.friendshore-risk]
day = 2028-01-01
[[plugin.friendshore-risk.event]]
name = "fails"
title = "Acme fails"
probability = "20%"
lose = "supplier:Acme"
[[plugin.friendshore-risk.event]]
name = "dear"
probability = "10%"
price = "ga"
factor = "200%"
"""
CATALOG = {
    "catalog.toml": 'schema = 1\nname = "small"\ntitle = "Invented"\nas_of = 2026-10-01\n',
    "sources.csv": "id,reference,date,confidence\ns,Invented,2026-10-01,verified\n",
    "materials.csv": "id,element,form,basis,stages,source\nga,Ga,metal,gross,refined,s\n",
    "facilities.csv": "id,name,operator,country,source\nplant,Plant,Acme,AU,s\n",
    "capacity.csv": "facility,from,per_year,status,material,source\nplant,,30 kg/year,operating,ga,s\n",
    "offers.csv": "id,facility,material,price,price_source,lead_time,source\nga-au,plant,ga,100 USD/kg,s,0,s\n",
    "chain.csv": "offer,stage,countries,complete,source\nga-au,refined,AU,yes,s\n",
}


def write_catalog(folder: Path) -> None:
    """The catalog of a plant that may fail."""
    (folder / "catalog").mkdir()
    for name, text in CATALOG.items():
        (folder / "catalog" / name).write_text(text)


def written(folder: Path) -> Path:
    """A case of one plant that may fail, and whose price may double."""
    write_catalog(folder)
    (folder / "case.toml").write_text(CASE)
    return folder


def run(*words: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["risk", *map(str, words), "--quiet"])
    assert done.exit_code == code, done.output
    return done.output if code else done.stdout


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """That case."""
    return written(tmp_path)


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its answer as JSON, with a frontier."""
    return run(written(tmp_path_factory.mktemp("answered")), "--json", "--frontier")


def test_the_command_tells_the_worst_in_words_and_the_same_as_json(case: Path) -> None:
    """All is stocked: holding costs nothing, so that nothing that comes costs anything."""
    assert "Acme fails; dear" in run(case)
    data = json.loads(run(case, "--json"))
    assert data["expected"] == 2000
    assert [one["probability"] for one in data["scenarios"]] == [0.72, 0.18, 0.08, 0.02]


def test_mistakes_in_events_are_told_with_their_lines(case: Path) -> None:
    """As of anything in a case."""
    wrong = CASE.replace('probability = "20%"', 'probability = "often"').replace('price = "ga"', 'lose = "ga-au"')
    (case / "case.toml").write_text(wrong)
    output = run(case, code=2)
    assert "often" in output
    assert "FS976" in output
    (case / "case.toml").write_text(CASE.replace("day = 2028-01-01", "day = 2040-01-01"))
    assert "FS705" in run(case, code=2)


def test_an_offer_that_an_event_lets_count_is_as_dear_as_another_makes_it(case: Path) -> None:
    """A plant whose capacity nobody publishes begins to deliver at 10, and prices double: at 20 it is the cheapest, and so is not stocked for."""
    more = {
        "facilities.csv": "idle,Idle,Bolt,AU,s\n",
        "offers.csv": "ga-idle,idle,ga,10 USD/kg,s,0,s\n",
        "chain.csv": "ga-idle,refined,AU,yes,s\n",
    }
    for name, row in more.items():
        with (case / "catalog" / name).open("a") as file:
            file.write(row)
    start = """change = [{ capacity = "idle", per_year = "30 kg/year", status = "operating" }]"""
    sure = CASE.replace('probability = "20%"\nlose = "supplier:Acme"', f'probability = "100%"\n{start}')
    (case / "case.toml").write_text(sure.replace('probability = "10%"', 'probability = "100%"'))
    assert json.loads(run(case, "--json"))["expected"] == 1000 + 200


@pytest.mark.deep
def test_a_case_of_many_combinations_is_sampled(case: Path) -> None:
    """With the seed in the answer, and the same each time."""
    words = [case, "--most", "2", "--sample", "20", "--seed", "7", "--json"]
    assert run(*words) == run(*words)
    data = json.loads(run(*words))
    assert (data["seed"], data["draws"]) == ("7", 20)
    assert sum(one["probability"] for one in data["scenarios"]) == pytest.approx(1)
    # All is stocked whatever comes, so that the plan of any sample is the best of all.
    assert (data["gap"]["batches"], data["gap"]["max"]) == (10, pytest.approx(0, abs=1e-6))


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (lambda told: told, ""),
        (lambda told: told["scenarios"][1].update(probability=0.17), "probability of `fails`"),
        (lambda told: told["scenarios"][2].update(objective=1000.0), "a wrong cost in the scenario `dear`"),
        (lambda told: told["frontier"][0].update(cvar=1900.0), "a wrong CVaR"),
        (lambda told: told["frontier"][0]["decisions"][0].update(value=3.0), "the plan at a weight of 0"),
        (lambda told: told["decisions"][0].update(about="(0 nothing)"), "doesn't have this decision"),
        (
            lambda told: told["decisions"].insert(0, {**told["decisions"][0], "value": 9.0}),
            "a decision is listed twice",
        ),
        (lambda told: told.update(evpi=70.0), "`evpi`"),
        (
            lambda told: told["before"].append({"offer": "ga-au", "material": "ga", "kilograms": 9, "today": 0}),
            "`before`",
        ),
        (lambda told: told.update(held=[{"material": "ga", "kilograms": 1, "today": 0}]), "`held"),
        (lambda told: told["scenarios"][1].update(known_in_advance=1.0), "`scenarios[2].known_in_advance`"),
        (lambda told: told.update(any_short=0.5), "`any_short`"),
        (lambda told: told.update(vss=None), "`vss`"),
        (lambda told: told.update(vss=None, evpi=None), ""),  # there was no time for them
        (lambda told: told.update(day="2027-01-01"), "`day`"),
        (lambda told: told.update(alpha=1.5), "the weights of the objective are invalid"),
        (lambda told: told.update(gap={"batches": 5, "size": 9, "estimate": 0.0, "max": 0.0}), "`gap`"),
        (lambda told: told.update(bound=3000.0), "`bound`"),
        (lambda told: told["scenarios"].pop(), "the scenarios differ from those of the case"),
    ],
)
def test_a_saved_answer_is_evaluated_again_and_what_was_tampered_with_is_found(
    case: Path, answered: str, tamper: Callable[[dict[str, Any]], object], told: str
) -> None:
    """First stage, recourse in every scenario, and every point of the frontier."""
    answer = json.loads(answered)
    tamper(answer)
    saved = case / "answer.json"
    saved.write_text(json.dumps(answer))
    done = CliRunner().invoke(app, ["risk", str(case), "--check", str(saved), "--json", "--quiet"])
    assert (done.exit_code == 0) == (not told), done.output
    assert told in done.output


def test_that_there_was_no_time_to_follow_a_saved_plan_says_nothing_against_it(case: Path, answered: str) -> None:
    """It ends as any search that its limit ended, and not as an answer that does not hold."""
    saved = case / "answer.json"
    saved.write_text(answered)
    run(case, "--check", saved, "--time-limit", "0.0001", code=5)


def test_a_plan_that_is_not_the_best_is_found_whatever_it_says_of_its_bound() -> None:
    """The plan as it is, followed until the day, with all figures right and its own cost for a bound; and the same in the frontier."""
    search = searching(opened(SCARCE, TENS, SHORT, holding=1), (LOST,), DAY)
    honest = risk_of(search, EXPECTED, frontier=True)
    assert check_saved(search, honest, "", 0) == 1 + len(honest.frontier)
    worse = recompute_answer(search, replace(search.as_it_is, bound=search.as_it_is.objective), EXPECTED, "", 0)
    worse = worse.but(bound=worse.minimized)
    assert worse.expected > honest.expected
    with pytest.raises(VerificationError, match="a plan costs less than the bound"):
        check_saved(search, worse, "", 0)
    objectives = tuple(scenario.objective for scenario in worse.scenarios)
    point = FrontierPoint(
        weight=Decimal(0), expected=worse.expected, cvar=worse.cvar, objectives=objectives, decisions=worse.decisions
    )
    with pytest.raises(VerificationError, match="a cheaper plan exists at a weight of 0"):
        check_saved(search, honest.but(frontier=(point, *honest.frontier[1:])), "", 0)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"case": 3}', "\xff"])
def test_a_file_that_holds_no_answer_is_refused(case: Path, text: str) -> None:
    """In words, never with a traceback."""
    saved = case / "answer.json"
    saved.write_bytes(text.encode("latin-1"))
    assert "answer.json" in run(case, "--check", saved, code=2)
