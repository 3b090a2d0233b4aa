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
_FEW = 2


def weighed(names: ShownNames, material: str, kilograms: Decimal) -> doc.Kilograms:
    return doc.Kilograms(kilograms, of=names.basis(material))


def mass_of(names: ShownNames, material: str, kilograms: Decimal, *, equal: bool = False) -> str:
    """Return a quantity of a material as text with the weighed substance. `equal` adds the traded substance: `22.4 t Sb = 26.8 t Sb2O3`."""
    texts = [mass(kilograms, names.basis(material))]
    if equal and kilograms:
        texts += [mass(kilograms * factor, other) for other, factor in list(names.equal_kg(material).items())[:1]]
    return " = ".join(texts)


def conversions(names: ShownNames, materials: Iterable[str], *, shortly: bool = False) -> str:
    """Return the conversions from a kilogram of each basis to traded substances. Empty if there are none."""
    weights_by_basis: defaultdict[str, dict[str, Decimal]] = defaultdict(dict)
    for material in materials:
        if equal := names.equal_kg(material):
            weights_by_basis[names.basis(material)].update(equal)
    lines = []
    for basis, weights in weights_by_basis.items():
        parts = [f"{number(kg, _DIGITS)} t {name}" for name, kg in weights.items()]
        lines.append(" = ".join([f"1 t {basis}", *parts[: 1 if shortly else None]]))
    if shortly and len(lines) > _FEW:
        lines[_FEW:] = [f"{count(len(lines) - _FEW, 'other')} (--full)"]
    return f"By weight: {', '.join(lines)}." if lines else ""


def short_texts(names: ShownNames, kilograms: Mapping[str, Decimal]) -> list[str]:
    """Return the added shortages, negative if smaller, the largest first: `Tungsten metal powder +1.2 t W`."""
    ordered = sorted(kilograms.items(), key=lambda item: (-abs(item[1]), item[0]))
    return [f"{names.material(name)} {'+' if kg > 0 else ''}{mass_of(names, name, kg)}" for name, kg in ordered if kg]


def short_cell(names: ShownNames, kilograms: Mapping[str, Decimal]) -> doc.Cell:
    texts = short_texts(names, kilograms)
    return doc.Several(tuple(texts)) if texts else doc.NOTHING


def difference(found: Difference) -> doc.Amount | doc.Between:
    return doc.Amount(found.value) if found.proved else doc.Between(found.value, found.low, found.high)


def rise(found: Difference) -> str:
    return written(difference(found))


def rung(
    name: str, found: Difference | None, currency: str, more: str = "", tone: doc.Tone = doc.Tone.PLAIN
) -> charts.Rung:
    """Return a bar for a difference in money. `found` is None if there is none, with the reason in `more`."""
    if found is None:
        return charts.Rung(name, None, more, tone)
    amount = large_money(found.value, currency) if found.proved else f"{currency} {rise(found)}"
    shown = tone if found.proved else doc.Tone.DOUBTFUL
    return charts.Rung(name, found.value, ", ".join(filter(None, (amount, more))), shown)


def ladder(
    title: str,
    told: str,
    rungs: Iterable[charts.Rung],
    unit: str,
    table: doc.DataTable,
    key: tuple[tuple[doc.Tone, str], ...] = (),
) -> doc.Drawing | doc.DataTable:
    """Return a table, with a chart if at least two of its rows are comparable."""
    bars = tuple(rungs)
    if sum(1 for bar in bars if bar.value) < 2:
        return table
    return doc.Drawing(title, told, charts.Ladder(bars, unit), table, key)


def full_price(found: OfferPrice | None) -> str:
    """Return a full price as a cell: `80.6`, `148 marginal`, or that there is no admissible input."""
    if found is None:
        return "no admissible input"
    return money(found.full_price) + (" marginal" if found.how == "marginal" else "")


def penalty(amount: Decimal) -> doc.Cell:
    """Return a penalty in gray and rounded, since it isn't paid."""
    if abs(amount) < 1:
        return doc.NOTHING
    return doc.Phrase(f"{'+' if amount > 0 else ''}{rounded_money(amount, '').strip()}", doc.Tone.ASIDE)


def mass_or_nothing(kilograms: Decimal) -> doc.Cell:
    return doc.Kilograms(kilograms) if kilograms else doc.NOTHING


def left_out(rows: int, one: str, many: str = "", which: str = "") -> list[str]:
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
    """Return a table with rows in descending importance. A screen shows those that fit, the whole document the first `top`.

    Args:
        one: Name of an omitted row, such as `more loss`.
        many: Plural of the name. Empty means `one` with an s.
        part: Weight in sharing the room of a screen with other tables.
        which: Addition to the number of rows that the whole document omits.
        see: Way to see those.
    """
    full = "--full --top 0" if 0 < top < len(rows) and "--top" in see else "--full"
    screen_rows = sum(1 for row in rows if not isinstance(row, doc.DataRow) or row.on != "whole")
    rests = [doc.Several((f"{count(left, one, many)} ({full})",)) for left in range(screen_rows, 0, -1)]
    left = f"{count(len(rows) - top, one, many)}{which}: {see}"
    return doc.excerpt(columns, rows, [*rests, doc.NOTHING], part, top, left)


def shortly(found: Difference) -> doc.Cell:
    """Return a difference for a line of a screen: `5 to 9` if it isn't proved, or `7 ?` if there is little room."""
    if found.proved:
        return doc.NOTHING if abs(found.value) < 1 else doc.Amount(found.value)
    brief = f"{money(found.value)} ?"
    if found.low is None or found.high is None:
        return brief
    return doc.Phrase(f"{money(found.low)} to {money(found.high)}", brief=brief)


def not_proved(differences: Iterable[Difference | None]) -> doc.Notes | None:
    is_unproved = any(entry is not None and not entry.proved for entry in differences)
    return doc.notes(["? or a range: not proved (see --full)"] if is_unproved else [], doc.Tone.DOUBTFUL)


def effort(found: Effort) -> doc.Section:
    return doc.apart(doc.sentence(effort_line(found), tone=doc.Tone.ASIDE))


def effort_line(effort: Effort) -> str:
    reused = percent(Decimal(str(effort.share_reused)))
    return (
        f"{count(effort.questions, 'question')} asked, {count(effort.solved, 'independent part')} solved, "
        f"{reused} of the parts reused"
    )
