"""What a run was made of, and without."""

from __future__ import annotations

from typing import Literal

from .base import Record


class RunPlugin(Record):
    """A catalog or pack used, with where it came from and the hash of its data."""

    name: str
    kind: Literal["catalog", "pack", "rule kind"]
    distribution: str
    digest: str


class RunBlock(Record):
    """A plugin that counted as not installed when the run was made; it does so again where the run is verified or asked anew."""

    name: str
    """As it was ruled out: distribution, entry point or package; with `:name`, one thing that it brings."""
    by: list[str]
    """Who ruled it out: `FRIENDSHORE_BLOCK`, `--block`, `[use] block` or `blocked=`."""
    plugins: list[str]
    """Distributions and versions of that name that were installed; none: it ruled out nothing."""
