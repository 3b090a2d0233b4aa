"""Time of each question about a whole case: `python -m tests.bench.questions [scale]`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from friendshore.explain.results import Effort
from friendshore.problem.inputs import Inputs
from friendshore.questions.alternatives.find_alternatives import alternatives
from friendshore.session import Session
from friendshore_reasons.ledger.search import ledger
from friendshore_risk.stress_answer import insurance, stress

from .answer import Answer
from .instances import COUNTRIES, Instance, _demand, _levels, _many, _money, _spread, _whole, make_instance
from .ours import read_instance


def independent(scale: float = 1.0) -> Instance:
    """Return 500 offers of 60 materials in 12 months with onboarding, and no country above 60% of a month's purchases."""
    dice = np.random.default_rng(35)
    materials, offers, months = _many(60, scale), _many(500, scale), 12
    level, demand = _levels(dice, materials), _demand(dice, materials, months)
    usual = demand.mean(axis=1)
    material = np.sort(_spread(dice, materials, offers))
    return make_instance(
        "A",
        level,
        demand=demand,
        country=dice.integers(0, len(COUNTRIES), offers),
        capacity=_whole(dice.uniform(0.2, 0.7, offers) * 12 * usual[material]),
        material=material,
        price=_money(level[material] * dice.uniform(0.85, 1.6, offers)),
        onboarding=_whole(dice.uniform(0.02, 0.1, offers) * (level * usual * months)[material]),
        share=0.6,
    )


QUESTIONS: dict[str, Callable[[Session], Effort]] = {
    "alternatives": lambda session: alternatives(session).effort,
    "ledger": lambda session: ledger(session, more_units=True).effort,
    "stress": lambda session: stress(session).effort,
    "insurance": lambda session: insurance(session).effort,
}
"""Questions as commands ask them. `friendshore stress` asks the last two."""


def main() -> int:
    """Ask each question in a new session, and print its time."""
    instance = independent(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
    facts = read_instance(instance, Answer())
    for name, ask in QUESTIONS.items():
        started = time.monotonic()
        session = Session.open(Inputs(*facts))
        solved = time.monotonic()
        effort = ask(session)
        time_text = f"planned in {solved - started:.1f} s, asked about in {time.monotonic() - solved:.1f} s"
        effort_text = (
            f"{effort.questions} questions, {effort.solved} components solved, {effort.share_reused:.0%} known"
        )
        sys.stdout.write(f"{name}: {instance.size}: {time_text}; {effort_text}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
