"""Wording of answers: the cells, sentences, and tables that questions share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from ..document import charts
from ..document import elements as doc
from ..document.figures import count, large_money, mass, money, number, percent, rounded_money, written

if TYPE_CHECKING:
    from ..domain.shown_names import ShownNames
    from ..explain.full_prices import OfferPrice
    from ..explain.results import Difference, Effort


_DIGITS = 4
"""Digits of a conversion factor."""
_FEW = 2
"""Conversions that a note for a screen names."""


def weighed(names: ShownNames, material: str, kilograms: Decimal) -> doc.Kilograms:
    """Return a quantity of a material as a cell that says what it weighs."""
    return doc.Kilograms(kilograms, of=names.basis(material))


def mass_of(names: ShownNames, material: str, kilograms: Decimal, *, equal: bool = False) -> str:
    """Return a quantity of a material as text that says what it weighs; `equal`: also in the substance that trade weighs, `22.4 t Sb = 26.8 t Sb2O3`."""
    texts = [mass(kilograms, names.basis(material))]
    if equal and kilograms:
        texts += [mass(kilograms * factor, other) for other, factor in list(names.equal_kg(material).items())[:1]]
    return " = ".join(texts)


def conversions(names: ShownNames, materials: Iterable[str], *, shortly: bool = False) -> str:
    """Return what a kilogram of each basis equals in substances that trade may weigh instead; empty if nothing is to be converted.

    `materials`: those first that matter most. `shortly`: the first substance alone, and few of them.
    """
    found: defaultdict[str, dict[str, Decimal]] = defaultdict(dict)
    for each in materials:
        if equal := names.equal_kg(each):
            found[names.basis(each)].update(equal)
    told = []
    for basis, weights in found.items():
        parts = [f"{number(kg, _DIGITS)} t {name}" for name, kg in weights.items()]
        told.append(" = ".join([f"1 t {basis}", *parts[: 1 if shortly else None]]))
    if shortly and len(told) > _FEW:
        told[_FEW:] = [f"{count(len(told) - _FEW, 'other')} (--full)"]
    return f"By weight: {', '.join(told)}." if told else ""


def short_texts(names: ShownNames, kilograms: Mapping[str, Decimal]) -> list[str]:
    """Return what is short of more, or (with a minus) less, the largest first: `Tungsten metal powder +1.2 t W`."""
    ordered = sorted(kilograms.items(), key=lambda item: (-abs(item[1]), item[0]))
    return [f"{names.material(name)} {'+' if kg > 0 else ''}{mass_of(names, name, kg)}" for name, kg in ordered if kg]


def short_cell(names: ShownNames, kilograms: Mapping[str, Decimal]) -> doc.Cell:
    """Return the same as a cell of a screen, which is cut where it has to be."""
    texts = short_texts(names, kilograms)
    return doc.Several(tuple(texts)) if texts else doc.NOTHING


def difference(found: Difference) -> doc.Amount | doc.Between:
    """A difference: one number where it is proved, else where it lies."""
    return doc.Amount(found.value) if found.proved else doc.Between(found.value, found.low, found.high)


def rise(found: Difference) -> str:
    """The same within a sentence."""
    return written(difference(found))


def rung(
    name: str, found: Difference | None, currency: str, more: str = "", tone: doc.Tone = doc.Tone.PLAIN
) -> charts.Rung:
    """A difference in money as a part of a chart, with `more` of what is to be known; one that is not proved looks doubtful.

    Args:
        name: what it is the difference of.
        found: None: there is none, and `more` says why.
        currency: of the money.
        more: what else is told of it.
        tone: how it looks where it is proved.
    """
    if found is None:
        return charts.Rung(name, None, more, tone)
    told = large_money(found.value, currency) if found.proved else f"{currency} {rise(found)}"
    shown = tone if found.proved else doc.Tone.DOUBTFUL
    return charts.Rung(name, found.value, ", ".join(filter(None, (told, more))), shown)


def ladder(
    title: str, told: str, rungs: Iterable[charts.Rung], unit: str, table: doc.DataTable
) -> doc.Drawing | doc.DataTable:
    """A table, drawn where at least two of its rows can be held against each other."""
    kept = tuple(rungs)
    if sum(1 for one in kept if one.value) < 2:
        return table
    return doc.Drawing(title, told, charts.Ladder(kept, unit), table)


def full_price(found: OfferPrice | None) -> str:
    """Return a full price as a cell: `80.6`, `148 marginal`, or that there is no admissible input."""
    if found is None:
        return "no admissible input"
    return money(found.full_price) + (" marginal" if found.how == "marginal" else "")


def penalty(amount: Decimal) -> doc.Cell:
    """Return a penalty as a cell: gray and rounded, since it is not paid."""
    if abs(amount) < 1:
        return doc.NOTHING
    return doc.Phrase(f"{'+' if amount > 0 else ''}{rounded_money(amount, '').strip()}", doc.Tone.ASIDE)


def mass_or_nothing(kilograms: Decimal) -> doc.Cell:
    """Kilograms as a cell; none: what stands for nothing."""
    return doc.Kilograms(kilograms) if kilograms else doc.NOTHING


def left_out(rows: int, one: str, many: str = "", which: str = "") -> list[str]:
    """What is told of so many rows that a table leaves out; nothing of none."""
    return [f"{count(rows, one, many)}{which}: --top 0 shows all"] if rows > 0 else []


def ranked(
    columns: Iterable[doc.Column],
    rows: Sequence[doc.DataRow | Sequence[doc.Cell]],
    one: str,
    many: str = "",
    *,
    part: int = 1,
    top: int = 0,
    which: str = "",
    see: str = "--top 0 shows all",
) -> doc.DataTable:
    """Return a table whose rows matter less and less: on a screen as many as there is room for, else the first, and the number of the others.

    Args:
        columns: Its columns.
        rows: All rows.
        one: Name of a row that is left out, such as `more loss`.
        many: Name of several. Empty: `one` with an s.
        part: Its part of the room of a screen, beside that of other tables.
        top: Rows that the whole document shows. 0: all.
        which: Addition to the number of rows that the whole document leaves out.
        see: Way to see those.
    """
    full = "--full --top 0" if 0 < top < len(rows) and "--top" in see else "--full"
    on_screen = sum(1 for row in rows if not isinstance(row, doc.DataRow) or row.on != "whole")
    rests = [doc.Several((f"{count(left, one, many)} ({full})",)) for left in range(on_screen, 0, -1)]
    left = f"{count(len(rows) - top, one, many)}{which}: {see}"
    return doc.excerpt(columns, rows, [*rests, doc.NOTHING], part, top, left)


def shortly(found: Difference) -> doc.Cell:
    """A difference in a line of a screen: `5 to 9` where it is not proved, or `7 ?` where there is little room."""
    if found.proved:
        return doc.NOTHING if abs(found.value) < 1 else doc.Amount(found.value)
    brief = f"{money(found.value)} ?"
    if found.low is None or found.high is None:
        return brief
    return doc.Phrase(f"{money(found.low)} to {money(found.high)}", brief=brief)


def not_proved(some: Iterable[Difference | None]) -> doc.Notes | None:
    """What is to be known of differences told shortly, if any of them is not proved."""
    told = any(one is not None and not one.proved for one in some)
    return doc.notes(["?, or a range: not proved (--full says what is)"] if told else [], doc.Tone.DOUBTFUL)


def effort(found: Effort) -> doc.Section:
    """What an answer took, set apart at its end."""
    return doc.apart(doc.sentence(effort_line(found), tone=doc.Tone.ASIDE))


def effort_line(effort: Effort) -> str:
    """What an answer took."""
    known = percent(Decimal(str(effort.share_reused)))
    return (
        f"{count(effort.questions, 'question')} asked, {count(effort.solved, 'independent part')} solved, "
        f"{known} of the parts known already"
    )
