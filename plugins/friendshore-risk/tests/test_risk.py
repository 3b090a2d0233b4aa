"""What to decide before anybody knows what comes: cases small enough to follow by hand, and the command as a planner uses it."""

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
from friendshore.explain.results import Counted
from friendshore.rules.kinds.origin_ban import OriginBan
from friendshore_risk.events import Event
from friendshore_risk.events.scenarios import sampled
from friendshore_risk.risk.answer import risk_of, told_again
from friendshore_risk.risk.document import risk_document
from friendshore_risk.risk.records import FrontierPoint, Risk
from friendshore_risk.risk.saved import check_saved
from friendshore_risk.risk.search import RiskSearch
from friendshore_risk.telling import Telling
from friendshore_risk.twostage import RiskMeasure

from .small import Seller, ban, cover, opened, searching

DAY = date(2027, 1, 1)
EXPECTED = RiskMeasure()


def event(name: str, probability: float | None, **stated: object) -> Event:
    """An event."""
    return Event.model_validate({"name": name, "probability": probability, **stated})


def asked(sellers: list[Seller], wanted: dict[str, list[int]], *events: Event, measure: RiskMeasure = EXPECTED) -> Risk:
    """The answer; shortages cost 100 a kilogram, or 1,000 for defence, and a kilogram held 1 a year."""
    session = opened(sellers, wanted, {"civil": 100, "defense": 1000}, holding=1)
    return risk_of(searching(session, events, DAY), measure, frontier=True)


def costs(found: Risk) -> dict[str, tuple[float, float | None, float]]:
    """What every scenario comes to: as planned, as the plan as it is, and for whoever had known."""
    return {
        one.name: (float(one.objective), None if one.as_it_is is None else float(one.as_it_is), float(one.known))
        for one in found.scenarios
    }


def test_stock_is_bought_before_a_supplier_may_fail() -> None:
    """10 kg a year at 10; once China is lost 4 kg at 50 and the rest is short: 20 kg lie there when 2026 ends, and are held for 30."""
    found = asked(
        [Seller("CN", 10), Seller("AU", 50, 4)], {"civil": [10, 10, 10]}, event("lost", 0.5, lose="country:CN")
    )
    # As it is: 100 in 2026, then 4 kg at 50 and 6 kg short at 100 in each of two years.
    assert costs(found) == {"nothing happens": (330, 300, 300), "lost": (330, 1700, 330)}
    assert (found.expected, found.vss, found.evpi) == (330, 670, 15)
    assert (found.any_short, found.more_short, found.nothing, found.today) == (0, 0, 330, 300)
    (ordered,) = found.before
    assert (ordered.offer, ordered.kilograms, ordered.today) == ("cn-metal", 30, 10)
    (held,) = found.held
    assert (held.material, held.kilograms, held.today) == ("metal", 20, 0)


def test_an_unlikely_loss_is_borne_and_told() -> None:
    """At one in a hundred no stock is worth its holding: the loss leaves 12 kg short."""
    found = asked(
        [Seller("CN", 10), Seller("AU", 50, 4)], {"civil": [10, 10, 10]}, event("lost", 0.01, lose="country:CN")
    )
    assert costs(found)["lost"] == (1700, 1700, 330)
    assert (found.vss, found.any_short) == (0, Decimal("0.01"))
    assert [(one.material, one.kilograms) for one in found.expected_short] == [("metal", Decimal("0.12"))]
    assert "metal 12 kg" in plain_text(risk_document(found, Telling(10)), 100)


def test_who_minds_the_worst_alone_stocks_for_it_all_the_same() -> None:
    """The frontier goes from 314, with a worst of 1,700, to 330 whatever comes."""
    sellers, wanted = [Seller("CN", 10), Seller("AU", 50, 4)], {"civil": [10, 10, 10]}
    found = asked(sellers, wanted, event("lost", 0.01, lose="country:CN"), measure=RiskMeasure(1.0, 0.99))
    assert (found.minimised, found.cvar, found.expected) == (330, 330, 330)
    assert [(one.expected, one.cvar) for one in found.frontier] == [(314, 1700), (330, 330)]


def test_a_year_without_a_supplier_is_bridged_for_that_year_alone() -> None:
    """Only 10 kg are held, for one year."""
    lost = event("lost", 0.5, lose="country:CN", lasts="12 months")
    found = asked([Seller("CN", 10), Seller("AU", 50, 4)], {"civil": [10, 10, 10]}, lost)
    assert costs(found)["lost"] == (310, 1000, 310)


def test_a_price_rises_from_its_day_on_and_what_was_bought_before_stays_cheap() -> None:
    """Doubled from 2027 on with a chance of a half: buying for 2027 beforehand costs 1 a kilogram to hold and saves 5 in expectation."""
    found = asked([Seller("CN", 10)], {"civil": [10, 10]}, event("dear", 0.5, price="cn-metal", factor=2))
    assert costs(found) == {"nothing happens": (210, 200, 200), "dear": (210, 300, 210)}


def test_a_price_of_several_factors_costs_what_each_of_them_does() -> None:
    """Trebled, halved or as it is: stock at 11 is dearer than the expected price of 10 x 1.05, and is not bought."""
    moves = event("moves", None, price="cn-metal", factors=[3, 0.5], chances=[0.1, 0.3])
    found = asked([Seller("CN", 10)], {"civil": [10, 10]}, moves)
    assert {name: cost for name, (cost, _, _) in costs(found).items()} == {
        "nothing happens": 200, "moves x 3": 400, "moves x 0.5": 150,
    }  # fmt: skip
    assert found.expected == 205


def test_all_that_is_wrong_with_events_is_told_at_once_with_the_event_that_it_is_wrong_with() -> None:
    """Who is lost, whose price moves, when it begins, which rule and which scenario: each by the number of its event."""
    wrong = [
        event("a", 0.1, lose="country:XX"),
        event("b", 0.1, price="tin", factor=2),
        event("c", 0.1, lose="country:CN", **{"from": date(2026, 1, 1)}),
        event("d", 0.1, change=[{"lead_time": "cn-metal", "factor": 2}]),
        event("e", 0.1, scenario="none"),
        event("f", 0.1, lose="route:CN>KR"),
        event("g", 0.1, lose="country:CN", share=0.5),
    ]
    session = opened([Seller("CN", 10)], {"civil": [10, 10]}, {"civil": 100}, holding=1)
    with pytest.raises(InputError) as caught:
        searching(session, [*wrong, event("fine", 0.1, lose="country:CN")], DAY)
    keys = ["1].lose", "2].price", "3].from", "4].change", "5].scenario", "6].lose", "7].lose"]
    assert [one.column for one in caught.value.problems] == [f"plugin.friendshore-risk.event[{key}" for key in keys]


def test_a_newsvendor_orders_the_critical_share_of_uniform_demand() -> None:
    """Ordered a year ahead at 10, short at 110, left over for nothing: the order meets demand in 100 of 110 cases (Arrow, Harris and Marschak 1951)."""
    moves = event("moves", None, demand="civil", uniform=[0.5, 1.5])
    session = opened([Seller("CN", 10, lead=1)], {"civil": [0, 1000]}, {"civil": 110}, holding=0)
    draws = sampled([moves], DAY, session.problem.case.horizon, 40, "1")
    found = risk_of(RiskSearch(session, [moves], draws, DAY, Counted(session)), EXPECTED)
    (ordered,) = found.before
    wanted = sorted(1000 * float(one.events[0].factor or 0) for one in draws)
    assert float(ordered.kilograms) == pytest.approx(wanted[math.ceil(40 * 100 / 110) - 1], abs=0.01)
    assert float(ordered.kilograms) == pytest.approx(500 + 1000 * 100 / 110, abs=3 * 1000 * math.sqrt(10 / 110 / 40))


@pytest.mark.parametrize(("longer", "stock", "cost"), [(0.01, 10, (310, 310, 1210)), (0.5, 20, (330, 330, 330))])
def test_a_second_year_without_a_supplier_is_bridged_where_it_is_likely(
    longer: float, stock: int, cost: tuple[int, int, int]
) -> None:
    """10 kg a year at 10, else 100 a kilogram short: bridging the second year as well costs 20 more, and saves 880 if it comes."""
    lost = event("lost", 0.5, lose="country:CN", durations=[12, 24], duration_chances=[1 - longer, longer])
    found = asked([Seller("CN", 10)], {"civil": [10, 10, 10]}, lost)
    names = ("nothing happens", "lost for 12 months", "lost for 24 months")
    assert {name: of[0] for name, of in costs(found).items()} == dict(zip(names, cost, strict=True))
    (held,) = found.held
    assert held.kilograms == stock


def test_what_a_rule_may_bar_is_not_bought_for_whom_it_would_bar() -> None:
    """A ban may come: defence metal that is stocked is not Chinese, and none is stocked where Australia can deliver in time."""
    ban = event("ban", 0.5, change=[{"enable": "ban"}])
    in_time = asked([Seller("CN", 10), Seller("AU", 50)], {"defense": [10, 10]}, ban)
    assert costs(in_time) == {"nothing happens": (200, 200, 200), "ban": (600, 600, 600)}
    late = asked([Seller("CN", 10), Seller("AU", 50, lead=1)], {"defense": [10, 10]}, ban)
    # Ordered in 2026 it is there in 2027, whatever comes; so is what was ordered of China, for nothing, where no ban comes.
    assert costs(late)["ban"] == (600, 10100, 600)
    (australian,) = [one for one in late.before if one.offer == "au-metal"]
    assert (australian.kilograms, australian.today) == (10, 0)


def test_what_a_ban_bars_unless_it_is_lifted_is_not_ordered_before_that_is_known() -> None:
    """Chinese metal takes a year: ordered in 2026 it would be there in time where the ban is lifted, and barred where nothing happens."""
    held = OriginBan.model_validate({**ban().model_dump(), "id": "held", "phases": [{"status": "enacted"}]})
    sellers = [Seller("CN", 10, lead=1), Seller("AU", 50)]
    session = opened(sellers, {"defense": [0, 10]}, {"defense": 1000}, holding=1, rules=[held])
    lifted = event("lifted", 0.5, change=[{"disable": "held"}])
    found = risk_of(searching(session, [lifted], DAY), EXPECTED)
    assert costs(found) == {"nothing happens": (500, 500, 500), "lifted": (500, 500, 100)}


def test_where_classes_cannot_be_split_an_event_that_lets_law_tell_them_apart_is_refused() -> None:
    """A rule that watches stock: with a loss alone it is answered; a ban that may come would have all that is for defence decided by whoever knows."""
    sellers, wanted = [Seller("CN", 10), Seller("AU", 50)], {"civil": [10, 10], "defense": [10, 10]}
    session = opened(sellers, wanted, {"civil": 100, "defense": 100}, holding=1, rules=[cover()])
    lost = risk_of(searching(session, [event("lost", 0.5, lose="country:CN")], DAY), EXPECTED)
    assert lost.scenarios[1].objective == pytest.approx(420, abs=1)
    with pytest.raises(InputError, match="cannot be set aside for uses") as caught:
        searching(session, [event("comes", 0.5, change=[{"enable": "ban"}])], DAY)
    assert caught.value.problems[0].found == "comes, for metal"


def test_an_order_that_a_ban_bars_from_arriving_is_neither_delivered_nor_paid_for() -> None:
    """China delivers a year after the order, in the year in which the ban may hold."""
    ban = event("ban", 0.5, change=[{"enable": "ban"}])
    found = asked([Seller("CN", 10, lead=1), Seller("AU", 50)], {"defense": [0, 10]}, ban)
    assert costs(found) == {"nothing happens": (100, 100, 100), "ban": (500, 500, 500)}


def test_demand_may_fall_to_nothing() -> None:
    """What is stocked for it is left; planned as one gram that is still wanted."""
    gone = event("gone", 0.5, demand="civil", factor=0)
    found = asked([Seller("CN", 10, 10)], {"civil": [0, 20]}, gone)
    # 10 kg are bought in 2027 at 10, the other 10 in 2026 at 11, which half the time serve nobody, and are then held another year.
    assert costs(found)["nothing happens"][0] == pytest.approx(210)
    assert costs(found)["gone"][0] == pytest.approx(120, abs=0.2)


def test_onboarding_is_decided_before_it_is_known_whether_it_is_needed() -> None:
    """Australia costs 60 to be onboarded, and is worth 500 x 0.5 if China is lost."""
    found = asked(
        [Seller("CN", 10), Seller("AU", 50, lead=0, onboarding=60)],
        {"civil": [0, 10]},
        event("lost", 0.5, lose="cn", share=1),
    )
    assert found.onboarded == ()  # stock is cheaper: 110
    assert found.expected == 110
    dear = opened([Seller("CN", 10), Seller("AU", 50, onboarding=60)], {"civil": [0, 10]}, {"civil": 100}, holding=60)
    answer = risk_of(searching(dear, [event("lost", 0.5, lose="cn")], DAY), EXPECTED)
    assert answer.onboarded == ("au-metal",)
    assert {one.name: one.objective for one in answer.scenarios} == {"nothing happens": 160, "lost": 560}


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"change": [{"price": "cn-metal", "factor": 2}]}, "holds for the whole plan"),
        ({"change": [{"enable": "ban", "from": "2026-06-01"}]}, "before it is known"),
        ({"lose": "nobody"}, "names nothing in the case"),
        ({"lose": "au", "share": "50 %"}, "states no capacity"),
    ],
)
def test_an_event_that_would_change_what_was_before_it_is_refused(stated: dict[str, object], told: str) -> None:
    """With the words for what is wrong."""
    with pytest.raises(InputError, match=told):
        asked([Seller("CN", 10), Seller("AU", 50)], {"civil": [10, 10]}, event("e", 0.5, **stated))


def test_what_follows_an_event_is_verified() -> None:
    """What delivers more than was ordered is no plan."""
    session = opened([Seller("CN", 10)], {"civil": [10, 10]}, {"civil": 100}, holding=1)
    search = searching(session, [event("lost", 0.5, lose="country:CN")], DAY)
    answer = search.best(EXPECTED)
    search.carried(answer)
    with pytest.raises(VerificationError):
        search.carried(replace(answer, x=answer.x / 2))


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
probability = "20 %"
lose = "supplier:Acme"
[[plugin.friendshore-risk.event]]
name = "dear"
probability = "10 %"
price = "ga"
factor = "200 %"
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


def written(folder: Path) -> Path:
    """A case of one plant that may fail, and whose price may double."""
    (folder / "catalog").mkdir()
    for name, text in CATALOG.items():
        (folder / "catalog" / name).write_text(text)
    (folder / "case.toml").write_text(CASE)
    return folder


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """That case."""
    return written(tmp_path)


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its answer as JSON, with a frontier."""
    folder = written(tmp_path_factory.mktemp("answered"))
    return CliRunner().invoke(app, ["risk", str(folder), "--json", "--quiet", "--frontier"]).stdout


def test_the_command_tells_the_worst_in_words_and_the_same_as_json(case: Path) -> None:
    """All is stocked: holding costs nothing, so that nothing that comes costs anything."""
    done = CliRunner().invoke(app, ["risk", str(case), "--quiet"])
    assert done.exit_code == 0, done.output
    assert "Acme fails; dear" in done.stdout
    told = json.loads(CliRunner().invoke(app, ["risk", str(case), "--json", "--quiet"]).stdout)
    assert told["expected"] == 2000
    assert [one["probability"] for one in told["scenarios"]] == [0.72, 0.18, 0.08, 0.02]


def test_mistakes_in_events_are_told_with_their_lines(case: Path) -> None:
    """As of anything in a case."""
    path = case / "case.toml"
    path.write_text(
        CASE.replace('probability = "20 %"', 'probability = "often"').replace('price = "ga"', 'lose = "ga-au"')
    )
    done = CliRunner().invoke(app, ["risk", str(case), "--quiet"])
    assert done.exit_code == 2
    assert "often" in done.output
    assert "`price` and `demand` alone" in done.output
    path.write_text(CASE.replace("day = 2028-01-01", "day = 2040-01-01"))
    assert "lies outside the plan" in CliRunner().invoke(app, ["risk", str(case), "--quiet"]).output


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
    sure = CASE.replace('probability = "20 %"\nlose = "supplier:Acme"', f'probability = "100 %"\n{start}')
    (case / "case.toml").write_text(sure.replace('probability = "10 %"', 'probability = "100 %"'))
    done = CliRunner().invoke(app, ["risk", str(case), "--json", "--quiet"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["expected"] == 1000 + 200


@pytest.mark.deep
def test_a_case_of_many_combinations_is_sampled(case: Path) -> None:
    """With the seed in the answer, and the same each time."""
    words = ["risk", str(case), "--most", "2", "--sample", "20", "--seed", "7", "--json", "--quiet"]
    one, other = (CliRunner().invoke(app, words).stdout for _ in range(2))
    assert one == other
    told = json.loads(one)
    assert (told["seed"], told["draws"]) == ("7", 20)
    assert sum(one["probability"] for one in told["scenarios"]) == pytest.approx(1)
    # All is stocked whatever comes, so that the plan of any sample is the best of all.
    assert (told["gap"]["batches"], told["gap"]["most"]) == (10, pytest.approx(0, abs=1e-6))


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (lambda told: told, ""),
        (lambda told: told["scenarios"][1].update(probability=0.17), "probability of `fails`"),
        (lambda told: told["scenarios"][2].update(objective=1000.0), "what `dear` comes to"),
        (lambda told: told["frontier"][0].update(cvar=1900.0), "its CVaR"),
        (lambda told: told["frontier"][0]["decisions"][0].update(value=3.0), "the plan at a weight of 0"),
        (lambda told: told["decisions"][0].update(about="(0 nothing)"), "knows no such decision"),
        (lambda told: told["decisions"].insert(0, {**told["decisions"][0], "value": 9.0}), "told twice"),
        (lambda told: told.update(evpi=70.0), "`evpi`"),
        (
            lambda told: told["before"].append({"offer": "ga-au", "material": "ga", "kilograms": 9, "today": 0}),
            "`before`",
        ),
        (lambda told: told.update(held=[{"material": "ga", "kilograms": 1, "today": 0}]), "`held"),
        (lambda told: told["scenarios"][1].update(known=1.0), "`scenarios[2].known`"),
        (lambda told: told.update(any_short=0.5), "`any_short`"),
        (lambda told: told.update(vss=None), "`vss`"),
        (lambda told: told.update(vss=None, evpi=None), ""),  # there was no time for them
        (lambda told: told.update(day="2027-01-01"), "`day`"),
        (lambda told: told.update(alpha=1.5), "nothing is minimised so"),
        (lambda told: told.update(gap={"batches": 5, "size": 9, "estimate": 0.0, "most": 0.0}), "`gap`"),
        (lambda told: told.update(bound=3000.0), "`bound`"),
        (lambda told: told["scenarios"].pop(), "not those of the case"),
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
    done = CliRunner().invoke(app, ["risk", str(case), "--check", str(saved), "--time-limit", "0.0001"])
    assert done.exit_code == 5, done.output


def test_a_plan_that_is_not_the_best_is_found_whatever_it_says_of_its_bound() -> None:
    """The plan as it is, followed until the day, with all figures right and its own cost for a bound; and the same in the frontier."""
    session = opened(
        [Seller("CN", 10), Seller("AU", 50, 4)], {"civil": [10, 10, 10]}, {"civil": 100, "defense": 1000}, holding=1
    )
    search = searching(session, (event("lost", 0.5, lose="country:CN"),), DAY)
    honest = risk_of(search, EXPECTED, frontier=True)
    assert check_saved(search, honest, "", 0) == 1 + len(honest.frontier)
    assert search.as_it_is is not None
    worse = told_again(search, replace(search.as_it_is, bound=search.as_it_is.objective), EXPECTED, "", 0)
    worse = worse.but(bound=worse.minimised)
    assert worse.expected > honest.expected
    with pytest.raises(VerificationError, match="a plan below the bound"):
        check_saved(search, worse, "", 0)
    point = FrontierPoint(
        weight=Decimal(0),
        expected=worse.expected,
        cvar=worse.cvar,
        objectives=tuple(one.objective for one in worse.scenarios),
        decisions=worse.decisions,
    )
    with pytest.raises(VerificationError, match="a plan costs less at a weight of 0"):
        check_saved(search, honest.but(frontier=(point, *honest.frontier[1:])), "", 0)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"case": 3}', "\xff"])
def test_a_file_that_holds_no_answer_is_refused(case: Path, text: str) -> None:
    """In words, never with a traceback."""
    saved = case / "answer.json"
    saved.write_bytes(text.encode("latin-1"))
    done = CliRunner().invoke(app, ["risk", str(case), "--check", str(saved), "--quiet"])
    assert done.exit_code == 2
    assert "answer.json" in done.output
