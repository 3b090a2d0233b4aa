"""Checks of a rule pack: its files, its worked examples, and its rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from friendshore.domain.facts import Material
from friendshore.errors import Diagnostic, FriendshoreError
from friendshore.plugins import Registry, attributed
from friendshore.rules.base import Rule
from friendshore.rules.pack import RulePack
from friendshore_testing.vectors import VECTORS_FILE, Vector, VectorFile, answered, failures, read_vectors

from .check import Check, CheckSkipped
from .generated_cases import declared_in
from .rules import RuleSetTrial

_TONNES = re.compile(r"([\d.,]+) t\b")


@dataclass(frozen=True, eq=False)
class PackTrial:
    """A rule pack, and the registry to read it with."""

    name: str
    read: Callable[[], RulePack]
    registry: Registry
    installed_materials: Callable[[], Sequence[Material]]

    @property
    def subject(self) -> str:
        return f"rule pack `{self.name}`"

    @cached_property
    def pack(self) -> RulePack:
        return self.read()

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        return self.registry.pack_rules(self.pack)

    @cached_property
    def vectors(self) -> VectorFile | None:
        """Its worked examples. None if it has no file of them. Raises InputError with all errors in the file."""
        folder = self.pack.folder
        return read_vectors(folder) if folder is not None and (folder / VECTORS_FILE).is_file() else None

    def checks(self) -> tuple[Check, ...]:
        pack_checks = (
            Check(self.subject, "read", "The pack and all its rules can be read.", self._read),
            Check(self.subject, "citations", "Every rule has a source, and every worked example a reason or citation.", self._citations),
            Check(self.subject, "masses", "A mass in kilograms means the same as in tonnes.", self._changed_by_units),
            Check(self.subject, "vectors", "Rules that judge or charge have worked examples, and all of them pass.", self._vectors),
            Check(self.subject, "covered", "Every rule that judges or charges decides a worked example.", self._covered, note=True),
        )  # fmt: skip
        return (
            *pack_checks,
            *RuleSetTrial(
                self.subject, lambda: self.rules, self.installed_materials, columns=declared_in(self.registry)
            ).checks(),
        )

    def _read(self) -> Iterator[Diagnostic]:
        if not self.rules:
            yield Diagnostic("the pack has no rule", self.pack.file, code="FS958")

    def _available_rules(self) -> tuple[Rule, ...]:
        try:
            return self.rules
        except FriendshoreError as error:
            raise CheckSkipped("the pack can't be read, see check `read`") from error

    def _citations(self) -> Iterator[Diagnostic]:
        for number, rule in enumerate(self._available_rules()):
            row = self.pack.lines[number] if number < len(self.pack.lines) else None
            if not rule.source.strip():
                fix = "add the place where you read the law, such as a web address"
                message = f"rule `{rule.id}` has no source"
                yield Diagnostic(message, self.pack.file, row, "source", fix=fix, code="FS950")
        for vector in self._examples():
            if not (vector.citation.strip() or vector.why.strip()):
                fix = 'add `why`, such as `why = "Not in force yet."`, or a citation'
                message = f"worked example `{vector.id}` has neither a reason nor a citation"
                yield Diagnostic(message, self._vector_file, column="why", fix=fix, code="FS957")

    def _examples(self) -> tuple[Vector, ...]:
        try:
            return self.vectors.vector if self.vectors else ()
        except FriendshoreError as error:
            raise CheckSkipped("the worked examples can't be read, see check `vectors`") from error

    @property
    def _vector_file(self) -> str:
        return str(self.pack.folder / VECTORS_FILE) if self.pack.folder else self.pack.id

    def _changed_by_units(self) -> Iterator[Diagnostic]:
        rules = self._available_rules()
        for table, rule in zip(self.pack.rules, rules, strict=True):
            converted = masses_in_kilograms(table)
            if converted != table and self.registry.rule({**converted, "id": rule.id}) != rule:
                fix = "read masses with friendshore.domain.quantities.parse_mass"
                message = f"rule `{rule.id}` changes if its tonnes are written as kilograms"
                yield Diagnostic(message, self.pack.file, fix=fix, code="FS953")

    def _vectors(self) -> Iterator[Diagnostic]:
        rules = self._available_rules()
        if self.vectors is None:
            if any(not rule.verbs.isdisjoint({"judge", "charge"}) for rule in rules):
                fix = f"write worked examples of the law into {VECTORS_FILE}"
                yield Diagnostic(f"there is no {VECTORS_FILE}", self.pack.file, fix=fix, code="FS957")
            return
        seen_ids: set[str] = set()
        for vector in self.vectors.vector:
            if vector.id in seen_ids:
                message, fix = f"two worked examples have the id `{vector.id}`", "rename one of them"
                yield Diagnostic(message, self._vector_file, column="id", fix=fix, code="FS308")
            seen_ids.add(vector.id)
            verdict = answered(vector, rules, self._materials, self.pack.bills, attributed).verdict
            if not verdict.passes and not verdict.clause:
                fix = "add `citation` to the rule, and `clause` to its verdicts"
                message = f"worked example `{vector.id}` is decided by `{verdict.rule}`, which has no citation"
                yield Diagnostic(message, self._vector_file, fix=fix, code="FS957")
            for message in failures(vector, rules, self._materials, self.pack.bills, attributed):
                yield Diagnostic(message, self._vector_file, fix="correct the rule or the example", code="FS957")

    @cached_property
    def _materials(self) -> Mapping[str, Material]:
        added = self.vectors.material if self.vectors else ()
        return {material.id: material for material in (*self.installed_materials(), *added)}

    def _covered(self) -> Iterator[Diagnostic]:
        rules, vectors = self._available_rules(), self._examples()
        for rule in rules:
            if rule.verbs.isdisjoint({"judge", "charge"}) or any(
                self._is_covered_by(vector, rule) for vector in vectors
            ):
                continue
            message = f"no worked example depends on rule `{rule.id}`"
            yield Diagnostic(message, self._vector_file, fix="add one that the rule decides", code="FS957")

    def _is_covered_by(self, vector: Vector, rule: Rule) -> bool:
        if vector.rule:
            return vector.rule == rule.id
        for_rule = vector.but(rule=rule.id)
        answer = answered(for_rule, self.rules, self._materials, self.pack.bills, attributed)
        return bool(answer.verdict.rule) or answer.duty != 0


def masses_in_kilograms(table: Mapping[str, object]) -> dict[str, object]:
    return {key: inner if key in _TEXT_KEYS else _in_kilograms(inner) for key, inner in table.items()}


def _in_kilograms(value: object) -> object:
    if isinstance(value, str):
        return _TONNES.sub(lambda match: f"{Decimal(match[1].replace(',', '')) * 1000:f} kg", value)
    if isinstance(value, Mapping):
        return masses_in_kilograms(value)
    return [_in_kilograms(inner) for inner in value] if isinstance(value, list | tuple) else value


_TEXT_KEYS = frozenset({"title", "note", "citation", "source", "why", "reason"})
