"""The facts of a gathered case after its scenarios and further changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..domain.change import Change
from ..problem import Problem
from ..problem.changes import scenario_changes
from ..problem.inputs import Inputs
from ..rules.base import PhaseStatus
from .gather import Gathered


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
        strict: let phases of unknown status bite.

    Raises:
        InputError: for changes that name nothing in the case.
    """
    given = Inputs(gathered.case, gathered.catalogs, gathered.rules, gathered.bills, where=gathered.places)
    inputs = given.after((*scenario_changes(gathered.case, scenario), *changes))
    if not strict:
        return inputs
    accept = inputs.case.accept
    statuses = tuple(sorted({*accept.rule_status, PhaseStatus.UNKNOWN.value}))
    accept = accept.model_copy(update={"rule_status": statuses})
    return replace(inputs, case=inputs.case.model_copy(update={"accept": accept}))
