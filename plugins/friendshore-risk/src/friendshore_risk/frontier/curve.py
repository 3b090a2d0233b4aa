"""Corners of a convex piecewise linear curve, found by supporting lines.

The least objective under a cap is such a curve of the cap if the program is linear. Between two known corners, the slope of their chord is the price of
a unit that makes both equally good. The cheapest plan at that price either lies on the chord, which is then the curve, or is a further corner below it
(Eisner and Severance, Mathematical techniques for efficient record segmentation in large shared databases, Journal of the ACM 23, 1976, 619-635).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

_PROVED = Decimal("1e-8")
"""Part of the objective within which a chord is taken as the curve."""
_MONEY = Decimal(1)
"""Money within which it is, whatever the objective. Plans are rounded to grams."""


@dataclass(frozen=True, slots=True)
class Corner:
    """A point of the curve."""

    capped: Decimal
    objective: Decimal


@dataclass(frozen=True, slots=True)
class Priced:
    """The cheapest plan where each unit of capped money has a price."""

    corner: Corner
    lower: Decimal
    """Lower bound on `objective + price * capped` of any plan."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The curve between two corners."""

    left: Corner
    """The one with the lower cap."""
    right: Corner
    error: Decimal
    """The curve lies below the chord by no more than this."""
    within: Corner | None
    """A corner between the two."""


def corners(left: Corner, right: Corner, count: int, priced: Callable[[Decimal], Priced | None]) -> list[Piece]:
    """Return the pieces between the most telling corners, by rising cap.

    A corner is split off first where the chord overstates most, in proportion to what the corner itself costs more than the right end.

    Args:
        left: Corner with the lowest cap.
        right: The plan as it is.
        count: Maximum number of corners, both ends included.
        priced: Cheapest plan at a price of capped money. None if the search was ended.
    """
    pieces = [_piece(left, right, priced)]
    while len(pieces) + 1 < count:
        open_pieces = [piece for piece in pieces if piece.within is not None]
        if not open_pieces:
            break
        split = max(open_pieces, key=lambda piece: _weight(piece, right))
        assert split.within is not None
        pieces.remove(split)
        pieces += [
            _piece(split.left, split.within, priced, split.error),
            _piece(split.within, split.right, priced, split.error),
        ]
    return sorted(pieces, key=lambda piece: piece.left.capped)


def _weight(piece: Piece, today: Corner) -> Decimal:
    assert piece.within is not None
    return piece.error / max(_MONEY, piece.within.objective - today.objective)


def _piece(
    left: Corner, right: Corner, priced: Callable[[Decimal], Priced | None], known: Decimal | None = None
) -> Piece:
    """Return the curve between two corners; `known`: an error that holds whatever is found."""
    width, drop = right.capped - left.capped, left.objective - right.objective
    allowed = max(_MONEY, _PROVED * abs(left.objective))
    if width <= 0 or drop <= allowed:
        return Piece(left, right, Decimal(0), None)
    price = Decimal(repr(float(drop / width)))
    found = priced(price)
    if found is None:
        return Piece(left, right, drop if known is None else min(known, drop), None)
    chord = left.objective + price * left.capped
    error = max(Decimal(0), chord - found.lower)
    if error <= allowed:
        return Piece(left, right, Decimal(0), None)
    inside = left.capped < found.corner.capped < right.capped
    return Piece(left, right, min(error, drop), found.corner if inside else None)
