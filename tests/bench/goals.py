"""Goals of the benchmark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .job import CBC, HIGHSPY, PEERS
from .table import Section, gap
from .warm import Warm

RAW = (0.9, 0.6)
"""Maximum share of raw HiGHS' time on L: required and desired."""
FASTER = {"linopy": (1.1, 2.0), "PuLP": (3.0, 5.0), "Pyomo": (8.0, 12.0)}
"""Minimum ratio of a library's time on L to friendshore's, with any solver: required and desired."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal with its measurement."""

    text: str
    target: float
    measured: float | None
    """None if not measured."""
    at_least: bool = False
    """True if more is better."""
    unit: str = ""

    def written(self) -> str:
        sign = ">=" if self.at_least else "<="
        target_text = f"{self.text} {sign} {self.target:g}{self.unit}"
        if self.measured is None:
            return f"not measured  {target_text}"
        miss = self.target / self.measured if self.at_least else self.measured / self.target
        verdict = "met" if miss <= 1 else f"missed by a factor of {miss:.2f}"
        return f"{verdict:<{28}}{target_text}: {self.measured:.3g}{self.unit}"


def goals(sections: Sequence[Section], warm: Sequence[Warm]) -> Iterator[Goal]:
    """Yield the goals that the sections measure."""
    section_by_name = {section.name: section for section in sections}
    if "L" in section_by_name:
        yield from _linear(section_by_name["L"])
    if "D" in section_by_name:
        text = "D to 1e-4: raw HiGHS' time / friendshore's"
        yield Goal(text, 20.0, _ratio(section_by_name["D"], HIGHSPY), at_least=True)
    if "J to 1%" in section_by_name:
        yield from _joint(section_by_name["J to 1%"], section_by_name.get("J to 0.1%"))
    if "X" in section_by_name:
        yield from _extra_large(section_by_name["X"], section_by_name.get("X / 10"))
    for measurement in warm:
        median, worst = measurement.shares
        text = f"{measurement.name}, {measurement.kind}: median answer / the whole (worst {worst:.2%})"
        yield Goal(text, 5.0, 100 * median, unit="%")


def _linear(section: Section) -> Iterator[Goal]:
    ratio = _ratio(section, HIGHSPY)
    for max_ratio in RAW:
        text = "L: build + solve + verify / raw HiGHS' build + solve"
        yield Goal(text, max_ratio, 1 / ratio if ratio else None)
    for peer in PEERS:
        for min_ratio in FASTER.get(peer.partition(" ")[0], ()):
            text = f"L: {peer}'s build + solve / friendshore's build + solve + verify"
            yield Goal(text, min_ratio, _ratio(section, peer), at_least=True)


def _ratio(section: Section, peer: str) -> float | None:
    done = section.peer(peer)
    return section.ratio(done) if done else None


def _joint(rough: Section, fine: Section | None) -> Iterator[Goal]:
    ratio = _ratio(rough, HIGHSPY)
    yield Goal("J to 1%: friendshore's time / raw HiGHS' time", 0.3, 1 / ratio if ratio else None)
    if fine is not None:
        relative_gap = gap(fine.ours.answer)
        yield Goal(
            "J: gap when done or at the limit", 0.1, None if relative_gap is None else 100 * relative_gap, unit="%"
        )
        for peer in (HIGHSPY, CBC):
            done = fine.peer(peer)
            peer_gap = gap(done.answer) if done else None
            if peer_gap is not None:
                yield Goal(f"J: {peer} has not got there: its gap", 0.1, 100 * peer_gap, at_least=True, unit="%")


def _extra_large(whole: Section, tenth: Section | None) -> Iterator[Goal]:
    seconds = sum(whole.ours.answer.seconds.values())
    yield Goal("X: read + build + solve + verify", 90.0, seconds, unit=" s")
    yield Goal("X: peak memory", 8.0, whole.ours.peak / 1024, unit=" GiB")
    if tenth is not None:
        times = seconds / sum(tenth.ours.answer.seconds.values())
        yield Goal("X / (X / 10): times the time, for ten times the offers", 10.5, times)
        yield Goal("X / (X / 10): times the memory", 10.0, whole.ours.peak / tenth.ours.peak)
