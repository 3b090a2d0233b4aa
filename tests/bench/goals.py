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

    @property
    def met(self) -> bool:
        """Whether it was met."""
        if self.found is None:
            return False
        return self.found >= self.asked if self.at_least else self.found <= self.asked

    def written(self) -> str:
        """The goal in a line."""
        sign = ">=" if self.at_least else "<="
        asked = f"{self.text} {sign} {self.asked:g}{self.unit}"
        if self.found is None:
            return f"not measured  {asked}"
        off = self.asked / self.found if self.at_least else self.found / self.asked
        verdict = "met" if self.met else f"missed by a factor of {off:.2f}"
        return f"{verdict:<{28}}{asked}: {self.found:.3g}{self.unit}"


def goals(sections: Sequence[Section], warm: Sequence[Warm]) -> Iterator[Goal]:
    """All goals of which the sections say something."""
    found = {section.name: section for section in sections}
    if "L" in found:
        yield from _linear(found["L"])
    if "D" in found:
        yield _raw_ratio("D to 1e-4: raw HiGHS' time / friendshore's", found["D"], 20.0)
    if "J to 1 %" in found:
        yield from _joint(found["J to 1 %"], found.get("J to 0.1 %"))
    if "X" in found:
        yield from _extra_large(found["X"], found.get("X / 10"))
    for one in warm:
        median, worst = one.shares
        text = f"{one.name}, {one.kind}: median answer / the whole (worst {worst:.2%})"
        yield Goal(text, 5.0, 100 * median, unit=" %")


def _linear(section: Section) -> Iterator[Goal]:
    raw = section.peer(HIGHSPY)
    ratio = section.ratio(raw) if raw else None
    for most in RAW:
        text = "L: build + solve + verify / raw HiGHS' build + solve"
        yield Goal(text, most, 1 / ratio if ratio else None)
    for peer in PEERS:
        done = section.peer(peer)
        for least in FASTER.get(peer.partition(" ")[0], ()):
            found = section.ratio(done) if done else None
            text = f"L: {peer}'s build + solve / friendshore's build + solve + verify"
            yield Goal(text, least, found, at_least=True)


def _raw_ratio(text: str, section: Section, asked: float) -> Goal:
    raw = section.peer(HIGHSPY)
    return Goal(text, asked, section.ratio(raw) if raw else None, at_least=True)


def _joint(rough: Section, fine: Section | None) -> Iterator[Goal]:
    raw = rough.peer(HIGHSPY)
    ratio = rough.ratio(raw) if raw else None
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
    seconds = sum(value for phase, value in whole.ours.answer.seconds.items() if phase != "records")
    yield Goal("X: read + build + solve + verify", 90.0, seconds, unit=" s")
    yield Goal("X: peak memory", 8.0, whole.ours.peak / 1024, unit=" GiB")
    if tenth is not None:
        before = sum(value for phase, value in tenth.ours.answer.seconds.items() if phase != "records")
        yield Goal("X / (X / 10): times the time, for ten times the offers", 10.5, seconds / before)
        yield Goal("X / (X / 10): times the memory", 10.0, whole.ours.peak / tenth.ours.peak)
