"""A leaf of a run changed, and what `verify` says of it: found, named as not vouched for, the same in other words, or let pass."""

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
"""How far the forger goes: the leaf alone is changed; the hashes of the files are made anew; those of the data too."""

_PARTS: dict[str, type[Record]] = {"catalogs": Catalog, "packs": PackFacts, "rules": RuleFacts}
"""Parts of the facts that are compared with what they come from, record by record."""
_TABLES = {table.file: table for table in TABLES}
_WHOLE = 20
"""Of so many changes found by that comparison alone, one is put to `verify` as a whole too."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one change."""

    leaf: Leaf
    way: str
    mode: str
    with_case: bool
    """Whether `verify` was given the case."""
    result: str
    """`found`, `named`, `same`, `listed`, or `passed`: nothing was said, and no reason is known."""
    why: str = ""


class Tampering:
    """A run, its case, and a folder in which changed copies of it are verified."""

    def __init__(self, run: Path, case: Path, scratch: Path) -> None:
        self.run, self.original = run, Folder(run)
        self.case = case
        self.one_row = scratch / "row"
        self.one_row.mkdir()
        self.folder = scratch / "run"
        shutil.copytree(run, self.folder)
        self.registry = Registry.discover()
        self._touched: set[str] = set()
        self._asked = 0
        first = self.verify(False), self.verify(True)
        assert all(isinstance(one, RunCheck) and one.exit_code == 0 for one in first), "not verified to begin with"

    @cached_property
    def alike(self) -> dict[tuple[str, str], list[Any]]:
        """File and pattern -> the values that stand at such places, each once."""
        found: defaultdict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
        for leaf in self.original.leaves():
            value = self.original.value(leaf)
            found[leaf.file, leaf.pattern].setdefault(repr(value), value)
        return {key: list(values.values()) for key, values in found.items()}

    def try_leaf(self, leaf: Leaf, modes: Sequence[str]) -> Iterator[Outcome]:
        """Changes a leaf in all four ways and says what comes of each."""
        for way in WAYS:
            value = leaves.changed(self.original.value(leaf), way, self.alike[leaf.file, leaf.pattern])
            if value is SAME or (value is GONE and not isinstance(leaf.path[-1], str | int)):
                continue
            for mode in modes:
                yield from self._judged(leaf, way, value, mode)

    def _judged(self, leaf: Leaf, way: str, value: Any, mode: str) -> Iterator[Outcome]:
        why = self._unlike(leaf, value) if mode != FORGED else ""
        self._asked += bool(why)
        if why and self._asked % _WHOLE:
            yield Outcome(leaf, way, mode, with_case=False, result="found", why=why)
            return
        texts = {leaf.file: self.original.changed(leaf, value)}
        if mode == FORGED and not self._forge(leaf, value, texts):
            return
        self._write(texts, sums=mode != KEPT)
        for with_case in (False, True):
            said = self.verify(with_case)
            result, told = self._result(leaf, way, said, texts)
            if result == "passed":
                result, told = self._result(leaf, way, self.verify(with_case, prove=True), texts)
            assert not why or result == "found", f"{leaf}: {why}, and `verify` says nothing of it"
            yield Outcome(leaf, way, mode, with_case, result, told)
            if result == "found":
                return  # it is found all the more where there is more to compare with

    def verify(self, with_case: bool, prove: bool = False) -> RunCheck | FriendshoreError:
        """What `verify` says of the folder as it is; how good the plan is it looks into only if asked to, since that takes long."""
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
        """Gives the catalog that a leaf of the facts belongs to the digest of what it now holds, wherever it is named."""
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
        """What `verify` finds against a part of the facts before it looks at the plan: most is found so, and much sooner."""
        if leaf.file in self.original.tables:
            return self._row_unlike(leaf, value)
        if leaf.file != "facts.json" or leaf.path[0] not in _PARTS or len(leaf.path) < 3:
            return ""
        part, number = str(leaf.path[0]), int(leaf.path[1])
        with self.original.bent(leaf, value) as data:
            try:
                one = _PARTS[part].model_validate(data[part][number])
            except ValueError:
                return "it cannot be read"
        entries = list(getattr(self._facts, part))
        entries[number] = one
        found = vouch(self._facts.model_copy(update={part: tuple(entries)}), self.registry).findings
        return found[0].message if found else ""

    def _row_unlike(self, leaf: Leaf, value: Any) -> str:
        """The same of a table: its changed row by itself, read and compared as `verify` does, with the row that was written."""
        (self.one_row / leaf.file).write_text(self.original.row(leaf, value), encoding="utf-8")
        table, found = _TABLES[leaf.file], list[Diagnostic]()
        read = run_folder._read(self.one_row, table, found, has_former_names=False)
        if found:
            return "it cannot be read"
        before = self._written[leaf.file]
        right = tuple(before.rows[int(leaf.path[0])].text(column) for column in table.columns)
        told = differences_in_table(table, read, [right])
        return told[0].message if told else ""

    @cached_property
    def _written(self) -> dict[str, Table]:
        return dict(read_run(self.run).tables)

    @cached_property
    def _facts(self) -> FactsFile:
        return facts_file(self.original.data["facts.json"])

    def _result(
        self, leaf: Leaf, way: str, said: RunCheck | FriendshoreError, texts: dict[str, str]
    ) -> tuple[str, str]:
        if isinstance(said, FriendshoreError):
            return "found", "it cannot be read"
        if said.exit_code:
            return "found", str((*said.findings, *said.unchecked)[0].message)
        if self._reads_the_same(leaf, texts):
            return "same", "another way to write the same"
        part = self._part(leaf)
        named = next((line for line in said.unvouched if part and line.startswith(part)), "")
        if named:
            return "named", named
        why = reason_for(leaf, way, said)
        return ("listed", why) if why else ("passed", "")

    def _reads_the_same(self, leaf: Leaf, texts: dict[str, str]) -> bool:
        """Whether the file, read, is what it was."""
        if leaf.file in self.original.tables:
            return False
        model = Run if leaf.file == "run.json" else FactsFile
        now, before = (model.model_validate_json(text) for text in (texts[leaf.file], self.original.texts[leaf.file]))
        return now == before

    def _part(self, leaf: Leaf) -> str:
        """How a part of the facts is called where `verify` says what nothing vouches for."""
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
