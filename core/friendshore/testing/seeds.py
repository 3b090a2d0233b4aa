"""Rules asked in other processes, in which sets are gone through in another order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

from ..domain.facts import Material
from ..domain.use import Verdict
from ..errors import InputError
from ..plugins.elsewhere import elsewhere
from ..rules.base import Rule
from ..rules.rows import one_by_one
from .asking import Asking, described
from .check import NotLookedAt
from .worlds import worlds

SEEDS = ("1", "2")
LIMIT = 120.0
"""Seconds for each process."""


def unsteady(rules: Sequence[Rule], materials: Sequence[Material], count: int) -> list[str]:
    """Ids of rules that say something else, or the same in another order, where sets are gone through in another order.

    Args:
        rules: what to ask.
        materials: materials that they may speak of.
        count: made-up cases for each.

    Raises:
        NotLookedAt: if their classes are unavailable in another process.
    """
    told = {
        "rules": [_told(rule) for rule in rules],
        "materials": [material.model_dump(mode="json") for material in materials],
        "count": count,
    }

    def asked(seed: str) -> Any:
        return elsewhere(f"{__name__}:fingerprints", told, LIMIT, {"PYTHONHASHSEED": seed}).said

    with ThreadPoolExecutor(len(SEEDS)) as workers:
        said = list(workers.map(asked, SEEDS))
    if any(answer is None for answer in said):
        raise NotLookedAt("the classes of the rules are unavailable in another process")
    return [rule.id for rule, one, other in zip(rules, *said, strict=True) if one != other]


def _told(rule: Rule) -> dict[str, Any]:
    kind = type(rule)
    return {"module": kind.__module__, "class": kind.__qualname__, "data": rule.model_dump(mode="json", by_alias=True)}


def fingerprints(told: Mapping[str, Any]) -> list[str]:
    """What the other process does: a digest of all that each rule says, in its order."""
    materials = [Material.model_validate(material) for material in told["materials"]]
    found = []
    for one in told["rules"]:
        rule: Rule = getattr(import_module(one["module"]), one["class"]).model_validate(one["data"])
        said = [_said(Asking(rule, world)) for world in worlds([rule], materials, told["count"])]
        found.append(hashlib.sha256(repr(said).encode()).hexdigest())
    return found


def _said(asking: Asking) -> list[str]:
    try:
        rows = [f"{row.label} {described(row)}" for made in asking.rows() for row in one_by_one(made)]
    except InputError:
        rows = []  # it names something that only a real case has
    judged: Sequence[Any] = asking.judged()
    verdicts = [v.model_dump_json() if isinstance(v, Verdict) else repr(v) for answers in judged for v in answers]
    return [*rows, *verdicts]
