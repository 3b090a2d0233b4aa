"""Number and choice of random cases, and the treatment of one that fails.

`FRIENDSHORE_EXAMPLES` is the share of the cases that each property asks for:

- unset: a few, the same in every run, so that a change is judged by itself and quickly
- 0.01: the sample that `.ci/run` tries
- 1: all of them, the same in every run, as in the nightly job
- 20: 20 times as many, others each time, to look for what is still wrong

A case that fails is shown as it was drawn. With `FRIENDSHORE_SHRINK` Hypothesis looks for a smaller one, without any limit of time.
"""

from __future__ import annotations

import math
import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis.internal.conjecture import providers

DEPTH = float(os.environ.get("FRIENDSHORE_EXAMPLES", "0"))
SHRINK = bool(os.environ.get("FRIENDSHORE_SHRINK"))
FEW = 300
"""One case in so many is tried where nobody asks for more."""
LEAST = 2
"""And at least so many."""

# Hypothesis now and then draws a number that stands in a module which happens to be loaded: a case would be another one with each line that
# is written, and in a run of one file. It has no setting for that; where a later version calls it otherwise, nothing is lost but this.
if DEPTH <= 1 and hasattr(providers, "_get_local_constants"):
    providers._get_local_constants = providers.Constants

settings.register_profile(
    "friendshore",
    max_examples=max(20, math.ceil(100 * DEPTH)),
    derandomize=DEPTH <= 1,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if SHRINK else [])],
    print_blob=True,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("friendshore")


def examples(count: int, least: int = LEAST) -> settings:
    """So many examples at full depth, and a few of them by default; fewer than others at least, where one takes seconds."""
    few = min(count, max(least, count // FEW))
    return settings(max_examples=max(few, math.ceil(count * DEPTH)))


def at_depth(count: int) -> int:
    """How many of so many cases that are drawn by their numbers, the same in every run, are tried with the mark `deep`: a tenth, or as many as are
    asked for.
    """
    return math.ceil(count * min(1.0, max(0.1, DEPTH)))
