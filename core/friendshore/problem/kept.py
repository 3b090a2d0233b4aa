"""What the problems of one session share, so that a change of one fact asks anew only what turns on it.

Facts that follow from the same records of case and catalogs are the same objects in every problem. So are, by content, the uses, deliveries
and rules that those who ask rules speak of; what a rule has answered about one of them holds wherever the three meet again. Rules are pure
functions, and a rule with other phases is another rule. Whoever plans and whoever verifies a plan each ask for themselves, and neither is
told what the other was answered.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from itertools import count
from typing import TypeAlias, TypeVar, cast

from pydantic import BaseModel

from ..domain.change import Change
from ..domain.runtime import SESSION_BYTES, Recent
from ..domain.use import Use, Verdict
from ..rules.amend import amend_rule
from ..rules.base import Rule

R = TypeVar("R", bound=BaseModel)
T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
Q = TypeVar("Q", bound=Hashable)

_ANSWER_BYTES = 250
"""About what an answer of a rule takes."""
_COUNTED_EVERY = 64
"""Questions after which answers are counted."""
MOST_FACTS = 64
"""Sets of facts that are kept; beyond it those that were needed last go on."""
MOST_RULES = 10_000
"""Rules after a change of theirs that are kept, likewise."""
_PLAIN = frozenset({str, int, bool, date, type(None)})
"""Types of values that are told by what they say."""
_SEVERAL = frozenset({tuple, frozenset})
Delivery: TypeAlias = tuple[int, int]
"""What is delivered and how it moves, by identity."""
Charged: TypeAlias = tuple[int, int, str, str]
"""The same with the customs origin, and the price as it is written."""
ByRule: TypeAlias = Mapping[str, Decimal]
"""By rule, what it charges on a kilogram."""

_Asked: TypeAlias = tuple[int, int]
"""Rule and use, likewise."""


class Answers:
    """What rules answered one who asked them, rule by rule and use by use; of records that their `Kept` holds."""

    def __init__(self, most: int) -> None:
        """Keeps `most` answers; beyond that it begins anew."""
        self._most = most
        self._verdicts: dict[_Asked, tuple[object, dict[Delivery, Verdict]]] = {}
        """With what they are about, so that nothing else has the identity by which it is looked up; likewise below."""
        self._charges: dict[_Asked, tuple[object, dict[Charged, Decimal]]] = {}
        self._parts: dict[tuple[int, tuple[tuple[int, Decimal], ...]], tuple[object, dict[Charged, ByRule]]] = {}
        self._asked = 0

    @property
    def size(self) -> int:
        """Answers that are kept."""
        verdicts, charges, parts = (
            list(self._verdicts.values()),
            list(self._charges.values()),
            list(self._parts.values()),
        )
        return (
            sum(len(some) for _, some in verdicts)
            + sum(len(some) for _, some in charges)
            + sum(len(some) for _, some in parts)
        )

    def verdicts(self, rule: Rule, use: Use) -> dict[Delivery, Verdict]:
        """The verdicts of a rule on deliveries for a use, to look up and to add to."""
        return self._of(self._verdicts, rule, use)

    def charges(self, rule: Rule, use: Use) -> dict[Charged, Decimal]:
        """What a rule charges on deliveries for a use, likewise."""
        return self._of(self._charges, rule, use)

    def parts(self, rules: Sequence[tuple[Rule, Decimal]], use: Use) -> dict[Charged, ByRule]:
        """What rules charge together on deliveries for a use, each for the part of the days on which it holds; likewise."""
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
        """Keeps answers that take about `most` bytes: who verifies a plan asks about what is bought alone, and needs a quarter of it."""
        self._bytes = most
        self.planned = Answers(most * 3 // 4 // _ANSWER_BYTES)
        """What those were answered who make problems of facts."""
        self.verified = Answers(most // 4 // _ANSWER_BYTES)
        """What those were answered who verify plans."""
        self._facts: Recent[tuple[Hashable, ...], tuple[object, object]] = Recent(MOST_FACTS)
        self._amended: Recent[tuple[int, int], tuple[Rule, Change, Rule]] = Recent(MOST_RULES)
        self._records: dict[Hashable, BaseModel] = {}
        self._own: dict[int, BaseModel] = {}
        self._several: dict[int, Hashable] = {}
        """What the lists of these records say, by identity."""
        self._numbers: dict[Hashable, int] = {}
        """Every such content, numbered: a number is compared at once."""
        self._unused = count()
        """Numbers, each given once, whichever threads ask."""

    def __reduce__(self) -> tuple[type[Kept], tuple[int]]:
        return Kept, (self._bytes,)

    def fact(self, what: str, of: Iterable[object], make: Callable[[], T]) -> T:
        """What `make` returns, which follows from nothing but the objects `of`, each taken by identity; made once.

        Raises:
            InputError: what `make` raises; it is then not kept.
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
        """What a change makes of a rule that it names: the same object each time."""
        key = id(rule), id(change)
        found = self._amended.get(key)
        if found is None:
            found = rule, change, amend_rule(rule, change)  # both held, so that nothing else has their identity
            self._amended.keep(key, found, 1)
        return found[2]

    def same(self, record: R) -> R:
        """The first record that said all that this one says, of the same types throughout."""
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
        """What tells a value from others: of values that cannot be told by what they say, which one it is."""
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
