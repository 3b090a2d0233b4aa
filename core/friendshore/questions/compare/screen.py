"""Two plans side by side, on a screen: what B costs more and for what, who is shorter, who delivers instead, and which change does that."""

from __future__ import annotations

from collections.abc import Sequence

from ...document import elements as doc
from ...document.figures import count
from ...domain.shown_names import ShownNames
from ..told import not_proved, on_screen, weighed
from .document import (
    LEAST,
    LINES_OF_COST,
    SHOWN,
    change,
    conflicts_told,
    dependence_told,
    difference_told,
    moved_told,
    penalties_told,
    penalty_of,
    shortage_of,
    signed_money,
    what_is_known,
)
from .records import Comparison

_WIDE, _NARROW, _LAST = 90, 70, 1
"""Characters of a line below which columns are left out that are looked up elsewhere; the last of them only where names take their room."""


def comparison_screen(found: Comparison, top: int = SHOWN) -> doc.Document:
    """The difference, then of each table as many rows as there is room for; `top`: rows that the whole document shows of each."""
    return doc.document(
        "What differs",
        doc.sentence(f"A is {found.before}. B is {found.after}. {difference_told(found)}"),
        doc.sentence(money) if (money := _money(found)) else None,
        penalties_told(found),
        doc.sentence(dependence_told(found)) if dependence_told(found) else None,
        what_is_known(found),
        conflicts_told(found),
        _short(found),
        _mix(found, top),
        _steps(found),
        _facts(found, top),
        doc.apart(
            not_proved([found.difference, *(step.difference for step in found.steps)]),
            doc.sentence(doc.Phrase("--full", code=True), ": every table, and what each change moves"),
        ),
    )


def _money(found: Comparison) -> str:
    """By how much each part of the spend differs, the largest first."""
    more = {title: getattr(found.cost_after, name) - getattr(found.cost_before, name) for name, title in LINES_OF_COST}
    more.pop("spent")
    parts = sorted((one for one in more.items() if abs(one[1]) >= 1), key=lambda one: -abs(one[1]))
    of_it = [f"{title} {signed_money(amount, found.currency)}" for title, amount in parts]
    when = "Present value, " if found.cost_after.nominal != found.cost_after.total else ""
    return f"{when}B less A: {', '.join(of_it)}." if of_it else ""


def _short(found: Comparison) -> doc.Section:
    lacking = [one for one in found.materials if one.short_before_kg or one.short_after_kg]
    other = [one for one in lacking if abs(one.short_after_kg - one.short_before_kg) >= LEAST]
    if not lacking:
        return doc.apart(doc.sentence("nothing is short, in either"))
    same = doc.notes(
        [f"{count(len(lacking) - len(other), 'more material')} as short in both"] if len(lacking) > len(other) else []
    )
    if not other:
        return doc.apart(doc.sentence(f"{count(len(lacking), 'material')} as short in both"))
    columns = [doc.Column("Short"), *(doc.Column(title, align="right", from_width=_LAST) for title in ("A", "B"))]
    columns.append(doc.Column("B less A", align="right"))
    rows: list[list[doc.Cell]] = [
        [
            one.title(found.names.label(one.material)),
            *change(found.names, one.material, one.short_before_kg, one.short_after_kg),
        ]
        for one in sorted(other, key=lambda one: (-abs(one.short_after_kg - one.short_before_kg), one.material))
    ]
    return doc.apart(on_screen(columns, rows, "more material", part=2), same)


def _mix(found: Comparison, top: int) -> doc.Section:
    moved, told = moved_told(found)
    titles = {one.material: one.title(found.names.label(one.material)) for one in found.materials}
    same = len(found.mix) - len(moved)
    alike = [f"{count(same, 'more supply', 'more supplies')} the same in both"] if same else []
    if not moved:
        return doc.apart(doc.sentence("nobody delivers anything else, or at another time"), doc.notes(alike))
    names = found.names
    columns = [
        doc.Column("Delivered"),
        doc.Column("From"),
        doc.Column("To", from_width=_WIDE),
        *(doc.Column(title, align="right", from_width=_NARROW) for title in ("A", "B")),
        doc.Column("B less A", align="right", from_width=_LAST),
        doc.Column("Moved", align="right", from_width=doc.WIDE),
    ]
    rows: list[list[doc.Cell]] = [
        [
            *(titles.get(one.material, names.label(one.material)), _supplier(names, one.offer), one.place),
            *change(names, one.material, one.before_kg, one.after_kg),
            weighed(names, one.material, one.moved_kg) if one.moved_kg else doc.NOTHING,
        ]
        for one in sorted(moved, key=lambda one: (-one.moved_kg, one.material, one.offer, one.place))
    ]
    return doc.apart(
        on_screen(columns, rows, "more supply", "more supplies", part=4, top=top), doc.notes([told, *alike])
    )


def _supplier(names: ShownNames, offer: str) -> doc.Cell:
    """Return the plant of an offer, which is cut if it has to be, or an id, which is counted."""
    name = names.offer(offer)
    return doc.Several((name,), one="offer" if name == offer else "")


def _steps(found: Comparison) -> doc.Section | None:
    """What each change adds to the plan before it; of one alone all is said above."""
    if len(found.steps) < 2:
        return None
    columns = [
        doc.Column("Changes, one by one"),
        doc.Column("Short", from_width=_NARROW),
        doc.Column("Cash", found.currency, "right"),
        doc.Column("Penalty", align="right", from_width=_WIDE),
    ]
    rows: list[list[doc.Cell]] = [
        [
            doc.Several((step.title + ("" if step.conflict or step.difference.proved else " ?"),)),
            "rules conflict" if step.conflict else _several(shortage_of(step, found.names)),
            doc.Amount(step.rise.nominal, form="signed"),
            penalty_of(step),
        ]
        for step in found.steps
    ]
    return doc.apart(on_screen(columns, rows, "later change", part=3))


def _several(told: Sequence[str]) -> doc.Cell:
    return doc.Several(tuple(told), one="material") if told else doc.NOTHING


def _facts(found: Comparison, top: int) -> doc.Section | None:
    if found.steps or not found.facts:
        return None
    columns = [doc.Column("Facts of"), doc.Column("What", from_width=_LAST), doc.Column("A"), doc.Column("B")]
    rows: list[list[doc.Cell]] = [
        [
            doc.Several((line.name,)) if line.name else line.kind,
            line.kind,
            *(doc.Several((text,)) if text else doc.NOTHING for text in (line.before, line.after)),
        ]
        for line in found.facts
    ]
    return doc.apart(on_screen(columns, rows, "more fact", part=2, top=top))
