"""Direct calls of rules as friendshore makes them, with detection of side effects."""

from __future__ import annotations

import hashlib
import io
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from importlib import import_module
from random import Random
from types import CodeType, FrameType, MethodType
from typing import Any, cast

from pydantic import BaseModel

from friendshore.domain.base import grouped
from friendshore.domain.countries import country_names
from friendshore.domain.facts import ChainEntry, DeclaredColumn, Material, Place
from friendshore.domain.use import PASS, Chained, Move, Use, Verdict
from friendshore.errors import Diagnostic, InputError
from friendshore.plugins import attributed
from friendshore.plugins.interface import is_own, package_of
from friendshore.plugins.isolated import call_once
from friendshore.problem import Problem
from friendshore.problem.inputs import Inputs
from friendshore.problem.parts import materials_of
from friendshore.rules.answers import InvalidResult, as_charge, as_rule, as_verdict, faults
from friendshore.rules.base import Facts, Rule
from friendshore.rules.rows import Purchases, Row, Rows, single_rows
from friendshore.rules.terms import ForUses, ShortfallTerm, Table, Term
from friendshore.rules.verdicts import possible_origins, representative_countries

from .check import CheckSkipped
from .generated_cases import GeneratedCase, generate_cases

EXPECTED_ROWS = "rows that are sums of terms times numbers, between numeric bounds"


@dataclass(frozen=True, slots=True)
class RuleCall:
    """One move of an offer and the use that it would serve, as arguments of a rule."""

    offer: Chained
    move: Move
    use: Use
    bought: bool = True

    @property
    def description(self) -> str:
        stages = "; ".join(f"{e.stage} {'/'.join(sorted(e.countries)) or 'unknown'}" for e in self.offer.performed)
        return f"{self.offer.offer.id} ({stages or 'without stages'}) to {self.move.to.id} for {self.use.end_use}"


@dataclass(frozen=True)
class RuleTrial:
    """One rule in one generated case."""

    rule: Rule
    generated: GeneratedCase
    checks_purity: bool = True
    """True to check that the rule changes nothing. All facts are then recorded before the first call."""

    @cached_property
    def problem(self) -> Problem:
        rules = (self.rule,) if self.rule.counted_end_uses else ()
        return Inputs(self.generated.case, (self.generated.catalog,), rules).problem()

    @cached_property
    def calls(self) -> tuple[RuleCall, ...]:
        uses = sorted({demand.use for demand in self.problem.demands}, key=lambda use: use.end_use)
        includes_stock = self.rule.judge_scope == "chain"
        arcs = [arc for arc in self.problem.network.arcs if includes_stock or arc.offer >= 0]
        return tuple(RuleCall(arc.chained, arc.move, use, arc.offer >= 0) for use in uses for arc in arcs)

    @cached_property
    def initial_facts(self) -> tuple[str, str]:
        return self.facts_text(), self.rule.model_dump_json()

    @cached_property
    def first_answers(self) -> tuple[Any, ...]:
        self._record_facts()
        return self.answers()

    @cached_property
    def first_rows(self) -> Sequence[Row | Rows]:
        self._record_facts()
        return self.rows()

    def _record_facts(self) -> None:
        if self.checks_purity:
            _, _ = self.initial_facts  # recorded before the first call

    def answers(self, backwards: bool = False) -> tuple[object, ...]:
        calls = self.calls[::-1] if backwards else self.calls
        answers = [(self._verdict(call), self._charges_of(call)) for call in calls]
        return tuple(answers[::-1] if backwards else answers)

    def rows(self, order: int | None = None) -> list[Row | Rows]:
        """Return the rule's rows. `order` is a seed that shuffles all facts. None means the usual order."""
        if "rows" not in self.rule.verbs:
            return []
        facts: Facts = self.problem.facts
        if order is not None:
            facts = cast(Facts, _Reordered(facts, order))
        with attributed(self.rule):
            return list(self.rule.rows(facts))

    def facts_text(self) -> str:
        facts = self.problem.facts
        records = (facts.offers, facts.demands, facts.incumbents, facts.materials, facts.places)
        bought = facts.bought(lambda *_: 1, range(facts.horizon.count))
        number_by_id: dict[int, tuple[int, object]] = {}  # each object is written once

        def number(record: object) -> int:
            return number_by_id.setdefault(id(record), (len(number_by_id), record))[0]

        purchases = [(number(chained), place) for chained, place in facts.purchases(stock=True)]
        calls = [(number(call.offer), number(call.move), number(call.use), call.bought) for call in self.calls]
        return repr(
            (records, purchases, bought.moves.tolist(), bought.weight.tolist(), calls, list(number_by_id.values()))
        )

    @cached_property
    def _offers_with_sure_origin(self) -> dict[tuple[int, ChainEntry, str], Chained]:
        return {}

    def _with_sure_origin(self, call: RuleCall, entry: ChainEntry, country: str) -> RuleCall:
        key = (id(call.offer), entry, country)
        if key not in self._offers_with_sure_origin:
            self._offers_with_sure_origin[key] = _with_sure_origin(call.offer, entry, country)
        return RuleCall(self._offers_with_sure_origin[key], call.move, call.use, call.bought)

    def _verdict(self, call: RuleCall) -> Any:
        with attributed(self.rule):
            if "judge" not in self.rule.verbs or not self.rule.concerns(call.use):
                return PASS
            return self.rule.judge(call.offer, call.move, call.use)

    def _charges_of(self, call: RuleCall) -> tuple[tuple[str, Decimal], ...]:
        if "charge" not in self.rule.verbs or not call.bought:
            return ()
        value = Decimal(17)
        with attributed(self.rule):
            distinguished = representative_countries([self.rule])
            return tuple(
                (origin, self.rule.charge(call.offer, call.move, call.use, origin, value))
                for origin in possible_origins(call.offer, distinguished)
            )

    def invalid_answers(self) -> Iterator[str]:
        with attributed(self.rule):
            as_rule(self.rule.in_currency(self.generated.case.currency, lambda _: Decimal(1)))
        for call, (verdict, charges) in zip(self.calls, self.first_answers, strict=True):
            try:
                checked = as_verdict(verdict)
                if not checked.passes and not checked.reason.strip():
                    yield f"`judge` returns {checked.result} without a reason for {call.description}"
                elif not checked.passes and checked.rule != self.rule.id:
                    yield f"`judge` returns {checked.result} by the rule `{checked.rule}` instead of its own `{self.rule.id}` for {call.description}"
                for _, amount in charges:
                    as_charge(amount)
            except InvalidResult as error:
                yield f"{error}, for {call.description}"

    def nonlinear_rows(self) -> Iterator[str]:
        labels: set[str] = set()
        for rows in self.first_rows:
            problems = list(faults(rows))
            yield from problems
            for row in () if problems else single_rows(rows):
                if row.penalty is not None and row.penalty < 0:
                    yield f"row `{row.label}`: negative `penalty` {row.penalty}, which rewards missing the limit"
                for table in sorted({table for term in row.all_terms for table in self._tables_exceeded(term)}):
                    yield f"row `{row.label}`: counts {table.replace('_', ' ')} that don't exist"
                if row.label in labels:
                    yield f"two rows have the label `{row.label}`"
                labels.add(row.label)

    def _tables_exceeded(self, term: Term) -> list[Table]:
        return [
            table
            for table, positions in term.positions.items()
            if len(positions) and not 0 <= positions.min() <= positions.max() < self._table_size(table)
        ]

    def _table_size(self, table: Table) -> int:
        sizes: dict[Table, int] = {
            "moves": len(self.problem.moves),
            "demands": len(self.problem.demands),
            "nodes": len(self.problem.network.nodes),
            "classes": len(self.problem.compliance_classes),
            "offers": len(self.problem.offers),
            "periods": self.problem.case.horizon.count,
            "price_spans": len(self.problem.price_spans),
            "term_spans": len(self.problem.term_spans),
            "commitments": len(self.problem.commitments),
        }
        return sizes[table]

    def false_claims(self) -> Iterator[str]:
        """Yield the rule's false claims about itself, which would let callers skip work."""
        with attributed(self.rule):
            if "judge" in self.rule.verbs:
                for call in self.calls:
                    verdict = self.rule.judge(call.offer, call.move, call.use)
                    if not self.rule.judge_reads_terms and verdict != self.rule.judge(
                        call.offer.without_terms(), call.move, call.use
                    ):
                        yield f"`judge_reads_terms` is false, but the verdict depends on the terms of {call.description}"
                    if (is_concerned := self.rule.concerns(call.use)) and self.rule.concerns_move(call.move):
                        continue
                    if not verdict.passes:
                        claim = f"`concerns_move` is false for {call.move.origin.country} to {call.move.to.country}"
                        claim = claim if is_concerned else f"`concerns` is false for {call.use.end_use} use"
                        yield f"{claim}, but `judge` returns {verdict.result} for {call.description}"
            if "charge" in self.rule.verbs and not self.rule.charge_reads_use:
                charges_by_key: dict[tuple[str, str, str], object] = {}
                for call in self.calls:
                    key = (call.offer.offer.id, call.offer.material.id, call.move.to.id)
                    if charges_by_key.setdefault(key, self._charges_of(call)) != self._charges_of(call):
                        yield f"`charge_reads_use` is false, but the charge depends on the use of {call.description}"
        yield from self._unannounced_charges()
        yield from self._unequal_origins()
        for row in self.rows():
            unread_materials = sorted(materials_of(self.problem, row) - row.reads) if row.reads is not None else []
            if unread_materials:
                yield f"`reads` of a row omits {', '.join(unread_materials)}, which the row counts"

    def _unannounced_charges(self) -> Iterator[str]:
        for call in self.calls:
            amounts = [amount for _, amount in self._charges_of(call) if amount]
            with attributed(self.rule):
                if amounts and not self.rule.charges_on(call.offer.material):
                    yield f"`charges_on` is false for {call.offer.material.id}, but the charge is {max(amounts)} for {call.description}"

    def _unequal_origins(self) -> Iterator[str]:
        """Yield the first purchase with different charges for two origins that `charged_origins` treats as equal."""
        named_groups = self.rule.charged_origins
        if "charge" not in self.rule.verbs or named_groups is None:
            return
        groups = grouped(
            (tuple(country in group for group in named_groups), country) for country in sorted(country_names())
        )
        by_material = {call.offer.material.id: call for call in self.calls if call.bought}
        for call in by_material.values():
            with attributed(self.rule):
                for equal_origins in groups.values():
                    arguments = (call.offer, call.move, call.use)
                    charges = {self.rule.charge(*arguments, country, Decimal(17)) for country in equal_origins}
                    if len(charges) > 1:
                        yield f"`charged_origins` treats {equal_origins[0]} and others as equal, but their charges differ for {call.description}"
                        return

    def rows_without_sentence(self) -> Iterator[str]:
        for row in (row for rows in self.rows() for row in single_rows(rows)):
            if not row.sentence.strip():
                yield f"row `{row.label}` has no sentence"
            elif not is_sentence(row.sentence):
                yield f"row `{row.label}`: {row.sentence!r} is no sentence"

    def charges_too_low(self) -> Iterator[str]:
        """Yield the offers with several possible origins whose charge is below that of one of them."""
        if "charge" not in self.rule.verbs:
            return
        for call in (call for call in self.calls if call.bought):
            charged = max((amount for _, amount in self._charges_of(call)), default=Decimal(0))
            for entry in call.offer.performed:
                for country in sorted(entry.countries) if len(entry.countries) > 1 else ():
                    sure_charges = self._charges_of(self._with_sure_origin(call, entry, country))
                    highest = max((amount for _, amount in sure_charges), default=Decimal(0))
                    if highest > charged:
                        yield f"charges {charged} for {call.description}, but {highest} if it was definitely {entry.stage} in {country}"

    def passes_too_early(self, others: Sequence[str]) -> Iterator[str]:
        """Yield the offers that pass with an uncertain origin, but not with one of the possible countries (`others` for an incomplete list)."""
        for call in self.calls if "judge" in self.rule.verbs else ():
            with attributed(self.rule):
                is_concerned = self.rule.concerns(call.use)
            if not is_concerned or not self._verdict(call).passes:
                continue
            for entry in (*call.offer.performed, *_unmentioned_stages(call.offer)):
                for country in _possible(entry, others):
                    verdict = self._verdict(self._with_sure_origin(call, entry, country))
                    if not verdict.passes:
                        yield f"passes {call.description}, but returns {verdict.result} if it was definitely {entry.stage} in {country}"
                        break


def is_sentence(text: str) -> bool:
    return len(text.split()) >= 3 and text.rstrip().endswith((".", "!", "?"))


def row_keys(rows: Sequence[Row | Rows]) -> list[str]:
    return sorted(repr(row_key(row)) for group in rows for row in single_rows(group))


def row_key(row: Row) -> tuple[object, ...]:
    """Return a row without label and sentence, in a form that doesn't depend on the order of its terms."""
    return (row.at_least, row.at_most, row.penalty, sorted(map(_term_key, row.terms), key=repr))


def _term_key(term: Term) -> tuple[object, ...]:
    name, part_keys = type(term).__name__, sorted(repr((base, _term_key(part))) for base, part in term.parts)
    if isinstance(term, ShortfallTerm):
        return (name, term.times, part_keys)
    weights: dict[tuple[int, ...], float] = {}
    for *position, weight in zip(
        *(indices.tolist() for indices in term.positions.values()), term.weight.tolist(), strict=True
    ):
        weights[tuple(position)] = weights.get(tuple(position), 0.0) + weight
    entries = sorted((position, f"{weight:.12g}") for position, weight in weights.items())
    uses: ForUses | None = getattr(term, "for_uses", None)
    use_key = (sorted(uses.end_uses), uses.surely, uses.not_free_of) if uses is not None else None
    return (name, term.times, getattr(term, "at_least", 0.0), use_key, entries)


def _possible(entry: ChainEntry, others: Sequence[str]) -> list[str]:
    if entry.complete and len(entry.countries) == 1:
        return []
    return sorted(entry.countries if entry.complete else {*entry.countries, *others})


def _unmentioned_stages(offer: Chained) -> list[ChainEntry]:
    return [ChainEntry(stage=stage, complete=False) for stage in sorted(offer.missing, key=lambda stage: stage.rank)]


def _with_sure_origin(offer: Chained, entry: ChainEntry, country: str) -> Chained:
    sure = entry.but(countries=frozenset({country}), complete=True)
    entries = [sure if other is entry else other for other in offer.performed]
    if entry.element:
        return offer.but(offer=offer.offer.but(chain=tuple(entries)), performed=tuple(entries))
    if entry.main_stage in offer.missing:
        entries.append(sure)
    missing = offer.missing - {entry.main_stage}
    return offer.but(offer=offer.offer.but(chain=tuple(entries)), performed=tuple(entries), missing=missing)


class _Reordered:
    def __init__(self, facts: Facts, seed: int) -> None:
        self._facts = facts
        self._seed = seed

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._facts, name)
        if name in ("offers", "demands", "incumbents", "materials", "places"):
            return Random(self._seed).sample(list(value), len(value))
        return value

    def about(self, materials: Collection[str]) -> _Reordered:
        return _Reordered(self._facts.about(materials), self._seed)

    def _shuffled_positions(self, stock: bool) -> list[int]:
        size = len(self._facts.purchases(stock))
        return Random(self._seed).sample(range(size), size)

    def purchases(self, stock: bool = False) -> Sequence[tuple[Chained, Place]]:
        usual_order = self._facts.purchases(stock)
        return [usual_order[position] for position in self._shuffled_positions(stock)]

    def bought_in_each(
        self,
        counts: Sequence[Sequence[float]],
        stretches: Sequence[Sequence[int]],
        stock: bool = False,
        for_uses: ForUses | None = None,
    ) -> Purchases:
        order = self._shuffled_positions(stock)
        original_positions = sorted(range(len(order)), key=order.__getitem__)
        return self._facts.bought_in_each(
            [[count[i] for i in original_positions] for count in counts], stretches, stock, for_uses
        )


_CLOCK = "the clock"
_FILES = "files"
_PROCESS = "the process"
_SOURCES: dict[Callable[..., Any], str] = {
    **{
        getattr(time, name): _CLOCK
        for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "localtime", "gmtime")
    },
    **{getattr(os, name): _FILES for name in ("open", "stat", "lstat", "listdir", "scandir", "getcwd")},
    **{getattr(os, name): _PROCESS for name in ("getpid", "getppid")},
    **{getattr(threading, name): _PROCESS for name in ("get_ident", "get_native_id")},
    io.open: _FILES,
    io.open_code: _FILES,
    os.urandom: "random numbers",
}  # fmt: skip
_CLOCK_METHODS = frozenset({"now", "today", "utcnow"})
_ENVIRONMENT_CODE: tuple[CodeType, ...] = (type(os.environ).__getitem__.__code__, type(os.environ).__iter__.__code__)
"""Code of `os.environ`, which is written in Python."""
_SHARED_RANDOM = cast(MethodType, random.random).__self__
"""The generator behind `random.random` and the like. A plugin's own generator with a seed isn't random."""
_IGNORED_PACKAGES = frozenset({"importlib", "logging", "warnings", "linecache", "zipimport"})
"""Packages that read files and clocks for their own purposes. Importing a module in a function doesn't count as reading."""


@contextmanager
def recorded_reads(package: str) -> Iterator[list[Diagnostic]]:
    """Record what the code of a package reads besides its arguments, except through other packages. The list is complete at the end."""
    problems: list[Diagnostic] = []
    seen_lines: set[tuple[str, int]] = set()

    def on_event(frame: FrameType, event: str, called: Any) -> None:
        source = _source_of(frame, event, called)
        caller = _responsible_frame(frame, package) if source else None
        if caller is not None and (caller.f_code.co_filename, caller.f_lineno) not in seen_lines:
            seen_lines.add((caller.f_code.co_filename, caller.f_lineno))
            problems.append(Diagnostic(f"reads {source}", caller.f_code.co_filename, caller.f_lineno, code="FS955"))

    previous_profile = sys.getprofile()
    sys.setprofile(on_event)
    try:
        yield problems
    finally:
        sys.setprofile(previous_profile)


def _source_of(frame: FrameType, event: str, called: Any) -> str:
    if event == "call":
        return "the environment" if any(frame.f_code is code for code in _ENVIRONMENT_CODE) else ""
    if event != "c_call":
        return ""
    owner = getattr(called, "__self__", None)
    if owner is _SHARED_RANDOM:
        return "random numbers"
    if called.__name__ in _CLOCK_METHODS and isinstance(owner, type) and issubclass(owner, date):
        return _CLOCK
    if getattr(called, "__module__", "") == "_socket" or type(owner).__module__ == "_socket":
        return "the network"
    return _SOURCES.get(called, "") if owner is None or type(owner).__name__ == "module" else ""


def _responsible_frame(frame: FrameType, package: str) -> FrameType | None:
    """Return the frame in which the package reads. None if other code does, even if the package called that code."""
    current: FrameType | None = frame
    while current is not None:
        root = str(current.f_globals.get("__name__", "")).partition(".")[0]
        if root == package:
            return current
        if (
            root in _IGNORED_PACKAGES
            or root == __name__.partition(".")[0]
            or current.f_code.co_filename.startswith("<frozen importlib")
        ):
            return None
        current = current.f_back
    return None


def impurities(trial: RuleTrial) -> Iterator[str | Diagnostic]:
    kind = type(trial.rule)
    answers, keys = trial.first_answers, row_keys(trial.first_rows)
    repeated_answers, repeated_keys = [answers], [keys]
    if not is_own(kind):
        with recorded_reads(package_of(kind)) as problems:
            repeated_answers.append(trial.answers())
            repeated_keys.append(row_keys(trial.rows()))
        yield from problems
    repeated_answers.append(trial.answers())
    repeated_keys.append(row_keys(trial.rows()))
    facts_text, rule_text = trial.initial_facts
    if trial.facts_text() != facts_text:
        yield "changes the facts that it receives"
    elif any(repeated != answers for repeated in repeated_answers):
        yield "returns different verdicts or charges when called twice"
    elif trial.answers(backwards=True) != answers:
        yield "returns different verdicts or charges when called in another order"
    elif any(repeated != keys for repeated in repeated_keys):
        yield "returns different rows when called twice"
    elif trial.rule.model_dump_json() != rule_text:
        yield "changes itself when called"


def order_dependence(trial: RuleTrial) -> Iterator[str]:
    usual_keys = row_keys(trial.rows())
    if any(row_keys(trial.rows(order=seed)) != usual_keys for seed in (1, 2, 3)):
        yield "its rows depend on the order of offers, demands, materials, and places"


HASH_SEEDS = ("1", "2")
TIME_LIMIT = 120.0


def seed_dependent_rules(
    rules: Sequence[Rule], materials: Sequence[Material], count: int, columns: Sequence[DeclaredColumn] = ()
) -> list[str]:
    """Return the ids of rules whose answers depend on the order of sets. Raises CheckSkipped if another process can't import their classes."""
    request = {
        "rules": [_rule_data(rule) for rule in rules],
        "materials": [material.model_dump(mode="json") for material in materials],
        "count": count,
        "columns": [column.model_dump(mode="json") for column in columns],
    }

    def digests(seed: str) -> Any:
        return call_once(f"{__name__}:fingerprints", request, TIME_LIMIT, {"PYTHONHASHSEED": seed}).answer

    with ThreadPoolExecutor(len(HASH_SEEDS)) as workers:
        digests_by_seed = list(workers.map(digests, HASH_SEEDS))
    if any(answer is None for answer in digests_by_seed):
        raise CheckSkipped("the classes of the rules can't be imported in another process")
    return [rule.id for rule, first, second in zip(rules, *digests_by_seed, strict=True) if first != second]


def _rule_data(rule: Rule) -> dict[str, Any]:
    settings = rule.settings
    return {**_record_data(rule), "settings": None if settings is None else _record_data(settings)}


def _record_data(record: BaseModel) -> dict[str, Any]:
    kind = type(record)
    return {
        "module": kind.__module__,
        "class": kind.__qualname__,
        "data": record.model_dump(mode="json", by_alias=True),
    }


def _record_of(data: Mapping[str, Any]) -> Any:
    return getattr(import_module(data["module"]), data["class"]).model_validate(data["data"])


def fingerprints(request: Mapping[str, Any]) -> list[str]:
    """Return a digest of all answers of each rule. Called in another process."""
    materials = [Material.model_validate(material) for material in request["materials"]]
    columns = [DeclaredColumn.model_validate(column) for column in request["columns"]]
    digests = []
    for rule_data in request["rules"]:
        settings = rule_data["settings"]
        rule: Rule = _record_of(rule_data).with_settings(None if settings is None else _record_of(settings))
        cases = generate_cases([rule], materials, request["count"], columns=columns)
        texts = [_texts(RuleTrial(rule, generated)) for generated in cases]
        digests.append(hashlib.sha256(repr(texts).encode()).hexdigest())
    return digests


def _texts(trial: RuleTrial) -> list[str]:
    try:
        rows = [f"{row.label} {row_key(row)}" for group in trial.rows() for row in single_rows(group)]
    except InputError:
        rows = []  # the rule refers to something that only a real case has
    answers_by_call: Sequence[Any] = trial.answers()
    verdicts = [
        v.model_dump_json() if isinstance(v, Verdict) else repr(v) for answers in answers_by_call for v in answers
    ]
    return [*rows, *verdicts]
