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
class PricedPlan:
    """The cheapest plan where each unit of capped money has a price."""

    corner: Corner
    lower: Decimal
    """Lower bound on `objective + price * capped` of any plan."""


@dataclass(frozen=True, slots=True)
class Chord:
    """The chord of two corners, and how far the curve lies below it."""

    left: Corner
    """The one with the lower cap."""
    right: Corner
    error: Decimal
    """The curve lies below the chord by no more than this."""
    within: Corner | None
    """A corner between the two."""


def corners(left: Corner, right: Corner, count: int, priced: Callable[[Decimal], PricedPlan | None]) -> list[Chord]:
    """Return the chords between the most telling corners, by rising cap.

    A corner is split off first where the chord overstates most, in proportion to what the corner itself costs more than the right end.

    Args:
        left: Corner with the lowest cap.
        right: The plan as it is.
        count: Maximum number of corners, both ends included.
        priced: Cheapest plan at a price of capped money. None if the search was ended.
    """
    chords = [_chord(left, right, priced)]
    while len(chords) + 1 < count:
        open_chords = [chord for chord in chords if chord.within is not None]
        if not open_chords:
            break
        split = max(open_chords, key=lambda chord: _weight(chord, right))
        assert split.within is not None
        chords.remove(split)
        chords += [
            _chord(split.left, split.within, priced, split.error),
            _chord(split.within, split.right, priced, split.error),
        ]
    return sorted(chords, key=lambda chord: chord.left.capped)


def _weight(chord: Chord, today: Corner) -> Decimal:
    assert chord.within is not None
    return chord.error / max(_MONEY, chord.within.objective - today.objective)


def _chord(
    left: Corner, right: Corner, priced: Callable[[Decimal], PricedPlan | None], known: Decimal | None = None
) -> Chord:
    """Return the chord of two corners. `known` is an error that holds whatever is found."""
    width, drop = right.capped - left.capped, left.objective - right.objective
    allowed = max(_MONEY, _PROVED * abs(left.objective))
    if width <= 0 or drop <= allowed:
        return Chord(left, right, Decimal(0), None)
    price = Decimal(repr(float(drop / width)))
    found = priced(price)
    if found is None:
        return Chord(left, right, drop if known is None else min(known, drop), None)
    value = left.objective + price * left.capped
    error = max(Decimal(0), value - found.lower)
    if error <= allowed:
        return Chord(left, right, Decimal(0), None)
    inside = left.capped < found.corner.capped < right.capped
    return Chord(left, right, min(error, drop), found.corner if inside else None)
