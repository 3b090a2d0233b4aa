"""Data shared by the problems of a session, so that a change asks rules only about affected facts. Facts that follow from the same records of case
and catalogs are the same objects in every problem. Uses, deliveries, and rules with equal contents are also shared objects. A rule's answer about one
combination of them applies wherever that combination occurs. Rules are pure functions, and a rule with other phases is another rule. Planning and
verification have separate answers, so that neither relies on the other's.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Sized
from dataclasses import replace
from datetime import date
from decimal import Decimal
from enum import Enum
from itertools import count
from typing import TypeAlias, TypeVar, cast

from pydantic import BaseModel

from ..domain.case import Case
from ..domain.change import Change
from ..domain.facts import Catalog, Material
from ..domain.runtime import SESSION_BYTES, SizeLimitedCache, with_progress
from ..domain.use import Chained, Move, Use, Verdict
from ..rules.amend import amend_rule
from ..rules.base import Rule
from .capacity import Capacities
from .demands import Demand, Lot, resolve_demands, resolve_lots
from .merged import Merged, enclosing_facilities, merge
from .network import Network, OrderCalendar, StatedInputs, build_network, check_loops, final_node
from .offers import Assumption, Lead, OfferFacts, OfferResolver, ResolvedOffer

R = TypeVar("R", bound=BaseModel)
T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
Q = TypeVar("Q", bound=Hashable)

_ANSWER_BYTES = 250
_LOOKUPS_PER_COUNT = 64
_MAX_FACTS = 64
_MAX_KNOWN_OFFERS = 2_000
_MAX_RULES = 10_000
# Types whose values are compared by content.
_PLAIN = frozenset({str, int, bool, date, type(None)})
_SEVERAL = frozenset({tuple, frozenset})
Delivery: TypeAlias = tuple[int, int]
"""Identities of the delivered good and its move."""
Charged: TypeAlias = tuple[int, int, str, str]
"""`Delivery` with the customs origin and the price as written."""
ByRule: TypeAlias = Mapping[str, Decimal]

_RuleUse: TypeAlias = tuple[int, int]
"""Identities of a rule and a use."""


class Answers:
    """Cached answers of rules by rule and use. Most methods return the dictionary of one key, to look up and to add to."""

    def __init__(self, max_answers: int) -> None:
        """`max_answers` is approximate. The cache is cleared when it grows larger."""
        self._max_answers = max_answers
        # Each entry contains the objects of its key, so that no other object gets their identities.
        self._verdicts: dict[_RuleUse, tuple[object, dict[Delivery, Verdict]]] = {}
        self._charges: dict[_RuleUse, tuple[object, dict[Charged, Decimal]]] = {}
        self._parts: dict[tuple[int, tuple[tuple[int, Decimal], ...]], tuple[object, dict[Charged, ByRule]]] = {}
        self._charging: dict[int, tuple[Material, dict[int, tuple[Rule, bool]]]] = {}
        self._concerned: dict[int, tuple[Rule, dict[int, tuple[Move, bool]]]] = {}
        self._lookups = 0

    @property
    def size(self) -> int:
        entries: list[tuple[object, Sized]] = [*self._verdicts.values(), *self._charges.values(), *self._parts.values()]
        return sum(len(answers) for _, answers in (*entries, *self._charging.values(), *self._concerned.values()))

    def verdicts(self, rule: Rule, use: Use) -> dict[Delivery, Verdict]:
        return self._of(self._verdicts, rule, use)

    def charges(self, rule: Rule, use: Use) -> dict[Charged, Decimal]:
        return self._of(self._charges, rule, use)

    def charging(self, material: Material) -> dict[int, tuple[Rule, bool]]:
        """Return the known rules by identity, with True for those that may charge something on a material."""
        return self._charging.setdefault(id(material), (material, {}))[1]

    def concerned(self, rule: Rule) -> dict[int, tuple[Move, bool]]:
        """Return the known moves by identity, with True for those that a rule concerns."""
        return self._concerned.setdefault(id(rule), (rule, {}))[1]

    def parts(self, rules: Sequence[tuple[Rule, Decimal]], use: Use) -> dict[Charged, ByRule]:
        """Charges by rule, each weighted by its share of days in force."""
        key = id(use), tuple((id(rule), part) for rule, part in rules)
        return self._answers_for(self._parts, key, (*rules, use))

    def _of(self, answers: dict[_RuleUse, tuple[object, dict[K, V]]], rule: Rule, use: Use) -> dict[K, V]:
        return self._answers_for(answers, (id(rule), id(use)), (rule, use))

    def _answers_for(self, answers: dict[Q, tuple[object, dict[K, V]]], key: Q, key_objects: object) -> dict[K, V]:
        self._lookups += 1
        if self._lookups % _LOOKUPS_PER_COUNT == 0 and self.size > self._max_answers:
            # Rules are queried again for answers that are still needed. Callers keep the dictionaries that they have.
            for cache in (self._verdicts, self._charges, self._parts, self._charging, self._concerned):
                cache.clear()
        return answers.setdefault(key, (key_objects, {}))[1]


class SharedData:
    """Facts and answers of one session."""

    def __init__(self, max_bytes: int = SESSION_BYTES // 2) -> None:
        """`max_bytes` limits the answers. A quarter of it is for verification, which asks only about purchases."""
        self._bytes = max_bytes
        self.planned = Answers(max_bytes * 3 // 4 // _ANSWER_BYTES)
        self.verified = Answers(max_bytes // 4 // _ANSWER_BYTES)
        self._facts: SizeLimitedCache[tuple[Hashable, ...], tuple[object, object]] = SizeLimitedCache(_MAX_FACTS)
        self._amended: SizeLimitedCache[tuple[int, int], tuple[Rule, Change, Rule]] = SizeLimitedCache(_MAX_RULES)
        self._records: dict[Hashable, BaseModel] = {}
        self._own: dict[int, BaseModel] = {}
        self._without_terms: dict[int, tuple[Chained, Chained]] = {}
        # Contents of the collections in these records, by identity.
        self._several: dict[int, Hashable] = {}
        # Content -> number. Numbers are fast to compare.
        self._numbers: dict[Hashable, int] = {}
        self._unused = count()  # Unlike the length of `_numbers`, these are unique across threads.

    def __reduce__(self) -> tuple[type[SharedData], tuple[int]]:
        return SharedData, (self._bytes,)

    def fact(self, kind: str, sources: Iterable[object], compute: Callable[[], T]) -> T:
        """Return `compute()`, cached by the identities of `sources`. The result must follow from these alone. Errors aren't cached."""
        source_objects = tuple(sources)
        key = (kind, *map(id, source_objects))
        entry = self._facts.get(key)
        if entry is None:
            result = compute()
            # The entry refers to its sources, so that no other object gets their identities.
            self._facts.keep(key, (source_objects, result), 1)
            return result
        return cast("T", entry[1])

    def amended(self, rule: Rule, change: Change) -> Rule:
        key = id(rule), id(change)
        entry = self._amended.get(key)
        if entry is None:
            # Both are referenced, so that no other object gets their identities.
            entry = rule, change, amend_rule(rule, change)
            self._amended.keep(key, entry, 1)
        return entry[2]

    def same(self, record: R) -> R:
        """Return the first record with equal content and equal types throughout."""
        if id(record) in self._own:
            return record
        values = [record.__dict__[name] for name in type(record).model_fields]
        values += (record.__pydantic_private__ or {}).values()
        contents = [self._content(value) for value in values]
        first = self._records.setdefault((type(record), *contents), record)
        self._own[id(first)] = first
        if first is record:  # It refers to its values, so that no other object gets their identities.
            self._several |= {id(v): c for v, c in zip(values, contents, strict=True) if type(v) in _SEVERAL}
        return cast("R", first)

    def without_terms(self, chained: Chained) -> Chained:
        """Return the shared object of an offer without its terms."""
        entry = self._without_terms.get(id(chained))
        if entry is None:
            # Both are referenced, so that no other object gets their identities.
            entry = self._without_terms[id(chained)] = chained, self.same(chained.without_terms())
        return entry[1]

    def _content(self, value: object) -> Hashable:
        """Return a key for a value: its content, or its identity if it can't be compared by content."""
        kind = type(value)
        if isinstance(value, BaseModel):
            return "record", id(self.same(value))
        if kind in _PLAIN or isinstance(value, Enum):
            return kind, value
        if kind is Decimal:
            return kind, str(value)  # Equal numbers may differ in trailing zeros.
        if kind in _SEVERAL:
            key = self._several.get(id(value))
            if key is None:
                inner = map(self._content, cast("Iterable[object]", value))
                content = kind, tuple(inner) if kind is tuple else frozenset(inner)
                key = "several", self._numbers.setdefault(content, next(self._unused))
            return key
        return "object", id(value)


_Basis = Callable[[str, str], Decimal]
Resolved = tuple[Sequence[OfferFacts], Sequence[Lead], Sequence[Assumption]]


class SharedFacts:
    """Facts of a case and its catalogs. Each depends on as little of the case as possible, so that other changes leave it shared."""

    def __init__(self, case: Case, catalogs: Sequence[Catalog], shared: SharedData | None) -> None:
        self.case = case
        self.shared = shared
        self.catalogs = catalogs
        # Offers and moves don't depend on demands, law, or waivers.
        bare: dict[str, object] = {
            "demands": (),
            "waivers": (),
            "licenses": (),
            "packs": (),
            "scenarios": (),
            "frozen": None,
        }
        if shared is not None:
            bare["accept"] = case.accept.but(rule_status=(), unproven=False, proven=())
            # Of equal settings, such as those of equal days, the first are used.
            fields = case.__dict__ | bare
            bare |= {name: shared.same(value) for name, value in fields.items() if isinstance(value, BaseModel)}
        self._bare = case.but(**bare) if shared is not None else case
        self._relevant = [self._bare.__dict__[name] for name in type(case).model_fields]
        self.merged: Merged = self._cached("merged", catalogs, lambda: merge(catalogs, self._bare))

    def offers(self) -> Resolved:
        return self._cached("offers", (self.merged,), self._resolved_offers)

    def _resolved_offers(self) -> Resolved:
        known = self._known_offers()
        resolver: OfferResolver | None = None
        resolved_offers: list[ResolvedOffer] = []
        for offer in with_progress(list(self.merged.offers.values()), "pricing offers", "offers"):
            facts = offer, *enclosing_facilities(offer.facility, self.merged.facilities)
            key = tuple(map(id, facts))
            if key not in known:
                resolver = resolver or OfferResolver(self.merged, self._bare)
                known[key] = facts, self._shared_offer(resolver.resolved(offer))
            resolved_offers.append(known[key][1])
        counted = [facts for facts, _ in resolved_offers if isinstance(facts, OfferFacts)]
        leads = [lead for lead, _ in resolved_offers if isinstance(lead, Lead)]
        return counted, leads, [assumption for _, assumptions in resolved_offers for assumption in assumptions]

    def _known_offers(self) -> dict[tuple[int, ...], tuple[object, ResolvedOffer]]:
        """Return the resolved offers of problems that differ only in offers and facilities, by the identities of an offer and its facilities.

        Each entry contains these, so that no other object gets their identities.
        """
        if self.shared is None:
            return {}
        names = sorted(Catalog.model_fields.keys() - {"offers", "facilities"})
        sources = [getattr(catalog, name) for catalog in self.catalogs for name in names]
        known: dict[tuple[int, ...], tuple[object, ResolvedOffer]]
        known = self.shared.fact("known offers", (*sources, *self._relevant), dict)
        if len(known) > _MAX_KNOWN_OFFERS + 2 * len(self.merged.offers):
            known.clear()
        return known

    def _shared_offer(self, resolved: ResolvedOffer) -> ResolvedOffer:
        facts, assumptions = resolved
        if self.shared is None or isinstance(facts, Lead):
            return resolved
        return facts._replace(chained=tuple(map(self.shared.same, facts.chained))), assumptions

    def capacities(self) -> Capacities:
        # Offers are left out, so that removing one keeps the capacities.
        sources = [part for c in self.catalogs for part in (c.name, c.requires, c.facilities, c.sources)]
        return self._cached("capacities", sources, lambda: Capacities(self.merged, self._bare))

    def demands(self, basis: _Basis) -> Sequence[Demand]:

        def compute() -> Sequence[Demand]:
            demands = resolve_demands(self.merged, self.case, basis)
            cache = self.shared
            return demands if cache is None else [replace(demand, use=cache.same(demand.use)) for demand in demands]

        case = self.case
        sources = (self.merged, case.demands, case.place, self._bare.horizon, case.resolution)
        return compute() if self.shared is None else self.shared.fact("demands", sources, compute)

    def lots(self, basis: _Basis) -> Sequence[Lot]:

        def compute() -> Sequence[Lot]:
            lots = resolve_lots(self.merged, self._bare, basis)
            cache = self.shared
            if cache is None:
                return lots
            same = cache.same
            return [
                replace(lot, chained=same(lot.chained), chain=tuple((same(c), place) for c, place in lot.chain))
                for lot in lots
            ]

        return self._cached("lots", (self.merged,), compute)

    def network(self, offers: Sequence[OfferFacts], lots: Sequence[Lot], demands: Sequence[Demand]) -> Network:
        def compute() -> Network:
            check_loops(offers)
            horizon, cache = self._bare.horizon, self.shared
            calendar = (
                OrderCalendar(horizon)
                if cache is None
                else cache.fact("calendar", (horizon,), lambda: OrderCalendar(horizon))
            )
            network = build_network(offers, lots, demands, self.merged, self._bare, calendar)
            if cache is None:
                return network
            same = cache.same

            def shared(stated: StatedInputs | None) -> StatedInputs | None:
                if stated is None:
                    return None
                return stated._replace(chain=tuple((chained, same(move)) for chained, move in stated.chain))

            arcs = [replace(arc, move=same(arc.move), stated=shared(arc.stated)) for arc in network.arcs]
            return replace(network, arcs=tuple(arcs))

        finals = frozenset(final_node(demand.use) for demand in demands)
        return self._cached(f"network {sorted(finals)}", (self.merged, offers, lots), compute)

    def _cached(self, kind: str, sources: Sequence[object], compute: Callable[[], T]) -> T:
        return compute() if self.shared is None else self.shared.fact(kind, (*sources, *self._relevant), compute)
