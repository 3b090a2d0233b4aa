"""Results as a table and as JSON lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from .answer import Answer
from .job import HIGHSPY, OURS, JobResult

CLOSE = 1e-6
"""Relative difference of equal optima."""


@dataclass(frozen=True, slots=True)
class Section:
    """friendshore and its peers on one instance."""

    name: str
    """Name in the table: `L`, `D + budget`."""
    ours: JobResult
    peers: tuple[JobResult, ...]

    def peer(self, name: str) -> JobResult | None:
        return next((done for done in self.peers if done.job.who == name), None)

    def seconds(self, done: JobResult) -> float | None:
        """Return the seconds of build and solve. For a peer that only built, add raw HiGHS' solve, since it calls the same solver."""
        if done.job.solve:
            return done.total if "solve" in done.answer.seconds else None
        raw = self.peer(HIGHSPY)
        if raw is None or "solve" not in raw.answer.seconds or "build" not in done.answer.seconds:
            return None
        return done.total + raw.answer.seconds["solve"]

    def ratio(self, done: JobResult) -> float | None:
        """Return the ratio of a peer's time to friendshore's build, solve, and verification."""
        seconds = self.seconds(done)
        return seconds / self.ours.total if seconds is not None and self.ours.total else None


def gap(answer: Answer) -> float | None:
    """Return the relative distance of the objective from the bound."""
    if answer.objective is None or answer.bound is None:
        return None
    return max(0.0, answer.objective - answer.bound) / max(abs(answer.objective), 1.0)


def agree(first: Answer, second: Answer) -> bool | None:
    """Return True if two answers can be of one model: equal, or neither objective below the other's bound. None if unknown."""
    if first.objective is None or second.objective is None:
        return None
    tolerance = CLOSE * max(abs(first.objective), abs(second.objective), 1.0)
    if abs(first.objective - second.objective) <= tolerance:
        return True
    if first.bound is None or second.bound is None:
        return None
    return first.bound <= second.objective + tolerance and second.bound <= first.objective + tolerance


def lines(section: Section) -> list[dict[str, Any]]:
    """Return a JSON object for friendshore alone, or one for each peer."""
    ours = section.ours
    size = {"scale": ours.job.scale, "instance": ours.job.data.size, **_sizes(ours.answer)}
    common = {"name": section.name, "size": size, "total": round(ours.total, 4), **_fields(ours)}
    return (
        [common | {"peer": None}] if not section.peers else [common | _beside(section, peer) for peer in section.peers]
    )


def _fields(done: JobResult) -> dict[str, Any]:
    answer = done.answer
    outcome = {"objective": answer.objective, "bound": answer.bound, "gap": gap(answer), "status": answer.status}
    seconds = {phase: round(value, 4) for phase, value in answer.seconds.items()}
    return {"seconds": seconds, **outcome, "peak_mib": round(done.peak, 1)}


def _beside(section: Section, peer: JobResult) -> dict[str, Any]:
    return {
        "peer": peer.job.who,
        "peer_size": _sizes(peer.answer),
        "peer_solver": "own" if peer.job.solve else f"build only; solve as {HIGHSPY}",
        "ratio": section.ratio(peer),
        **{f"peer_{name}": value for name, value in _fields(peer).items()},
        "agree": agree(section.ours.answer, peer.answer),
    }


def _sizes(answer: Answer) -> dict[str, Any]:
    return {key: answer.notes[key] for key in ("rows", "columns", "nonzeros", "components") if key in answer.notes}


HEAD = ("", "who", "read", "build", "solve", "verify", "ratio", "objective", "gap", "agrees", "MiB", "")
_LEFT = {0, 1, len(HEAD) - 1}


def written(sections: Sequence[Section]) -> str:
    rows: list[tuple[str, ...]] = [HEAD]
    for section in sections:
        rows.append(_row(section.name, section.ours, ""))
        for peer in section.peers:
            ratio, same = section.ratio(peer), agree(section.ours.answer, peer.answer)
            rows.append(_row("", peer, "" if ratio is None else f"{ratio:.1f}", same))
    return columns(rows, _LEFT)


def columns(rows: Sequence[Sequence[str]], left: Collection[int]) -> str:
    """Align rows of cells in columns, to the left in the columns `left`."""
    sides = [f"{'<' if i in left else '>'}{max(map(len, cells))}" for i, cells in enumerate(zip(*rows, strict=True))]
    return "\n".join("  ".join(map(format, row, sides)).rstrip() for row in rows)


def _row(name: str, done: JobResult, ratio: str, same: bool | None = None) -> tuple[str, ...]:
    answer, relative_gap = done.answer, gap(done.answer)
    seconds = [f"{answer.seconds[p]:.2f}" if p in answer.seconds else "" for p in ("read", "build", "solve", "verify")]
    return (
        name,
        done.job.who,
        *seconds,
        ratio,
        "" if answer.objective is None else f"{answer.objective:,.0f}",
        "" if relative_gap is None else f"{relative_gap:.1e}",
        "" if done.job.who == OURS or same is None else ("yes" if same else "NO"),
        f"{done.peak:,.0f}",
        answer.status if done.job.solve else f"built; solve as {HIGHSPY}",
    )
