"""A case or a run opened for questions. Every question about an existing plan starts here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Any

from ..case import load_case
from ..document.figures import relaxation_texts
from ..domain.change import Change
from ..domain.facts import Catalog
from ..domain.run import Run
from ..domain.used import RunPlugin
from ..errors import PluginError
from ..plugins import Registry
from ..problem.inputs import Applied, Inputs
from ..run import FACTS_FILE, RUN_FILE, read_run
from ..run.folder import changed, read_sums
from ..session import Session
from ..solve import Cancel, Limits, Progress
from .gather import gather, refuse_old_prices
from .recheck import as_run, read_facts

NOTHING_APPLIED = Applied()
ROUNDING = 1e-6
"""Relative difference that two solves of the same facts may always have."""


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A solved case that answers questions."""

    session: Session
    scenario: tuple[str, ...]
    """Scenarios applied to it."""
    pack_of: Mapping[str, str]
    """Rule -> pack that contains it."""
    plugins: tuple[RunPlugin, ...]
    notes: tuple[str, ...] = ()
    """Notes on blocks without an effect, changes to a run since it was written, and a plan that differs from the one that its facts give here."""
    path: Path = Path()
    """Path of the case or run."""
    registry: Registry | None = None
    """Registry of its names. None means what is installed."""
    applied: Applied = NOTHING_APPLIED
    """Scenarios, changes, and strictness applied to it."""
    original_inputs: Inputs | None = None
    """Its facts before that. None means those of the session, to which nothing more is applied."""
    catalogs: tuple[Catalog, ...] = ()
    """Its catalogs as read, before duplicate facilities are united."""

    @property
    def strict(self) -> bool:
        return self.applied.strict

    @property
    def facts(self) -> Inputs:
        """Its facts before any changes. To apply more, apply `applied` first, in `Inputs.apply`."""
        return self.session.inputs if self.original_inputs is None else self.original_inputs

    def settings(self, plugin: str) -> Any:
        """Return the case's settings for a plugin (distribution, entry point, or package). None if the plugin has no settings."""
        registry, errors = (self.registry or Registry.discover()).setting(self.session.problem.case.settings)
        if errors:
            raise errors[0]
        return registry.settings_of(plugin)

    def beside(self, path: Path, progress: Progress | None = None) -> Opened:
        session = self.session
        return reopen(
            path, registry=self.registry, strict=self.strict, limits=session.limits, progress=progress, cancel=session.cancel
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Contents:
    inputs: Inputs
    """Facts. For a run, after the changes that it was planned with."""
    catalogs: tuple[Catalog, ...]
    """Catalogs as read."""
    scenario: tuple[str, ...]
    """Scenarios that a run was planned with."""
    pack_of: Mapping[str, str]
    plugins: tuple[RunPlugin, ...]
    notes: tuple[str, ...] = ()
    run: Run | None = None


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
    """Open a case file (or its folder), or a run folder, which is planned again from its facts. `limits` apply to each plan, but their `until` to all."""
    start, own_limits = monotonic(), limits or Limits()
    contents = _read_run(path, registry) if is_run(path) else _read_case(path, registry)
    applied = Applied(scenario=tuple(scenario), changes=tuple(changes), strict=strict)
    inputs = contents.inputs.apply(applied)
    refuse_old_prices(inputs, applied, contents.run.planned_on if contents.run is not None else None)
    session = Session.open(inputs, own_limits, progress, cancel, began=start)
    planned_run = contents.run if applied == Applied() else None
    notes = (
        contents.notes if planned_run is None else (*contents.notes, *_notes_on_plan(session, planned_run, own_limits))
    )
    scenarios = (*contents.scenario, *scenario)
    return Opened(
        session,
        scenarios,
        contents.pack_of,
        contents.plugins,
        notes,
        path,
        registry,
        applied,
        contents.inputs,
        contents.catalogs,
    )


def is_run(path: Path) -> bool:
    return (path / RUN_FILE).is_file()


def _read_case(path: Path, registry: Registry | None) -> _Contents:
    gathered = gather(load_case(path), registry)
    notes = tuple(map(str, gathered.idle))
    return _Contents(gathered.inputs, tuple(gathered.read), (), gathered.pack_of, gathered.plugins, notes)


def _read_run(path: Path, registry: Registry | None) -> _Contents:
    stored = read_run(path)
    run = stored.run
    facts = read_facts(stored.facts, as_run(registry or Registry.discover(), run))
    if not facts.complete:
        raise PluginError(facts.unchecked)
    packs = {rule.id: rule.pack for rule in run.rules if rule.pack}
    relaxed = [f"the plan doesn't keep all hard limits: {text}" for text in relaxation_texts(run.relaxed)]
    return _Contents(
        facts.inputs,
        tuple(facts.inputs.catalogs),
        tuple(run.scenario),
        packs,
        tuple(run.plugins),
        (*relaxed, *_notes_on_edits(path)),
        run,
    )


def _notes_on_edits(path: Path) -> tuple[str, ...]:
    sums = read_sums(path)
    edited = [] if sums is None else [name for name in changed(path, sums) if name in (RUN_FILE, FACTS_FILE)]
    if not edited:
        return ()
    return (
        f"{' and '.join(edited)} changed after the run was written; answers use the current files; `friendshore verify` checks them",
    )


def _notes_on_plan(session: Session, run: Run, limits: Limits) -> tuple[str, ...]:
    """Return a note if the facts of a run give another plan than the run's, because a limit ended one of the two."""
    objective = session.verified.cost.objective
    tolerance = max(abs(run.objective), Decimal(1)) * Decimal(ROUNDING + limits.gap + float(run.gap))
    if abs(objective - run.objective) <= tolerance:
        return ()
    return (
        f"planned again, the run has the objective {objective:,.2f} instead of {run.objective:,.2f}; answers are about the new plan",
    )
