"""The law, read anew: what the rules say of one supply tree.

No rule's `judge` or `charge` is called. A rule of origin is asked about every node of a tree, with the day of the final
delivery; an export control or exclusion about every move in it, with the day of its arrival.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import product

from friendshore.domain.case import DemandSpec, LicenceSpec
from friendshore.domain.facts import ChainEntry
from friendshore.domain.stages import stage_of
from friendshore.rules.base import Rule

from . import kinds
from .kinds import Answer
from .trees import Forest, Tree
from .world import days, within

RANK = ["assumed", "recalled", "reported", "computed", "verified"]


class Law:
    """Judges the trees of one world."""

    def __init__(self, forest: Forest) -> None:
        self.forest = forest
        self.world = forest.world
        self.entries = cache(self._entries)
        self.shares = {(r.id, t): self._share(r, t) for r in self.world.rules for t in range(self.world.count)}
        self.confidence = {s.id: s.confidence.value for c in self.world.catalogs for s in c.sources}

    def of_kind(self, *names: str) -> list[Rule]:
        """The rules of some kinds."""
        return [rule for rule in self.world.rules if rule.kind in names]

    # ------------------------------------------------------------------------------------------------------ verdicts

    def ways(self, tree: Tree, demand: DemandSpec, period: int, waived: str = "") -> Iterator[Tree]:
        """The tree once for each choice of licences under which it may be delivered in a period; none if it may not."""
        yield from self._on(tree, tree, demand, period, waived)

    def _on(self, node: Tree, good: Tree, demand: DemandSpec, period: int, waived: str) -> list[Tree]:
        """The same for one node of the history of a final good."""
        bans = [rule for rule in self.of_kind("origin-ban") if rule.id != waived]
        if not all(self._origin_ok(ban, node, good, demand, period) for ban in bans):
            return []
        licences = self._licences(node, demand, waived)
        if not licences:
            return []
        below = [self._on(used, good, demand, period, waived) for used in node.inputs]
        return [replace(node, licences=way, inputs=inputs) for way in licences for inputs in product(*below)]

    def _origin_ok(self, ban: Rule, node: Tree, good: Tree, demand: DemandSpec, period: int) -> bool:
        """Whether a rule of origin lets this node go into this delivery."""
        if not self._counts(ban, good, period):
            return True
        material = self.world.materials[demand.material]
        return self._let(kinds.origin_ban(ban, material, demand, self.entries(node), self.missing(node)))

    def _counts(self, ban: Rule, good: Tree, period: int) -> bool:
        """Whether a rule of origin is asked on the day that counts for it."""
        if ban.dated_by == "delivery":
            return self.shares[ban.id, period] > 0
        if not good.lot:
            return self.shares[ban.id, good.ordered] > 0
        day = self.forest.lot(good).ordered
        assert day is not None, "which day counts for a lot without one is not read here"
        return self._holds(ban, day)

    def _let(self, answer: Answer) -> bool:
        return answer is Answer.PASS or (answer is Answer.UNPROVEN and self.world.case.accept.unproven)

    def _share(self, rule: Rule, period: int) -> float:
        """The part of the days of a period on which a phase that counts holds."""
        held = [self._holds(rule, day) for day in days(*self.world.spans[period])]
        return sum(held) / len(held)

    def _holds(self, rule: Rule, day: date) -> bool:
        accepted = self.world.case.accept.rule_status
        return any(p.status.value in accepted and within(day, p.start, p.end) for p in rule.phases)

    def _entries(self, node: Tree) -> tuple[ChainEntry, ...]:
        """The stages that a node performs itself; an entry whose evidence is not accepted is not complete."""
        chain = self.forest.lot(node).chain if node.lot else self.world.offers[node.offer].chain
        least = RANK.index(self.world.case.accept.confidence.value)
        return tuple(
            e if RANK.index(self.confidence.get(e.source, "verified")) >= least else e.model_copy(update={"complete": False})
            for e in chain
        )

    def missing(self, node: Tree) -> set[str]:
        """Stages that its material must have and that neither it nor its inputs cover."""
        needed = {stage.value for stage in self.world.materials[node.material].stages}
        covered = {stage_of(entry.stage).value for entry in self.entries(node)}
        for used in node.inputs:
            covered |= {stage.value for stage in self.world.materials[used.material].stages}
        return needed - covered

    # --------------------------------------------------------------------------------------------------------- moves

    def _licences(self, node: Tree, demand: DemandSpec, waived: str) -> list[tuple[str, ...]]:
        """Each choice of licences with which the node's move passes every rule on moves; none if it cannot."""
        offer = self.forest.lot(node).offer if node.lot else node.offer
        if not offer:
            return [()]
        answers = [
            self._passes(rule, node, offer, demand)
            for rule in self.of_kind("export-control", "exclude")
            if rule.id != waived and self.shares[rule.id, node.arrives]
        ]
        return [tuple(name for name in way if name) for way in product(*answers)]

    def _passes(self, rule: Rule, node: Tree, name: str, demand: DemandSpec) -> list[str]:
        """Under which licences a rule lets a move pass; an empty name where it needs none."""
        world = self.world
        offer = world.offers[name]
        facility = world.facilities[offer.facility]
        material = world.materials[node.material]
        if rule.kind == "exclude":
            answer = kinds.exclude(rule, material, name, facility, demand)
        else:
            final = world.country(demand.place or world.case.place)
            way = (world.country(world.site(offer)), world.country(node.place), final)
            origins = kinds.customs_origins(offer.customs_origin, self.entries(node), facility)
            answer = kinds.export_control(rule, material, way, demand, origins)
        if self._let(answer):
            return [""]
        if answer is not Answer.LICENCE:
            return []
        if world.case.assume.licence.get(demand.end_use) == "granted" or world.case.accept.unproven:
            return [""]
        return [x.id for x in world.case.licences if self._covers(x, rule, (facility.id, facility.country), node.arrives)]

    def _covers(self, licence: LicenceSpec, rule: Rule, exporters: tuple[str, str], period: int) -> bool:
        all_days = all(within(day, licence.start, licence.end) for day in self.world.spans[period])
        return licence.rule == rule.id and licence.exporter in ("", *exporters) and all_days

    # ------------------------------------------------------------------------------------------------------- charges

    def charges(self, node: Tree) -> float:
        """Money per kilogram that tariffs add to a node's move, with the dearest of its possible customs origins."""
        duties = self.of_kind("tariff")
        if not duties:
            return 0.0
        world = self.world
        offer = world.offers[node.offer]
        facility = world.facilities[offer.facility]
        material = world.materials[node.material]
        value = world.price(offer, node.ordered) / sum(float(line.per_unit) for line in offer.outputs)
        way = (world.country(world.site(offer)), world.country(node.place))
        origins, _ = kinds.customs_origins(offer.customs_origin, self.entries(node), facility)
        return max(
            sum(self.shares[rule.id, node.arrives] * kinds.duty(rule, material, way, origin, value) for rule in duties)
            for origin in origins
        )
