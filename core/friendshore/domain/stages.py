"""The five stages of a chain, in the statute's own words, and the finer steps that catalogs may record."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """A stage of making, from the ground to the good; the order is the order of the chain."""

    MINED = "mined"
    REFINED = "refined"
    SEPARATED = "separated"
    MELTED = "melted"
    PRODUCED = "produced"

    @property
    def rank(self) -> int:
        """Position along the chain."""
        return _RANKS[self]


_RANKS = {stage: rank for rank, stage in enumerate(Stage)}

COLLECTION = "collection"
"""The step that stands in the place of the mine where the feed is scrap: it tells where the scrap arose, and nothing of where its
metal was mined."""

STEPS: dict[str, Stage] = {
    "mining": Stage.MINED,
    "concentration": Stage.MINED,
    COLLECTION: Stage.MINED,
    "cracking": Stage.REFINED,
    "leaching": Stage.REFINED,
    "smelting": Stage.REFINED,
    "refining": Stage.REFINED,
    "calcination": Stage.REFINED,
    "reduction": Stage.REFINED,
    "electrolysis": Stage.REFINED,
    "separation": Stage.SEPARATED,
    "melting": Stage.MELTED,
    "alloying": Stage.MELTED,
    "strip-casting": Stage.MELTED,
    "milling": Stage.PRODUCED,
    "atomization": Stage.PRODUCED,
    "consolidation": Stage.PRODUCED,
    "pressing": Stage.PRODUCED,
    "sintering": Stage.PRODUCED,
    "bonding": Stage.PRODUCED,
    "magnetizing": Stage.PRODUCED,
}
"""Finer words and the stage each is a step of, where a rule does not map it otherwise (`OriginBan.steps`)."""


def stage_of(word: str) -> Stage:
    """The stage that a stage or step word belongs to by default.

    Raises:
        ValueError: if it is neither.
    """
    if word in STEPS:
        return STEPS[word]
    return Stage(word)
