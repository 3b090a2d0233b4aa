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
    chain,
    demand,
    facility,
    metals,
    offer,
    planned,
    schedule,
    short,
    store,
    tier,
)

from friendshore.case import load_case
from friendshore.document.terminal import plain_text
from friendshore.domain.change import Change
from friendshore.domain.facts import Facility
from friendshore.errors import InputError
from friendshore.problem.inputs import Inputs
from friendshore.rules.base import Facts, Rule
from friendshore.rules.kinds.export_control import ExportControl
from friendshore.rules.kinds.limits import MaxShare, MinShare
from friendshore.rules.rows import Row
from friendshore.session import Session
from friendshore_reasons.repairs.candidates import levers_for
from friendshore_reasons.repairs.document import repairs_document, repairs_screen, repairs_toml
from friendshore_reasons.repairs.levers import LeverBounds, LeverKind, Need, stated_bounds
from friendshore_reasons.repairs.search import Repairs, repairs
from friendshore_reasons.repairs.trials import Trials

YEARLY = LeverBounds(later=1)


def held(*quantities: float, end_use: str = "defense", **more: Any) -> Any:
    """A demand for metal of which nothing can be held, so that every period stands for itself."""
    return case(demand("metal", end_use, *quantities), stores=(store("metal", 0, limit=0),), **more)


def opened(given: Any, facts: Any, *rules: Rule) -> Session:
    """A case solved and verified."""
    return Session.open(Inputs(given, (facts,), rules))


def sets(found: Repairs) -> list[list[tuple[str, str, float | None]]]:
    """Steps of every repair, cheapest first: kind, subject and amount."""
    return [
        [(use.kind.value, use.subject, None if use.amount is None else float(use.amount)) for use in repair.uses]
        for repair in found.repairs
    ]


def text(found: Repairs, width: int = 100) -> str:
    """The report as it is printed."""
    return plain_text(repairs_document(found), width)


def small() -> Session:
    """Australia makes 6 of 10 kg of metal a year; China is banned."""
    plants = [facility("au", "AU", 6), facility("cn", "CN", 50)]
    offers = [
        offer("au-metal", "au", "metal", 50, chain("AU", *METAL)),
        offer("cn-metal", "cn", "metal", 10, chain("CN", *METAL)),
    ]
    return opened(case(demand("metal", "defense", 10)), catalog(*plants, *offers), ban(*METAL, start=None))


def test_each_way_out_is_found_with_the_least_that_will_do() -> None:
    """4 kg are missing: of stock, of a waiver, or of Australian capacity; the stock is free, the waiver's metal at 10, Australia's at 50."""
    found = repairs(small())
    assert sets(found) == [
        [("stock", "metal", 4.0)],
        [("waiver", "ban", 4.0)],
        [("capacity", "au", 4.0)],
    ]
    assert [repair.spends for repair in found.repairs] == [0, 40, 200]
    assert [repair.cost.value for repair in found.repairs if repair.cost] == [-4000, -3960, -3800]
    assert all(repair.cost and repair.cost.proved and repair.left == 0 and repair.least for repair in found.repairs)
    (gap,) = found.gaps
    assert gap.complete
    assert gap.short == 4
    assert gap.demands == ("metal-defense",)


def test_a_repair_is_planned_by_its_changes() -> None:
    """Each repair's changes, planned anew, leave nothing short; a gram less of it does."""
    session = small()
    for repair in repairs(session).repairs:
        (change,) = repair.changes
        assert not short(again(session, change))
        field = "quantity" if change.quantity is not None else "per_year"
        less = change.model_copy(update={field: getattr(change, field) - Decimal("0.001")})
        assert short(again(session, less)) == {"metal-defense": 0.001}


def again(session: Session, *changes: Change) -> Any:
    """The whole case planned anew after some changes."""
    inputs = session.inputs
    return planned(inputs.case, inputs.catalogs[0], *inputs.rules, changes=list(changes))


def test_several_steps_are_needed_together() -> None:
    """Japan's capacity is unknown and its origin unproven: a waiver or proof, a figure, and a bridge over the first year."""
    bare = Facility(id="jp", country="JP", source=SOURCE)
    made = offer("jp-metal", "jp", "metal", 80, chain("JP?", *METAL), lead_time=12)
    found = repairs(opened(held(10, 10), catalog(bare, made), ban(*METAL, start=None)), bounds=LeverBounds(later=1))
    assert sets(found) == [
        [("waiver", "ban", 10.0), ("stock", "metal", 10.0), ("lead", "jp", 10.0)],
        [("proof", "jp-metal", None), ("stock", "metal", 10.0), ("lead", "jp", 10.0)],
        [("later", "metal-defense", 12.0), ("waiver", "ban", 20.0), ("lead", "jp", 20.0)],
        [("later", "metal-defense", 12.0), ("proof", "jp-metal", None), ("lead", "jp", 20.0)],
    ]
    assert "nobody published its capacity" in found.repairs[0].uses[-1].note
    assert found.gaps[0].complete


def test_demand_is_moved_as_little_as_will_do() -> None:
    """The plant starts in the second year and makes 20: the first year's 10 kg are wanted a year later, or the plant starts earlier."""
    step = {"start": "2027-01-01", "per_year": 20, "status": "operating", "source": SOURCE}
    late = Facility.model_validate({"id": "au", "country": "AU", "capacity": [step], "source": SOURCE})
    facts = catalog(late, offer("au-metal", "au", "metal", 5, chain("AU", *METAL)))
    found = repairs(opened(held(10, 5, 5), facts))
    assert sets(found) == [
        [("stock", "metal", 10.0)],
        [("later", "metal-defense", 12.0)],
        [("earlier", "au", 12.0)],
    ]


def test_a_planned_plant_counts() -> None:
    """A plant under construction counts for nothing; taken to run it serves all."""
    facts = catalog(
        facility("au", "AU", 20, status="construction"), offer("au-metal", "au", "metal", 5, chain("AU", *METAL))
    )
    found = repairs(opened(held(10, 10), facts))
    assert [("planned", "au", None)] in sets(found)
    assert "construction" in text(found)


def test_a_licence_lets_exports_go() -> None:
    """An export control keeps the only plant out; a licence lets it in."""
    control = ExportControl.model_validate(
        {"id": "control", "exporters": ["CN"], "effect": "licence", "citation": "art. 1", "phases": [{}]}
    )
    facts = catalog(facility("cn", "CN", 50), offer("cn-metal", "cn", "metal", 10, chain("CN", *METAL)))
    found = repairs(opened(held(10, 10), facts, control))
    assert [("licence", "control", None)] in sets(found)
    assert found.repairs[-1].changes == (Change(grant="control", of="CN"),)


def test_a_term_of_trade_is_lifted() -> None:
    """An offer sells no less than 50 kg, which nothing can hold nor the plant make."""
    facts = catalog(
        facility("au", "AU", 20), offer("au-metal", "au", "metal", 5, chain("AU", *METAL), min_order=Decimal(50))
    )
    found = repairs(opened(held(10, 10), facts), bounds=LeverBounds(capacity=Decimal(0)))
    assert [("term", "minimum-load", None)] in sets(found)


def test_quantities_that_a_price_list_leaves_out_are_a_term_to_lift() -> None:
    """Nothing or 50 kg and more, which nothing can hold."""
    facts = catalog(
        facility("au", "AU", 90),
        offer("au-metal", "au", "metal", 5, chain("AU", *METAL)),
        schedule("au-metal", tier(0, most=0), tier(50), kind="incremental"),
    )
    found = repairs(opened(held(10, 10), facts), bounds=LeverBounds(capacity=Decimal(0)))
    assert [("term", "tiers", None)] in sets(found)


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


def test_a_rule_that_a_plugin_brought_gives_way() -> None:
    """It is loosened by its bounds alone: 6 kg of Australia's may be bought, 10 are wanted in the first year and 8 in the second."""
    facts = catalog(facility("au", "AU", 50), offer("au-metal", "au", "metal", 5, chain("AU", *METAL)))
    found = repairs(opened(held(10, 8), facts, Ration(id="ration", country="AU", kilograms=Decimal(6))))
    assert [("loosen", "ration", 4.0)] in sets(found)
    assert "ration is relaxed by 4 (No more than 6 kg a period from" in text(found)


def trials_of(session: Session, bounds: LeverBounds | None = None) -> Trials:
    """The trials of everything that is short."""
    (gap,) = repairs(session, bounds=bounds, trials=0).gaps
    plan, count = session.verified.plan, session.problem.case.horizon.count
    left = {
        n: [sum(s.quantity for s in plan.shorts if (s.demand, s.period) == (n, t)) for t in range(count)]
        for n in gap.demands
    }
    need = Need(gap.demands, {name: tuple(map(Decimal, by_period)) for name, by_period in left.items()})
    return Trials(session, need, levers_for(session, need, bounds or LeverBounds()))


def test_a_limit_that_is_not_loosened_is_refuted_without_a_trial() -> None:
    """Whatever else is done, no more than 6 of 10 kg may be bought; loosened by 4 kg or more, they may."""
    none = LeverBounds(later=0, stock=Decimal(0))
    facts = catalog(facility("au", "AU", 50), offer("au-metal", "au", "metal", 5, chain("AU", *METAL)))
    trials = trials_of(opened(held(10), facts, Ration(id="ration", country="AU", kilograms=Decimal(6))), none)
    (loosen,) = (i for i, lever in enumerate(trials.levers) if lever.kind is LeverKind.LOOSEN)
    every = {i: lever.most for i, lever in enumerate(trials.levers)}
    assert trials.refuted({i: most for i, most in every.items() if i != loosen})
    assert trials.refuted({**every, loosen: (Decimal("3.9"),)})
    assert not trials.refuted({**every, loosen: (Decimal(4),)})


def test_what_lacks_a_proof_is_refuted_without_a_trial_also_where_it_is_wanted_later() -> None:
    """Japan's origin is unproven, and its metal comes a year late: with a proof and a year's delay all is served, with either alone it is not."""
    made = offer("jp-metal", "jp", "metal", 80, chain("JP?", *METAL), lead_time=12)
    session = opened(held(10, 0), catalog(facility("jp", "JP", 50), made), ban(*METAL, start=None))
    trials = trials_of(session, LeverBounds(later=1, stock=Decimal(0)))
    place = {lever.kind: i for i, lever in enumerate(trials.levers)}
    later, proof = place[LeverKind.LATER], place[LeverKind.PROOF]
    assert trials.refuted({proof: ()})
    assert trials.refuted({later: trials.levers[later].most})
    assert not trials.refuted({later: trials.levers[later].most, proof: ()})


def test_amounts_of_whole_lots_are_the_least() -> None:
    """Australia sells lots of 4 kg, at most 8 kg a year: of 10 kg two are missing, and of them a stock need hold no more."""
    made = offer("au-metal", "au", "metal", 5, chain("AU", *METAL), lot=Decimal(4))
    found = repairs(opened(held(10), catalog(facility("au", "AU", 8), made)))
    assert ("stock", "metal", 2.0) in [uses[0] for uses in sets(found) if len(uses) == 1]


def test_rules_that_conflict_give_way() -> None:
    """A cap of 3 kg and a floor of 8 on the same country: either is relaxed by 5, and the rules are told with their words."""
    cap = MaxShare.model_validate(
        {"id": "cap", "by": "country", "countries": ["CN"], "share": "0.3", "citation": "s. 1"}
    )
    floor = MinShare.model_validate({"id": "floor", "by": "country", "countries": ["CN"], "share": "0.8"})
    found = repairs(opened(held(10, end_use="civil", resolution=1), metals(), cap, floor))
    (gap,) = found.gaps
    assert gap.rules == ("cap", "floor")
    assert sets(found) == [[("loosen", "cap", 5.0)], [("loosen", "floor", 5.0)]]
    assert [repair.spends for repair in found.repairs] == [8 * 10 + 2 * 50, 3 * 10 + 7 * 50]
    assert all(repair.left == 0 and repair.cost and repair.cost.proved for repair in found.repairs)
    assert "(s. 1)" in text(found)


def test_what_is_only_too_dear_needs_no_repair() -> None:
    """Japan could deliver the missing 60 kg at 80; a shortage costs 60."""
    found = repairs(opened(case(demand("metal", "civil", 100, price=60)), metals(cn=20, au=20)))
    assert found.gaps[0].served is not None
    assert found.gaps[0].served.value == 60 * (80 - 60)
    assert found.gaps[0].dearer
    assert not found.repairs
    assert "shortage_price" in text(found)


def test_what_a_plan_would_rather_be_short_of_is_priced_and_comes_last() -> None:
    """60 kg are missing at 60 each; Japan and China together could make 40 more, at 80 and 10, and 20 lie in stock at most."""
    small_stock = LeverBounds(stock=Decimal("0.2"), later=0)
    found = repairs(
        opened(case(demand("metal", "civil", 100, price=60)), metals(cn=20, au=20, jp=20)), bounds=small_stock
    )
    first, *_, last = found.repairs
    assert not first.rounded
    assert first.served is not None
    assert last.served is not None
    assert first.cost is not None
    assert first.served.value > first.cost.value
    assert "cheaper than to be served" in " ".join(text(found).split())
    told = plain_text(repairs_screen(found.but(gaps=found.gaps * 2)), 10_000)
    assert "stay short, since serving them costs more than their penalty" in told
    assert first.cash is not None
    assert first.penalty is not None
    assert f"cash, the cheapest of {len(found.repairs)}" in told, "no amount that contains penalties"
    assert first.cost.value == first.spends + first.penalty


def test_nothing_within_bounds_is_said_with_what_is_left() -> None:
    """Nothing may lie in stock, grow or be waived: the best that is available is told."""
    none = LeverBounds(capacity=Decimal(0), later=0, stock=Decimal(0), lead=Decimal(0))
    facts = catalog(facility("au", "AU", 6), offer("au-metal", "au", "metal", 5, chain("AU", *METAL)))
    found = repairs(opened(held(10), facts), bounds=none)
    assert not found.repairs
    assert found.gaps[0].complete
    assert "still" in text(found)


def test_nothing_short_is_nothing_to_repair() -> None:
    """And a material that nobody wants is refused."""
    session = opened(held(10, end_use="civil"), metals())
    assert "nothing to repair" in text(repairs(session))
    with pytest.raises(InputError, match="nobody wants"):
        repairs(session, "magnet")


def test_no_trials_are_said() -> None:
    """Without trials nothing is found, and nothing is claimed."""
    found = repairs(small(), trials=0)
    assert not found.gaps[0].complete
    assert not found.repairs
    assert "the search ended after 0 trials (--trials): there may be more repairs of up to 3 steps" in " ".join(
        text(found).split()
    )


@pytest.mark.parametrize("each", [7, pytest.param(1, marks=pytest.mark.deep)])
def test_trials_are_what_is_counted(each: int) -> None:
    """Ended after every number of trials, what is said to be known of the repairs is what all trials find, and so much is tried, no more."""
    whole = repairs(small())
    (all_of_it,) = whole.gaps
    for trials in range(0, all_of_it.tried, each):
        found = repairs(small(), trials=trials)
        (gap,) = found.gaps
        assert not gap.complete
        assert gap.tried == trials
        known = [uses for uses in sets(whole) if len(uses) <= gap.searched]
        assert [uses for uses in sets(found) if len(uses) <= gap.searched] == known
    assert repairs(small(), trials=all_of_it.tried).gaps == whole.gaps


def test_what_is_interrupted_claims_nothing() -> None:
    """Ctrl-C before the search: no repair, and no claim that there is none."""
    cancel = Event()
    session = small()
    stopped = Session.open(session.inputs, cancel=cancel)
    cancel.set()
    found = repairs(stopped)
    assert not found.repairs
    assert not found.gaps[0].complete
    assert found.gaps[0].left is None


def test_the_table_reads_like_this() -> None:
    """Steps in words, money, what is then short, what was tried within which bounds."""
    told = text(repairs(small()))
    assert "metal: short of 4 kg in 2026, for metal-defense" in told
    assert "4 kg of metal in stock, all of US origin" in told
    assert "waiver of ban for 4 kg of metal-defense until 2026-12-31" in told
    assert "au (AU) makes 10 kg a year instead of 6 kg" in told
    assert "these are all of up to 3 steps" in told
    assert all(len(line) <= 100 for line in told.splitlines())


def test_repairs_can_be_pasted_into_a_case(tmp_path: Path) -> None:
    """What is printed as TOML is read as the same changes."""
    found = repairs(small())
    head = 'schema = 1\n[case]\nname = "c"\nstart = 2026-01-01\nperiods = 1\nperiod = "year"\nplace = "US"\n'
    head += '[[demand]]\nmaterial = "metal"\nend_use = "defense"\nquantity = "10 kg"\n'
    (tmp_path / "case.toml").write_text(head + repairs_toml(found))
    scenarios = load_case(tmp_path).scenarios
    assert [scenario.name for scenario in scenarios] == ["repair-metal-1", "repair-metal-2", "repair-metal-3"]
    assert [scenario.change for scenario in scenarios] == [repair.changes for repair in found.repairs]


HOSTILE = 'a "b" \\ [c] # d\ne\t\x07\x7f é 鎵'
"""What no id should be, and some spreadsheet's id is: quotes, a newline, control characters, signs of other scripts."""


def test_whatever_things_are_called_repairs_can_be_pasted(tmp_path: Path) -> None:
    """Names with quotes, line breaks and control characters are escaped: each change reads back as it was."""
    found = repairs(small())
    changes = (
        Change(waive=HOSTILE, of=HOSTILE, quantity=Decimal("0.1234567"), end=date(2026, 12, 31)),
        Change(capacity=HOSTILE, per_year=Decimal("1E+3"), why=HOSTILE),
        Change(stock=HOSTILE, quantity=Decimal(4), countries=frozenset({"AU", "US"})),
        Change(price=HOSTILE, amount=Decimal("12.5"), currency="EUR"),
        Change(demand=HOSTILE, delay=Decimal(3)),
    )
    gap = found.gaps[0].model_copy(update={"material": HOSTILE})
    odd = [repair.model_copy(update={"changes": changes}) for repair in found.repairs]
    head = 'schema = 1\n[case]\nname = "c"\nstart = 2026-01-01\nperiods = 1\nperiod = "year"\nplace = "US"\n'
    printed = repairs_toml(found.model_copy(update={"gaps": (gap,), "repairs": tuple(odd)}))
    (tmp_path / "case.toml").write_text(head + printed, encoding="utf-8")
    scenarios = load_case(tmp_path).scenarios
    assert len(scenarios) == 3
    assert all(scenario.change == changes for scenario in scenarios)


def test_bounds_are_stated_in_words() -> None:
    """A name and a number; anything else is refused."""
    assert stated_bounds(["stock=2", "later=0"]) == LeverBounds(stock=Decimal(2), later=0)
    for wrong in ("stocks=2", "stock", "stock=-1", "later=1.5"):
        with pytest.raises(InputError):
            stated_bounds([wrong])


def test_records_go_to_json_and_frames() -> None:
    """As every answer."""
    found = repairs(small())
    assert Repairs.model_validate(found.to_dict()) == found
    assert list(found.to_frame("repairs")["rank"]) == [1, 2, 3]


def test_a_quantity_that_lets_an_offer_count_is_no_term_to_lift() -> None:
    """Of a plant without a capacity, the offer's own total is what is known of it: without that it would be a lead."""
    bare = Facility(id="au", country="AU", source=SOURCE)
    facts = catalog(bare, offer("au-metal", "au", "metal", 5, chain("AU", *METAL), total=Decimal(6)))
    found = repairs(opened(held(10), facts))
    assert sets(found) == [[("stock", "metal", 4.0)]]


def test_the_share_that_a_limit_moves_to_is_told() -> None:
    """A cap of 30 % of 10 kg is relaxed by 2 kg a country: to half."""
    cap = MaxShare.model_validate({"id": "cap", "by": "country", "share": "0.3"})
    found = repairs(opened(held(10, end_use="civil"), metals(jp=0), cap))
    use = next(repair.uses[0] for repair in found.repairs if repair.uses[0].kind.value == "loosen")
    assert (use.amount, use.today, use.to) == (2, Decimal("0.3"), Decimal("0.5"))
    assert "to 50 % in the place of 30 %" in " ".join(text(found).split())
