"""Figures as text with sensible digits, thousands separators, and units."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Literal, assert_never

from ..domain.quantities import readable
from ..domain.unmet import RunRelaxation
from .elements import WIDE, Amount, Between, Cell, Count, Either, KeyFigure, Kilograms, Nothing, Phrase, Several, Share

BLANK = "–"
_TONNE = Decimal(1000)
_SHOWN_AS_MULTIPLE = Decimal(100)
"""Share from which on it is written as a multiple, since 93,725% is unreadable."""
_HALF_A_CENT = Decimal("0.005")
_THREE_DIGITS = Context(prec=3)
_OUTWARD = {True: Context(prec=3, rounding=ROUND_CEILING), False: Context(prec=3, rounding=ROUND_FLOOR)}
"""Rounding of a bound to three digits: up if it is raised, down if it is lowered."""


def number(value: Decimal, digits: int = 3) -> str:
    """Return a number with at least `digits` significant digits, its whole integer part, and no trailing zeros."""
    return readable(value, digits)


def unit_for(kilograms: Iterable[Decimal]) -> Literal["kg", "t"]:
    """Return tonnes if the largest figure is at least one tonne, so that neighboring figures share a unit."""
    return "t" if max((abs(kg) for kg in kilograms), default=Decimal(0)) >= _TONNE else "kg"


def mass(kilograms: Decimal, substance: str = "") -> str:
    """Return kilograms with the unit that fits. `of` is the weighed substance, if it isn't the goods."""
    unit = unit_for([kilograms])
    return f"{_in_unit(kilograms, unit)} {unit} {substance}".rstrip()


def _in_unit(kilograms: Decimal, unit: str) -> str:
    return number(kilograms / _TONNE if unit == "t" else kilograms)


def money(amount: Decimal) -> str:
    """Return money: whole units from 100 on, else cents, and three digits below 1."""
    size = abs(amount)
    digits = 3 if size >= 100 or size < 1 else amount.adjusted() + 3
    return number(amount, digits)


def signed(amount: Decimal) -> str:
    return f"{'+' if amount > 0 else ''}{money(amount)}" if abs(amount) >= _HALF_A_CENT else BLANK


def large_money(amount: Decimal, currency: str) -> str:
    """Return money with millions and billions as words."""
    for size, word in ((Decimal(10) ** 9, " billion"), (Decimal(10) ** 6, " million")):
        if abs(amount) >= size:
            return f"{currency} {number(amount / size)}{word}"
    return f"{currency} {money(amount)}"


def rounded_money(amount: Decimal, currency: str) -> str:
    return large_money(_THREE_DIGITS.plus(amount), currency)


def relaxation_texts(relaxations: Iterable[RunRelaxation]) -> list[str]:
    """Return what to change in limits, such as `raise the yearly budget of 2028 (cash) from USD 21 million to USD 25.5 million`. Equal changes share a text."""
    labels: dict[RunRelaxation, list[str]] = {}
    for relaxation in relaxations:
        labels.setdefault(relaxation.but(label=""), []).append(relaxation.label)
    return [
        _relaxation_text(relaxation, ", ".join(rows[:3]) + (f", and {len(rows) - 3} more" if rows[3:] else ""))
        for relaxation, rows in labels.items()
    ]


def _relaxation_text(relaxation: RunRelaxation, labels: str) -> str:
    unit, before, after = relaxation.unit, relaxation.stated, relaxation.relaxed
    limit = f"the {relaxation.limit} of {labels} ({relaxation.rule})"
    if relaxation.is_balance:
        return f"allow {_bound_text(_OUTWARD[True].plus(relaxation.by), unit)} beyond {limit}"
    verb = "raise" if after > before else "lower"
    # A figure that is rounded to less than the plan needs would not be enough.
    from_text, to_text = _bound_text(before, unit), _bound_text(_OUTWARD[after > before].plus(after), unit)
    if from_text == to_text:
        from_text, to_text = f"{before.normalize():,f}", f"{after.normalize():,f} {unit}".rstrip()
    return f"{verb} {limit} from {from_text} to {to_text}"


def _bound_text(amount: Decimal, unit: str) -> str:
    if unit == "kg":
        return mass(amount)
    return large_money(amount, unit) if unit else number(amount)


def percent(share: Decimal) -> str:
    """Return a percentage. From a hundred times on, it is a multiple."""
    if abs(share) >= _SHOWN_AS_MULTIPLE:
        return f"{number(share)} times"
    if share and abs(share) < Decimal("0.00001"):
        return "below 0.001%"
    return f"{number(share * 100, 2)}%"


def count(number_of_items: int, singular: str, plural: str = "") -> str:
    return f"{number_of_items:,} {singular if number_of_items == 1 else plural or singular + 's'}"


def written(cell: Cell, width: int = WIDE) -> str:
    match cell:
        case str():
            return cell
        case Phrase():
            return cell.brief if cell.brief and width < WIDE else cell.text
        case Amount():
            return _amount(cell)
        case Between():
            return _between(cell)
        case Kilograms():
            return _kilograms(cell)
        case Share(value):
            return percent(value)
        case Count(value, one, many):
            return count(value, one, many) if one else str(value)
        case Either(whole):
            return written(whole, width)
        case Several(items, _, between):
            return between.join(items)
        case date():
            return cell.isoformat()
        case Nothing():
            return BLANK
        case _:
            assert_never(cell)


def _between(cell: Between) -> str:
    if cell.low is None or cell.high is None:
        return f"{money(cell.value)}, not proved"
    return f"between {money(cell.low)} and {money(cell.high)}, not proved"


def _amount(cell: Amount) -> str:
    if cell.form == "signed":
        text = signed(cell.value)
    elif cell.form == "cents":
        text = f"{cell.value:+,.2f}" if cell.value else BLANK
    else:
        text = money(cell.value)
    return f"{cell.currency} {text}" if cell.currency else text


def _kilograms(cell: Kilograms) -> str:
    if cell.least is not None and abs(cell.value) < cell.least:
        return BLANK
    if cell.unit and not cell.value:
        return BLANK
    unit = cell.unit or unit_for([cell.value])
    text = (
        _in_unit(cell.value, unit) if cell.bare else " ".join(filter(None, (_in_unit(cell.value, unit), unit, cell.of)))
    )
    sign = "+" if cell.least is not None and cell.value > 0 else ""
    return f"{sign}{text}{f' a {cell.per}' if cell.per else ''}"


def figure_text(figure: KeyFigure) -> str:
    return ", ".join(filter(None, (headline(figure), figure.aside)))


def headline(figure: KeyFigure) -> str:
    value = figure.value
    if isinstance(value, Amount) and value.currency and value.form == "rounded":
        return large_money(value.value, value.currency)
    return written(value)
