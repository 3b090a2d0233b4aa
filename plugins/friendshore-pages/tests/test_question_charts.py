"""What a question draws is what it found, and its table stays as it is where nothing is drawn."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from tests.building import ban, metals, opened, unstored

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.questions.alternatives.alternatives_document import alternatives_document
from friendshore.questions.alternatives.find_alternatives import alternatives
from friendshore.questions.why_not.find_why_not import why_not
from friendshore.questions.why_not.why_not_document import why_not_document
from friendshore.session import Session
from friendshore_reasons.calendar.document import calendar_document
from friendshore_reasons.calendar.search import calendar
from friendshore_reasons.ledger.document import ledger_document
from friendshore_reasons.ledger.search import ledger
from friendshore_risk.stress import stress_document
from friendshore_risk.stress_answer import stress


@cache
def session() -> Session:
    """40 kg a year for defense, of which Australia gives 20 at 50 and Japan 10 at 80; China, at 10, is barred from the second year on."""
    return opened(unstored(40, 40, end_use="defense"), metals(au=20, jp=10), ban("mined"))


def drawings(document: doc.Document) -> list[doc.Drawing]:
    """Its charts."""
    found: list[doc.Drawing] = []
    left: list[doc.Element] = list(document.parts)
    while left:
        one = left.pop(0)
        if isinstance(one, doc.Drawing):
            found.append(one)
        elif isinstance(one, doc.Section):
            left += one.parts
    return found


def rungs(drawn: doc.Drawing) -> dict[str, Decimal | None]:
    """Name -> amount."""
    assert isinstance(drawn.chart, charts.Ladder)
    return {one.name: one.value for one in drawn.chart.rungs}


def test_losses_are_drawn_by_what_they_cost() -> None:
    """Cash, in the order of the table; what leaves more short looks bad, and so does a loss under which rules conflict."""
    found = stress(session())
    (drawn, *_) = drawings(stress_document(found).whole())
    assert [*rungs(drawn).values()] == [one.cash for one in found.losses]
    assert [str(row.cells[0]) for row in drawn.table.rows] == [name.removeprefix("catalog ") for name in rungs(drawn)]
    assert "catalog tiny" in rungs(drawn)
    looks = [one.tone for one in drawn.chart.rungs]
    assert looks == [doc.Tone.BAD if one.short else doc.Tone.PLAIN for one in found.losses]
    assert [bool(one.note) for one in drawn.chart.rungs] == [bool(one.short) for one in found.losses]


def test_what_items_add_is_drawn_and_adds_up() -> None:
    """The bars of a bill of compliance come to what all items add together."""
    rules = ban("mined"), ban("refined", id="other", countries="AU")
    found = ledger(opened(unstored(40, 40, end_use="defense"), metals(), *rules), items=("ban", "other"))
    (drawn,) = drawings(ledger_document(found))
    assert rungs(drawn) == {"ban": 40 * 40 + 15 * 40, "other": 15 * 40}
    assert found.adds.amount == 40 * 70


def test_offers_are_drawn_by_what_using_them_adds() -> None:
    """Those that can be used, in the order of the table."""
    found = alternatives(opened(unstored(40), metals()))
    (drawn,) = drawings(alternatives_document(found))
    uses = {one.offer: one.used_from_kg for one in found.offers}
    assert rungs(drawn) == {"cn-metal": 0, "au-metal": 40 * uses["au-metal"], "jp-metal": 70 * uses["jp-metal"]}
    assert [str(row.cells[1]) for row in drawn.table.rows] == list(rungs(drawn))


def test_days_on_which_a_demand_is_short_are_drawn_to_the_last() -> None:
    """From the first day short to the day before it is met again, or to the end."""
    found = calendar(session())
    (drawn,) = drawings(calendar_document(found))
    assert isinstance(drawn.chart, charts.Timeline)
    spans = [(span.start, span.end) for row in drawn.chart.rows for span in row.spans]
    assert spans == [(one.start, one.resolved - timedelta(1) if one.resolved else found.until) for one in found.cliffs]
    assert all(found.start <= start <= end <= found.until for start, end in spans)
    assert drawn.chart.start == date(2026, 1, 1)


def test_obstacles_are_drawn_where_there_are_several() -> None:
    """One alone is told in its table."""
    found = why_not(session(), "cn-metal")
    assert [one.obstacle.kind for one in found.obstacles] == ["forbidden"]
    assert drawings(why_not_document(found)) == []
