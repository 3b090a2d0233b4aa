"""Wording of answers: the cells, sentences, and tables that questions share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from ..document import elements as doc
from ..document.figures import count, large_money, mass, money, number, percent, rounded_money, written

if TYPE_CHECKING:
    from ..document import charts
    from ..domain.shown_names import ShownNames
    from ..explain.full_prices import OfferPrice
    from ..explain.results import Difference, Effort


_DIGITS = 4
_MILLION = Decimal(1_000_000)
_FEW = 2


def weighed(names: ShownNames, material: str, kilograms: Decimal) -> doc.Kilograms:
    return doc.Kilograms(kilograms, of=names.basis(material))


def mass_of(names: ShownNames, material: str, kilograms: Decimal, *, equal: bool = False) -> str:
    """Return a quantity as text with the weighed substance. `equal` adds the traded substance: `22.4 t Sb = 26.8 t Sb2O3`."""
    texts = [mass(kilograms, names.basis(material))]
    if equal and kilograms:
        texts += [mass(kilograms * factor, other) for other, factor in list(names.equal_kg(material).items())[:1]]
    return " = ".join(texts)


def conversions(names: ShownNames, materials: Iterable[str], *, shortly: bool = False) -> str:
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


def difference(change: Difference) -> doc.Amount | doc.Between:
    return doc.Amount(change.value) if change.proved else doc.Between(change.value, change.low, change.high)


def rise(change: Difference) -> str:
    return written(difference(change))


def rung(
    name: str, change: Difference | None, currency: str, more: str = "", tone: doc.Tone = doc.Tone.PLAIN
) -> charts.Rung:
    """Return a bar for a difference in money. If there is none, `more` has the reason."""
    from ..document import charts  # a plan draws none

    if change is None:
        return charts.Rung(name, None, more, tone)
    amount = large_money(change.value, currency) if change.proved else f"{currency} {rise(change)}"
    shown_tone = tone if change.proved else doc.Tone.DOUBTFUL
    return charts.Rung(name, change.value, ", ".join(filter(None, (amount, more))), shown_tone)


def ladder(
    title: str,
    description: str,
    rungs: Iterable[charts.Rung],
    unit: str,
    table: doc.DataTable,
    key: tuple[tuple[doc.Tone, str], ...] = (),
) -> doc.Drawing | doc.DataTable:
    """Return a table, with a chart if at least two of its rows are comparable."""
    from ..document import charts  # a plan draws none

    bars = tuple(rungs)
    if sum(1 for bar in bars if bar.value) < 2:
        return table
    return doc.Drawing(title, description, charts.Ladder(bars, unit), table, key)


ESTIMATED = ", duty estimated"
"""Remark after a price with the highest duty for any country, because the customs origin is unknown."""


def full_price(price: OfferPrice | None) -> str:
    """Return a full price as a cell: `80.6`, `148 marginal`, or that there is no admissible input."""
    if price is None:
        return "no admissible input"
    return money(price.full_price) + (" marginal" if price.how == "marginal" else "")


def spend_and_penalty(change: Difference) -> doc.Cell:
    """Return a change of the sum, gray and rounded. If it is unproved, return its range."""
    return penalty(change.value) if change.proved else difference(change)


def first_few(texts: Sequence[str], max_count: int, last: str = ", ") -> str:
    """Return the first texts, and after `last` the number of the others."""
    hidden_count = len(texts) - max_count
    return ", ".join(texts[:max_count]) + (f"{last}{hidden_count:,} more" if hidden_count > 0 else "")


def penalty(amount: Decimal) -> doc.Cell:
    if abs(amount) < 1:
        return doc.NOTHING
    return doc.Phrase(_rounded(amount, signed=True), doc.Tone.ASIDE, value=amount)


def _rounded(amount: Decimal, *, signed: bool) -> str:
    return f"{'+' if signed and amount > 0 else ''}{rounded_money(amount, '').strip()}"


def cash(amount: Decimal, currency: str = "", *, signed: bool = False) -> doc.Cell:
    """Return money to the unit. A screen shows three digits of millions: `3.77 billion`, or `+3.77 billion` if it is a difference."""
    whole = doc.Amount(amount, currency, "signed" if signed else "rounded")
    if abs(amount) < _MILLION:
        return whole
    return doc.Either(whole, f"{currency} {_rounded(amount, signed=signed)}".strip())


def mass_or_nothing(kilograms: Decimal) -> doc.Cell:
    return doc.Kilograms(kilograms) if kilograms else doc.NOTHING


def omitted_note(rows: int, singular: str, plural: str = "", which: str = "") -> list[str]:
    return [f"{count(rows, singular, plural)}{which}: --top 0 shows all"] if rows > 0 else []


def ranked(
    columns: Iterable[doc.Column],
    rows: Sequence[doc.DataRow | Sequence[doc.Cell]],
    singular: str,
    plural: str = "",
    *,
    part: int = 1,
    top: int = 0,
    which: str = "",
    see: str = "--top 0 shows all",
) -> doc.DataTable:
    """Return a table with rows in descending importance. A screen shows those that fit, the whole document the first `top`.

    Args:
        singular: Name of an omitted row, such as `more loss`.
        plural: Plural of the name. Empty means `singular` with an s.
        part: Weight in sharing the room of a screen with other tables.
        which: Addition to the number of rows that the whole document omits.
        see: Way to see those.
    """
    full = "--full --top 0" if 0 < top < len(rows) and "--top" in see else "--full"
    screen_rows = sum(1 for row in rows if not isinstance(row, doc.DataRow) or row.on != "whole")
    rests = [
        doc.Several((f"{count(remaining, singular, plural)} ({full})",)) for remaining in range(screen_rows, 0, -1)
    ]
    remaining = f"{count(len(rows) - top, singular, plural)}{which}: {see}"
    return doc.excerpt(columns, rows, [*rests, doc.NOTHING], part, top, remaining)


def shortly(change: Difference) -> doc.Cell:
    """Return a difference for a line of a screen: `5 to 9` if it isn't proved, or `7 ?` if there is little room."""
    if change.proved:
        return doc.NOTHING if abs(change.value) < 1 else doc.Amount(change.value)
    brief = f"{money(change.value)} ?"
    if change.low is None or change.high is None:
        return brief
    return doc.Phrase(f"{money(change.low)} to {money(change.high)}", brief=brief)


def not_proved(differences: Iterable[Difference | None]) -> doc.Notes | None:
    is_unproved = any(entry is not None and not entry.proved for entry in differences)
    return doc.notes(["? or a range: not proved (see --full)"] if is_unproved else [], doc.Tone.DOUBTFUL)


def effort(answer_effort: Effort) -> doc.Section:
    return doc.apart(doc.sentence(effort_line(answer_effort), tone=doc.Tone.ASIDE))


def effort_line(effort: Effort) -> str:
    reused = percent(Decimal(str(effort.share_reused)))
    return (
        f"{count(effort.questions, 'question')} asked, {count(effort.solved, 'independent part')} solved, "
        f"{reused} of the parts reused"
    )
