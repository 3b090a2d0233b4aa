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

from .check import Check, NotLookedAt
from .rules import Trial
from .worlds import declared_in

_TONNES = re.compile(r"([\d.,]+) t\b")


@dataclass(frozen=True, eq=False)
class PackTrial:
    """A rule pack, and the registry to read it with."""

    name: str
    read: Callable[[], RulePack]
    registry: Registry
    known: Callable[[], Sequence[Material]]
    """Materials of the installed catalogs."""

    @property
    def subject(self) -> str:
        """The pack in words."""
        return f"rule pack `{self.name}`"

    @cached_property
    def pack(self) -> RulePack:
        """The pack.

        Raises:
            InputError, PluginError: If it can't be found or read.
        """
        return self.read()

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Its rules.

        Raises:
            InputError, PluginError: If one can't be created.
        """
        return self.registry.pack_rules(self.pack)

    @cached_property
    def vectors(self) -> VectorFile | None:
        """Its worked examples. None if it has no file of them.

        Raises:
            InputError: With all errors in the file.
        """
        folder = self.pack.folder
        return read_vectors(folder) if folder is not None and (folder / VECTORS_FILE).is_file() else None

    def checks(self) -> tuple[Check, ...]:
        """Return all checks."""
        own = (
            Check(self.subject, "read", "The pack can be read, and all its rules made.", self._read),
            Check(self.subject, "citations", "Every rule says where its text was read, and every worked example why its answer is what it is.", self._citations),
            Check(self.subject, "masses", "A mass in kilograms means the same as in tonnes.", self._masses),
            Check(self.subject, "vectors", "Rules that judge or charge have worked examples, and every one of them holds.", self._vectors),
            Check(self.subject, "covered", "Every rule that judges or charges is asked by a worked example that it decides.", self._covered, note=True),
        )  # fmt: skip
        return (*own, *Trial(self.subject, lambda: self.rules, self.known, columns=declared_in(self.registry)).checks())

    def _read(self) -> Iterator[Diagnostic]:
        if not self.rules:
            yield Diagnostic("has no rule", self.pack.file)

    def _made(self) -> tuple[Rule, ...]:
        try:
            return self.rules
        except FriendshoreError as error:
            raise NotLookedAt("the pack cannot be read: see `read`") from error

    def _citations(self) -> Iterator[Diagnostic]:
        for position, rule in enumerate(self._made()):
            row = self.pack.lines[position] if position < len(self.pack.lines) else None
            if not rule.source.strip():
                fix = "say where the text of the law was read"
                yield Diagnostic(f"rule `{rule.id}` has no source", self.pack.file, row, "source", fix=fix)
        for vector in self._examples():
            if not (vector.citation.strip() or vector.why.strip()):
                fix = "say what it shows, or where the answer is read from"
                yield Diagnostic(
                    f"vector `{vector.id}` has neither reason nor citation", self._vector_file, column="why", fix=fix
                )

    def _examples(self) -> tuple[Vector, ...]:
        """Return the worked examples, once they can be read."""
        try:
            return self.vectors.vector if self.vectors else ()
        except FriendshoreError as error:
            raise NotLookedAt("the worked examples cannot be read: see `vectors`") from error

    @property
    def _vector_file(self) -> str:
        return str(self.pack.folder / VECTORS_FILE) if self.pack.folder else self.pack.id

    def _masses(self) -> Iterator[Diagnostic]:
        rules = self._made()
        for table, rule in zip(self.pack.rules, rules, strict=True):
            other = masses_in_kilograms(table)
            if other != table and self.registry.rule({**other, "id": rule.id}) != rule:
                yield Diagnostic(
                    f"rule `{rule.id}` is another one with its tonnes written as kilograms", self.pack.file
                )

    def _vectors(self) -> Iterator[Diagnostic]:
        rules = self._made()
        if self.vectors is None:
            if any(not rule.verbs.isdisjoint({"judge", "charge"}) for rule in rules):
                fix = f"write worked examples of the law into {VECTORS_FILE}"
                yield Diagnostic(f"there is no {VECTORS_FILE}", self.pack.file, fix=fix)
            return
        seen: set[str] = set()
        for vector in self.vectors.vector:
            if vector.id in seen:
                yield Diagnostic(f"two vectors are called `{vector.id}`", self._vector_file, column="id")
            seen.add(vector.id)
            verdict = answered(vector, rules, self._materials, self.pack.bills, attributed).verdict
            if not verdict.passes and not verdict.clause:
                fix = "give the rule a citation, and its verdicts that clause"
                yield Diagnostic(
                    f"vector `{vector.id}` is decided by `{verdict.rule}`, which cites nothing",
                    self._vector_file,
                    fix=fix,
                )
            for said in failures(vector, rules, self._materials, self.pack.bills, attributed):
                yield Diagnostic(said, self._vector_file, fix="mend the rule, or the example")

    @cached_property
    def _materials(self) -> Mapping[str, Material]:
        added = self.vectors.material if self.vectors else ()
        return {material.id: material for material in (*self.known(), *added)}

    def _covered(self) -> Iterator[Diagnostic]:
        rules, vectors = self._made(), self._examples()
        for rule in rules:
            if rule.verbs.isdisjoint({"judge", "charge"}) or any(self._shows(vector, rule) for vector in vectors):
                continue
            yield Diagnostic(
                f"rule `{rule.id}` bears on no worked example", self._vector_file, fix="add one that it decides"
            )

    def _shows(self, vector: Vector, rule: Rule) -> bool:
        """Return True if a worked example covers a rule: it names the rule, or the rule has a finding or charge."""
        if vector.rule:
            return vector.rule == rule.id
        alone = vector.but(rule=rule.id)
        found = answered(alone, self.rules, self._materials, self.pack.bills, attributed)
        return bool(found.verdict.rule) or found.duty != 0


def masses_in_kilograms(table: Mapping[str, object]) -> dict[str, object]:
    """Return the table with every mass in tonnes converted to kilograms."""
    return {key: inner if key in _PROSE else _in_kilograms(inner) for key, inner in table.items()}


def _in_kilograms(value: object) -> object:
    if isinstance(value, str):
        return _TONNES.sub(lambda found: f"{Decimal(found[1].replace(',', '')) * 1000:f} kg", value)
    if isinstance(value, Mapping):
        return masses_in_kilograms(value)
    return [_in_kilograms(inner) for inner in value] if isinstance(value, list | tuple) else value


_PROSE = frozenset({"title", "note", "citation", "source", "why", "reason"})
