"""All minimal sets of levers that do something, where more levers never undo it.

Every set that does not do it is grown to a largest such set; the levers outside of that are a cut, of which every set that does it
must hold one. Sets are tried smallest first among those that hold one of every cut known, so that what is found to do it is
minimal. This is the enumeration of minimal sets over the map of what has been tried (MARCO: Liffiton, Previti, Malik and
Marques-Silva, Fast, flexible MUS enumeration, Constraints 21, 2016, 223-250), where the map is kept as cuts and asked for its smallest
hitting sets (Reiter, A theory of diagnosis from first principles, Artificial Intelligence 32, 1987, 57-95).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

Members = frozenset[int]


class Lattice:
    """The sets of `count` levers, and what is known of them."""

    def __init__(self, count: int, does: Callable[[Members], bool]) -> None:
        """Nothing is known yet.

        Args:
            count: levers.
            does: whether a set of them does it; if it does, so does every larger set.
        """
        self.all: Members = frozenset(range(count))
        self._asked = does
        self._doing: list[Members] = []
        self._not: list[Members] = []
        """Largest sets known not to do it."""

    def does(self, members: Members) -> bool:
        """Whether a set does it: by what is known, or else by asking."""
        if any(known <= members for known in self._doing):
            return True
        if any(members <= known for known in self._not):
            return False
        found = self._asked(members)
        (self._doing if found else self._not).append(members)
        return found

    def minimal(self, most: int) -> Iterator[Members]:
        """Every minimal set of no more than `most` levers that does it, smaller ones first, in canonical order."""
        if not self.does(self.all):
            return
        cuts: list[list[int]] = []
        found: list[Members] = []
        for size in range(most + 1):
            yield from self._of_size(frozenset(), frozenset(), size, cuts, found)

    def _of_size(
        self, chosen: Members, passed: Members, size: int, cuts: list[list[int]], found: list[Members]
    ) -> Iterator[Members]:
        """Minimal sets of no more than `size` that hold all of `chosen` and none of `passed`."""
        while True:
            if any(known <= chosen for known in found):
                return
            cut = next((cut for cut in cuts if chosen.isdisjoint(cut)), None)
            if cut is not None:
                break
            if self.does(chosen):
                found.append(chosen)
                yield chosen
                return
            if len(chosen) == size:  # grown in the next round, if there is one: the largest sets need not be
                return
            cuts.append(sorted(self.all - self._grown(chosen, sorted(self.all - chosen))))
        if len(chosen) == size:
            return
        for position, lever in enumerate(cut):
            if lever not in passed:
                yield from self._of_size(chosen | {lever}, passed | set(cut[:position]), size, cuts, found)

    def _grown(self, members: Members, others: list[int]) -> Members:
        """A set that does not do it, with all of `others` that do not change that: halves are tried as a whole first."""
        if not others:
            return members
        if not self.does(members | frozenset(others)):
            return members | frozenset(others)
        if len(others) == 1:
            return members
        half = len(others) // 2
        return self._grown(self._grown(members, others[:half]), others[half:])
