"""Minimal sets that suffice for something, by trying sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Member = TypeVar("Member")
Suffices = Callable[[Sequence[Member]], bool]


def minimal_set(
    members: Sequence[Member], suffices: Suffices[Member], sizes: Sequence[int] = ()
) -> list[Member] | None:
    """Return a minimal set that suffices, of as few as possible of the last members. None if all of them don't suffice.

    QuickXplain, on the first members that suffice: Junker, Preferred explanations and relaxations for over-constrained problems, AAAI 2004, 167-172.

    Args:
        members: All members, the preferred ones first.
        suffices: Function that returns True if a set suffices.
        sizes: Numbers of first members that are tried before all of them.
    """
    tried = sorted({size for size in sizes if 0 < size < len(members)} | {len(members)})
    size = next((size for size in tried if suffices(members[:size])), None)
    return None if size is None else _without_spare(_explained([], False, members[:size], suffices), suffices)


def _explained(
    background: Sequence[Member], grown: bool, members: Sequence[Member], suffices: Suffices[Member]
) -> list[Member]:
    """Return the members that are needed beside the background."""
    if grown and suffices(background):
        return []
    if len(members) == 1:
        return list(members)
    half = len(members) // 2
    last = _explained([*background, *members[:half]], True, members[half:], suffices)
    return _explained([*background, *last], bool(last), members[:half], suffices) + last


def _without_spare(members: list[Member], suffices: Suffices[Member]) -> list[Member]:
    """Return the members that are needed even if more of them don't always do more."""
    for each in members:
        fewer = [other for other in members if other != each]
        if fewer and suffices(fewer):
            return _without_spare(fewer, suffices)
    return members
