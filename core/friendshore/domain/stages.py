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

_STEPS_OF: dict[Stage, tuple[str, ...]] = {
    Stage.MINED: ("mining", "concentration", COLLECTION),
    Stage.REFINED: ("cracking", "leaching", "smelting", "refining", "calcination", "reduction", "electrolysis"),
    Stage.SEPARATED: ("separation",),
    Stage.MELTED: ("melting", "alloying", "strip-casting"),
    Stage.PRODUCED: ("milling", "atomization", "consolidation", "pressing", "sintering", "bonding", "magnetizing"),
}
STEPS: dict[str, Stage] = {step: stage for stage, steps in _STEPS_OF.items() for step in steps}
"""Finer words and the stage each is a step of, where a rule does not map it otherwise (`OriginBan.steps`)."""

PARTIAL = frozenset({"concentration", "cracking", "leaching", "milling", "pressing", "magnetizing"})
"""Steps that are never the whole of their stage: something came before them, and where is another question."""


def stage_of(word: str) -> Stage:
    """The stage that a stage or step word belongs to by default.

    Raises:
        ValueError: if it is neither.
    """
    if word in STEPS:
        return STEPS[word]
    return Stage(word)
