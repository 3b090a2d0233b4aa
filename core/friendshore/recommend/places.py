"""Where in the files of a case its mistakes stand that are only seen once the facts are put together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..case.mentions import Mention, mentions
from ..catalog.places import place_of
from ..errors import Diagnostic

_CATALOG = re.compile(r"catalog (\S+)\Z")
_RULE = re.compile(r"rule `(.+)`\Z")
_CURRENCY = re.compile(r"no exchange rate from ([A-Z]{3})")


@dataclass(frozen=True, slots=True)
class Places:
    """The files that a case was read from."""

    case: Path | None = None
    """The case file; None: it was made in memory."""
    catalogs: Mapping[str, Path] = field(default_factory=dict)
    """Folder or workbook of each catalog."""
    rules: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
    """File and line of each rule of a pack."""

    def __call__(self, problems: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The same problems, each at every place where what it names stands; as it is where that is not known."""
        found = list(problems)
        words = mentions(self.case) if self.case is not None and any(not p.file for p in found) else []
        placed = dict.fromkeys(one for problem in found for one in self._placed(problem, words))
        return sorted(placed, key=lambda problem: (problem.file, problem.row or 0))

    def _placed(self, problem: Diagnostic, words: list[Mention]) -> Iterator[Diagnostic]:
        rule = _RULE.match(problem.column)
        if problem.file:
            yield self._in_catalog(problem)
        elif rule is not None and rule[1] in self.rules:
            file, row = self.rules[rule[1]]
            yield replace(problem, file=file, row=row)
        else:
            named = rule[1] if rule is not None else problem.found.strip("`")
            column = "rule.id" if rule is not None else problem.column
            at = _mentioned(words, column, named) if named else []
            for word in at:
                column = problem.column if rule is not None or problem.column else word.column
                yield replace(problem, file=word.file, row=word.row, column=column)
            if not at:
                yield replace(problem, file=str(self.case)) if self.case is not None else problem

    def _in_catalog(self, problem: Diagnostic) -> Diagnostic:
        catalog = _CATALOG.match(problem.file)
        table, dot, column = problem.column.partition(".")
        if catalog is None or not dot or catalog[1] not in self.catalogs:
            return problem
        currency = _CURRENCY.match(problem.message)
        path, holding = self.catalogs[catalog[1]], currency[1] if currency else ""
        place = place_of(path, table, problem.found.strip("`"), holding)
        return problem if place is None else replace(problem, file=place[0], row=place[1], column=column)


def _mentioned(words: Iterable[Mention], column: str, name: str) -> list[Mention]:
    """Where a name stands: under the key meant, else under a key of that name, else anywhere in a scenario's changes."""
    section, _, key = column.rpartition(".")
    here = [word for word in words if word.word == name]
    exact = [word for word in here if word.column == key and (word.section == section or not section)]
    within = [word for word in here if word.section.startswith("scenario")] if not section else []
    of_rule = [word for word in here if section == "rule" and word.section.startswith("rule")]
    return exact or within or of_rule
