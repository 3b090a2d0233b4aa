"""Data shared by the problems of a session, so that a change asks rules only about affected facts.

Facts that follow from the same records of case and catalogs are the same objects in every problem. Uses, deliveries, and rules with
equal contents are also shared objects. A rule's answer about one combination of them applies wherever that combination occurs. Rules
are pure functions, and a rule with other phases is another rule. Planning and verification have separate answers, so that neither
relies on the other's.
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
from ..domain.facts import Catalog
from ..domain.runtime import SESSION_BYTES, SizeLimitedCache
from ..domain.use import Use, Verdict
from ..rules.amend import amend_rule
from ..rules.base import Rule
from .capacity import Capacities
from .demands import Demand, Lot, resolve_demands, resolve_lots
from .merged import Merged, merge
from .network import Network, StatedInputs, build_network, check_loops, final_node
from .offers import Assumption, Lead, OfferFacts, resolve_offers

R = TypeVar("R", bound=BaseModel)
T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
Q = TypeVar("Q", bound=Hashable)

_ANSWER_BYTES = 250
"""Approximate memory per answer."""
_COUNTED_EVERY = 64
"""Number of lookups between counts of the answers."""
MOST_FACTS = 64
"""Maximum number of cached sets of facts. The least recently used are dropped."""
MOST_RULES = 10_000
"""Maximum number of cached changed rules. The least recently used are dropped."""
_PLAIN = frozenset({str, int, bool, date, type(None)})
"""Types whose values are compared by content."""
_SEVERAL = frozenset({tuple, frozenset})
Delivery: TypeAlias = tuple[int, int]
"""Identities of the delivered good and its move."""
Charged: TypeAlias = tuple[int, int, str, str]
"""`Delivery` with the customs origin and the price as written."""
ByRule: TypeAlias = Mapping[str, Decimal]
"""Rule -> charge per kilogram."""

_Asked: TypeAlias = tuple[int, int]
"""Identities of a rule and a use."""


class Answers:
    """Cached answers of rules by rule and use, about records that their `Kept` contains."""

    def __init__(self, most: int) -> None:
        """Create a cache of about `most` answers. It is cleared when it grows larger."""
        self._most = most
        self._verdicts: dict[_Asked, tuple[object, dict[Delivery, Verdict]]] = {}
        """Each entry contains the objects of its key, so that no other object gets their identities."""
        self._charges: dict[_Asked, tuple[object, dict[Charged, Decimal]]] = {}
        self._parts: dict[tuple[int, tuple[tuple[int, Decimal], ...]], tuple[object, dict[Charged, ByRule]]] = {}
        self._asked = 0

    @property
    def size(self) -> int:
        kept: list[tuple[object, Sized]] = [*self._verdicts.values(), *self._charges.values(), *self._parts.values()]
        return sum(len(answers) for _, answers in kept)

    def verdicts(self, rule: Rule, use: Use) -> dict[Delivery, Verdict]:
        """Return a rule's verdicts on deliveries for a use, to look up and to add to."""
        return self._of(self._verdicts, rule, use)

    def charges(self, rule: Rule, use: Use) -> dict[Charged, Decimal]:
        """Return a rule's charges on deliveries for a use, to look up and to add to."""
        return self._of(self._charges, rule, use)

    def parts(self, rules: Sequence[tuple[Rule, Decimal]], use: Use) -> dict[Charged, ByRule]:
        """Return the charges by rule on deliveries for a use, each weighted by the part of the days in force, to look up and to add to."""
        key = id(use), tuple((id(rule), part) for rule, part in rules)
        return self._kept(self._parts, key, (*rules, use))

    def _of(self, answers: dict[_Asked, tuple[object, dict[K, V]]], rule: Rule, use: Use) -> dict[K, V]:
        return self._kept(answers, (id(rule), id(use)), (rule, use))

    def _kept(self, answers: dict[Q, tuple[object, dict[K, V]]], key: Q, of: object) -> dict[K, V]:
        self._asked += 1
        if self._asked % _COUNTED_EVERY == 0 and self.size > self._most:
            # What is still needed is asked again, once; whoever is asking now goes on with the answers at hand.
            for kept in (self._verdicts, self._charges, self._parts):
                kept.clear()
        return answers.setdefault(key, (of, {}))[1]


class Kept:
    """Facts and answers of one session."""

    def __init__(self, most: int = SESSION_BYTES // 2) -> None:
        """Create a cache of about `most` bytes of answers. A quarter is for verification, which asks only about purchases."""
        self._bytes = most
        self.planned = Answers(most * 3 // 4 // _ANSWER_BYTES)
        """Answers for building problems."""
        self.verified = Answers(most // 4 // _ANSWER_BYTES)
        """Answers for verifying plans."""
        self._facts: SizeLimitedCache[tuple[Hashable, ...], tuple[object, object]] = SizeLimitedCache(MOST_FACTS)
        self._amended: SizeLimitedCache[tuple[int, int], tuple[Rule, Change, Rule]] = SizeLimitedCache(MOST_RULES)
        self._records: dict[Hashable, BaseModel] = {}
        self._own: dict[int, BaseModel] = {}
        self._several: dict[int, Hashable] = {}
        """Contents of the collections in these records, by identity."""
        self._numbers: dict[Hashable, int] = {}
        """Content -> number. Numbers are fast to compare."""
        self._unused = count()
        """Unused numbers, unique across threads."""

    def __reduce__(self) -> tuple[type[Kept], tuple[int]]:
        return Kept, (self._bytes,)

    def fact(self, what: str, of: Iterable[object], make: Callable[[], T]) -> T:
        """Return `make()`, cached by the identities of the objects `of`. The result must follow from these alone.

        Raises:
            InputError: If `make` raises it. It isn't cached.
        """
        held = tuple(of)
        key = (what, *map(id, held))
        found = self._facts.get(key)
        if found is None:
            made = make()
            self._facts.keep(key, (held, made), 1)  # while it is held, nothing else has the identity of what it is of
            return made
        return cast("T", found[1])

    def amended(self, rule: Rule, change: Change) -> Rule:
        """Return a rule after a change that names it. The result is one object for all calls."""
        key = id(rule), id(change)
        found = self._amended.get(key)
        if found is None:
            found = rule, change, amend_rule(rule, change)  # both held, so that nothing else has their identity
            self._amended.keep(key, found, 1)
        return found[2]

    def same(self, record: R) -> R:
        """Return the first record with equal content and equal types throughout."""
        if id(record) in self._own:
            return record
        values = [record.__dict__[name] for name in type(record).model_fields]
        values += (record.__pydantic_private__ or {}).values()
        contents = [self._content(value) for value in values]
        first = self._records.setdefault((type(record), *contents), record)
        self._own[id(first)] = first
        if first is record:  # it holds its values, so that nothing else will have their identity
            self._several |= {id(v): c for v, c in zip(values, contents, strict=True) if type(v) in _SEVERAL}
        return cast("R", first)

    def _content(self, value: object) -> Hashable:
        """Return a key for a value: its content, or its identity if it can't be compared by content."""
        kind = type(value)
        if isinstance(value, BaseModel):
            return "record", id(self.same(value))
        if kind in _PLAIN or isinstance(value, Enum):
            return kind, value
        if kind is Decimal:
            return kind, str(value)  # equal ones may differ in their zeros
        if kind in _SEVERAL:
            known = self._several.get(id(value))
            if known is None:
                inner = map(self._content, cast("Iterable[object]", value))
                content = kind, tuple(inner) if kind is tuple else frozenset(inner)
                known = "several", self._numbers.setdefault(content, next(self._unused))
            return known
        return "object", id(value)


_Basis = Callable[[str, str], Decimal]
Resolved = tuple[Sequence[OfferFacts], Sequence[Lead], Sequence[Assumption]]


class SharedFacts:
    """Facts of a case and its catalogs. Each depends on as little of the case as possible, so that other changes leave it shared."""

    def __init__(self, case: Case, catalogs: Sequence[Catalog], kept: Kept | None) -> None:
        """Merge the catalogs.

        Raises:
            InputError: If two of them define an id differently, naming both.
        """
        self.case = case
        self.kept = kept
        self.catalogs = catalogs
        # Offers and ways know nothing of what is wanted, nor of the law and what of it is waived.
        bare = {"demands": (), "waivers": (), "licences": (), "packs": (), "scenarios": (), "frozen": None}
        self._bare = case.but(**bare) if kept is not None else case
        self._bearing = [self._bare.__dict__[name] for name in type(case).model_fields]
        self.merged: Merged = self._once("merged", catalogs, lambda: merge(catalogs, self._bare))

    def offers(self) -> Resolved:
        """Return the counted offers, the leads, and the assumptions about offers."""

        def made() -> Resolved:
            counted, leads, assumptions = resolve_offers(self.merged, self._bare)
            kept = self.kept
            if kept is not None:
                counted = [facts._replace(chained=tuple(map(kept.same, facts.chained))) for facts in counted]
            return counted, leads, assumptions

        return self._once("offers", (self.merged,), made)

    def capacities(self) -> Capacities:
        # Offers have no part in it: one that is taken away leaves it as it is.
        of = [part for c in self.catalogs for part in (c.name, c.requires, c.facilities, c.sources)]
        return self._once("capacities", of, lambda: Capacities(self.merged, self._bare))

    def demands(self, basis: _Basis) -> Sequence[Demand]:

        def made() -> Sequence[Demand]:
            found = resolve_demands(self.merged, self.case, basis)
            kept = self.kept
            return found if kept is None else [replace(demand, use=kept.same(demand.use)) for demand in found]

        case = self.case
        of = (self.merged, case.demands, case.place, case.horizon, case.resolution)
        return made() if self.kept is None else self.kept.fact("demands", of, made)

    def lots(self, basis: _Basis) -> Sequence[Lot]:

        def made() -> Sequence[Lot]:
            found = resolve_lots(self.merged, self._bare, basis)
            kept = self.kept
            if kept is None:
                return found
            same = kept.same
            return [
                replace(lot, chained=same(lot.chained), chain=tuple((same(one), at) for one, at in lot.chain))
                for lot in found
            ]

        return self._once("lots", (self.merged,), made)

    def network(self, offers: Sequence[OfferFacts], lots: Sequence[Lot], demands: Sequence[Demand]) -> Network:
        """Return the network of offers and lots that can serve the demands.

        Raises:
            InputError: For recipes that together make material from nothing.
        """

        def made() -> Network:
            check_loops(offers)
            network = build_network(offers, lots, demands, self.merged, self._bare)
            kept = self.kept
            if kept is None:
                return network
            same = kept.same

            def shared(stated: StatedInputs | None) -> StatedInputs | None:
                if stated is None:
                    return None
                return stated._replace(chain=tuple((one, same(move)) for one, move in stated.chain))

            arcs = [replace(arc, move=same(arc.move), stated=shared(arc.stated)) for arc in network.arcs]
            return replace(network, arcs=tuple(arcs))

        finals = frozenset(final_node(demand.use) for demand in demands)
        return self._once(f"network {sorted(finals)}", (self.merged, offers, lots), made)

    def _once(self, what: str, of: Sequence[object], make: Callable[[], T]) -> T:
        """Return `make()`, cached by some objects and the relevant part of the case."""
        return make() if self.kept is None else self.kept.fact(what, (*of, *self._bearing), make)
