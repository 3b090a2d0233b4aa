"""The screen of any run: 50 lines at 100 characters, whole identifiers, every short demand and every warning told or counted."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from friendshore.document.excerpts import LINES
from friendshore.document.terminal import plain_text
from friendshore.domain.run import Run
from friendshore.report import plan_document

from .settings import examples

_NAMES = st.from_regex(r"QX[a-y]{1,6}(-[a-y0-9]{1,6}){0,3}XZ", fullmatch=True)
"""Identifiers that can be told from every other word, also where they are broken."""
_WHOLE = re.compile(r"QX[a-y0-9-]*XZ")
_DAYS = ("2026-12-31", "2027-03-31", "2027-06-30")
_PERIODS = [("2026-Q4", "2026-10-01"), ("2027-Q1", "2027-01-01"), ("2027-Q2", "2027-04-01"), ("2027-Q3", "2027-07-01")]
_LABELS = [label for label, _ in _PERIODS]
_USES = ("civil", "defense")
_CAVEATS = {
    "counted twice": ("Possibly counted twice: ", "possibly counted twice"),
    "looked at by no rule of origin": ("No origin rule ", ""),
    "accepted": ("Accepted by the case: ", ""),
}
"""Subject of an assumption -> how its caveat begins, and how others of its kind are counted. Without a kind, one line has them all."""
_COST = dict.fromkeys(("price", "charges", "freight", "onboarding", "holding", "penalties", "shortage"), 0)
_KINDS = (
    "lead time", "date", "capacity", "terms", "limit", "law", "proof", "no offer", "inputs", "competition", "price", "conflict", "undetermined",
)  # fmt: skip


def demands(draw: st.DrawFn, materials: list[str], ids: list[str]) -> list[dict[str, Any]]:
    """Demands, some of them short in all or in part."""
    uses = st.lists(st.sampled_from(_USES), min_size=1, max_size=3)
    found = []
    for number, (material, use) in enumerate((material, use) for material in materials for use in draw(uses)):
        wanted = draw(st.integers(1, 10**7))
        short = draw(st.sampled_from((0, 0, wanted, wanted // 2)))
        met = draw(st.sampled_from(("", "2027-Q2"))) if short else "2026-Q4"
        found.append({
            "id": f"QXd{number}XZ", "material": material, "end_use": use, "place": draw(st.sampled_from(["US", ids[0]])), "wanted_kg": wanted,
            "delivered_kg": wanted - short, "short_kg": short, "shortage_price": draw(st.integers(1, 10**5)), "first_met": met,
        })  # fmt: skip
    return found


def shortages(draw: st.DrawFn, found: list[dict[str, Any]], ids: list[str]) -> list[dict[str, Any]]:
    """Why each of them is short."""
    some = st.lists(st.sampled_from(ids), max_size=4, unique=True)
    kinds = st.lists(st.sampled_from(_KINDS), min_size=1, max_size=3, unique=True)

    def cause(short: int) -> dict[str, Any]:
        restrictions = [
            {"kind": kind, "names": draw(some), "offers": draw(some), "first": draw(st.sampled_from(("", "2027-Q2"))), "marginal_cost": 7}
            for kind in draw(kinds)
        ]  # fmt: skip
        return {"restrictions": restrictions, "served_kg": draw(st.sampled_from((None, short)))}

    return [
        {name: demand[name] for name in ("material", "end_use", "place", "wanted_kg")}
        | {"demand": demand["id"], "period": "2026-Q4", "quantity_kg": demand["short_kg"]}
        | {"causes": [cause(demand["short_kg"]) for _ in range(draw(st.integers(1, 3)))]}
        for demand in found
        if demand["short_kg"]
    ]


def purchase(draw: st.DrawFn, materials: list[str], ids: list[str]) -> dict[str, Any]:
    """An order."""
    day = draw(st.integers(0, len(_DAYS) - 1))
    cost = draw(st.integers(0, 10**9))
    return {
        "offer": draw(st.sampled_from(ids)), "material": draw(st.sampled_from(materials)), "facility": "", "supplier": "", "country": "CA", "countries": {},
        "place": draw(st.sampled_from(["US", ids[0]])), "ordered": _LABELS[day], "order_by": _DAYS[day], "delivered": _LABELS[day + 1],
        "end_use": draw(st.sampled_from((*_USES, "civil+defense"))), "compliance_class": "R1", "quantity_kg": draw(st.integers(1, 10**7)),
        "cost": cost, "price": cost, "charges": 0, "freight": 0,
    }  # fmt: skip


def warnings(draw: st.DrawFn, materials: list[str], ids: list[str]) -> dict[str, list[dict[str, Any]]]:
    """What stands above the mix: conflicts, what rules of unknown status would forbid, and assumptions."""
    some = st.lists(st.sampled_from(ids), min_size=1, max_size=4, unique=True)
    sentence = "No country refines more than half of what is bought in a year."
    conflicts = [
        {"rules": rules, "sentences": [sentence] * len(rules), "materials": [materials[0]], "demands": []}
        for rules in draw(st.lists(some, max_size=3))
    ]
    exposed = [
        {
            "rule": rule, "title": "", "cost": draw(st.integers(0, 10**9)), "materials": dict.fromkeys(draw(some), 1000), "offers": [ids[0]],
            "first": "2027-Q1", "unknown": [{"start": "2026-11-28"}],
        }
        for rule in draw(st.lists(st.sampled_from(ids), max_size=5, unique=True))
    ]  # fmt: skip

    def names(most: int) -> list[str]:
        return draw(st.lists(st.sampled_from(ids), max_size=most))

    unseen = draw(st.lists(st.sampled_from(materials), max_size=len(materials), unique=True))
    looked = f"for defense: {', '.join(unseen)}. No rule in use asks"
    told = [("looked at by no rule of origin", looked, "FS800")] if unseen else []
    told += [("accepted", f"`{rule}` counts from `computed` on", "FS802") for rule in names(2)]
    told += [("counted twice", f"`{rule}` is perhaps the same as another", "FS803") for rule in names(5)]
    told += [(rule, "its price is assumed", "FS818") for rule in names(5)]
    # A run has codes in all of its assumptions, or is an older one and has none.
    coded = draw(st.booleans())
    assumptions = [
        {
            "subject": subject,
            "text": text,
            "code": code if coded else "",
            "short": text.partition(". ")[0] if coded else "",
        }
        for subject, text, code in told
    ]
    return {"conflicts": conflicts, "exposed": exposed, "assumptions": assumptions}


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """Runs of up to 20 materials, made up."""
    ids = draw(st.lists(_NAMES, min_size=4, max_size=12, unique=True))
    materials = draw(st.lists(_NAMES, min_size=1, max_size=20, unique=True))
    wanted = demands(draw, materials, ids)
    bought = [purchase(draw, materials, ids) for _ in range(draw(st.integers(0, 40)))]
    total = sum(one["cost"] for one in bought)
    lists = (
        "makes",
        "lots",
        "draws",
        "stocks",
        "deliveries",
        "rules",
        "compliance_classes",
        "limits",
        "unproven",
        "blocked",
    )
    return Run.model_validate(
        {
            **{name: [] for name in (*lists, "leads", "plugins")}, **warnings(draw, materials, ids), "case": "drawn", "status": "optimal", "verified": True, "currency": "USD",
            "place": "US", "objective": 0, "bound": 0, "gap": 0, "shortage_kg": {}, "materials": [], "demands": wanted, "purchases": bought,
            "cost": _COST | {"price": total, "total": total, "nominal": total, "objective": total},
            "periods": [{"label": label, "start": start, "end": start} for label, start in _PERIODS],
            "shortages": shortages(draw, wanted, ids), "largest_miss_kg": 0, "components": 1, "versions": {},
        }
    )  # fmt: skip


def shown(run: Run, width: int) -> list[str]:
    """The screen, line by line."""
    return plain_text(plan_document(run).on_screen(), width, max_lines=LINES).splitlines()


def whole_names(lines: list[str], width: int) -> None:
    """Asserts that what is typed into the next command stands in one piece, on a line that is no longer than there is room."""
    for line in lines:
        assert len(line) <= width
        assert line.count("QX") == line.count("XZ") == len(_WHOLE.findall(line)), line


@examples(60)
@given(runs(), st.integers(60, 140))
def test_no_identifier_is_broken(run: Run, width: int) -> None:
    """In windows of any width; and in one of 100 characters a screen has 50 lines, whatever there is to say of up to 20 materials."""
    whole_names(shown(run, width), width)
    assert len(shown(run, 100)) <= LINES


@examples(60)
@given(runs(), st.sampled_from((60, 80, 100)))
def test_every_short_demand_is_named_or_counted(run: Run, width: int) -> None:
    """Rows and those that a line below them counts are all that are short; all purchases likewise."""
    lines = shown(run, width)
    short = {(d.material, d.end_use, d.place, d.program) for d in run.demands if d.short_kg}
    assert counted(
        lines, re.compile(r"^(Cannot be met|Not met|Met late or not)"), r"^(\d+) more (?:is|are) short"
    ) == len(short)
    bought = {(one.material, one.end_use) for one in run.purchases}
    assert counted(lines, re.compile("^Buy"), r"^(\d+) more, USD") == len(bought)
    orders = {(one.order_by, one.offer, one.material, one.place, one.delivered) for one in run.purchases}
    more = r"^(\d+) (?:more|orders?) by .*?(?:; (\d+) later)?(?: \(| …|$)"
    assert counted(lines, re.compile("^Order by"), more) == len(orders)


def counted(lines: list[str], head: re.Pattern[str], more: str) -> int:
    """Rows under a heading, and those that are said to be left out."""
    start = next((i for i, line in enumerate(lines) if head.match(line)), len(lines))
    below = list(takewhile(lambda line: line and not line.startswith("The cheapest fix"), lines[start + 1 :]))
    for position in range(len(below)):
        found = re.match(more, " ".join(below[position:]))  # in a narrow window what is left out takes two lines
        if found:
            return position + sum(int(number) for number in found.groups() if number)
    return len(below)


@examples(60)
@given(runs(), st.sampled_from((60, 80, 100)))
def test_no_warning_is_left_out(run: Run, width: int) -> None:
    """A screen has the conflicts and the caveats with the most at stake: the first of each kind and the number of others. Other kinds are named or counted."""
    text = " ".join(" ".join(shown(run, width)).split()).replace("`", "")  # code is bold on a terminal
    told, _, others = text.partition("Also (--full): ")
    of_subject = {subject: [row for row in run.assumptions if row.subject == subject] for subject in _CAVEATS}
    for words, kind, rows in (
        ("Nothing is planned for ", "conflicts?", run.conflicts),
        ("At risk from ", "rules? of unknown status", run.exposed),
        *((words, kind, of_subject[subject]) for subject, (words, kind) in _CAVEATS.items()),
    ):
        if words not in told and rows is not run.conflicts:
            assert not rows or words.rstrip(": ") in others or re.search(r"; \d+ more\. Next", others)
        elif kind:
            left = sum(int(number) for number in re.findall(rf"(\d+) more {kind}", told))
            assert told.count(words) + left == len(rows)
        else:
            assert all(row.text.partition(". ")[0].replace("`", "") in told for row in rows)
    if run.exposed and "At risk from " in told:
        dearest = max(run.exposed, key=lambda row: (row.cost, [-ord(sign) for sign in row.rule]))
        assert f"status of {dearest.rule} unknown from 2026-11-28 on" in told
    assert f"Based on {len(run.assumptions)} assumption" in text
