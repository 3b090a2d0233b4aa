"""Figures as a planner reads them: three digits where more say nothing, thousands set off, units beside them.

`written` is the one place where a cell of a document becomes text; the functions above it write the same figures within a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Context, Decimal
from typing import Literal, assert_never

from ..domain.quantities import readable
from .elements import WIDE, Amount, Between, Cell, Count, Either, KeyFigure, Kilograms, Nothing, Phrase, Several, Share

BLANK = "–"
"""What stands where there is nothing."""
_TONNE = Decimal(1000)
_MULTIPLE = Decimal(100)
"""From so many times on a share is told as a multiple: 93,725 % says nothing to anybody."""
_HALF_A_CENT = Decimal("0.005")
_THREE = Context(prec=3)


def number(value: Decimal, digits: int = 3) -> str:
    """A number with at least `digits` significant digits, all of its whole part, and no zeros at the end."""
    return readable(value, digits)


def unit_for(kilograms: Iterable[Decimal]) -> Literal["kg", "t"]:
    """The unit in which figures that stand together are told: tonnes once the largest reaches one."""
    return "t" if max((abs(kg) for kg in kilograms), default=Decimal(0)) >= _TONNE else "kg"


def mass(kilograms: Decimal, of: str = "") -> str:
    """Return kilograms with the unit that fits; `of`: what is weighed, where that is not the goods as they are."""
    unit = unit_for([kilograms])
    return f"{_in(kilograms, unit)} {unit} {of}".rstrip()


def _in(kilograms: Decimal, unit: str) -> str:
    return number(kilograms / _TONNE if unit == "t" else kilograms)


def money(amount: Decimal) -> str:
    """Money: whole units once it reaches a hundred of them, else cents, and three digits of what is less than one."""
    size = abs(amount)
    digits = 3 if size >= 100 or size < 1 else amount.adjusted() + 3
    return number(amount, digits)


def signed(amount: Decimal) -> str:
    """Money that may be saved as well as spent."""
    return f"{'+' if amount > 0 else ''}{money(amount)}" if abs(amount) >= _HALF_A_CENT else BLANK


def large_money(amount: Decimal, currency: str) -> str:
    """Money in a sentence: millions and billions spelt out."""
    for size, word in ((Decimal(10) ** 9, " billion"), (Decimal(10) ** 6, " million")):
        if abs(amount) >= size:
            return f"{currency} {number(amount / size)}{word}"
    return f"{currency} {money(amount)}"


def rounded_money(amount: Decimal, currency: str) -> str:
    """Return a rounded amount for a sentence, such as a penalty: three digits."""
    return large_money(_THREE.plus(amount), currency)


def percent(share: Decimal) -> str:
    """A share as a percentage; one too small to show is said to be, and one of a hundred times or more is told as a multiple."""
    if abs(share) >= _MULTIPLE:
        return f"{number(share)} times"
    if share and abs(share) < Decimal("0.00001"):
        return "below 0.001 %"
    return f"{number(share * 100, 2)} %"


def count(items: int, one: str, many: str = "") -> str:
    """`1 offer`, `3 offers`."""
    return f"{items:,} {one if items == 1 else many or one + 's'}"


def written(cell: Cell, width: int = WIDE) -> str:
    """A cell as text, in a line of `width` characters."""
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
    text = _in(cell.value, unit) if cell.bare else " ".join(filter(None, (_in(cell.value, unit), unit, cell.of)))
    sign = "+" if cell.least is not None and cell.value > 0 else ""
    return f"{sign}{text}{f' a {cell.per}' if cell.per else ''}"


def figure_text(figure: KeyFigure) -> str:
    """A key figure and what is to be known of it: `USD 12 million, of which 3 % freight`."""
    return ", ".join(filter(None, (headline(figure), figure.aside)))


def headline(figure: KeyFigure) -> str:
    """The figure itself, millions and billions of money spelt out."""
    value = figure.value
    if isinstance(value, Amount) and value.currency and value.form == "rounded":
        return large_money(value.value, value.currency)
    return written(value)
