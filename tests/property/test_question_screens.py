"""The screen of any answer: 50 lines at 100 characters, whole identifiers, each row shown or counted; and that of any document of a plugin."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import EnumType
from typing import Any, Literal, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from friendshore.document import elements as doc
from friendshore.document.excerpts import LINES, shortened
from friendshore.document.terminal import lines as lines_of
from friendshore.document.terminal import plain_text
from friendshore.domain.base import Record
from friendshore.domain.change import Change
from friendshore.explain.results import Difference
from friendshore.questions.alternatives.alternatives_document import alternatives_document
from friendshore.questions.alternatives.find_alternatives import Alternatives, MaterialMix
from friendshore.questions.compare.comparison import Comparison
from friendshore.questions.compare.comparison_document import comparison_document
from friendshore_reasons.calendar.document import calendar_document
from friendshore_reasons.calendar.search import Calendar
from friendshore_reasons.ledger.document import ledger_document
from friendshore_reasons.ledger.search import Ledger
from friendshore_reasons.repairs.document import repairs_document
from friendshore_reasons.repairs.search import Gap, Repairs
from friendshore_risk.stress import stress_document
from friendshore_risk.stress_answer import Insurance, Stress
from friendshore_workbooks.unknowns import Unknowns, ask_document

from .settings import examples
from .test_screens import _NAMES, counted, whole_names

_ROWS = 14
"""Entries of a table of an answer, at most; of a list within an entry, three."""
_MONEY = st.integers(-(10**13), 10**13).map(lambda cents: Decimal(cents) / 100) | st.just(Decimal(0))
_DAY = st.dates(date(2026, 1, 1), date(2035, 12, 31))
_PLAIN: dict[object, st.SearchStrategy[Any]] = {
    str: _NAMES, int: st.integers(0, 400), bool: st.booleans(), Decimal: _MONEY, date: _DAY, float: st.floats(0, 1),
}  # fmt: skip


def value(draw: st.DrawFn, kind: Any, most: int) -> Any:
    """Anything of a type of a field."""
    of = get_args(kind)
    if kind in _PLAIN:
        return draw(_PLAIN[kind])
    if isinstance(kind, EnumType):
        return draw(st.sampled_from(list(kind)))
    if kind is Difference:  # mostly proved
        found = draw(_MONEY)
        proved = draw(st.integers(0, 4)) > 0
        ends = (found, found) if proved else draw(st.sampled_from(((None, None), (found - 1000, found + 1000))))
        return Difference(value=found, low=ends[0], high=ends[1], proved=proved)
    if isinstance(kind, type) and issubclass(kind, Record):
        return made(draw, kind, 3)
    if get_origin(kind) is Literal:
        return draw(st.sampled_from(of))
    if get_origin(kind) in (tuple, list):
        some = [] if of[0] is Change else [value(draw, of[0], 3) for _ in range(draw(st.integers(0, most)))]
        return get_origin(kind)(some)
    if get_origin(kind) is dict:
        return {draw(_NAMES): draw(_MONEY) for _ in range(draw(st.integers(0, 3)))}
    if hasattr(kind, "__metadata__"):
        return value(draw, of[0], most)
    if not of:
        raise AssertionError(f"no way to draw {kind!r}")
    one = draw(st.sampled_from(of))
    return None if one is type(None) else value(draw, one, most)


def made(draw: st.DrawFn, record: type[Record], most: int = _ROWS) -> Any:
    """A record, its fields drawn by their types."""
    record.model_rebuild()  # types that a module names before it defines them
    drawn = {name: value(draw, field.annotation, most) for name, field in record.model_fields.items()}
    if "currency" in drawn:
        drawn["currency"] = "USD"
    return record.model_construct(**drawn)


Counts = list[tuple[str, int]]
"""How a table begins, and how many rows there are."""
_MORE = r"^(\d+) (?:more|later)\b.*?\(--full"


def stress(draw: st.DrawFn) -> tuple[doc.Document, Counts]:
    """Losses, pairs, insurance."""
    found, insured = made(draw, Stress), made(draw, Insurance)
    for one in (*found.losses, *found.pairs, *insured.losses):
        one.loss.__dict__["names"] = one.loss.names or ("QXaXZ",)
    felt = [one for one in found.losses if one.conflict or one.short or not one.rise.proved or abs(one.rise.value) >= 1]
    return stress_document(found, 3, insured), [
        ("^Without {2,}", len(felt)),
        ("^Stock that", len(insured.stock)),
        ("^Not fully insured", sum(not one.met for one in insured.losses)),
    ]


def alternatives(draw: st.DrawFn) -> tuple[doc.Document, Counts]:
    """Offers of several materials; of one the document is told."""
    found = made(draw, Alternatives)
    found.__dict__["materials"] = [*found.materials, made(draw, MaterialMix)] if found.materials else []
    for place, one in enumerate(found.offers):
        if found.materials:
            one.__dict__["material"] = found.materials[place % len(found.materials)].material
    return alternatives_document(found), [("^(Alternative for|No alternative)", len(found.materials))]


def ledger(draw: st.DrawFn) -> tuple[doc.Document, Counts]:
    """Items and what is scarce."""
    found = made(draw, Ledger)
    sums = [(one, (one.difference, one.off_alone, one.on_alone)) for one in found.items]
    felt = [any(not each.proved or abs(each.value) >= Decimal("0.005") for each in three) for _, three in sums]
    told = [one.adds.amount or one.adds.short_kg or some for (one, _), some in zip(sums, felt, strict=True)]
    return ledger_document(found), [("^Item", sum(map(bool, told)))]


def calendar(draw: st.DrawFn) -> tuple[doc.Document, Counts]:
    """Dates, and what is short."""
    found = made(draw, Calendar)
    return calendar_document(found), [("^Short", len(found.cliffs)), ("^From", len(found.intervals))]


def compare(draw: st.DrawFn) -> tuple[doc.Document, Counts]:
    """Two plans."""
    found = made(draw, Comparison)
    near = found.moved_kg is not None
    moved = [one for one in found.mix if (one.moved_kg if near else one.before_kg != one.after_kg)]
    return comparison_document(found, 12), [("^Delivered", len(moved))]


def ask(draw: st.DrawFn) -> tuple[doc.Document, Counts]:
    """What is not known."""
    found = made(draw, Unknowns)
    for one in found.unknowns:  # the position of an answer is that of one that was tried
        one.__dict__["best"] = 0 if one.possibilities else None
    return ask_document(found, 6), [("^( *#)? +Unknown|^Unknown", len(found.unknowns))]


def repairs(draw: st.DrawFn) -> tuple[doc.Document, Counts]:
    """Several gaps and what closes them; of one the document is told. None counts rows: sections do."""
    found = made(draw, Repairs)
    found.__dict__["gaps"] = (*found.gaps, made(draw, Gap)) if found.gaps else ()
    for place, one in enumerate(found.repairs):
        one.__dict__["gap"] = 1 + place % max(len(found.gaps), 1)
    for gap in found.gaps:
        gap.__dict__["sentences"] = gap.rules
    return repairs_document(found), []


SCREENS: dict[str, Callable[[st.DrawFn], tuple[doc.Document, Counts]]] = {
    one.__name__: one for one in (stress, alternatives, ledger, calendar, compare, ask, repairs)
}


@pytest.mark.parametrize("question", SCREENS)
@examples(24)
@given(st.data())
def test_an_answer_is_a_screen_on_which_nothing_is_lost(question: str, data: st.DataObject) -> None:
    """At most 50 lines at 100 characters; from 60 on identifiers stand whole, and rows that are not shown are counted."""
    document, counts = data.draw(st.composite(SCREENS[question])())
    assert len(plain_text(document, 100, max_lines=LINES).splitlines()) <= LINES
    width = data.draw(st.sampled_from((60, 80, 100, 140)))
    lines = plain_text(document, width, max_lines=LINES).splitlines()
    whole_names(lines, width)
    shown = shortened(document.on_screen(), LINES, lambda part: sum(1 for _ in lines_of(part, width)))
    on_one_line = plain_text(shown, 2000, max_lines=10**6).splitlines()  # the same rows, none of them wrapped
    tables = [
        "" if line.startswith("·") else line for line in on_one_line
    ]  # what is to be known of a table is no row of it
    for head, total in counts:
        places = [place for place, line in enumerate(tables) if re.match(head, line)]
        assert sum(counted(tables[place:], re.compile(head), _MORE) for place in places) == total, "\n".join(lines)


def several(draw: st.DrawFn, name: str) -> doc.Element:
    """Something of many rows, each with a name of its own."""
    told = [f"QX{name}r{row}XZ" for row in range(draw(st.integers(1, 60)))]
    kind = draw(st.sampled_from(("table", "notes", "pairs", "lines")))
    if kind == "table":
        return doc.table([doc.Column("Name"), doc.figures("kg")], [[one, doc.Kilograms(Decimal(5))] for one in told])
    if kind == "pairs":
        return doc.Pairs(tuple((one, "a text") for one in told))
    return doc.Notes(tuple(told)) if kind == "notes" else doc.Verbatim(tuple(told))


@st.composite
def documents(draw: st.DrawFn) -> doc.Document:
    """What a plugin may answer: sections of tables and lists, and a doubt somewhere."""
    sections = [
        doc.section(f"Section {place}", *(several(draw, f"s{place}p{part}") for part in range(draw(st.integers(1, 3)))))
        for place in range(draw(st.integers(1, 12)))
    ]
    doubtful = draw(st.integers(0, len(sections) - 1))
    sections.insert(doubtful, doc.section("Doubts", doc.notes(["QXdoubtXZ"], doc.Tone.DOUBTFUL)))
    return doc.Document("", (doc.sentence("QXanswerXZ"), *sections))


@examples(60)
@given(documents(), st.sampled_from((60, 100)))
def test_a_document_of_a_plugin_is_a_screen_for_nothing(document: doc.Document, width: int) -> None:
    """50 lines; the answer and every doubt stand; rows are counted in their table, sections below it all."""
    lines = plain_text(document, width, max_lines=LINES).splitlines()
    assert len(lines) <= LINES
    assert lines[0] == "QXanswerXZ"
    assert "! QXdoubtXZ" in lines
    titles = [part.title for part in document.parts if isinstance(part, doc.Section)]
    shown = [title for title in titles if title in lines]
    left = re.search(r"(\d+) more sections? \(--full\)", "\n".join(lines))
    assert len(shown) + (int(left[1]) if left else 0) == len(titles)
    for part in document.parts:
        if isinstance(part, doc.Section) and part.title in shown:
            rows = {doc.Notes: "texts", doc.Verbatim: "lines"}
            sizes = [len(getattr(one, rows.get(type(one), "rows"))) for one in part.parts]
            assert counts_below(lines, part.title) == sizes


def counts_below(lines: list[str], title: str) -> list[int]:
    """Rows that each part of a section shows and counts."""
    totals: dict[str, int] = {}
    last = ""
    for line in lines[lines.index(title) + 1 :]:
        if not line:
            break
        named, more = re.search(r"QX(s\d+p\d+|doubt)", line), re.search(r"(\d+) more \(--full\)", line)
        if named:
            last = named[1]
            totals[last] = totals.get(last, 0) + 1
        elif more:
            totals[last] += int(more[1])
    return list(totals.values())
