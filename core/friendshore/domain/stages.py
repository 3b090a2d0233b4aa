"""The five stages of a chain, named as in the statute, and the finer steps that catalogs may record."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Stage(StrEnum):
    """A production stage, from the ground to the finished good, in the order of the chain."""

    MINED = "mined"
    REFINED = "refined"
    SEPARATED = "separated"
    MELTED = "melted"
    PRODUCED = "produced"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {stage: rank for rank, stage in enumerate(Stage)}

COLLECTION = "collection"
"""The step that replaces the mine if the feed is scrap. It states where the scrap was collected, not where its metal was mined."""

_STEPS_OF: dict[Stage, tuple[str, ...]] = {
    Stage.MINED: ("mining", "concentration", COLLECTION),
    Stage.REFINED: ("cracking", "leaching", "smelting", "refining", "calcination", "reduction", "electrolysis"),
    Stage.SEPARATED: ("separation",),
    Stage.MELTED: ("melting", "alloying", "strip-casting"),
    Stage.PRODUCED: ("milling", "atomization", "consolidation", "pressing", "sintering", "bonding", "magnetizing"),
}
STEPS: dict[str, Stage] = {step: stage for stage, steps in _STEPS_OF.items() for step in steps}
"""Steps, with the stage that each belongs to unless a rule maps it differently (`OriginBan.steps`)."""

_MAGNET_ROUTES = (
    ("milling", "pressing", "sintering", "magnetizing"),
    ("milling", "pressing", "bonding", "magnetizing"),
)
Route = tuple[str, ...]
"""Steps that together form a whole stage, in order."""
ROUTES: dict[Stage, tuple[Route, ...]] = {
    Stage.MINED: (("mining",), (COLLECTION,)),
    Stage.REFINED: (("refining",),),
    Stage.SEPARATED: (("separation",),),
    Stage.MELTED: (("melting",), ("alloying",)),
    Stage.PRODUCED: _MAGNET_ROUTES,
}
"""Routes of each stage that are valid under every rule. A step that isn't a route by itself leaves the location of the other steps open. Statutes ask
where a material was mined, refined, separated, or melted, in these words, so the step of the same name is sufficient. To melt an alloy is to make it
of its metals (DFARS 225.7018-2: "melting samarium with cobalt to produce the alloy"), so alloying is sufficient too. Every other step comes before or
after another step of the same stage."""


def stage_of(word: str) -> Stage:
    """Return the default stage of a stage or step. Any other word raises ValueError."""
    if word in STEPS:
        return STEPS[word]
    return Stage(word)


def covers_stage(stage: Stage, words: Iterable[str], routes: Iterable[Route] = (), begun: bool = False) -> bool:
    """Return True if the words record every step of a stage, by `routes` or those of every rule. `begun` accepts the first steps: another maker does the rest."""
    recorded = set(words)
    if stage.value in recorded:
        return True
    for route in (*ROUTES[stage], *routes):
        done = [step in recorded for step in route]
        if all(done) or (begun and any(done) and done == sorted(done, reverse=True)):
            return True
    return False
