"""What each column of the program means: keys in parallel arrays, block by block."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Columns:
    """Where the columns of each kind begin, and what each of them is about."""

    buy: list[int] = field(default_factory=list)
    """Positions of the columns that buy, in order of `buy_move`."""
    buy_move: list[int] = field(default_factory=list)
    buy_requirement: list[int] = field(default_factory=list)
    buy_licences: list[tuple[str, ...]] = field(default_factory=list)
    make: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """(offer, requirement or -1, order period) -> column: units made of an offer with several outputs."""
    transfer: dict[tuple[int, int, int, int, int], int] = field(default_factory=dict)
    """(offer, output, order period, from requirement, to requirement) -> column."""
    stock: dict[tuple[int, int], int] = field(default_factory=dict)
    """(node, requirement) -> first of one column a period."""
    deliver: list[int] = field(default_factory=list)
    deliver_key: list[tuple[int, int, int, tuple[str, ...]]] = field(default_factory=list)
    """Demand, period, requirement, waivers."""
    short: int = 0
    """First of demands x periods."""
    rest: dict[int, int] = field(default_factory=dict)
    """Lot -> column: what of it nobody takes."""
    onboard: dict[int, int] = field(default_factory=dict)
    """Offer -> 0/1 column."""
    order: dict[tuple[int, int], int] = field(default_factory=dict)
    """(offer, order period) -> 0/1 column."""
