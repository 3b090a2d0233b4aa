"""Results as a table, as JSON lines, and beside the goals."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from .answer import Answer
from .job import HIGHSPY, OURS, Done

CLOSE = 1e-6
"""Relative distance up to which two optima are the same."""


@dataclass(frozen=True, slots=True)
class Section:
    """One instance: friendshore's run and those of its peers."""

    name: str
    """As it stands in the table: `L`, `D + budget`."""
    ours: Done
    peers: tuple[Done, ...]

    def peer(self, name: str) -> Done | None:
        """A peer's run, if it had one."""
        return next((done for done in self.peers if done.job.who == name), None)

    def seconds(self, done: Done) -> float | None:
        """Build and solve of a peer; if it only built, its building and raw HiGHS' solve, for it calls the same solver."""
        if done.job.solve:
            return done.total if "solve" in done.answer.seconds else None
        raw = self.peer(HIGHSPY)
        if raw is None or "solve" not in raw.answer.seconds or "build" not in done.answer.seconds:
            return None
        return done.total + raw.answer.seconds["solve"]

    def ratio(self, done: Done) -> float | None:
        """How many times as long a peer took as friendshore's build, solve and verification."""
        seconds = self.seconds(done)
        return seconds / self.ours.total if seconds is not None and self.ours.total else None


def gap(answer: Answer) -> float | None:
    """Relative distance of the objective from the bound."""
    if answer.objective is None or answer.bound is None:
        return None
    return max(0.0, answer.objective - answer.bound) / max(abs(answer.objective), 1.0)


def agree(one: Answer, other: Answer) -> bool | None:
    """Whether two answers may be of one model: equal to 1e-6, or neither objective below the other's bound. None: not known."""
    if one.objective is None or other.objective is None:
        return None
    scale = CLOSE * max(abs(one.objective), abs(other.objective), 1.0)
    if abs(one.objective - other.objective) <= scale:
        return True
    if one.bound is None or other.bound is None:
        return None
    return one.bound <= other.objective + scale and other.bound <= one.objective + scale


def lines(section: Section) -> list[dict[str, Any]]:
    """One JSON object for friendshore alone, or for each of its peers beside it."""
    ours = section.ours
    size = {"scale": ours.job.scale, "instance": ours.job.made.size, **_sizes(ours.answer)}
    base = {"name": section.name, "size": size, "total": round(ours.total, 4), **_told(ours)}
    return [base | {"peer": None}] if not section.peers else [base | _beside(section, peer) for peer in section.peers]


def _told(done: Done) -> dict[str, Any]:
    answer = done.answer
    found = {"objective": answer.objective, "bound": answer.bound, "gap": gap(answer), "status": answer.status}
    seconds = {phase: round(value, 4) for phase, value in answer.seconds.items()}
    return {"seconds": seconds, **found, "peak_mib": round(done.peak, 1)}


def _beside(section: Section, peer: Done) -> dict[str, Any]:
    return {
        "peer": peer.job.who,
        "peer_size": _sizes(peer.answer),
        "peer_solver": "own" if peer.job.solve else f"build only; solve as {HIGHSPY}",
        "ratio": section.ratio(peer),
        **{f"peer_{name}": value for name, value in _told(peer).items()},
        "agree": agree(section.ours.answer, peer.answer),
    }


def _sizes(answer: Answer) -> dict[str, Any]:
    return {key: answer.notes[key] for key in ("rows", "columns", "nonzeros", "components") if key in answer.notes}


HEAD = ("", "who", "read", "build", "solve", "verify", "ratio", "objective", "gap", "agrees", "MiB", "")
_LEFT = {0, 1, len(HEAD) - 1}


def written(sections: Sequence[Section]) -> str:
    """The table."""
    rows: list[tuple[str, ...]] = [HEAD]
    for section in sections:
        rows.append(_row(section.name, section.ours, ""))
        for peer in section.peers:
            ratio, same = section.ratio(peer), agree(section.ours.answer, peer.answer)
            rows.append(_row("", peer, "" if ratio is None else f"{ratio:.1f}", same))
    return columns(rows, _LEFT)


def columns(rows: Sequence[Sequence[str]], left: Collection[int]) -> str:
    """Rows of cells in aligned columns, all but some of them to the right."""
    sides = [f"{'<' if i in left else '>'}{max(map(len, cells))}" for i, cells in enumerate(zip(*rows, strict=True))]
    return "\n".join("  ".join(map(format, row, sides)).rstrip() for row in rows)


def _row(name: str, done: Done, ratio: str, same: bool | None = None) -> tuple[str, ...]:
    answer, apart = done.answer, gap(done.answer)
    seconds = [f"{answer.seconds[p]:.2f}" if p in answer.seconds else "" for p in ("read", "build", "solve", "verify")]
    return (
        name,
        done.job.who,
        *seconds,
        ratio,
        "" if answer.objective is None else f"{answer.objective:,.0f}",
        "" if apart is None else f"{apart:.1e}",
        "" if done.job.who == OURS or same is None else ("yes" if same else "NO"),
        f"{done.peak:,.0f}",
        answer.status if done.job.solve else f"built; solve as {HIGHSPY}",
    )
