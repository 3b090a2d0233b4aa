"""Independent parts of a case, and the parts that changes affect. Most changes affect few parts.

Two materials are in one part if one of these applies:

- An offer takes or gives both.
- A facility with a stated capacity, a price schedule, or terms of trade apply to both.
- A limit, license, or waiver counts both.

This depends on the facts as given, including leads. So no change of a price, date, or quantity can join two parts, and neither can
a figure for a lead. A change of a limit rule can, and the joined parts are then one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar, assert_never

import numpy as np

from ..domain.base import Groups, grouped
from ..domain.case import Case
from ..domain.change import Change
from ..domain.facts import Catalog, Offer
from ..domain.runtime import cached_method
from ..errors import CHANGES, RULES, InputError, tuple_of
from ..plugins import attributed
from ..rules.amend import RULE_SUBJECTS, amended, with_bills
from ..rules.base import Rule
from ..rules.rows import Row, Rows
from ..rules.terms import Table
from .changes import KINDS, benchmark_named, names_demand
from .inputs import Inputs
from .merged import enclosing_facilities, up_the_chain
from .problem import Problem
from .rule_facts import rows_of
from .trade import subjects_of

R = TypeVar("R")

Members = frozenset[str]
"""Materials of a part."""


class Parts:
    """Parts of a case."""

    def __init__(
        self, inputs: Inputs, problem: Problem, rows: Sequence[tuple[Rule, Row | Rows]], ranked: Iterable[Row] = ()
    ) -> None:
        """`rows` are those of the problem's limit rules, and `ranked` those of its ranked objectives."""
        self.inputs = inputs
        self.problem = problem
        offers = [offer for catalog in inputs.catalogs for offer in catalog.offers]
        materials = up_the_chain({name for name, _ in problem.network.nodes}, offers)
        used_ids = {offer.id for offer in offers if any(line.material in materials for line in offer.outputs)}
        used_ids |= {order.offer for order in inputs.case.orders} | {
            stock.offer for stock in inputs.case.stocks if stock.offer
        }
        # Offers that can reach a demand, or could if they weren't leads.
        self.offers: list[Offer] = [offer for offer in offers if offer.id in used_ids]
        unused_ids = {facts.offer.id for facts in problem.offers} - used_ids
        # Offers that reach no demand. They join no materials, but rules may name them.
        self._idle: list[Offer] = [offer for offer in offers if offer.id in unused_ids]
        self._joined = Groups(materials)
        # Limit rule -> materials that its rows count.
        self.counted: dict[str, set[str]] = defaultdict(set)
        self._join_offers()
        self._join_rules(rows)
        for row in ranked:
            self._joined.join(self.bond(row))

    @cached_property
    def members(self) -> tuple[Members, ...]:
        return self._joined.all()

    @cached_property
    def of_material(self) -> Mapping[str, int]:
        return {name: number for number, members in enumerate(self.members) for name in members}

    def _join_offers(self) -> None:
        facilities = self.problem.merged.facilities
        materials_by_subject: dict[tuple[str, str], set[str]] = defaultdict(set)
        for offer in self.offers:
            materials = self._materials(offer)
            self._joined.join(materials)
            for site in enclosing_facilities(offer.facility, facilities):
                materials_by_subject["facility", site.id] |= materials
                if site.capacity:
                    materials_by_subject["capacity", site.id] |= materials
            materials_by_subject["offer", offer.id] |= materials
            materials_by_subject["supplier", facilities[offer.facility].supplier] |= materials
        for (kind, _), materials in materials_by_subject.items():
            if kind == "capacity":
                self._joined.join(materials)
        for catalog in self.inputs.catalogs:
            for terms in (*catalog.terms, *catalog.schedules):
                joined = materials_by_subject.get((terms.of, terms.id), set())
                self._joined.join(joined & terms.materials if terms.materials else joined)

    def _materials(self, offer: Offer) -> set[str]:
        lines = (*offer.inputs, *offer.outputs)
        return {line.material for line in lines if line.material in self._joined}

    def _join_rules(self, rows: Sequence[tuple[Rule, Row | Rows]]) -> None:
        for rule, row in rows:
            materials = self.bond(row)
            self.counted[rule.id] |= materials
            self._joined.join(materials)
        rule_by_id = {rule.id: rule for rule in self.problem.rules}
        case = self.inputs.case
        for license in case.licenses:
            if license.quantity is not None and license.rule in rule_by_id:
                self._joined.join(self.covered(rule_by_id[license.rule]))
        for waiver in case.waivers:
            if waiver.rule in rule_by_id and not waiver.demand:
                self._joined.join(self.covered(rule_by_id[waiver.rule]))

    def bond(self, row: Row | Rows) -> Members:
        """Return the materials that a row of a limit rule joins: those that it counts or whose facts it reads."""
        names = self._joined.names
        return names if row.reads is None else (row.reads | materials_of(self.problem, row)) & names

    def covered(self, rule: Rule) -> set[str]:
        """Return the materials in whose parts a rule may judge or charge anything. Other materials may be made from these."""
        covers = getattr(rule, "covers", None)
        materials = self.problem.merged.materials
        return {name for name in self._joined.names if covers is None or covers(materials[name])}

    @cached_method
    def part(self, members: Members, rules: frozenset[str] = frozenset()) -> Inputs:
        """Return the facts that apply to some parts together. `rules` are limit rules that count some of the materials only after changes."""
        case = self.inputs.case
        offers = {offer.id: offer for name in members for offer in self._offers_by_material.get(name, ())}
        facility_names = {o.facility for o in offers.values()}
        facility_by_id = self.problem.merged.facilities
        subjects = {subject for offer in offers.values() for subject in subjects_of(offer, facility_by_id)}
        facilities = {f.id for name in facility_names for f in enclosing_facilities(name, facility_by_id)}
        places = {d.place for d in case.demands} | {s.place for s in case.stocks} | {o.place for o in case.orders}
        places |= {lane.to for offer in offers.values() for lane in offer.lanes}
        places |= {facility_by_id[name].place for name in facility_names} | {case.place}
        places.discard("")
        recipe_materials = {line.material for offer in offers.values() for line in (*offer.inputs, *offer.outputs)}
        benchmarks = {offer.price.benchmark for offer in offers.values() if offer.price is not None} - {""}
        materials = members | recipe_materials | self._priced

        def cut(catalog: Catalog, index: _CatalogIndex) -> Catalog:
            return catalog.but(
                offers=_selected(catalog.offers, (index.offers, offers)),
                facilities=_selected(catalog.facilities, (index.facilities, facilities), (index.places, places)),
                schedules=tuple(terms for terms in catalog.schedules if (terms.of, terms.id) in subjects),
                terms=tuple(terms for terms in catalog.terms if (terms.of, terms.id) in subjects),
                prices=_selected(catalog.prices, (index.benchmarks, benchmarks), (index.priced_materials, members)),
                materials=tuple(m for m in catalog.materials if m.id in materials),
            )

        return replace(
            self.inputs,
            case=self._cut_case(case, members, offers),
            catalogs=tuple(cut(*pair) for pair in zip(self.inputs.catalogs, self._indexes, strict=True)),
            rules=tuple(r for r in self.inputs.rules if r.id in rules or self._applies(r, members)),
            part=True,
        )

    @cached_property
    def _indexes(self) -> Sequence[_CatalogIndex]:
        return [_CatalogIndex.of(catalog) for catalog in self.inputs.catalogs]

    @cached_property
    def _offers_by_material(self) -> Mapping[str, Sequence[Offer]]:
        return grouped((name, offer) for offer in (*self.offers, *self._idle) for name in self._materials(offer))

    @cached_property
    def _priced(self) -> Members:
        return frozenset(row.material for catalog in self.inputs.catalogs for row in catalog.prices)

    def _applies(self, rule: Rule, members: Members) -> bool:
        """Return True if a rule may apply to some parts. A limit without rows for them may have some once a lead counts."""
        if rule.verbs != {"rows"} or self.counted.get(rule.id, set()) & members:
            return True
        return hasattr(rule, "covers") and bool(self.covered(rule) & members)

    def _cut_case(self, case: Case, members: Members, offers: Mapping[str, Offer]) -> Case:
        assume = case.assume.but(offer=tuple(a for a in case.assume.offer if a.id in offers))
        proven = tuple(name for name in case.accept.proven if name in offers)
        return case.but(
            assume=assume,
            accept=case.accept.but(proven=proven),
            demands=tuple(d for d in case.demands if d.material in members),
            stocks=tuple(
                s.but(id=name) for name, s in zip(case.stock_names, case.stocks, strict=True) if s.material in members
            ),
            orders=tuple(
                o.but(id=name) for name, o in zip(case.order_names, case.orders, strict=True) if o.offer in offers
            ),
            incumbents=tuple(i for i in case.incumbents if i.offer in offers),
            stores=tuple(s for s in case.stores if s.material in members),
        )


_Positions = Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class _CatalogIndex:
    """Positions of a catalog's rows by name. Searching all rows for each part would take quadratic time."""

    offers: _Positions
    facilities: _Positions
    places: _Positions
    """Place -> facilities."""
    benchmarks: _Positions
    priced_materials: _Positions

    @classmethod
    def of(cls, catalog: Catalog) -> _CatalogIndex:
        return cls(
            offers=grouped((offer.id, number) for number, offer in enumerate(catalog.offers)),
            facilities=grouped((facility.id, number) for number, facility in enumerate(catalog.facilities)),
            places=grouped((facility.place, number) for number, facility in enumerate(catalog.facilities)),
            benchmarks=grouped((row.id, number) for number, row in enumerate(catalog.prices)),
            priced_materials=grouped((row.material, number) for number, row in enumerate(catalog.prices)),
        )


def _selected(rows: Sequence[R], *lookups: tuple[_Positions, Collection[str]]) -> tuple[R, ...]:
    """Return the rows with one of the names in any lookup, in their order."""
    positions = {number for index, names in lookups for name in names for number in index.get(name, ())}
    return tuple(rows[number] for number in sorted(positions))


def materials_of(problem: Problem, row: Row | Rows) -> frozenset[str]:
    return frozenset(
        material
        for term in row.all_terms
        for table, positions in term.positions.items()
        for material in _materials(problem, table, np.unique(positions).tolist())
    )


def _materials(problem: Problem, table: Table, positions: Sequence[int]) -> set[str]:
    nodes = problem.network.nodes
    match table:
        case "moves":
            arcs = np.unique(problem.moves.arc[positions]).tolist()
            return {problem.network.arcs[arc].node[0] for arc in arcs}
        case "demands":
            return {problem.demands[demand].use.material.id for demand in positions}
        case "nodes":
            return {nodes[node][0] for node in positions}
        case "offers":
            return _outputs_of(problem, positions)
        case "price_spans":
            return _outputs_of(problem, (offer for span in positions for offer in problem.price_spans[span].offers))
        case "term_spans":
            return _outputs_of(problem, (offer for span in positions for offer in problem.term_spans[span].offers))
        case "commitments":
            return _outputs_of(problem, (problem.commitments[commitment].offer for commitment in positions))
        case "classes" | "periods":
            return set()
        case _:
            assert_never(table)


def _outputs_of(problem: Problem, offers: Iterable[int]) -> set[str]:
    return {line.material for offer in set(offers) for line in problem.offers[offer].offer.outputs}


@dataclass(frozen=True, slots=True)
class Impact:
    """Parts that some changes affect, taken together if the changes join them."""

    members: Members
    changes: tuple[Change, ...]
    rules: frozenset[str]
    """Limit rules that apply to them because of the changes."""
    imposed: tuple[Rule, ...] = ()


def impact(parts: Parts, changes: Sequence[Change], imposed: Sequence[Rule] = ()) -> tuple[Impact, ...]:
    """Return the parts whose facts differ after the changes, in canonical order. `imposed` rules are limits in addition to the case's."""
    changes, imposed = tuple_of(changes, Change, "changes", CHANGES), tuple_of(imposed, Rule, "rules", RULES)
    expanded = with_bills(changes, parts.inputs.bills)
    reach = _AffectedMaterials(parts, expanded)
    materials_by_change = [reach.of(change) for change in expanded]
    if not all(materials_by_change):
        parts.inputs.after(changes)  # It rejects unknown names. A known name without demand affects nothing.
    materials_by_rule = [(rule, reach.counts(rule)) for rule in imposed]
    groups = _joined(parts, reach.bonds)
    impacts = []
    for members in groups:
        relevant = tuple(
            change for change, materials in zip(expanded, materials_by_change, strict=True) if materials & members
        )
        relevant_rules = tuple(rule for rule, materials in materials_by_rule if materials & members)
        if relevant or relevant_rules:
            rules = frozenset(name for name, bond_materials in reach.bonds if bond_materials & members)
            impacts.append(Impact(members, relevant, rules, relevant_rules))
    return tuple(impacts)


def _joined(parts: Parts, bonds: Sequence[tuple[str, frozenset[str]]]) -> tuple[Members, ...]:
    groups = Groups(parts.of_material)
    for materials in (*parts.members, *(bond_materials for _, bond_materials in bonds)):
        groups.join(materials)
    return groups.all()


_OF_LAW = ("waive", "grant")


class _AffectedMaterials:
    def __init__(self, parts: Parts, changes: Sequence[Change]) -> None:
        self.parts = parts
        self.problem = parts.problem
        self.materials = frozenset(parts.of_material)
        self.rules = {rule.id: rule for rule in parts.inputs.rules}
        self.changes = [change for change in changes if change.subject in RULE_SUBJECTS]
        # Changed rules, each with materials that it joins.
        self.bonds: list[tuple[str, frozenset[str]]] = []

    def of(self, change: Change) -> frozenset[str]:
        """Return the materials. Empty if the change names nothing in demand."""
        if change.accept is not None:
            return self.materials
        specs = [demand.spec for demand in self.problem.demands]
        if change.demand:
            return frozenset(spec.material for spec in specs if names_demand(change, spec, self.problem.case))
        if change.revoke:
            return frozenset(spec.material for spec in specs if spec.end_use == change.revoke)
        if change.stock:
            return frozenset({change.stock}) & self.materials
        if change.want:
            return self._of_new_demand(change)
        if change.order:
            return self._of_order(change)
        if change.subject in (*RULE_SUBJECTS, *_OF_LAW):
            rule = self.rules.get(getattr(change, change.subject))
            return self._of_rule(rule, change) if rule is not None else frozenset()
        return frozenset(self._of_offers(change)) & self.materials

    def _of_new_demand(self, change: Change) -> frozenset[str]:
        """Return all materials as one part, since a new demand may join any parts."""
        case = self.problem.case
        places = {case.place, *(demand.use.place.id for demand in self.problem.demands)}
        if change.want in self.materials and (change.place or case.place) in places:
            self.bonds.append(("", self.materials))
            return self.materials
        self.parts.inputs.after([change])  # It rejects unknown names.
        message = "a question can't add a demand for a material or place that the plan doesn't have"
        fix = "plan the scenario with `friendshore plan CASE --scenario NAME`, or add the demand to the case"
        raise InputError(message, column="want", found=change.text, fix=fix, code="FS268")

    def _of_order(self, change: Change) -> frozenset[str]:
        case, offers = self.problem.case, self.problem.merged.offers
        offer_names = [
            order.offer for name, order in zip(case.order_names, case.orders, strict=True) if name == change.order
        ]
        return frozenset(line.material for name in offer_names for line in offers[name].outputs) & self.materials

    def _of_offers(self, change: Change) -> Iterator[str]:
        facilities, is_named = self.problem.merged.facilities, KINDS[change.subject].names_offer
        benchmark = benchmark_named(change) if change.price else ""
        for offer in self.parts.offers:
            facility = facilities[offer.facility]
            uses_benchmark = bool(benchmark) and offer.price is not None and offer.price.benchmark == benchmark
            uses_capacity = bool(change.capacity) and any(
                f.id == change.capacity for f in enclosing_facilities(facility.id, facilities)
            )
            if uses_benchmark or uses_capacity or is_named(change, offer, facility):
                yield from (line.material for line in (*offer.inputs, *offer.outputs))
        # The shortage penalty of a material without offers depends on its benchmark.
        yield from (row.material for row in self.problem.merged.prices.get(benchmark, ()))

    def _of_rule(self, rule: Rule, change: Change) -> frozenset[str]:
        if change.waive:
            specs = [d.spec for d in self.problem.demands if change.of in (d.id, d.spec.material)]
            return frozenset(spec.material for spec in specs)
        if change.grant:
            covered = frozenset(self.parts.covered(rule))
            if change.quantity is not None:
                self.bonds.append((rule.id, covered))
            return covered
        materials: set[str] = set()
        if rule.verbs - {"rows"}:
            materials |= self.parts.covered(rule)
        if "rows" in rule.verbs:
            (after,) = amended((rule,), [c for c in self.changes if rule.id == getattr(c, c.subject)])
            materials |= self.parts.counted.get(rule.id, set()) | self.counts(after)
        return frozenset(materials)

    def counts(self, rule: Rule) -> set[str]:
        """Return the materials that a limit rule counts, and record those that each row joins."""
        materials: set[str] = set()
        with attributed(rule):
            for row in rows_of(rule, self.problem.case.horizon.periods, self.problem.law, self.problem.facts):
                row_materials = self.parts.bond(row)
                self.bonds.append((rule.id, row_materials))
                materials |= row_materials
        return materials
