"""Calls of a rule's methods as friendshore makes them, watched for side effects."""

from __future__ import annotations

import hashlib
import io
import os
import random
import sys
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
from friendshore.rules.answers import WrongAnswer, as_charge, as_rule, as_verdict, faults
from friendshore.rules.base import Facts, Rule
from friendshore.rules.rows import Purchases, Row, Rows, one_by_one
from friendshore.rules.terms import ForUses, LackingTerm, Table, Term
from friendshore.rules.verdicts import possible_origins, told_apart

from .check import NotLookedAt
from .worlds import World, worlds

LINEAR = (
    "rows that are sums of the terms which the questions return, each times a number, between bounds that are numbers"
)


@dataclass(frozen=True, slots=True)
class RuleQuestion:
    """One move of an offer, and the use that it would serve."""

    offer: Chained
    move: Move
    use: Use
    bought: bool = True
    """True if it is bought, and may be charged. False for stock."""

    @property
    def told(self) -> str:
        """The question in words."""
        made = "; ".join(f"{e.stage} {'/'.join(sorted(e.countries)) or 'nowhere known'}" for e in self.offer.performed)
        return f"{self.offer.offer.id} ({made or 'nothing said of its stages'}) to {self.move.to.id} for {self.use.end_use}"


@dataclass(frozen=True)
class RuleTrial:
    """One rule in one generated case."""

    rule: Rule
    world: World
    held_to_it: bool = True
    """True to check that the rule changes nothing. All facts are then recorded before the first call."""

    @cached_property
    def problem(self) -> Problem:
        """The case without rules, or with this rule if it counts by end use."""
        rules = (self.rule,) if self.rule.counted_end_uses else ()
        return Inputs(self.world.case, (self.world.catalog,), rules).problem()

    @cached_property
    def questions(self) -> tuple[RuleQuestion, ...]:
        """All questions that a rule may have to judge or charge."""
        uses = sorted({demand.use for demand in self.problem.demands}, key=lambda use: use.end_use)
        held = self.rule.bears_on == "chain"
        arcs = [arc for arc in self.problem.network.arcs if held or arc.offer >= 0]
        return tuple(RuleQuestion(arc.chained, arc.move, use, arc.offer >= 0) for use in uses for arc in arcs)

    @cached_property
    def before(self) -> tuple[str, str]:
        """Facts shown to the rule, and the rule itself, before the first call."""
        return self.shown(), self.rule.model_dump_json()

    @cached_property
    def first_judged(self) -> tuple[Any, ...]:
        """First answers to all questions, to compare later answers with."""
        self._look()
        return self.judged()

    @cached_property
    def first_rows(self) -> Sequence[Row | Rows]:
        """First rows."""
        self._look()
        return self.rows()

    def _look(self) -> None:
        if self.held_to_it:
            _, _ = self.before  # seen before anything is asked

    def judged(self, backwards: bool = False) -> tuple[object, ...]:
        """Return the rule's answers to all questions, asked in order or backwards."""
        asked = self.questions[::-1] if backwards else self.questions
        found = [(self._judge(question), self._charges(question)) for question in asked]
        return tuple(found[::-1] if backwards else found)

    def rows(self, order: int | None = None) -> list[Row | Rows]:
        """Return the rule's rows. `order` is the seed of another order of all facts; None means the usual order."""
        if "rows" not in self.rule.verbs:
            return []
        facts: Facts = self.problem.facts
        if order is not None:
            facts = cast(Facts, _Reordered(facts, order))
        with attributed(self.rule):
            return list(self.rule.rows(facts))

    def shown(self) -> str:
        """Return all facts shown to the rule, which it must not change."""
        facts = self.problem.facts
        kept = (facts.offers, facts.demands, facts.incumbents, facts.materials, facts.places)
        bought = facts.bought(lambda *_: 1, range(facts.horizon.count))
        once: dict[int, tuple[int, object]] = {}  # what is shown many times is told once

        def number(thing: object) -> int:
            return once.setdefault(id(thing), (len(once), thing))[0]

        purchases = [(number(chained), place) for chained, place in facts.purchases(stock=True)]
        asked = [(number(one.offer), number(one.move), number(one.use), one.bought) for one in self.questions]
        return repr((kept, purchases, bought.moves.tolist(), bought.weight.tolist(), asked, list(once.values())))

    @cached_property
    def _sure(self) -> dict[tuple[int, ChainEntry, str], Chained]:
        """Offers with one stage definitely in a country, by offer, stage, and country. Many questions have the same offer."""
        return {}

    def _surely(self, question: RuleQuestion, entry: ChainEntry, country: str) -> RuleQuestion:
        """Return the question with one stage of the offer, stated or not, definitely in a country."""
        key = (id(question.offer), entry, country)
        if key not in self._sure:
            self._sure[key] = _surely(question.offer, entry, country)
        return RuleQuestion(self._sure[key], question.move, question.use, question.bought)

    def _judge(self, question: RuleQuestion) -> Any:
        with attributed(self.rule):
            if "judge" not in self.rule.verbs or not self.rule.concerns(question.use):
                return PASS
            return self.rule.judge(question.offer, question.move, question.use)

    def _charges(self, question: RuleQuestion) -> tuple[tuple[str, Decimal], ...]:
        if "charge" not in self.rule.verbs or not question.bought:
            return ()
        value = Decimal(17)
        with attributed(self.rule):
            others = told_apart([self.rule])
            return tuple(
                (origin, self.rule.charge(question.offer, question.move, question.use, origin, value))
                for origin in possible_origins(question.offer, others)
            )

    def wrong_answers(self) -> Iterator[str]:
        """Yield answers that aren't verdicts, and charges that aren't amounts of money or are negative."""
        with attributed(self.rule):
            as_rule(self.rule.in_currency(self.world.case.currency, lambda _: Decimal(1)))
        for question, (verdict, charges) in zip(self.questions, self.first_judged, strict=True):
            try:
                given = as_verdict(verdict)
                if not given.passes and not given.reason.strip():
                    yield f"`judge` says {given.result} without a reason, of {question.told}"
                elif not given.passes and given.rule != self.rule.id:
                    yield f"`judge` says {given.result} by the rule `{given.rule}`, not its own `{self.rule.id}`, of {question.told}"
                for _, amount in charges:
                    as_charge(amount)
            except WrongAnswer as fault:
                yield f"{fault}, of {question.told}"

    def not_linear(self) -> Iterator[str]:
        """Yield the parts of its rows that aren't linear."""
        labels: set[str] = set()
        for made in self.first_rows:
            wrong = list(faults(made))
            yield from wrong
            for row in () if wrong else one_by_one(made):
                if row.penalty is not None and row.penalty < 0:
                    yield f"row `{row.label}`: `penalty` is {row.penalty}: it pays for being missed"
                for table in sorted({table for term in row.asked for table in self._beyond(term)}):
                    yield f"row `{row.label}`: it counts {table.replace('_', ' ')} that there are not"
                if row.label in labels:
                    yield f"two of its rows are called `{row.label}`"
                labels.add(row.label)

    def _beyond(self, term: Term) -> list[Table]:
        """Return the tables in which a term counts entries that don't exist."""
        return [
            table
            for table, positions in term.positions.items()
            if len(positions) and not 0 <= positions.min() <= positions.max() < self._size(table)
        ]

    def _size(self, table: Table) -> int:
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

    def false_shortcuts(self) -> Iterator[str]:
        """Yield the rule's false statements about itself that would let callers skip work."""
        with attributed(self.rule):
            if "judge" in self.rule.verbs:
                for question in self.questions:
                    if self.rule.concerns(question.use):
                        continue
                    verdict = self.rule.judge(question.offer, question.move, question.use)
                    if not verdict.passes:
                        yield f"`concerns` says that it does not bear on {question.use.end_use} use, yet it says {verdict.result} of {question.told}"
            if "charge" in self.rule.verbs and not self.rule.charge_reads_use:
                charged: dict[tuple[str, str, str], object] = {}
                for question in self.questions:
                    key = (question.offer.offer.id, question.offer.material.id, question.move.to.id)
                    if charged.setdefault(key, self._charges(question)) != self._charges(question):
                        yield f"`charge_reads_use` is false, yet the charge differs from use to use, of {question.told}"
        yield from self._charged_beyond()
        yield from self._false_origins()
        for row in self.rows():
            unread = sorted(materials_of(self.problem, row) - row.reads) if row.reads is not None else []
            if unread:
                yield f"`reads` of a row leaves out {', '.join(unread)}, which it counts"

    def _charged_beyond(self) -> Iterator[str]:
        """Yield the purchases that a rule charges anything on, although `charges_on` says that it doesn't."""
        for question in self.questions:
            amounts = [amount for _, amount in self._charges(question) if amount]
            with attributed(self.rule):
                if amounts and not self.rule.charges_on(question.offer.material):
                    yield f"`charges_on` is false of {question.offer.material.id}, yet it charges {max(amounts)} for {question.told}"

    def _false_origins(self) -> Iterator[str]:
        """Yield the first purchase that a rule charges differently for two origins that `charged_origins` treats as equal."""
        named = self.rule.charged_origins
        if "charge" not in self.rule.verbs or named is None:
            return
        groups = grouped((tuple(country in some for some in named), country) for country in sorted(country_names()))
        by_material = {question.offer.material.id: question for question in self.questions if question.bought}
        for question in by_material.values():
            with attributed(self.rule):
                for alike in groups.values():
                    asked = (question.offer, question.move, question.use)
                    charges = {self.rule.charge(*asked, country, Decimal(17)) for country in alike}
                    if len(charges) > 1:
                        yield f"`charged_origins` takes {alike[0]} and others for alike, yet their charges differ, of {question.told}"
                        return

    def unexplained(self) -> Iterator[str]:
        """Yield the rows without a sentence."""
        for row in (row for made in self.rows() for row in one_by_one(made)):
            if not row.sentence.strip():
                yield f"row `{row.label}` has no sentence"
            elif not is_sentence(row.sentence):
                yield f"row `{row.label}` is told by {row.sentence!r}, no sentence"

    def cheap_in_doubt(self) -> Iterator[str]:
        """Yield the offers with several possible origins that cost less in charges than with one of them."""
        if "charge" not in self.rule.verbs:
            return
        for question in (question for question in self.questions if question.bought):
            charged = max((amount for _, amount in self._charges(question)), default=Decimal(0))
            for entry in question.offer.performed:
                for country in sorted(entry.countries) if len(entry.countries) > 1 else ():
                    surely = self._charges(self._surely(question, entry, country))
                    most = max((amount for _, amount in surely), default=Decimal(0))
                    if most > charged:
                        yield f"charges {charged} for {question.told}, and {most} where {entry.stage} was surely in {country}"

    def doubted(self, others: Sequence[str]) -> Iterator[str]:
        """Yield the offers that pass with an uncertain origin, but not with one of the possible countries (`others` for an incomplete list)."""
        for question in self.questions if "judge" in self.rule.verbs else ():
            with attributed(self.rule):
                concerned = self.rule.concerns(question.use)
            if not concerned or not self._judge(question).passes:
                continue
            for entry in (*question.offer.performed, *_untold(question.offer)):
                for country in _possible(entry, others):
                    found = self._judge(self._surely(question, entry, country))
                    if not found.passes:
                        yield f"passes {question.told}, and says {found.result} where {entry.stage} was surely in {country}"
                        break


def is_sentence(text: str) -> bool:
    """Return True if a text can be a sentence: three words or more, with a period."""
    return len(text.split()) >= 3 and text.rstrip().endswith((".", "!", "?"))


def normal(rows: Sequence[Row | Rows]) -> list[str]:
    """Return rows in a form that doesn't depend on their names, or on the order of rows and terms."""
    return sorted(repr(described(row)) for made in rows for row in one_by_one(made))


def described(row: Row) -> tuple[object, ...]:
    """Return a row without its name and sentence, in a form that doesn't depend on the order of its terms."""
    return (row.at_least, row.at_most, row.penalty, sorted(map(_term, row.terms), key=repr))


def _term(term: Term) -> tuple[object, ...]:
    name, parts = type(term).__name__, sorted(repr((base, _term(part))) for base, part in term.parts)
    if isinstance(term, LackingTerm):
        return (name, term.times, parts)
    weights: dict[tuple[int, ...], float] = {}
    for *at, weight in zip(*(some.tolist() for some in term.positions.values()), term.weight.tolist(), strict=True):
        weights[tuple(at)] = weights.get(tuple(at), 0.0) + weight
    entries = sorted((at, f"{weight:.12g}") for at, weight in weights.items())
    uses: ForUses | None = getattr(term, "for_uses", None)
    told = (sorted(uses.end_uses), uses.surely, uses.not_free_of) if uses is not None else None
    return (name, term.times, getattr(term, "at_least", 0.0), told, entries)


def _possible(entry: ChainEntry, others: Sequence[str]) -> list[str]:
    """Return the possible countries of a stage. Empty if the country is certain."""
    if entry.complete and len(entry.countries) == 1:
        return []
    return sorted(entry.countries if entry.complete else {*entry.countries, *others})


def _untold(offer: Chained) -> list[ChainEntry]:
    """Return empty entries for the stages that neither the offer nor its inputs mention."""
    return [ChainEntry(stage=stage, complete=False) for stage in sorted(offer.missing, key=lambda stage: stage.rank)]


def _surely(offer: Chained, entry: ChainEntry, country: str) -> Chained:
    """Return the offer with one stage, stated or not, definitely in a country."""
    sure = entry.but(countries=frozenset({country}), complete=True)
    entries = [sure if other is entry else other for other in offer.performed]
    if entry.main_stage in offer.missing:
        entries.append(sure)
    missing = offer.missing - {entry.main_stage}
    return offer.but(offer=offer.offer.but(chain=tuple(entries)), performed=tuple(entries), missing=missing)


class _Reordered:
    """The facts with every list in another order."""

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

    def _order(self, stock: bool) -> list[int]:
        size = len(self._facts.purchases(stock))
        return Random(self._seed).sample(range(size), size)

    def purchases(self, stock: bool = False) -> Sequence[tuple[Chained, Place]]:
        given = self._facts.purchases(stock)
        return [given[position] for position in self._order(stock)]

    def bought_in_each(
        self,
        counts: Sequence[Sequence[float]],
        stretches: Sequence[Sequence[int]],
        stock: bool = False,
        for_uses: ForUses | None = None,
    ) -> Purchases:
        order = self._order(stock)
        back = sorted(range(len(order)), key=order.__getitem__)
        return self._facts.bought_in_each([[count[i] for i in back] for count in counts], stretches, stock, for_uses)


_CLOCK = "the clock"
_FILES = "files"
_CALLS: dict[Callable[..., Any], str] = {
    **{
        getattr(time, name): _CLOCK
        for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "localtime", "gmtime")
    },
    **{getattr(os, name): _FILES for name in ("open", "stat", "lstat", "listdir", "scandir", "getcwd")},
    io.open: _FILES,
    io.open_code: _FILES,
    os.urandom: "dice",
}  # fmt: skip
_DAYS = frozenset({"now", "today", "utcnow"})
_ENVIRONMENT: tuple[CodeType, ...] = (type(os.environ).__getitem__.__code__, type(os.environ).__iter__.__code__)
"""Code of `os.environ`, which is written in Python."""
_DICE = cast(MethodType, random.random).__self__
"""The generator behind `random.random` and the like. A plugin's own generator with a seed isn't random."""
_ANYBODYS = frozenset({"importlib", "logging", "warnings", "linecache", "zipimport"})
"""Packages that read files and clocks for their own purposes. Importing a module in a function doesn't count as reading."""


@contextmanager
def watched(package: str) -> Iterator[list[Diagnostic]]:
    """Record reads of a top-level package other than its arguments. The list is complete at the end.

    Reads that other packages make for their own purposes don't count.
    """
    found: list[Diagnostic] = []
    seen: set[tuple[str, int]] = set()

    def look(frame: FrameType, event: str, called: Any) -> None:
        what = _reading(frame, event, called)
        by = _whose(frame, package) if what else None
        if by is not None and (by.f_code.co_filename, by.f_lineno) not in seen:
            seen.add((by.f_code.co_filename, by.f_lineno))
            found.append(Diagnostic(f"it reads {what}", by.f_code.co_filename, by.f_lineno))

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield found
    finally:
        sys.setprofile(before)


def _reading(frame: FrameType, event: str, called: Any) -> str:
    """Return the source that a call reads. Empty if it reads nothing."""
    if event == "call":
        return "the environment" if any(frame.f_code is code for code in _ENVIRONMENT) else ""
    if event != "c_call":
        return ""
    owner = getattr(called, "__self__", None)
    if owner is _DICE:
        return "dice"
    if called.__name__ in _DAYS and isinstance(owner, type) and issubclass(owner, date):
        return _CLOCK
    if getattr(called, "__module__", "") == "_socket" or type(owner).__module__ == "_socket":
        return "the network"
    return _CALLS.get(called, "") if owner is None or type(owner).__name__ == "module" else ""


def _whose(frame: FrameType, package: str) -> FrameType | None:
    """Return the frame in which the package requests it. None if other code does, even if the package called that code."""
    at: FrameType | None = frame
    while at is not None:
        root = str(at.f_globals.get("__name__", "")).partition(".")[0]
        if root == package:
            return at
        if (
            root in _ANYBODYS
            or root == __name__.partition(".")[0]
            or at.f_code.co_filename.startswith("<frozen importlib")
        ):
            return None
        at = at.f_back
    return None


def impure(asking: RuleTrial) -> Iterator[str | Diagnostic]:
    """Yield evidence that a rule's answers depend on more than its arguments, or that calling it has side effects."""
    kind = type(asking.rule)
    if not is_own(kind):
        with watched(package_of(kind)) as found:
            asking.judged()
            asking.rows()
        yield from found
    judged, rows = asking.first_judged, asking.first_rows
    shown, rule = asking.before
    if asking.shown() != shown:
        yield "being asked, it changes what it is shown"
    elif asking.judged() != judged:
        yield "asked the same questions twice, it gives other verdicts or charges"
    elif asking.judged(backwards=True) != judged:
        yield "asked the same questions in another order, it gives other verdicts or charges"
    elif normal(asking.rows()) != normal(rows):
        yield "asked for its rows twice, it gives other rows"
    elif asking.rule.model_dump_json() != rule:
        yield "being asked changes the rule itself"


def disordered(asking: RuleTrial) -> Iterator[str]:
    """Yield the rows that depend on the order of the facts."""
    usual = normal(asking.rows())
    if any(normal(asking.rows(order=seed)) != usual for seed in (1, 2, 3)):
        yield "its rows change with the order in which it is shown offers, demands, materials and places"


SEEDS = ("1", "2")
LIMIT = 120.0
"""Maximum seconds for each process."""


def unsteady(
    rules: Sequence[Rule], materials: Sequence[Material], count: int, columns: Sequence[DeclaredColumn] = ()
) -> list[str]:
    """Return the ids of rules whose answers or their order depend on the order of sets, in `count` generated cases.

    Raises:
        NotLookedAt: If their classes are unavailable in another process.
    """
    told = {
        "rules": [_told(rule) for rule in rules],
        "materials": [material.model_dump(mode="json") for material in materials],
        "count": count,
        "columns": [column.model_dump(mode="json") for column in columns],
    }

    def asked(seed: str) -> Any:
        return call_once(f"{__name__}:fingerprints", told, LIMIT, {"PYTHONHASHSEED": seed}).answer

    with ThreadPoolExecutor(len(SEEDS)) as workers:
        said = list(workers.map(asked, SEEDS))
    if any(answer is None for answer in said):
        raise NotLookedAt("the classes of the rules are unavailable in another process")
    return [rule.id for rule, one, other in zip(rules, *said, strict=True) if one != other]


def _told(rule: Rule) -> dict[str, Any]:
    settings = rule.settings
    return {**_written(rule), "settings": None if settings is None else _written(settings)}


def _written(record: BaseModel) -> dict[str, Any]:
    kind = type(record)
    return {
        "module": kind.__module__,
        "class": kind.__qualname__,
        "data": record.model_dump(mode="json", by_alias=True),
    }


def _read(written: Mapping[str, Any]) -> Any:
    return getattr(import_module(written["module"]), written["class"]).model_validate(written["data"])


def fingerprints(told: Mapping[str, Any]) -> list[str]:
    """Return a digest of all answers of each rule, in order. It runs in the other process."""
    materials = [Material.model_validate(material) for material in told["materials"]]
    columns = [DeclaredColumn.model_validate(column) for column in told["columns"]]
    found = []
    for one in told["rules"]:
        settings = one["settings"]
        rule: Rule = _read(one).with_settings(None if settings is None else _read(settings))
        cases = worlds([rule], materials, told["count"], columns=columns)
        said = [_said(RuleTrial(rule, world)) for world in cases]
        found.append(hashlib.sha256(repr(said).encode()).hexdigest())
    return found


def _said(asking: RuleTrial) -> list[str]:
    try:
        rows = [f"{row.label} {described(row)}" for made in asking.rows() for row in one_by_one(made)]
    except InputError:
        rows = []  # it names something that only a real case has
    judged: Sequence[Any] = asking.judged()
    verdicts = [v.model_dump_json() if isinstance(v, Verdict) else repr(v) for answers in judged for v in answers]
    return [*rows, *verdicts]
