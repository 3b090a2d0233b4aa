"""Losses: whom a plan depends on, what it costs to lose them, and what is then short."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from threading import Event
from typing import Any, Literal

import pytest
from tests.building import case, catalog, demand, facility, metals, named_metals, source, store

from friendshore.document.terminal import plain_text
from friendshore.domain.change import Change
from friendshore.domain.facts import Place
from friendshore.domain.use import Chained
from friendshore.errors import InputError
from friendshore.problem.inputs import Inputs
from friendshore.rules.base import Facts, Phase, Rule
from friendshore.rules.rows import Row
from friendshore.session import Session
from friendshore_risk.stress.document import stress_document
from friendshore_risk.stress.losses import first_day, losses
from friendshore_risk.stress.screen import stress_screen
from friendshore_risk.stress.search import Stress, stress


def opened(given: Any, facts: Any, *rules: Rule) -> Session:
    """A solved case."""
    return Session.open(Inputs(given, (facts,), rules))


def civil(*quantities: float) -> Any:
    """Metal for civil use, of which nothing can be held."""
    return case(demand("metal", "civil", *quantities), stores=(store("metal", 0, limit=0),))


def costs(found: Stress) -> dict[str, float]:
    """Rise of the objective by who is lost."""
    return {each.loss.name: float(each.rise.value) for each in (*found.losses, *found.pairs)}


def text(found: Stress, width: int = 100) -> str:
    """The report as it is printed."""
    return plain_text(stress_document(found), width)


def test_what_is_short_goes_by_name_and_says_what_it_weighs() -> None:
    """In the document and on the screen."""
    found = stress(opened(civil(40), named_metals()))
    assert "Antimony trioxide 40 kg Sb" in text(found)
    assert "Antimony trioxide 40 kg Sb" in plain_text(stress_screen(found), 100)


def test_each_loss_costs_what_the_next_best_costs_more() -> None:
    """Of 40 kg, 30 come from China at 10 and 10 from Australia at 50; Japan at 80 stands in, and is in no plan."""
    found = stress(opened(civil(40), metals(cn=30, au=20)))
    assert costs(found) == {
        "cn": 10 * 40 + 20 * 70,
        "tiny": 40 * 1000 - 30 * 10 - 10 * 50,
        "au": 10 * 30,
        "AU and CN": 40 * 80 - 800,
    }
    assert [each.loss.name for each in found.losses] == ["tiny", "cn", "au"]
    assert all(each.rise.proved and not each.tied for each in found.losses)
    (short,) = found.losses[0].short
    assert (short.material, short.kilograms) == ("metal", 40)
    assert found.losses[0].spent == -800
    assert found.effort.questions == 4


def test_what_is_lost_with_the_same_offers_is_one_loss() -> None:
    """A plant, its supplier, its parent and its country all sell one offer: asked once, told once."""
    loss = next(one for one in losses(opened(civil(40), metals(cn=30))) if one.names == ("cn",))
    assert loss.by == ("supplier", "parent")
    assert loss.also == ("country CN",)


def test_everyone_who_could_deliver_is_asked_about_only_on_request() -> None:
    """Japan is in no plan."""
    session = opened(civil(20), metals(cn=30))
    assert "jp" not in costs(stress(session, pairs=False))
    assert costs(stress(session, everything=True, pairs=False))["jp"] == 0


def test_a_loss_may_begin_later() -> None:
    """The second of two years alone."""
    found = stress(opened(civil(10, 10), metals()), start=date(2027, 1, 1), pairs=False)
    assert costs(found)["cn"] == 10 * 40


def test_a_loss_known_beforehand_is_bought_for_in_time() -> None:
    """What is held from the first year costs 1 a kilogram and year: 11 in the place of 50."""
    given = case(demand("metal", "civil", 10, 10), stores=(store("metal", 1),))
    assert costs(stress(opened(given, metals()), start=date(2027, 1, 1), pairs=False))["cn"] == 10


def test_a_loss_known_too_late_is_not_bought_for() -> None:
    """What 2026 orders is decided: Australia delivers at 50 in 2027. The report says which of the two was asked."""
    given = case(demand("metal", "civil", 10, 10), stores=(store("metal", 1),))
    session, day = opened(given, metals()), date(2027, 1, 1)
    knowing, decided = (
        stress(session, start=day, pairs=False),
        stress(session, decided_before=day, pairs=False),
    )
    assert (costs(knowing)["cn"], knowing.foreseen, knowing.decided_before) == (10, True, None)
    assert (round(costs(decided)["cn"]), decided.foreseen, decided.decided_before) == (10 * 40, False, day)
    assert decided.start == day
    assert "add --decided-before 2027-01-01" in " ".join(text(knowing).split())
    assert "orders before 2027-01-01 stays as it is" in " ".join(text(decided).split())
    assert "decided" not in text(stress(session, pairs=False))
    with pytest.raises(InputError, match="--from 2027-01-01"):
        stress(session, start=date(2026, 1, 1), decided_before=day)


def test_a_loss_cancels_what_would_have_to_be_paid_untaken() -> None:
    """Bound to 10 kg a year of either year, 5 wanted in the first alone: lost after it, Australia is worth buying from, and cheaper."""
    bound = source("AU", 20, take_or_pay=10)
    facts = catalog(facility("cn", "CN"), facility("au", "AU"), source("CN", 60), bound)
    session = opened(civil(5, 0), facts)
    assert session.verified.cost.objective == 5 * 60
    found = stress(session, everything=True, pairs=False, start=date(2027, 1, 1))
    assert costs(found)["au"] == 10 * 20 - 5 * 60


def test_a_supplier_called_like_a_country_or_a_plant_is_told_apart() -> None:
    """The word for a change is about the supplier, whatever else bears the name."""
    sites = facility("cn", "CN", operator="country:AU"), facility("au", "AU", operator="cn")
    facts = catalog(*sites, source("CN", 10), source("AU", 50))
    found = costs(stress(opened(civil(10), facts), pairs=False))
    assert found["country:AU"] == 10 * 40
    assert opened(civil(10), facts).after(Change(remove="supplier:cn")).rise.objective == 0


def test_the_price_of_a_shortage_stays_what_it_is() -> None:
    """Without a stated one it is ten times the dearest offer, which the loss must not lower."""
    bare = demand("metal", "civil", 10).model_copy(update={"shortage_price": None})
    given = case(bare, stores=(store("metal", 0, limit=0),))
    facts = catalog(facility("cn", "CN"), source("CN", 10))
    assert costs(stress(opened(given, facts), pairs=False))["cn"] == 10 * 100 - 10 * 10


class Floor(Rule):
    """A plugin's kind: at least so many kilograms of metal from one plant, from a day on."""

    kind: Literal["floor"] = "floor"
    plant: str = "cn"
    least: Decimal = Decimal(5)

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row over all periods in which it applies."""

        def counts(offer: Chained, place: Place) -> int:
            return int(offer.facility.id == self.plant)

        for label, periods in facts.spans("horizon"):
            yield Row(label, (facts.bought(counts, periods),), at_least=self.least)


def test_rules_that_conflict_after_a_loss_are_named_first() -> None:
    """A plugin's floor that nothing can keep without China: named, and no cost is claimed as proved."""
    found = stress(opened(civil(40), metals(cn=30), Floor(id="floor")), pairs=False)
    assert [each.conflict for each in found.losses if each.loss.name in ("tiny", "cn")] == [("floor",)] * 2
    assert [bool(each.conflict) for each in found.losses] == [True, True, False]
    assert not found.losses[0].rise.proved
    assert "rules conflict" in text(found)


def test_a_dated_rule_of_a_plugin_bears_on_what_stands_in() -> None:
    """From 2027 on at least 4 kg come from Japan anyway: only the other 6 are dearer without Australia."""
    floor = Floor(id="floor", plant="jp", least=Decimal(4), phases=(Phase(start=date(2027, 1, 1)),))
    found = stress(opened(civil(10, 10), metals(cn=0, au=50), floor), start=date(2027, 1, 1), pairs=False)
    assert costs(found)["au"] == 6 * 30


@pytest.mark.parametrize(("word", "day"), [("2026", date(2026, 1, 1)), ("2027-05-03", date(2027, 5, 3))])
def test_a_moment_is_a_date_or_a_period(word: str, day: date) -> None:
    """Periods are named as in the tables."""
    assert first_day(civil(1, 1).horizon, word) == day


@pytest.mark.parametrize("word", ["2028", "2025-12-31", "soon", "2026-13-01"])
def test_any_other_moment_is_refused(word: str) -> None:
    """With what is expected."""
    with pytest.raises(InputError, match="2026-01-01 to 2027-12-31"):
        first_day(civil(1, 1).horizon, word)


def test_the_report_says_what_is_lost_and_what_is_then_short() -> None:
    """Names, money, kilograms, and what it took; no line is wider than asked for."""
    told = text(stress(opened(civil(40), metals(cn=30, au=20))))
    assert "taken away in turn from 2026-01-01" in told
    (row,) = [line.split() for line in told.splitlines() if line.startswith("tiny ")]
    assert row == ["tiny", "catalog", "metal", "40", "kg", "-800", "+40,000"]  # short, cash, penalty
    assert "39,200" not in told
    assert "metal 40 kg" in told
    assert "4 questions asked" in told
    assert max(map(len, told.splitlines())) <= 100


def test_an_interval_is_told_in_full() -> None:
    """What is not proved lies between two numbers; both are printed, however long."""
    found = stress(opened(civil(40), metals(cn=30, au=20)), pairs=False)
    open_ = {"low": Decimal(-14712850797), "high": Decimal(126546871650), "proved": False}
    first = found.losses[0]
    loss = first.model_copy(update={"rise": first.rise.model_copy(update=open_)})
    told = " ".join(text(found.model_copy(update={"losses": (loss, *found.losses[1:])})).split())
    for word in ("-14,712,850,797", "126,546,871,650", "not proved"):
        assert all(part in told for part in word.split())
    assert "…" not in told


def test_what_is_not_asked_any_more_is_said() -> None:
    """The user ends the search after the first loss."""
    stop = Event()
    session = Session.open(Inputs(civil(40), (metals(cn=30, au=20),), ()), cancel=stop)
    found = stress(session, progress=lambda *_: stop.set())
    assert (len(found.losses), found.unasked, found.effort.questions) == (1, 3, 1)
    assert "the search was ended: 3 losses not asked about" in text(found)


def test_the_text_of_losses() -> None:
    """Word for word."""
    told = text(stress(opened(civil(40), metals(cn=30, au=20))))
    assert [line.rstrip() for line in told.strip().splitlines()] == GOLDEN.strip().splitlines()


GOLDEN = """
Everyone the plan buys from, taken away in turn from 2026-01-01 to the end of the plan. As it is,
the plan spends USD 800. Losses are ranked by spend and penalties together.

Without each of them alone
Without  Which is                         Short in addition  Cash, USD  Penalty
───────────────────────────────────────────────────────────────────────────────
tiny     catalog                          metal 40 kg             -800  +40,000
cn       supplier and parent, country CN  –                     +1,800        –
au       supplier and parent, country AU  –                       +300        –

Without two countries together
Without    Short in addition  Cash, USD  Penalty  Beyond the two alone, penalty included
────────────────────────────────────────────────────────────────────────────────────────
AU and CN  –                     +2,400        –                                    +300

4 questions asked, 4 independent parts solved, 20 % of the parts known already
"""
