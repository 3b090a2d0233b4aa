"""A changed leaf of a run, and the response of `verify`: found, named as not vouched for, equal, or accepted."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from friendshore.catalog import digest
from friendshore.domain.base import Record
from friendshore.domain.facts import Catalog
from friendshore.domain.run import Run
from friendshore.errors import Diagnostic, FriendshoreError
from friendshore.plugins import Registry
from friendshore.reading.csvfile import Table
from friendshore.recommend import ProofEffort, RunCheck, verify_run
from friendshore.recommend.facts import FactsFile, PackFacts, RuleFacts, facts_file
from friendshore.recommend.recheck import vouch
from friendshore.run import TABLES, read_run
from friendshore.run import folder as run_folder
from friendshore.run.tables import differences_in_table

from . import leaves
from .accepted import reason_for
from .leaves import GONE, SAME, WAYS, Folder, Leaf

SUMS = "SHA256SUMS"
KEPT, SUMMED, FORGED = "kept", "summed", "forged"
"""Effort of the forger: change the leaf only, update the hashes of files too, or those of the data too."""

_PARTS: dict[str, type[Record]] = {"catalogs": Catalog, "packs": PackFacts, "rules": RuleFacts}
"""Parts of the facts that `verify` compares with their origin, record by record."""
_TABLES = {table.file: table for table in TABLES}
_WHOLE = 20
"""One of this many changes that the comparison finds is verified in full too."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of one change."""

    leaf: Leaf
    way: str
    mode: str
    with_case: bool
    """True if `verify` had the case."""
    result: str
    """`found`, `named`, `same`, `listed`, or `passed` if it was accepted without a known reason."""
    why: str = ""


class Tampering:
    """A run, its case, and a folder for changed copies of the run."""

    def __init__(self, run: Path, case: Path, scratch: Path) -> None:
        self.run, self.original = run, Folder(run)
        self.case = case
        self.row_folder = scratch / "row"
        self.row_folder.mkdir()
        self.folder = scratch / "run"
        shutil.copytree(run, self.folder)
        self.registry = Registry.discover()
        self._touched: set[str] = set()
        self._found_count = 0
        checks = self.verify(False), self.verify(True)
        assert all(isinstance(check, RunCheck) and check.exit_code == 0 for check in checks), (
            "not verified to begin with"
        )

    @cached_property
    def alike(self) -> dict[tuple[str, str], list[Any]]:
        """File and pattern -> distinct values."""
        values_by_place: defaultdict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
        for leaf in self.original.leaves():
            value = self.original.value(leaf)
            values_by_place[leaf.file, leaf.pattern].setdefault(repr(value), value)
        return {key: list(values.values()) for key, values in values_by_place.items()}

    def try_leaf(self, leaf: Leaf, modes: Sequence[str]) -> Iterator[Outcome]:
        """Change a leaf in all four ways, and yield the results."""
        for way in WAYS:
            value = leaves.changed(self.original.value(leaf), way, self.alike[leaf.file, leaf.pattern])
            if value is SAME or (value is GONE and not isinstance(leaf.path[-1], str | int)):
                continue
            for mode in modes:
                yield from self._judged(leaf, way, value, mode)

    def _judged(self, leaf: Leaf, way: str, value: Any, mode: str) -> Iterator[Outcome]:
        finding = self._unlike(leaf, value) if mode != FORGED else ""
        self._found_count += bool(finding)
        if finding and self._found_count % _WHOLE:
            yield Outcome(leaf, way, mode, with_case=False, result="found", why=finding)
            return
        texts = {leaf.file: self.original.changed(leaf, value)}
        if mode == FORGED and not self._forge(leaf, value, texts):
            return
        self._write(texts, sums=mode != KEPT)
        for with_case in (False, True):
            check = self.verify(with_case)
            result, reason = self._result(leaf, way, check, texts)
            if result == "passed":
                result, reason = self._result(leaf, way, self.verify(with_case, prove=True), texts)
            assert not finding or result == "found", f"{leaf}: {finding}, and `verify` says nothing of it"
            yield Outcome(leaf, way, mode, with_case, result, reason)
            if result == "found":
                return  # it is found all the more where there is more to compare with

    def verify(self, with_case: bool, prove: bool = False) -> RunCheck | FriendshoreError:
        """Verify the folder. `prove` also bounds the cost, which takes long."""
        try:
            return verify_run(self.folder, self.registry, self.case if with_case else None, ProofEffort(prove=prove))
        except FriendshoreError as error:
            return error

    def _write(self, texts: dict[str, str], *, sums: bool) -> None:
        for name in self._touched - set(texts):
            (self.folder / name).write_text(self.original.texts[name], encoding="utf-8")
        for name, text in texts.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        self._touched = {*texts, SUMS} & set(self.original.texts)
        if SUMS in self.original.texts:
            text = self._sums(texts) if sums else self.original.texts[SUMS]
            (self.folder / SUMS).write_text(text, encoding="utf-8")

    def _sums(self, texts: dict[str, str]) -> str:
        now = {**self.original.texts, **texts}
        lines = [line.split("  ") for line in self.original.texts[SUMS].splitlines()]
        return "".join(f"{hashlib.sha256(now[name].encode()).hexdigest()}  {name}\n" for _, name in lines)

    def _forge(self, leaf: Leaf, value: Any, texts: dict[str, str]) -> bool:
        """Update the digest of a catalog whose facts changed, wherever it occurs."""
        if leaf.file != "facts.json" or leaf.path[0] != "catalogs" or leaf.path[2] == "digest":
            return False
        facts, run = json.loads(texts[leaf.file]), json.loads(self.original.texts["run.json"])
        catalog = facts["catalogs"][leaf.path[1]]
        try:
            catalog["digest"] = digest(Catalog.model_validate(catalog))
        except ValueError:
            return False
        for plugin in [*facts["plugins"], *run["plugins"]]:
            if plugin["kind"] == "catalog" and plugin["name"] == catalog.get("name"):
                plugin["digest"] = catalog["digest"]
        texts |= {"facts.json": json.dumps(facts, ensure_ascii=False), "run.json": json.dumps(run, ensure_ascii=False)}
        return True

    def _unlike(self, leaf: Leaf, value: Any) -> str:
        """Return the first finding in this part of the facts. Most changes are found this way, which is fast."""
        if leaf.file in self.original.tables:
            return self._row_unlike(leaf, value)
        if leaf.file != "facts.json" or leaf.path[0] not in _PARTS or len(leaf.path) < 3:
            return ""
        part, number = str(leaf.path[0]), int(leaf.path[1])
        with self.original.mutated(leaf, value) as data:
            try:
                record = _PARTS[part].model_validate(data[part][number])
            except ValueError:
                return "it cannot be read"
        entries = list(getattr(self._facts, part))
        entries[number] = record
        findings = vouch(self._facts.model_copy(update={part: tuple(entries)}), self.registry).findings
        return findings[0].message if findings else ""

    def _row_unlike(self, leaf: Leaf, value: Any) -> str:
        """Return the first finding in a table with only the changed row."""
        (self.row_folder / leaf.file).write_text(self.original.row(leaf, value), encoding="utf-8")
        table, problems = _TABLES[leaf.file], list[Diagnostic]()
        read = run_folder._read(self.row_folder, table, problems)
        if problems:
            return "it cannot be read"
        before = self._written[leaf.file]
        right = tuple(before.rows[int(leaf.path[0])].text(column) for column in table.columns)
        differences = differences_in_table(table, read, [right])
        return differences[0].message if differences else ""

    @cached_property
    def _written(self) -> dict[str, Table]:
        return dict(read_run(self.run).tables)

    @cached_property
    def _facts(self) -> FactsFile:
        return facts_file(self.original.data["facts.json"])

    def _result(
        self, leaf: Leaf, way: str, check: RunCheck | FriendshoreError, texts: dict[str, str]
    ) -> tuple[str, str]:
        if isinstance(check, FriendshoreError):
            return "found", "it cannot be read"
        if check.exit_code:
            return "found", str((*check.findings, *check.unchecked)[0].message)
        if self._reads_the_same(leaf, texts):
            return "same", "another way to write the same"
        part = self._part(leaf)
        named = next((line for line in check.unvouched if part and line.startswith(part)), "")
        if named:
            return "named", named
        why = reason_for(leaf, way, check)
        return ("listed", why) if why else ("passed", "")

    def _reads_the_same(self, leaf: Leaf, texts: dict[str, str]) -> bool:
        """Return True if the parsed file is unchanged."""
        if leaf.file in self.original.tables:
            return False
        model = Run if leaf.file == "run.json" else FactsFile
        now, before = (model.model_validate_json(text) for text in (texts[leaf.file], self.original.texts[leaf.file]))
        return now == before

    def _part(self, leaf: Leaf) -> str:
        """Return the name of a part of the facts in reports of `verify`."""
        if leaf.file != "facts.json":
            return ""
        facts = self.original.data["facts.json"]
        match leaf.path:
            case ("catalogs", int(number), *_):
                return f"catalog {facts['catalogs'][number]['name']},"
            case ("packs", int(number), *_):
                return f"pack {facts['packs'][number]['id']},"
            case ("rules", int(number), *_) if pack := facts["rules"][number].get("pack"):
                return f"pack {pack},"
            case ("rules" | "case", *_):
                return f"the case {facts['case']['name']} itself"
        return ""
