"""Losses: whom a plan depends on, what it costs to lose them, and what is then short."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from threading import Event

import pytest
from tests.building import case, catalog, demand, facility, metals, named_metals, opened, source, store, unstored

from friendshore.document.terminal import plain_text
from friendshore.domain.change import Change
from friendshore.errors import InputError
from friendshore.rules.base import Phase
from friendshore_risk.losses import first_day, losses
from friendshore_risk.stress import stress_document
from friendshore_risk.stress_answer import Stress, stress

from .small import Floor


def costs(found: Stress) -> dict[str, float]:
    """Rise of the objective by who is lost."""
    return {each.loss.name: float(each.rise.value) for each in (*found.losses, *found.pairs)}


def text(found: Stress, width: int = 100) -> str:
    """The report as it is printed."""
    return plain_text(stress_document(found), width)


def test_what_is_short_goes_by_name_and_says_what_it_weighs() -> None:
    """In the document and on the screen."""
    answer = stress(opened(unstored(40), named_metals()))
    assert "Antimony trioxide 40 kg Sb" in text(answer)
    assert "Antimony trioxide 40 kg Sb" in plain_text(stress_document(answer).on_screen(), 100)


def test_what_is_lost_with_the_same_offers_is_one_loss() -> None:
    """A plant, its supplier, its parent and its country all sell one offer: asked once, told once."""
    loss = next(loss for loss in losses(opened(unstored(40), metals(cn=30))) if loss.names == ("cn",))
    assert loss.by == ("supplier", "parent")
    assert loss.also == ("country CN",)


def test_everyone_who_could_deliver_is_asked_about_only_on_request() -> None:
    """Japan is in no plan."""
    session = opened(unstored(20), metals(cn=30))
    assert "jp" not in costs(stress(session, pairs=False))
    assert costs(stress(session, everything=True, pairs=False))["jp"] == 0


def test_a_loss_known_too_late_is_not_bought_for() -> None:
    """Orders of 2026 are decided: Australia delivers at 50 in 2027."""
    given = case(demand("metal", "civil", 10, 10), stores=(store("metal", 1),))
    session, day = opened(given, metals()), date(2027, 1, 1)
    knowing = stress(session, start=day, pairs=False)
    decided = stress(session, decided_before=day, pairs=False)
    assert (knowing.foreseen, knowing.decided_before) == (True, None)
    assert (round(costs(decided)["cn"]), decided.foreseen, decided.decided_before) == (10 * 40, False, day)
    assert decided.start == day
    assert "add --decided-before 2027-01-01" in " ".join(text(knowing).split())
    assert "orders before 2027-01-01 stay as they are" in " ".join(text(decided).split())
    assert "decided" not in text(stress(session, pairs=False))
    with pytest.raises(InputError, match="--from 2027-01-01"):
        stress(session, start=date(2026, 1, 1), decided_before=day)


def test_a_loss_cancels_what_would_have_to_be_paid_untaken() -> None:
    """Bound to 10 kg a year of either year, 5 wanted in the first alone: lost after it, Australia is worth buying from, and cheaper."""
    session = opened(unstored(5, 0), catalog(source("CN", 60), source("AU", 20, take_or_pay=10)))
    assert session.verified.cost.objective == 5 * 60
    answer = stress(session, everything=True, pairs=False, start=date(2027, 1, 1))
    assert costs(answer)["au"] == 10 * 20 - 5 * 60


def test_a_supplier_called_like_a_country_or_a_plant_is_told_apart() -> None:
    """The word for a change is about the supplier, whatever else bears the name."""
    sites = facility("cn", "CN", operator="country:AU"), facility("au", "AU", operator="cn")
    facts = catalog(*sites, source("CN", 10), source("AU", 50))
    found = costs(stress(opened(unstored(10), facts), pairs=False))
    assert found["country:AU"] == 10 * 40
    assert opened(unstored(10), facts).what_if(Change(remove="supplier:cn")).rise.objective == 0


def test_the_price_of_a_shortage_stays_what_it_is() -> None:
    """Without a stated one it is ten times the dearest offer, which the loss must not lower."""
    given = case(demand("metal", "civil", 10, shortage_price=None), stores=(store("metal", 0, limit=0),))
    assert costs(stress(opened(given, catalog(source("CN", 10))), pairs=False))["cn"] == 10 * 100 - 10 * 10


def test_rules_that_conflict_after_a_loss_are_named_first() -> None:
    """A plugin's floor that nothing can keep without China: named, and no cost is claimed as proved."""
    answer = stress(opened(unstored(40), metals(cn=30), Floor(id="floor")), pairs=False)
    assert [each.conflict for each in answer.losses if each.loss.name in ("tiny", "cn")] == [("floor",)] * 2
    assert [bool(each.conflict) for each in answer.losses] == [True, True, False]
    assert not answer.losses[0].rise.proved
    assert "rules conflict" in text(answer)


def test_a_dated_rule_of_a_plugin_bears_on_what_stands_in() -> None:
    """From 2027 on at least 4 kg come from Japan anyway: only the other 6 are dearer without Australia."""
    floor = Floor(id="floor", plant="jp", least=Decimal(4), phases=(Phase(start=date(2027, 1, 1)),))
    answer = stress(opened(unstored(10, 10), metals(cn=0, au=50), floor), start=date(2027, 1, 1), pairs=False)
    assert costs(answer)["au"] == 6 * 30


@pytest.mark.parametrize(("word", "day"), [("2026", date(2026, 1, 1)), ("2027-05-03", date(2027, 5, 3))])
def test_a_moment_is_a_date_or_a_period(word: str, day: date) -> None:
    """Periods are named as in the tables."""
    assert first_day(unstored(1, 1).horizon, word) == day


@pytest.mark.parametrize("word", ["2028", "2025-12-31", "soon", "2026-13-01"])
def test_any_other_moment_is_refused(word: str) -> None:
    """With what is expected."""
    with pytest.raises(InputError, match="2026-01-01 to 2027-12-31"):
        first_day(unstored(1, 1).horizon, word)


def test_an_interval_is_told_in_full() -> None:
    answer = stress(opened(unstored(40), metals(cn=30, au=20)), pairs=False)
    open_ = {"low": Decimal(-14712850797), "high": Decimal(126546871650), "proved": False}
    first = answer.losses[0]
    loss = first.model_copy(update={"rise": first.rise.model_copy(update=open_)})
    told = " ".join(text(answer.model_copy(update={"losses": (loss, *answer.losses[1:])})).split())
    for word in ("-14,712,850,797", "126,546,871,650", "not proved"):
        assert all(part in told for part in word.split())
    assert "…" not in told


def test_what_is_not_asked_any_more_is_said() -> None:
    """The user ends the search after the first loss."""
    stop = Event()
    session = opened(unstored(40), metals(cn=30, au=20), cancel=stop)
    answer = stress(session, progress=lambda *_: stop.set())
    assert (len(answer.losses), answer.not_tried, answer.effort.questions) == (1, 3, 1)
    assert "the search was ended before 3 losses could be evaluated" in text(answer)


def test_the_text_of_losses() -> None:
    """Of 40 kg, 30 come from China at 10 and 10 from Australia at 50; Japan at 80 stands in, and is in no plan.

    China: 10 kg at 50 - 10, 20 at 80 - 10. Australia: 10 kg at 80 - 50. Both: 40 kg at 80 in the place of 800 USD.
    """
    answer = stress(opened(unstored(40), metals(cn=30, au=20)))
    assert all(each.rise.proved and not each.tied for each in answer.losses)
    assert [line.rstrip() for line in text(answer).strip().splitlines()] == GOLDEN.strip().splitlines()


GOLDEN = """
Each supplier of the plan is removed in turn from 2026-01-01 to the end of the plan. The current
plan spends USD 800. Losses are ranked by spend plus penalties.

Without each one alone
Without  Kind                                    Additional shortage  Cash, USD  Penalty
tiny     catalog                                 metal 40 kg               -800  +40,000
cn       supplier and parent, country China      –                       +1,800        –
au       supplier and parent, country Australia  –                         +300        –

Without two countries together
Without              Additional shortage  Cash, USD  Penalty  Beyond both alone, penalty included
Australia and China  –                       +2,400        –                                 +300

4 questions asked, 4 independent parts solved, 20% of the parts reused
"""
