"""Why not: an offer's break-even price, what keeps it out, and what relaxing that is worth."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest

from friendshore.domain.case import Case
from friendshore.domain.change import Change, TermKind
from friendshore.domain.facts import Catalog
from friendshore.domain.use import PASS, Chained, Move, Result, Use, Verdict
from friendshore.errors import InputError
from friendshore.explain import break_even
from friendshore.explain.break_even import BreakEven, break_even_price
from friendshore.plugins import Registry
from friendshore.questions.why_not.find_why_not import WhyNot, why_not
from friendshore.questions.why_not.why_not_document import why_not_document
from friendshore.recommend import reopen, verdicts
from friendshore.rules.base import Facts, Rule
from friendshore.rules.kinds import ExportControl, Tariff
from friendshore.rules.kinds.limits import Budget, Pin
from friendshore.rules.rows import Row
from friendshore.run import write_run

from ..building import (
    ban,
    benchmark,
    case,
    catalog,
    demand,
    facility,
    hard_case,
    maker,
    metals,
    opened,
    planned,
    price,
    rule,
    schedule,
    source,
    tier,
    unstored,
    unwrapped,
)


def root(found: BreakEven | None) -> float:
    """The price of a proved answer."""
    assert found.outcome == "price"
    assert found.proved
    assert found.price is not None
    return float(found.price)


def text(found: WhyNot) -> str:
    """The report as it is printed."""
    return unwrapped(why_not_document(found), 100)


BANNED = case(demand("metal", "defense", 40), start=date(2027, 1, 1))
BARE = facility("kz", "KZ").but(capacity=())
COSTLY = {"onboarding": 100, "onboarding_currency": "USD"}


def asked(of: str, *rules: Rule, facts: Catalog | None = None, given: Case | None = None) -> WhyNot:
    """What keeps an offer of metal out, where 40 kg are wanted."""
    return why_not(opened(given or unstored(40), facts or metals(), *rules), of)


def lifted(found: WhyNot) -> tuple[Any, Any]:
    """The one thing that keeps it out, and what relaxing that is worth."""
    (one,) = found.obstacles
    return one.obstacle, one.relaxed


def test_an_offer_enters_at_the_price_of_what_it_replaces() -> None:
    """Australia at 50 beside China at 10: at 10 it is as good."""
    found = asked("au-metal")
    assert found.state == "not bought"
    assert root(found.break_even) == pytest.approx(10, rel=1e-6)
    assert (found.break_even.units, found.break_even.current_price) == (40, 50)
    assert "below USD 10/kg (today USD 50/kg), every cheapest plan buys it" in text(found)
    assert "80% below today's price" in text(found)


def test_a_far_higher_price_is_no_multiple_of_todays() -> None:
    """China at 10 replaces Australia at 50: both prices are stated instead."""
    found = asked("cn-metal")
    assert found.break_even.factor is not None
    assert found.break_even.factor > 3
    assert "today USD 10/kg" in text(found)
    assert "times today's" not in text(found)


MARKED = source("KZ", price(benchmark="m", premium=Decimal("0.25")))
SMELTER = (facility("pit", "AU"), source("US", 80), maker("JP", 20), source("AU", 35, "oxide", plant="pit"))
UNPRICED = case(demand("metal", "civil", 40, price=1).but(shortage_price=None))
FIRST = {"objectives": ({"minimize": "shortage"},)}


@pytest.mark.parametrize(
    ("of", "given", "facts", "rules", "price"),
    [
        # Of 40 kg, 30 come from China, Australia can give 5 and Japan the rest at 80: beyond 50 it still delivers what Australia cannot.
        ("cn-metal", unstored(40), metals(cn=30), [], 50),
        ("cn-metal", unstored(40), metals(cn=30, au=15), [], 80),
        # At p it costs 1.25 p + 2 a kilogram and 100 once for 40 kg: 1.25 p + 2 + 2.5 = 10.
        ("au-metal", unstored(40, assume={"freight": 2}), catalog(source("US", 10), source("AU", 50, **COSTLY)), [rule(Tariff, rate="0.25")], (10 - 2 - 2.5) / 1.25),
        # From 20 kg on Australia charges four fifths of its price: for all 40 kg it enters at 12.5.
        ("au-metal", unstored(40), metals(schedule("au-metal", tier(0, discount=0), tier(20, discount=0.2))), [], 12.5),
        # A shortage is priced at ten times the dearest offer, Japan's 80; a dearer Japan leaves it at 800, and stays in up to there.
        ("jp-metal", UNPRICED, metals(cn=10, au=10), [], 800),
        # Oxide at 30 for a smelter that takes two of it at 20: metal at 80 beside it.
        ("au-oxide", unstored(40), catalog(*SMELTER), [], 30),
        # Shortage ranks before cost; without Japan nobody is short.
        ("jp-metal", unstored(40, **FIRST), metals(), [], 10),
    ],
    ids=["next best", "the one after", "duties, freight and onboarding", "tiers", "price of a shortage", "input", "ranked"],
)  # fmt: skip
def test_the_break_even_price(of: str, given: Case, facts: Catalog, rules: list[Rule], price: float) -> None:
    """It counts all that follows from buying the offer."""
    assert root(break_even_price(opened(given, facts, *rules), of)) == pytest.approx(price)


@pytest.mark.parametrize(
    ("of", "given", "facts", "rules", "state", "outcome", "words"),
    [
        # Freight of 20 is more than the 10 of what there is.
        ("au-metal", unstored(40, assume={"freight": 20}), catalog(source("US", 10), source("AU", 50)), [], "not bought", "no price", "at no price"),
        ("jp-metal", unstored(40), metals(), [rule(Pin, offer="jp-metal", at_least=5)], "in the plan", "any price", "at any price: no plan"),
        ("jp-metal", unstored(40, **FIRST), metals(cn=30, au=5, jp=5), [], "in the plan", "outranked", "ranks before cost is better with it"),
        ("au-metal", unstored(40, objectives=({"minimize": "spend"}, *FIRST["objectives"])), metals(), [], None, "ranked", "none: the case ranks money"),
    ],
    ids=["too much for nothing", "a rule that asks for it", "only it fills a gap", "money ranks before the last objective"],
)  # fmt: skip
def test_no_price_decides(
    of: str, given: Case, facts: Catalog, rules: list[Rule], state: str | None, outcome: str, words: str
) -> None:
    """None is low enough, any will do, or something ranks before it."""
    found = asked(of, *rules, facts=facts, given=given)
    assert found.state == (state or found.state)
    assert found.break_even.outcome == outcome
    assert words in text(found)
    assert found.break_even.proved or outcome != "no price"


def test_a_price_by_a_benchmark_is_told_as_a_premium() -> None:
    """The benchmark of 40 with 25% on it comes to 50; at 10 it stands 75% below the benchmark."""
    found = asked("kz-metal", facts=metals(facility("kz", "KZ"), MARKED, benchmark(40, name="m"))).break_even
    assert (root(found), float(found.premium or 0)) == pytest.approx((10, -0.75))


BUDGET = rule(Budget, amount=1000)


def test_a_budget_makes_the_search_halve() -> None:
    """All 40 kg for 1000 at most: a dearer China is not allowed for at all, and shortage at 1000 a kilogram is dearer still."""
    found = break_even_price(opened(unstored(40), metals(cn=40), BUDGET), "cn-metal")
    assert found.outcome == "price"
    assert None not in (found.price, found.low, found.high)
    assert float(found.low or 0) <= float(found.high or 0)
    assert float(found.price or 0) > 10


def test_a_price_that_the_gap_leaves_unproved_is_not_doubled_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver that proves every plan to one dollar: no price proves that Japan isn't bought, and the second one tried tells no more than the first."""
    proved = break_even.bound
    monkeypatch.setattr(break_even, "bound", lambda answer: proved(answer) - 1)
    found = break_even_price(opened(unstored(40), metals(cn=40), BUDGET), "jp-metal")
    assert (found.outcome, found.low, found.high, found.solves) == ("price", 0, None, 3)


def test_what_is_forbidden_is_asked_about_without_the_rule() -> None:
    """The ban keeps out China at 10 and lets in Australia at 50: without it 40 kg come from China, and 40 × 40 are saved."""
    found = asked("cn-metal", ban("melted"), given=BANNED)
    assert found.state == "excluded"
    obstacle, way = lifted(found)
    assert (obstacle.rule, obstacle.stage, obstacle.end_uses) == ("ban", "melted", ["metal for defense"])
    assert (way.bought_kg, way.saving.value, way.saving.proved) == (40, 1600, True)
    assert root(found.break_even_relaxed) == pytest.approx(50)
    assert "without ban" in text(found)


def test_proving_an_origin_is_worth_what_the_offer_saves() -> None:
    """China and another sell at 10; of the other nobody says where it is melted. Proved, it saves 40 × 40."""
    hidden = source("CA?", 10, name="ca-metal", plant="ca")
    found = asked("ca-metal", ban("melted"), facts=metals(facility("ca", "CA"), hidden), given=BANNED)
    obstacle, way = lifted(found)
    assert (obstacle.kind, text(found).count(obstacle.clause)) == ("unproven", 1)
    assert (way.changes, way.own.value) == ([Change(prove="ca-metal")], 1600)


def test_a_license_that_is_missing_is_asked_about() -> None:
    """An export control that wants a license: granted, China delivers."""
    control = rule(ExportControl, exporters=["CN"], effect="license", citation="e")
    obstacle, way = lifted(asked("cn-metal", control))
    assert (obstacle.kind, way.changes[0].grant, way.bought_kg) == ("license", "export-control", 40)


def test_a_lead_says_which_figure_it_lacks_and_what_that_would_give() -> None:
    """A plant without a capacity sells at 5: with all that is wanted it saves 5 on each of 40 kg."""
    found = asked("kz-metal", facts=metals(BARE, source("KZ", 5)))
    obstacle, way = lifted(found)
    assert "no source gives its capacity" in obstacle.text
    assert "40 kg a year" in obstacle.text
    assert (way.bought_kg, way.saving.value) == (40, 200)
    assert root(found.break_even_relaxed) == pytest.approx(10)


def test_two_obstacles_are_lifted_alone_and_together() -> None:
    """Announced, and banned: neither alone lets it in."""
    facts = catalog(facility("cn", "CN", 50, status="announced"), source("CN", 10), source("AU", 50))
    found = asked("cn-metal", ban("melted"), facts=facts, given=BANNED)
    assert [one.relaxed and one.relaxed.bought_kg for one in found.obstacles] == [0, 0]
    assert (found.together.bought_kg, found.together.saving.value) == (40, 1600)


SPRING = {"from": "2027-04-01", "until": "2027-06-30"}


@pytest.mark.parametrize(
    ("phases", "first", "last", "words"),
    [
        ([{"from": "2020-01-01"}], "2020-01-01", None, "First day 2020-01-01, no last day"),
        ([{}], None, None, "No first day, no last day"),
        ([{"from": "2020-01-01", "until": "2027-03-31"}, SPRING], "2020-01-01", "2027-06-30", "First day 2020-01-01, last day 2027-06-30"),
        ([{"until": "2020-12-31"}, SPRING, {"from": "2027-07-01", "status": "unknown"}], "2027-04-01", "2027-06-30", "First day 2027-04-01, last day 2027-06-30"),
    ],
)  # fmt: skip
def test_a_prohibition_is_told_with_its_first_and_last_day(
    phases: list[Any], first: str | None, last: str | None, words: str
) -> None:
    """As far as it reaches into the plan: what was over before it, and days of unknown status, are not among them."""
    found = asked("cn-metal", ban("melted", phases=phases), given=BANNED)
    (day,) = lifted(found)[0].days
    assert (day.start and str(day.start), day.end and str(day.end)) == (first, last)
    assert words in text(found)


def test_time_and_dates_that_lie_outside_the_plan_can_be_lifted() -> None:
    """Thirty months of qualification in a plan of twenty-four; a lead time of thirty-six; an offer from after the plan, and both."""
    facts = catalog(
        source("CN", 10),
        source("CA", 5, qualification=30),
        source("KZ", 5, lead_time=36),
        source("AU", 5, start=date(2040, 1, 1)),
        source("JP", 5, qualification=30, lead_time=36),
    )
    session = opened(unstored(40, 40), facts)
    found = {country: why_not(session, f"{country}-metal") for country in ("ca", "kz", "au", "jp")}
    for country, kind in (("ca", TermKind.QUALIFICATION), ("kz", TermKind.LEAD_TIME), ("au", TermKind.DATES)):
        _, way = lifted(found[country])
        assert way.changes == [Change(lift=kind, of=f"offer:{country}-metal")]
        assert (way.bought_kg, way.saving.value) == (80, 400)
        assert root(found[country].break_even_relaxed) == pytest.approx(10)
    codes = {name: [one.obstacle.code for one in answer.obstacles] for name, answer in found.items()}
    assert codes == {"ca": ["FS754"], "kz": ["FS753"], "au": ["FS754"], "jp": ["FS753", "FS754"]}
    assert "at most 12 months" in text(found["kz"])
    assert all(day in text(found["au"]) for day in ("2040-01-01", "2027-01-01"))
    assert [one.relaxed and one.relaxed.bought_kg for one in found["jp"].obstacles] == [0, 0]
    assert found["jp"].together.bought_kg == 80


def test_what_an_offer_takes_in_and_nobody_offers_is_lifted_by_nothing() -> None:
    """A smelter without an ore that counts, or whose ore is a lead; and a pin of nothing, which no rule on origins tells of."""
    found = asked("jp-melt", facts=catalog(source("US", 80), maker("JP", 20)))
    assert found.obstacles[0].relaxed is None
    assert "no change of the case relaxes it" in text(found)
    pit = facility("pit", "AU").but(capacity=())
    found = asked("jp-melt", facts=catalog(pit, *SMELTER[1:]))
    assert (found.state, [one.obstacle.kind for one in found.obstacles]) == ("excluded", ["inputs"])
    assert found.obstacles[0].obstacle.code == "FS759"
    assert found.obstacles[0].obstacle.text.endswith(": au-oxide")  # the lead that could deliver it
    found = asked("au-metal", rule(Pin, offer="au-metal", at_most=0))
    assert (found.state, [one.obstacle.kind for one in found.obstacles]) == ("excluded", ["no room"])


@pytest.mark.parametrize(
    ("name", "words"), [("au-mettal", "FS522 .*did you mean `au-metal`"), ("jp", "FS522 .*its offers: jp-metal")]
)
def test_an_unknown_offer_is_refused_with_what_was_meant(name: str, words: str) -> None:
    """The nearest name, or the offers of a plant."""
    with pytest.raises(InputError, match=words):
        asked(name)


class Grumpy(Rule):
    """A rule that some plugin might bring: a fee of 3 a kilogram outside China, and nothing to do with Japan."""

    kind: Literal["grumpy"] = "grumpy"

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        """Fails Japan."""
        failed = Verdict(result=Result.FAIL, rule=self.id, clause="g (2)", reason="no manners")
        return failed if offer.facility.country == "JP" else PASS

    def charge(self, offer: Chained, move: Move, use: Use, origin: str, value: Decimal) -> Decimal:
        """By the kilogram, whatever its price."""
        return Decimal(3 if origin != "CN" else 0)

    def rows(self, facts: Facts) -> Iterable[Row]:
        """No more than 30 kg from China."""
        term = facts.bought(lambda offer, _: int(offer.facility.country == "CN"), range(len(facts.horizon.periods)))
        yield Row(label="china", terms=(term,), at_most=Decimal(30))


def test_a_plugins_rule_counts_like_any_other() -> None:
    """Its fee moves the price at which Kazakhstan replaces Australia, and what it forbids is asked about without it."""
    session = opened(unstored(40), metals(facility("kz", "KZ"), source("KZ", 90)), Grumpy(id="g"))
    assert root(break_even_price(session, "kz-metal")) == pytest.approx(50)
    assert root(break_even_price(session, "cn-metal")) == pytest.approx(53)
    obstacle, way = lifted(why_not(session, "jp-metal"))
    assert (obstacle.rule, obstacle.clause, obstacle.text) == ("g", "g (2)", "no manners")
    assert way.saving.value == 30 * 10 + 10 * 53 - 40 * 10  # without it, China may give all


def test_a_lead_without_a_price_says_up_to_which_price_it_would_enter() -> None:
    """Nobody published what Kazakhstan asks: below China's 10 it would deliver all."""
    found = asked("kz-metal", facts=metals(facility("kz", "KZ"), source("KZ", price()).but(price=None)))
    obstacle, way = lifted(found)
    assert "no source gives its price" in obstacle.text
    assert way.changes == [Change(price="offer:kz-metal", amount=Decimal(1))]
    assert root(found.break_even_relaxed) == pytest.approx(10)
    assert obstacle.code == "FS758"
    assert "Calculated with 1" in text(found)
    assert "today" not in text(found)
    assert "assumed USD 1/kg" in text(found)


@pytest.mark.deep
@pytest.mark.parametrize("periods", [1, pytest.param(2, marks=pytest.mark.nightly)])
def test_where_a_gap_is_left_a_price_is_an_interval(periods: int) -> None:
    """Plans that may lie a third from the bound prove no price: what is sure is told, and nothing is claimed of every cheapest plan."""
    given, facts = hard_case(offers=6, periods=periods)
    rough, fine = opened(given, facts, gap=0.3, workers=1), opened(given, facts, workers=1)
    for offer in ("p00-run", "p03-run"):
        found, exact = why_not(rough, offer), break_even_price(fine, offer)
        assert exact.factor is not None
        assert not found.break_even.proved
        assert found.break_even.low is None or found.break_even.low <= exact.factor
        assert found.break_even.high is None or found.break_even.high >= exact.factor
        assert "prove" in text(found)
        assert "every cheapest plan" not in text(found)


def test_a_run_knows_what_a_lead_would_take_in(tmp_path: Path) -> None:
    """A smelter without a capacity, and the oxide for it that nobody else takes: asked of the run as of the case."""
    found = planned(
        unstored(40), catalog(facility("jp", "JP").but(capacity=()), *SMELTER[:3], SMELTER[3].but(price=price(5)))
    )
    write_run(tmp_path / "run", found.run, found.facts(), verdicts(found.plan))
    of_run = reopen(tmp_path / "run", registry=Registry.of()).session
    told = [why_not(each, "jp-melt").obstacles[0].relaxed for each in (found.session, of_run)]
    assert told[0] == told[1]
    assert told[0].bought_kg == 40
