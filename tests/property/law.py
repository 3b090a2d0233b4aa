"""The law, read anew: what the rules say of one supply tree.

No rule's `judge` or `charge` is called. A rule of origin is asked about every node of a tree, with the day of the final
delivery; an export control or exclusion about every move in it, with the day of its arrival.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from itertools import product

from friendshore.domain.case import DemandSpec, LicenseSpec
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
        self.duty = cache(self._duty)
        self.shares = {(r.id, t): self._share(r, t) for r in self.world.rules for t in range(self.world.count)}
        self.confidence = {s.id: s.confidence.value for c in self.world.catalogs for s in c.sources}

    def of_kind(self, *names: str) -> list[Rule]:
        """The rules of some kinds."""
        return [rule for rule in self.world.rules if rule.kind in names]

    # ------------------------------------------------------------------------------------------------------ verdicts

    def asked(self, period: int, ordered: int | date | None, waived: frozenset[str] = frozenset()) -> tuple[Rule, ...]:
        """Rules of origin that are asked about a delivery in a period, of a good ordered in a period, or of a lot of a day."""
        return tuple(
            rule
            for rule in self.of_kind("origin-ban")
            if rule.id not in waived and self._counts(rule, period if rule.dated_by == "delivery" else ordered)
        )

    def _counts(self, rule: Rule, when: int | date | None) -> bool:
        assert when is not None, "which day counts for a lot without one is not read here"
        return self._holds(rule, when) if isinstance(when, date) else self.shares[rule.id, when] > 0

    def deliveries(
        self, tree: Tree, demand: DemandSpec, period: int, waived: frozenset[str] = frozenset()
    ) -> list[Tree]:
        """A tree once for each choice of licenses under which it may be delivered in a period; none if it may not."""
        ordered = self.forest.lot(tree).ordered if tree.lot else tree.ordered
        return self.ways(tree, demand, self.asked(period, ordered, waived), waived)

    def ways(
        self, node: Tree, demand: DemandSpec, bans: tuple[Rule, ...], waived: frozenset[str] = frozenset()
    ) -> list[Tree]:
        """A tree once for each choice of licenses under which it may be part of a delivery that these rules judge."""
        material = self.world.materials[demand.material]
        for ban in bans:
            had = self.had(node) if node.material == demand.material else set()
            if not self._let(kinds.origin_ban(ban, material, demand, self.entries(node), self.missing(node), had)):
                return []
        licenses = self._licenses(node, demand, waived)
        if not licenses:
            return []
        below = [self.ways(used, demand, bans, waived) for used in node.inputs]
        return [replace(node, licenses=way, inputs=inputs) for way in licenses for inputs in product(*below)]

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
        return self.accepted(self.forest.lot(node).chain if node.lot else self.world.offers[node.offer].chain)

    def accepted(self, chain: tuple[ChainEntry, ...]) -> tuple[ChainEntry, ...]:
        """The stages that are performed; an entry whose evidence is not accepted is not complete."""
        least = RANK.index(self.world.case.accept.confidence.value)
        weak = {source for source, confidence in self.confidence.items() if RANK.index(confidence) < least}
        return tuple(e.but(complete=False) if e.source in weak else e for e in chain)

    def missing(self, node: Tree) -> set[str]:
        """Stages that its material must have and that neither it nor its inputs cover."""
        needed = {stage.value for stage in self.world.materials[node.material].stages}
        covered = {stage_of(entry.stage).value for entry in self.entries(node)}
        for used in node.inputs:
            covered |= {stage.value for stage in self.world.materials[used.material].stages}
        return needed - covered

    def had(self, node: Tree) -> set[str]:
        """Stages that its material and its inputs are stated to have; empty if none is stated of its material."""
        own = {stage.value for stage in self.world.materials[node.material].stages}
        inputs = (stage.value for used in node.inputs for stage in self.world.materials[used.material].stages)
        return own | set(inputs) if own else set()

    # --------------------------------------------------------------------------------------------------------- moves

    def _licenses(self, node: Tree, demand: DemandSpec, waived: frozenset[str]) -> list[tuple[str, ...]]:
        """Each choice of licenses with which the node's move passes every rule on moves; none if it cannot."""
        offer = self.forest.lot(node).offer if node.lot else node.offer
        if not offer:
            return [()]
        answers = [
            self._passes(rule, node, offer, demand)
            for rule in self.of_kind("export-control", "exclude")
            if rule.id not in waived and self.shares[rule.id, node.arrives]
        ]
        return [tuple(name for name in way if name) for way in product(*answers)]

    def _passes(self, rule: Rule, node: Tree, name: str, demand: DemandSpec) -> list[str]:
        """Under which licenses a rule lets a move pass; an empty name where it needs none."""
        world = self.world
        offer = world.offers[name]
        facility = world.facilities[offer.facility]
        material = world.materials[node.material]
        if rule.kind == "exclude":
            answer = kinds.exclude(rule, material, name, facility, demand)
        else:
            final = world.country(demand.place or world.case.place)
            way = (world.country(world.site(offer)), world.country(node.place), final)
            whole = bool(node.lot) or not offer.inputs
            origins = kinds.customs_origins(offer.customs_origin, self.entries(node), facility, whole)
            stated = bool(offer.customs_origin) and len(origins[0]) > 1
            answer = kinds.export_control(rule, material, way, demand, origins, stated)
        if self._let(answer):
            return [""]
        if answer is not Answer.LICENSE:
            return []
        if world.case.assume.license.get(demand.end_use) == "granted" or world.case.accept.unproven:
            return [""]
        return [
            x.id for x in world.case.licenses if self._covers(x, rule, (facility.id, facility.country), node.arrives)
        ]

    def _covers(self, license: LicenseSpec, rule: Rule, exporters: tuple[str, str], period: int) -> bool:
        all_days = all(within(day, license.start, license.end) for day in self.world.spans[period])
        return license.rule == rule.id and license.exporter in ("", *exporters) and all_days

    # ------------------------------------------------------------------------------------------------------- charges

    def charges(self, node: Tree) -> float:
        """Money per kilogram that tariffs add to a node's move."""
        return self.duty(node.offer, node.material, node.place, node.ordered, node.arrives)

    def _duty(self, name: str, good: str, place: str, ordered: int, arrives: int) -> float:
        """Return the highest duty of the possible customs origins: of any country, where stages are recorded and leave the origin open."""
        duties = self.of_kind("tariff")
        if not duties:
            return 0.0
        world = self.world
        offer, material = world.offers[name], world.materials[good]
        facility = world.facilities[offer.facility]
        value = max(0.0, world.price(offer, ordered)) / sum(float(line.per_unit) for line in offer.outputs)
        way = (world.country(world.site(offer)), world.country(place))
        chain = self.accepted(offer.chain)
        origins, complete = kinds.customs_origins(offer.customs_origin, chain, facility, not offer.inputs)
        if chain and not complete:
            named = (country for rule in duties for country in (*rule.origins, *rule.except_origins))
            origins = origins | {"FJ", *named}  # Fiji stands for all countries that no rule names
        return max(
            sum(self.shares[rule.id, arrives] * kinds.duty(rule, material, way, origin, value) for rule in duties)
            for origin in origins
        )
