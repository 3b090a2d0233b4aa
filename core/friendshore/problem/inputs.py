"""Inputs of a problem: a case, its catalogs, its rules, and the bills of its packs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from ..domain.base import Record
from ..domain.case import Case
from ..domain.change import Change
from ..domain.facts import Catalog
from ..domain.naming import Aliases, AliasFollower, Sort
from ..domain.time import Horizon, PeriodLength
from ..errors import Diagnostic, InputError
from ..rules.base import PhaseStatus, Rule
from ..rules.pack import LegislativeBill
from .build import build_problem
from .changes import apply_changes, scenario_changes
from .demands import demand_name
from .problem import Problem
from .shared import SharedData


class Applied(Record):
    """Scenarios, changes, and settings applied to a case's facts before a plan or a question."""

    scenario: tuple[str, ...] = ()
    """Names of scenarios, in order."""
    changes: tuple[Change, ...] = ()
    """Further changes, after those of the scenarios."""
    strict: bool = False
    """True if phases of unknown status apply."""
    period: PeriodLength | None = None
    """None means the periods of the case."""
    relaxed: tuple[Change, ...] = ()
    """Relaxations of hard limits that can't be kept, which the planner didn't ask for."""

    def change_texts(self, case: Case) -> list[str]:
        """Return every change in the syntax of a case file, those of the scenarios first. `case` must contain all scenarios."""
        changes = [change.text for change in (*scenario_changes(case, self.scenario), *self.changes)]
        return changes if self.period is None else [*changes, f'period = "{self.period.value}"']


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """All facts of a case as given, before anything is resolved."""

    case: Case
    catalogs: tuple[Catalog, ...]
    rules: tuple[Rule, ...]
    bills: tuple[LegislativeBill, ...] = ()
    part: bool = False
    """True if these are part of a case's facts, whose names were checked as a whole."""
    shared: SharedData | None = None
    doubts: tuple[Diagnostic, ...] = ()
    """Problems that `strict` rejects."""
    where: Callable[[Iterable[Diagnostic]], list[Diagnostic]] = list
    """Function that adds the file and line to problems."""

    def __repr__(self) -> str:
        return f"<Inputs of {self.case.name}>"

    @property
    def digest(self) -> str:
        """SHA-256 of all planning inputs. It ignores scenarios that aren't applied."""
        digest = sha256()
        for record in (self.case.but(scenarios=()), *self.catalogs, *self.rules, *self.bills):
            digest.update(
                f"{type(record).__module__}.{type(record).__qualname__} {record.model_dump_json()}\n".encode()
            )
        return digest.hexdigest()

    def followed(self) -> Inputs:
        """Return the facts with current names in place of those that a catalog has renamed."""
        following = self._following()
        if not following.aliases:
            return self
        case = following.record(self.case)
        rules = tuple(following.record(rule) for rule in self.rules)
        bills = tuple(following.record(bill) for bill in self.bills)
        case = case.but(followed=tuple(following.followed))
        return replace(self, case=case, rules=rules, bills=bills)

    def _following(self) -> AliasFollower:
        aliases = Aliases(alias for catalog in self.catalogs for alias in catalog.aliases)
        names_in_use = {demand.id for demand in self.case.demands}
        for catalog in self.catalogs if aliases else ():
            names_in_use.update(
                name for facility in catalog.facilities for name in (facility.supplier, facility.parent)
            )
        return aliases.follower(names_in_use - {""})

    def name_of_today(self, sort: Sort, name: str) -> str:
        renamings = self._following().aliases.path(sort, name)
        return (renamings[-1].new if renamings else "") or name

    def with_retirement(self, problem: Diagnostic) -> Diagnostic:
        return _retired(problem, self._following().aliases)

    def located_error(self, problems: Iterable[Diagnostic]) -> InputError:
        aliases = self._following().aliases
        return InputError(self.where([_retired(problem, aliases) for problem in problems]))

    def apply(self, applied: Applied) -> Inputs:
        """Return the facts after scenarios, changes, and strictness. `plan`, questions, and `verify` apply them only here."""
        if applied.strict and self.doubts:
            raise InputError(self.doubts)
        changed = self.after((*scenario_changes(self.case, applied.scenario), *applied.changes))
        if applied.period is not None:
            changed = changed.in_periods(applied.period)
        changed = changed.after(applied.relaxed)
        if not applied.strict:
            return changed
        accept = changed.case.accept
        statuses = tuple(sorted({*accept.rule_status, PhaseStatus.UNKNOWN.value}))
        strict = accept.but(rule_status=statuses)
        return replace(changed, case=changed.case.but(accept=strict))

    def in_periods(self, length: PeriodLength) -> Inputs:
        """Return the facts in shorter periods. Shortage penalties and holding costs keep their values."""
        horizon = self.case.horizon
        if horizon.until is not None or length.months > horizon.length.months:
            expected = f"a {horizon.length.value} or shorter"
            message = "the planning periods are longer than those of the case"
            raise InputError(message, column="period", found=length.value, expected=expected, code="FS250")
        listed_demands = [
            demand_name(demand, self.case) for demand in self.case.demands if demand.quantities or demand.later
        ]
        if listed_demands and length is not horizon.length:
            message = f"demand `{listed_demands[0]}` is listed by {horizon.length.value} and can't be planned by {length.value}"
            raise InputError(
                message, column="period", fix="state it as `per_year`, with `from` and `until`", code="FS250"
            )
        count = horizon.count * horizon.length.months // length.months
        shorter = Horizon(start=horizon.start, periods=count, period=length)
        priced = self._priced()
        return replace(priced, case=priced.case.but(horizon=shorter))

    def after(self, changes: Sequence[Change]) -> Inputs:
        """Return the facts after some changes, in order. Shortage penalties and holding costs keep their values unless a change states them."""
        if not changes:
            return self
        following = self._following()
        changes = [following.record(change) for change in changes] if following.aliases else changes
        case = self._priced().case
        try:
            amend = self.shared.amended if self.shared is not None else None
            case, catalogs, rules = apply_changes(changes, case, self.catalogs, self.rules, self.bills, amend)
        except InputError as error:
            raise self.located_error(error.problems) from error
        return replace(self, case=case, catalogs=catalogs, rules=rules)

    def _priced(self) -> Inputs:
        """Return the facts with fixed shortage penalties and holding costs, or unchanged if the changes have yet to complete them."""
        if self.case.frozen is not None:
            return self
        if self.shared is None:
            return self._price()
        return self.shared.fact("priced", (self.case, *self.catalogs, *self.rules), self._price)

    def _price(self) -> Inputs:
        try:
            return self.freeze(self.problem())
        except InputError:
            return self

    def freeze(self, problem: Problem) -> Inputs:
        return replace(self, case=self.case.but(frozen=problem.frozen))

    def problem(self) -> Problem:
        try:
            return build_problem(self.case, self.catalogs, self.rules, part=self.part, shared=self.shared)
        except InputError as error:
            raise self.located_error(error.problems) from error


def _retired(problem: Diagnostic, aliases: Aliases) -> Diagnostic:
    alias = aliases.retirement(problem.found.strip("`")) if aliases else None
    return (
        problem
        if alias is None
        else replace(problem, message=f"{problem.message}: {alias.text}", fix="write another name")
    )
