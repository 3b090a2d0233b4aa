"""What the bench is measured against, beside what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .job import CBC, HIGHSPY, PEERS
from .table import Section, gap
from .warm import Warm

RAW = (0.9, 0.6)
"""Share of raw HiGHS' time on L that is asked for, and that is aimed at."""
FASTER = {"linopy": (1.1, 2.0), "PuLP": (3.0, 5.0), "Pyomo": (8.0, 12.0)}
"""Likewise how many times as long a library takes on L, with whatever solver."""


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal, and how far it was met."""

    text: str
    asked: float
    found: float | None
    """None: not measured."""
    at_least: bool = False
    """Whether more is better."""
    unit: str = ""

    def written(self) -> str:
        """The goal in a line."""
        sign = ">=" if self.at_least else "<="
        asked = f"{self.text} {sign} {self.asked:g}{self.unit}"
        if self.found is None:
            return f"not measured  {asked}"
        off = self.asked / self.found if self.at_least else self.found / self.asked
        verdict = "met" if off <= 1 else f"missed by a factor of {off:.2f}"
        return f"{verdict:<{28}}{asked}: {self.found:.3g}{self.unit}"


def goals(sections: Sequence[Section], warm: Sequence[Warm]) -> Iterator[Goal]:
    """All goals of which the sections say something."""
    found = {section.name: section for section in sections}
    if "L" in found:
        yield from _linear(found["L"])
    if "D" in found:
        text = "D to 1e-4: raw HiGHS' time / friendshore's"
        yield Goal(text, 20.0, _ratio(found["D"], HIGHSPY), at_least=True)
    if "J to 1 %" in found:
        yield from _joint(found["J to 1 %"], found.get("J to 0.1 %"))
    if "X" in found:
        yield from _extra_large(found["X"], found.get("X / 10"))
    for one in warm:
        median, worst = one.shares
        text = f"{one.name}, {one.kind}: median answer / the whole (worst {worst:.2%})"
        yield Goal(text, 5.0, 100 * median, unit=" %")


def _linear(section: Section) -> Iterator[Goal]:
    ratio = _ratio(section, HIGHSPY)
    for most in RAW:
        text = "L: build + solve + verify / raw HiGHS' build + solve"
        yield Goal(text, most, 1 / ratio if ratio else None)
    for peer in PEERS:
        for least in FASTER.get(peer.partition(" ")[0], ()):
            text = f"L: {peer}'s build + solve / friendshore's build + solve + verify"
            yield Goal(text, least, _ratio(section, peer), at_least=True)


def _ratio(section: Section, peer: str) -> float | None:
    done = section.peer(peer)
    return section.ratio(done) if done else None


def _joint(rough: Section, fine: Section | None) -> Iterator[Goal]:
    ratio = _ratio(rough, HIGHSPY)
    yield Goal("J to 1 %: friendshore's time / raw HiGHS' time", 0.3, 1 / ratio if ratio else None)
    if fine is not None:
        apart = gap(fine.ours.answer)
        yield Goal("J: gap when done or at the limit", 0.1, None if apart is None else 100 * apart, unit=" %")
        for peer in (HIGHSPY, CBC):
            done = fine.peer(peer)
            left = gap(done.answer) if done else None
            if left is not None:
                yield Goal(f"J: {peer} has not got there: its gap", 0.1, 100 * left, at_least=True, unit=" %")


def _extra_large(whole: Section, tenth: Section | None) -> Iterator[Goal]:
    seconds = sum(whole.ours.answer.seconds.values())
    yield Goal("X: read + build + solve + verify", 90.0, seconds, unit=" s")
    yield Goal("X: peak memory", 8.0, whole.ours.peak / 1024, unit=" GiB")
    if tenth is not None:
        times = seconds / sum(tenth.ours.answer.seconds.values())
        yield Goal("X / (X / 10): times the time, for ten times the offers", 10.5, times)
        yield Goal("X / (X / 10): times the memory", 10.0, whole.ours.peak / tenth.ours.peak)
