"""A case or a run opened for questions: the one door of everything that is asked of a plan after it is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from ..case import load_case
from ..domain.change import Change
from ..domain.run import Run
from ..domain.used import RunPlugin
from ..errors import PluginError
from ..plugins import Registry
from ..plugins.patches import unaltered
from ..run import RUN_FILE, read_run
from ..session import Session
from ..solve import Cancel, Limits, Progress
from .gather import gather
from .inputs import Applied, applied_to, inputs_of
from .recheck import as_run, read_facts

ROUNDING = 1e-6
"""Share by which two solves of the same facts may differ in any case."""


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A solved case that questions can be put to."""

    session: Session
    scenario: tuple[str, ...]
    """Scenarios that are applied to it."""
    pack_of: Mapping[str, str]
    """Rule -> the pack that brings it."""
    plugins: tuple[RunPlugin, ...]
    notes: tuple[str, ...] = ()
    """What to know of it: a case that blocks what is not installed, a run whose plan is not the one that its facts give here."""


def reopen(
    path: Path,
    *,
    registry: Registry | None = None,
    scenario: Sequence[str] = (),
    changes: Sequence[Change] = (),
    strict: bool = False,
    limits: Limits | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Opened:
    """Opens a case file (or its folder), or the folder of a run, which is planned again from its own facts.

    Raises:
        InputError: with everything that is wrong with it.
        PluginError: if a plugin is missing, broken or not the one that a run was made with.
        SolverError: if the solver breaks down.
        VerificationError: if the plan does not hold.
    """
    bounds = limits or Limits()
    if not is_run(path):
        gathered = gather(load_case(path), registry)
        with unaltered(gathered.records):
            inputs = inputs_of(gathered, tuple(scenario), changes, strict)
            session = Session.open(inputs, bounds, progress, cancel)
        idle = tuple(map(str, gathered.idle))
        return Opened(session, tuple(scenario), gathered.pack_of, gathered.plugins, idle)
    stored = read_run(path)
    facts = read_facts(stored.facts, as_run(registry or Registry.discover(), stored.run))
    if not facts.complete:
        raise PluginError(facts.unchecked)
    with unaltered((facts.inputs.case, *facts.inputs.catalogs)):
        inputs = applied_to(facts.inputs, Applied(scenario=tuple(scenario), changes=tuple(changes), strict=strict))
        session = Session.open(inputs, bounds, progress, cancel)
    packs = {rule.id: rule.pack for rule in stored.run.rules if rule.pack}
    notes = () if scenario or changes or strict else _differs(session, stored.run, bounds)
    return Opened(session, (*stored.run.scenario, *scenario), packs, tuple(stored.run.plugins), notes)


def is_run(path: Path) -> bool:
    """Whether a path is a folder that a run was written to."""
    return (path / RUN_FILE).is_file()


def _differs(session: Session, told: Run, limits: Limits) -> tuple[str, ...]:
    """What to know where the plan that the facts of a run give is not the run's: a limit ended one of the two."""
    again = session.verified.cost.objective
    allowed = max(abs(told.objective), Decimal(1)) * Decimal(ROUNDING + limits.gap + float(told.gap))
    if abs(again - told.objective) <= allowed:
        return ()
    return (
        f"planned again, the run comes to {again:,.2f} and not to {told.objective:,.2f}: answers are about the former",
    )
