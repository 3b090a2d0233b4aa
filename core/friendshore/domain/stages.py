"""The five stages of a chain, in the statute's own words, and the finer steps that catalogs may record."""

from __future__ import annotations

from collections.abc import Iterable
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

_MAGNET_ROUTES = (
    ("milling", "pressing", "sintering", "magnetizing"),
    ("milling", "pressing", "bonding", "magnetizing"),
)
Route = tuple[str, ...]
"""Steps that together are the whole of a stage, in the order in which they are done."""
ROUTES: dict[Stage, tuple[Route, ...]] = {
    Stage.MINED: (("mining",), (COLLECTION,)),
    Stage.REFINED: (("refining",),),
    Stage.SEPARATED: (("separation",),),
    Stage.MELTED: (("melting",), ("alloying",)),
    Stage.PRODUCED: _MAGNET_ROUTES,
}
"""The routes of each stage that hold under every rule. A step that is no route by itself leaves open where the rest was done.

Statutes ask where a material was mined, refined, separated or melted, in these words, so the step of the same name answers them. To
melt an alloy is to make it of its metals (DFARS 225.7018-2: "melting samarium with cobalt to produce the alloy"), so alloying answers
too. Every other step comes before or after something that belongs to the same stage.
"""


def stage_of(word: str) -> Stage:
    """The stage that a stage or step word belongs to by default.

    Raises:
        ValueError: if it is neither.
    """
    if word in STEPS:
        return STEPS[word]
    return Stage(word)


def covers_stage(stage: Stage, words: Iterable[str], routes: Iterable[Route] = (), begun: bool = False) -> bool:
    """Return True if the words recorded of a stage leave none of its steps open.

    Args:
        stage: the stage.
        words: the stage itself, or steps of it.
        routes: routes beside those that hold under every rule.
        begun: accept the first steps of a route, because another maker does the rest.
    """
    recorded = set(words)
    if stage.value in recorded:
        return True
    for route in (*ROUTES[stage], *routes):
        done = [step in recorded for step in route]
        if all(done) or (begun and any(done) and done == sorted(done, reverse=True)):
            return True
    return False
