"""The facts of a gathered case after its scenarios and further changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..domain.base import Record
from ..domain.case import Case
from ..domain.change import Change
from ..explain.compare import said
from ..problem import Problem
from ..problem.changes import scenario_changes
from ..problem.inputs import Inputs
from ..rules.base import PhaseStatus
from .gather import Gathered


class Applied(Record):
    """What was applied to the facts of a case before it was planned."""

    scenario: tuple[str, ...] = ()
    """Names of scenarios, in order."""
    changes: tuple[Change, ...] = ()
    """Further changes, after those of the scenarios."""
    strict: bool = False
    """Whether phases of unknown status apply."""

    def told(self, case: Case) -> list[str]:
        """Every change, those of the scenarios first, as a case file states it.

        Args:
            case: the case with all its scenarios.

        Raises:
            InputError: for an unknown scenario.
        """
        return [said(change) for change in (*scenario_changes(case, self.scenario), *self.changes)]


def prepare(
    gathered: Gathered, scenario: Sequence[str] = (), changes: Sequence[Change] = (), strict: bool = False
) -> Problem:
    """The problem of a case after its scenarios and further changes.

    Raises:
        InputError: with everything that does not fit together.
        PluginError: if a plugin's rule raises.
    """
    return inputs_of(gathered, scenario, changes, strict).problem()


def inputs_of(
    gathered: Gathered, scenario: Sequence[str] = (), changes: Sequence[Change] = (), strict: bool = False
) -> Inputs:
    """The facts of a case after its scenarios and further changes, nothing resolved yet.

    Args:
        gathered: the case with all that it names.
        scenario: names of the case's scenarios to apply, in order.
        changes: further changes, after those of the scenarios.
        strict: enforce phases of unknown status.

    Raises:
        InputError: for changes that name nothing in the case.
    """
    given = Inputs(gathered.case, gathered.catalogs, gathered.rules, gathered.bills, where=gathered.places)
    return applied_to(given, Applied(scenario=tuple(scenario), changes=tuple(changes), strict=strict))


def applied_to(given: Inputs, applied: Applied) -> Inputs:
    """Facts after what is applied to them: the one place where `plan`, questions and `verify` do so.

    Raises:
        InputError: for changes that name nothing in the case.
    """
    inputs = given.after((*scenario_changes(given.case, applied.scenario), *applied.changes))
    if not applied.strict:
        return inputs
    accept = inputs.case.accept
    statuses = tuple(sorted({*accept.rule_status, PhaseStatus.UNKNOWN.value}))
    accept = accept.model_copy(update={"rule_status": statuses})
    return replace(inputs, case=inputs.case.model_copy(update={"accept": accept}))
