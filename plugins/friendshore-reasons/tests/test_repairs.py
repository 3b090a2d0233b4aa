"""Repairs: which steps serve what is short, how much of each, at what cost; and rules that conflict."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any, Literal

import pytest
from tests.building import (
    METAL,
    SOURCE,
    ban,
    case,
    catalog,
    demand,
    facility,
    metals,
    opened,
    rule,
    schedule,
    source,
    tier,
    unstored,
    unwrapped,
)

from friendshore.case import load_case
from friendshore.document.terminal import plain_text
from friendshore.domain.case import Case, Scenario
from friendshore.domain.change import Change
from friendshore.domain.facts import Catalog
from friendshore.errors import InputError
from friendshore.rules.base import Facts, Rule
from friendshore.rules.kinds.limits import Budget, MaxShare, MinShare
from friendshore.rules.kinds.trade import ExportControl
from friendshore.rules.rows import Row
from friendshore.session import Session
from friendshore_reasons.repairs.candidates import levers_for
from friendshore_reasons.repairs.document import repairs_document, repairs_toml
from friendshore_reasons.repairs.levers import LeverBounds, LeverKind, Need, stated_bounds
from friendshore_reasons.repairs.search import Repairs, repairs
from friendshore_reasons.repairs.trials import Trials


def sets(found: Repairs) -> list[list[tuple[str, str, float | None]]]:
    """Steps of every repair, cheapest first: kind, subject and amount."""
    return [
        [(use.kind.value, use.subject, None if use.amount is None else float(use.amount)) for use in repair.uses]
        for repair in found.repairs
    ]


def said(found: Repairs) -> str:
    """The report as it is printed, in one line."""
    return unwrapped(repairs_document(found))


def au(price: float = 5, capacity: float | None = 50, *more: Any, **terms: Any) -> Catalog:
    """Australian metal."""
    return catalog(facility("au", "AU", capacity), source("AU", price, **terms), *more)


def small() -> Session:
    """Australia makes 6 of 10 kg of metal a year; China is banned."""
    facts = au(50, 6, facility("cn", "CN", 50), source("CN", 10))
    return opened(case(demand("metal", "defense", 10)), facts, ban(*METAL, start=None))


def asked(given: Case, facts: Catalog, *rules: Rule, **bounds: Any) -> Repairs:
    """The repairs of a case."""
    return repairs(opened(given, facts, *rules), bounds=LeverBounds(**bounds))


def test_each_way_out_is_found_with_the_least_that_will_do() -> None:
    """4 kg are missing: of stock, of a waiver, or of Australian capacity; the stock is free, the waiver's metal at 10, Australia's at 50."""
    answer = repairs(small())
    assert sets(answer) == [[("stock", "metal", 4.0)], [("waiver", "ban", 4.0)], [("capacity", "au", 4.0)]]
    assert [repair.spent for repair in answer.repairs] == [0, 40, 200]
    assert [repair.cost.value for repair in answer.repairs if repair.cost] == [-4000, -3960, -3800]
    assert all(
        repair.cost and repair.cost.proved and repair.remaining_kg == 0 and repair.minimal for repair in answer.repairs
    )
    (gap,) = answer.gaps
    assert (gap.complete, gap.short_kg, gap.demands) == (True, 4, ("metal-defense",))
    output = said(answer)
    for words in (
        "metal: short of 4 kg in 2026, for metal-defense",
        "4 kg of metal in stock, all made in the United States",
        "waiver of ban for 4 kg of metal-defense until 2026-12-31",
        "au (Australia) makes 10 kg a year instead of 6 kg",
        "complete: all repairs of up to 3 steps",
    ):
        assert words in output
    assert Repairs.model_validate(answer.to_dict()) == answer
    assert list(answer.to_frame("repairs")["rank"]) == [1, 2, 3]


LATE_JAPAN = source("JP?", 80, name="jp-metal", plant="jp", lead_time=12)
"""Of which the origin is unproven."""


def test_several_steps_are_needed_together() -> None:
    """Japan's capacity is unknown and its origin unproven: a waiver or proof, a figure, and a bridge over the first year."""
    facts = catalog(facility("jp", "JP", capacity=()), LATE_JAPAN)
    answer = asked(unstored(10, 10, end_use="defense"), facts, ban(*METAL, start=None), later=1)
    stock, later, proof = ("stock", "metal", 10.0), ("later", "metal-defense", 12.0), ("proof", "jp-metal", None)
    assert sets(answer) == [
        [("waiver", "ban", 10.0), stock, ("lead", "jp", 10.0)],
        [proof, stock, ("lead", "jp", 10.0)],
        [later, ("waiver", "ban", 20.0), ("lead", "jp", 20.0)],
        [later, proof, ("lead", "jp", 20.0)],
    ]
    assert "no source gives its capacity" in answer.repairs[0].uses[-1].note
    assert answer.gaps[0].complete


def test_demand_is_moved_as_little_as_will_do() -> None:
    """The plant starts in the second year and makes 20: the first year's 10 kg are wanted a year later, or the plant starts earlier."""
    step = {"start": "2027-01-01", "per_year": 20, "status": "operating", "source": SOURCE}
    facts = catalog(facility("au", "AU", capacity=[step]), source("AU", 5))
    answer = asked(unstored(10, 5, 5, end_use="defense"), facts)
    assert sets(answer) == [[("stock", "metal", 10.0)], [("later", "metal-defense", 12.0)], [("earlier", "au", 12.0)]]


LICENSE = rule(ExportControl, id="control", exporters=["CN"], effect="license", citation="art. 1")
LEFT_OUT = schedule("au-metal", tier(0, most=0), tier(50), kind="incremental")


@pytest.mark.parametrize(
    ("facts", "rules", "step"),
    [
        # A plant under construction counts for nothing; taken to run it serves all.
        (catalog(facility("au", "AU", 20, status="construction"), source("AU", 5)), [], ("planned", "au", None)),
        # An export control keeps the only plant out. A license lets it in.
        (catalog(facility("cn", "CN", 50), source("CN", 10)), [LICENSE], ("license", "control", None)),
        # An offer sells no less than 50 kg, which nothing can hold nor the plant make.
        (au(5, 20, min_order=50), [], ("term", "minimum-load", None)),
        # Nothing or 50 kg and more, which nothing can hold.
        (au(5, 90, LEFT_OUT), [], ("term", "tiers", None)),
    ],
    ids=["planned plant", "license", "term of trade", "price list"],
)
def test_what_keeps_an_offer_out_is_lifted(facts: Catalog, rules: list[Rule], step: tuple[str, str, None]) -> None:
    """Alone it serves all."""
    answer = asked(unstored(10, 10, end_use="defense"), facts, *rules, capacity=Decimal(0))
    assert [step] in sets(answer)
    if step[0] == "license":
        assert answer.repairs[-1].changes == (Change(grant="control", of="CN"),)
    if step[0] == "planned":
        assert "construction" in said(answer)


class Ration(Rule):
    """No more than so many kilograms of metal a period from one country: a rule that nobody knows of."""

    kind: Literal["ration"] = "ration"
    country: str
    kilograms: Decimal

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row a period."""
        for label, periods in facts.spans("period"):
            term = facts.bought(lambda offer, _: int(offer.facility.country == self.country), periods)
            yield Row(f"{self.country} {label}", (term,), at_most=self.kilograms)

    def sentence(self) -> str:
        """In words."""
        return f"No more than {self.kilograms} kg a period from {self.country}"


RATION = Ration(id="ration", country="AU", kilograms=Decimal(6))


def test_a_rule_that_a_plugin_brought_gives_way() -> None:
    """It is loosened by its bounds alone: 6 kg of Australia's may be bought, 10 are wanted in the first year and 8 in the second."""
    answer = asked(unstored(10, 8, end_use="defense"), au(), RATION)
    assert [("loosen", "ration", 4.0)] in sets(answer)
    assert "raise the ration of AU 2026, AU 2027 (ration) from 6 kg to 10 kg" in said(answer)


def trials_of(session: Session, bounds: LeverBounds) -> Trials:
    """The trials of everything that is short."""
    (gap,) = repairs(session, bounds=bounds, trials=0).gaps
    shorts, count = session.verified.plan.shorts, session.problem.case.horizon.count
    left = {
        n: tuple(Decimal(sum(s.quantity for s in shorts if (s.demand, s.period) == (n, t))) for t in range(count))
        for n in gap.demands
    }
    need = Need(gap.demands, left)
    return Trials(session, need, levers_for(session, need, bounds))


def test_a_limit_that_is_not_loosened_is_refuted_without_a_trial() -> None:
    """Whatever else is done, no more than 6 of 10 kg may be bought; loosened by 4 kg or more, they may."""
    session = opened(unstored(10, end_use="defense"), au(), RATION)
    trials = trials_of(session, LeverBounds(later=0, stock=Decimal(0)))
    (loosen,) = (i for i, lever in enumerate(trials.levers) if lever.kind is LeverKind.LOOSEN)
    every = {i: lever.max_amounts for i, lever in enumerate(trials.levers)}
    assert trials.refuted({i: most for i, most in every.items() if i != loosen})
    assert trials.refuted({**every, loosen: (Decimal("3.9"),)})
    assert not trials.refuted({**every, loosen: (Decimal(4),)})


def test_what_lacks_a_proof_is_refuted_without_a_trial_also_where_it_is_wanted_later() -> None:
    """Japan's origin is unproven, and its metal comes a year late: with a proof and a year's delay all is served, with either alone it is not."""
    facts = catalog(facility("jp", "JP", 50), LATE_JAPAN)
    session = opened(unstored(10, 0, end_use="defense"), facts, ban(*METAL, start=None))
    trials = trials_of(session, LeverBounds(later=1, stock=Decimal(0)))
    place = {lever.kind: i for i, lever in enumerate(trials.levers)}
    later, proof = place[LeverKind.LATER], place[LeverKind.PROOF]
    most = trials.levers[later].max_amounts
    assert [trials.refuted(one) for one in ({proof: ()}, {later: most}, {later: most, proof: ()})] == [
        True,
        True,
        False,
    ]


def test_amounts_of_whole_lots_are_the_least() -> None:
    """Australia sells lots of 4 kg, at most 8 kg a year: of 10 kg two are missing, and of them a stock need hold no more."""
    answer = asked(unstored(10, end_use="defense"), au(5, 8, lot=4))
    assert [("stock", "metal", 2.0)] in sets(answer)


def test_rules_that_conflict_give_way() -> None:
    """A cap of 3 kg and a floor of 8 on the same country: either is relaxed by 5, and the rules are told with their words."""
    cap = rule(MaxShare, id="cap", by="country", countries=["CN"], share="0.3", citation="s. 1")
    floor = rule(MinShare, id="floor", by="country", countries=["CN"], share="0.8")
    answer = asked(unstored(10, resolution=1), metals(), cap, floor)
    (gap,) = answer.gaps
    assert gap.rules == ("cap", "floor")
    assert sets(answer) == [[("loosen", "cap", 5.0)], [("loosen", "floor", 5.0)]]
    assert [repair.spent for repair in answer.repairs] == [8 * 10 + 2 * 50, 3 * 10 + 7 * 50]
    assert all(repair.remaining_kg == 0 and repair.cost and repair.cost.proved for repair in answer.repairs)
    assert "(s. 1)" in said(answer)


DEAR = case(demand("metal", "civil", 100, price=60))


def test_what_is_only_too_dear_needs_no_repair() -> None:
    """Japan could deliver the missing 60 kg at 80; a shortage costs 60."""
    answer = asked(DEAR, metals(cn=20, au=20))
    (gap,) = answer.gaps
    assert gap.cost_to_serve is not None
    assert (gap.cost_to_serve.value, gap.costs_more_than_shortage, answer.repairs) == (60 * (80 - 60), True, ())
    assert "shortage_price" in said(answer)


def test_what_a_plan_would_rather_be_short_of_is_priced_and_comes_last() -> None:
    """60 kg are missing at 60 each; Japan and China together could make 40 more, at 80 and 10, and 20 lie in stock at most."""
    answer = asked(DEAR, metals(cn=20, au=20, jp=20), stock=Decimal("0.2"), later=0)
    first, *_, last = answer.repairs
    assert not first.rounded
    assert None not in (first.cost_to_serve, last.cost_to_serve, first.cost, first.cash, first.penalty)
    assert first.cost_to_serve.value > first.cost.value  # type: ignore[union-attr]
    assert first.cost.value == first.spent + first.penalty  # type: ignore[operator,union-attr]
    assert "cheaper than serving it" in said(answer)
    text = plain_text(repairs_document(answer.but(gaps=answer.gaps * 2)).on_screen(), 10_000)
    assert "stay short, because serving them costs more than the penalty" in text
    assert f"cash, the cheapest of {len(answer.repairs)}" in text, "no amount that contains penalties"


def test_nothing_within_bounds_is_said_with_what_is_left() -> None:
    """Nothing may lie in stock, grow or be waived: the best that is available is told."""
    none = dict.fromkeys(("capacity", "stock", "lead"), Decimal(0))
    answer = asked(unstored(10, end_use="defense"), au(5, 6), **none, later=0)
    assert (answer.repairs, answer.gaps[0].complete) == ((), True)
    assert "still" in said(answer)


def test_nothing_short_is_nothing_to_repair() -> None:
    """And a material that nobody wants is refused."""
    session = opened(unstored(10), metals())
    assert "nothing to repair" in said(repairs(session))
    with pytest.raises(InputError, match="FS523"):
        repairs(session, "magnet")


def test_no_trials_are_said() -> None:
    """Without trials nothing is found, nothing is claimed, and the clock is not blamed."""
    answer = repairs(small(), trials=0)
    assert (answer.repairs, [(gap.complete, gap.stopped) for gap in answer.gaps]) == ((), [(False, False)])
    assert "ended after 0 trials (--trials): there may be more repairs of up to 3 steps" in said(answer)


@pytest.mark.parametrize("each", [7, pytest.param(1, marks=pytest.mark.deep)])
def test_trials_are_what_is_counted(each: int) -> None:
    """Ended after every number of trials, what is said to be known of the repairs is what all trials find, and so much is tried, no more."""
    whole = repairs(small())
    (all_of_it,) = whole.gaps
    for trials in range(0, all_of_it.tried, each):
        answer = repairs(small(), trials=trials)
        (gap,) = answer.gaps
        assert (gap.complete, gap.tried) == (False, trials)
        known, of_all = ([uses for uses in sets(one) if len(uses) <= gap.searched] for one in (answer, whole))
        assert known == of_all
    assert repairs(small(), trials=all_of_it.tried).gaps == whole.gaps


def test_what_is_interrupted_claims_nothing() -> None:
    """Ctrl-C before the search: no repair, and no claim that there is none."""
    cancel = Event()
    stopped = Session.open(small().inputs, cancel=cancel)
    cancel.set()
    answer = repairs(stopped)
    assert (answer.repairs, answer.gaps[0].complete, answer.gaps[0].remaining_kg) == ((), False, None)


def pasted(found: Repairs, folder: Path) -> tuple[Scenario, ...]:
    """The scenarios of a case into which repairs were pasted."""
    head = 'schema = 1\n[case]\nname = "c"\nstart = 2026-01-01\nperiods = 1\nperiod = "year"\nplace = "US"\n'
    head += '[[demand]]\nmaterial = "metal"\nend_use = "defense"\nquantity = "10 kg"\n'
    (folder / "case.toml").write_text(head + repairs_toml(found), encoding="utf-8")
    return load_case(folder).scenarios


HOSTILE = 'a "b" \\ [c] # d\ne\t\x07\x7f é 鎵'


def test_repairs_can_be_pasted_into_a_case_whatever_things_are_called(tmp_path: Path) -> None:
    answer = repairs(small())
    scenarios = {scenario.name: scenario.change for scenario in pasted(answer, tmp_path)}
    assert scenarios == {f"repair-metal-{rank}": repair.changes for rank, repair in enumerate(answer.repairs, 1)}
    changes = (
        Change(waive=HOSTILE, of=HOSTILE, quantity=Decimal("0.1234567"), end=date(2026, 12, 31)),
        Change(capacity=HOSTILE, per_year=Decimal("1E+3"), why=HOSTILE),
        Change(stock=HOSTILE, quantity=Decimal(4), countries=frozenset({"AU", "US"})),
        Change(price=HOSTILE, amount=Decimal("12.5"), currency="EUR"),
        Change(demand=HOSTILE, delay=Decimal(3)),
    )
    odd = tuple(repair.but(changes=changes) for repair in answer.repairs)
    hostile = pasted(answer.but(gaps=(answer.gaps[0].but(material=HOSTILE),), repairs=odd), tmp_path)
    assert [scenario.change for scenario in hostile] == [changes] * 3


def test_bounds_are_stated_in_words() -> None:
    """A name and a number; anything else is refused."""
    assert stated_bounds(["stock=2", "later=0"]) == LeverBounds(stock=Decimal(2), later=0)
    for wrong in ("stocks=2", "stock", "stock=-1", "later=1.5"):
        with pytest.raises(InputError):
            stated_bounds([wrong])


def test_a_quantity_that_lets_an_offer_count_is_no_term_to_lift() -> None:
    """Of a plant without a capacity, the offer's own total is what is known of it: without that it would be a lead."""
    facts = catalog(facility("au", "AU", capacity=()), source("AU", 5, total=6))
    assert sets(asked(unstored(10, end_use="defense"), facts)) == [[("stock", "metal", 4.0)]]


def test_the_share_that_a_limit_moves_to_is_told() -> None:
    """A cap of 30% of 10 kg is relaxed by 2 kg a country: to half."""
    answer = asked(unstored(10), metals(jp=0), rule(MaxShare, id="cap", by="country", share="0.3"))
    use = next(repair.uses[0] for repair in answer.repairs if repair.uses[0].kind.value == "loosen")
    assert (use.amount, use.today, use.to) == (2, Decimal("0.3"), Decimal("0.5"))
    assert "from 30% to 50%" in said(answer)


def test_a_need_that_is_split_over_years_is_one_waiver() -> None:
    """A part's years are demands of their own, but one need: one waiver covers both."""
    years = (demand("metal", "defense", 10, 0, id="part/2026"), demand("metal", "defense", 0, 10, id="part/2027"))
    answer = asked(
        case(*years),
        catalog(facility("cn", "CN", 50), source("CN", 10)),
        ban(*METAL, start=None),
        stock=Decimal(0),
        later=0,
    )
    (repair,) = answer.repairs
    assert [(use.kind, use.of, use.amount) for use in repair.uses] == [(LeverKind.WAIVER, "metal", 20)]


def test_a_limit_that_a_repair_moves_is_named_with_its_year_and_both_bounds() -> None:
    """10 kg of Chinese metal cost 100 in the first year, and 20 kg 200 in the second."""
    answer = asked(unstored(10, 20), metals(au=0, jp=0), rule(Budget, id="cash", amount=150, per="year"))
    assert "raise the yearly budget of 2027 (cash) from USD 150 to USD 200" in said(answer)
    assert "relaxed by" not in said(answer)
