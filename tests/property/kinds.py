"""What the built-in kinds say of one move of one supply tree, written anew from their fields and the verdict table."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from friendshore.domain.case import DemandSpec
from friendshore.domain.facts import ChainEntry, Facility, Material
from friendshore.domain.stages import stage_of


class Answer(Enum):
    """What a rule says of a move."""

    PASS = 0
    LICENSE = 1
    UNPROVEN = 2
    FAIL = 3


def unread(rule: Any, *fields: str) -> None:
    """Asserts that a rule does not use fields that are not read here."""
    used = [field for field in fields if getattr(rule, field)]
    assert not used, f"not read here: {used}"


def table(possible: frozenset[str], complete: bool, barred: frozenset[str]) -> Answer:
    """The verdict of one stage with its possible countries.

    No entry: unproven. None barred and the list complete: pass. All barred and the list complete: fail. Else: unproven.
    """
    if not possible or not complete:
        return Answer.UNPROVEN
    barred_ones = sum(country in barred for country in possible)
    if barred_ones == 0:
        return Answer.PASS
    return Answer.FAIL if barred_ones == len(possible) else Answer.UNPROVEN


def worst(answers: Iterable[Answer]) -> Answer:
    """Fail beats unproven beats pass."""
    return max(answers, key=lambda a: a.value, default=Answer.PASS)


def selects(rule: Any, material: Material) -> bool:
    """Whether a rule covers a material: by id, or by element and form; a rule that names none covers all."""
    unread(rule, "tags", "hs", "also")
    if material.id in rule.materials or not (rule.elements or rule.forms):
        return material.id in rule.materials or not rule.materials
    return (not rule.elements or material.element in rule.elements) and (not rule.forms or material.form in rule.forms)


def applies(rule: Any, demand: DemandSpec) -> bool:
    """Whether a rule bears on an end use."""
    return not rule.end_uses or demand.end_use in rule.end_uses


def origin_ban(
    rule: Any, good: Material, demand: DemandSpec, chain: tuple[ChainEntry, ...], missing: set[str], had: set[str]
) -> Answer:
    """A rule of origin on the stages that one node performs, and on those that nobody answers for.

    `had` are the stages that the node's material and its inputs are stated to have, where it is the good itself. A good that is stated to have
    none of those that the rule asks about, and of which no such stage is told, is unproven.
    """
    if not selects(rule, good) or not applies(rule, demand):
        return Answer.PASS
    unread(rule, "allow", "buyers", "places", "steps", "recycled")
    assert rule.asks_proof, "not read here"
    answers = []
    for stage in rule.stages:
        entries = [e for e in chain if stage_of(e.stage) is stage]
        answers += [table(e.countries, e.complete, rule.countries) for e in entries]
        if not entries and stage.value in missing:
            answers.append(Answer.UNPROVEN)
    asked = {stage.value for stage in rule.stages}
    if had and not answers and asked.isdisjoint(had):
        answers.append(Answer.UNPROVEN)
    answer = worst(answers)
    stated = dict(demand.facts)
    for exception in rule.exceptions:
        unread(exception, "unless")
        if all(test.fact in stated and stated[test.fact] == test.equals for test in exception.when):
            return Answer.PASS
    return answer


def customs_origins(
    customs: str, chain: tuple[ChainEntry, ...], facility: Facility, whole: bool = False
) -> tuple[frozenset[str], bool]:
    """Countries of the last stage performed, unless the offer says, or the facility's where it performs none.

    Of a `whole` chain, to which no input adds, what the offer says does not stand alone if nothing is done there.
    """
    if customs:
        last, complete = customs_origins("", chain, facility)
        done = [country for entry in chain for country in entry.countries]
        known = any(country in last for country in done)
        contradicted = whole and known and customs not in done
        return frozenset({customs, *(last if contradicted else ())}), complete or not contradicted
    ranks = ["mined", "refined", "separated", "melted", "produced"]
    last = max((ranks.index(stage_of(e.stage).value) for e in chain), default=-1)
    entries = [e for e in chain if ranks.index(stage_of(e.stage).value) == last]
    countries = frozenset(country for e in entries for country in e.countries)
    if not countries:
        return frozenset({facility.country}), False
    return countries, all(e.complete and e.countries for e in entries)


def export_control(
    rule: Any,
    material: Material,
    way: tuple[str, str, str],
    demand: DemandSpec,
    origins: tuple[frozenset[str], bool],
    contradicted: bool = False,
) -> Answer:
    """An export control on a move: countries that it leaves, that it leads to, and of the final use. Contradicted goods count as of each origin."""
    leaves, to, final = way
    if leaves == to or not applies(rule, demand) or not selects(rule, material):
        return Answer.PASS
    unread(rule, "buyers", "unless")
    bound = {"use": [final], "move": [to], "either": [final, to]}[rule.judged_on]
    if rule.destinations and not rule.destinations.intersection(bound):
        return Answer.PASS
    answer = Answer.PASS
    if leaves in rule.exporters:
        answer = Answer.FAIL
    elif rule.reach == "origin" and rule.exporters - {to}:
        answer = table(*origins, rule.exporters - {to})
        if contradicted and not origins[0].isdisjoint(rule.exporters - {to}):
            answer = Answer.FAIL
    if answer is Answer.PASS:
        return Answer.PASS
    return Answer.LICENSE if rule.effect == "license" else answer


def exclude(rule: Any, material: Material, offer: str, facility: Facility, demand: DemandSpec) -> Answer:
    """Whether the planner keeps an offer out."""
    if not selects(rule, material) or not applies(rule, demand):
        return Answer.PASS
    unread(rule, "suppliers", "parents", "catalogs")
    named = offer in rule.offers or facility.id in rule.facilities or facility.country in rule.countries
    return Answer.FAIL if named else Answer.PASS


def duty(rule: Any, material: Material, way: tuple[str, str], origin: str, value: float) -> float:
    """Duty per kilogram on a move between two countries."""
    leaves, to = way
    enters = to in rule.territory and leaves not in rule.territory
    if not enters or not selects(rule, material) or origin in rule.except_origins:
        return 0.0
    if rule.origins and origin not in rule.origins:
        return 0.0
    assert rule.specific_per == "basis", "not read here"
    return value * float(rule.rate) + float(rule.specific or 0)
