"""`sweep`: many scenarios of a case, each planned by itself, on as many workers as there are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from friendshore.questions import OptionsError, Question, Setting
from friendshore.writing import refused_by_the_machine

if TYPE_CHECKING:
    from friendshore.document.elements import Document
    from friendshore.questions import Opened, Progress
    from friendshore.questions.pools import WorkerPool

    from .records import Sweep
    from .worker import SweptCase


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """What can be set."""

    vary: Annotated[
        tuple[str, ...],
        Setting(
            "What is varied, with its values or a range: 'price:OFFER=0.5..2/16' (16 factors), 'disable=RULE,RULE', 'capacity:PLANT:delay=0 months,"
            "12 months', 'scenario=NAME,NAME' ('scenario=*': all), 'strict=no,yes'. A value `none` leaves the case as it is. Several make a grid; "
            "without any, the case's scenarios are planned.",
            "WHAT=VALUES",
        ),
    ] = ()
    scenarios: Annotated[
        Path | None,
        Setting(
            "File of scenarios, written as in a case file; with --vary, each is planned at every point of the grid.",
            "FILE",
        ),
    ] = None
    out: Annotated[
        Path | None,
        Setting(
            "Folder to keep plans in as they come, and to write the tables to: totals, materials, purchases.", "FOLDER"
        ),
    ] = None
    resume: Annotated[
        bool, Setting("Go on with the sweep that --out holds: what it has planned is not planned again.")
    ] = False
    rerun: Annotated[str, Setting("Go on likewise, and plan again what failed: `failed`.", "WHAT")] = ""
    parquet: Annotated[bool, Setting("Write the tables of --out as Parquet too (needs the extra `parquet`).")] = False
    each: Annotated[
        float,
        Setting("Time limit of each scenario in seconds; 0: each is searched until it is proved.", "SECONDS", least=0),
    ] = 0.0
    dask: Annotated[
        str, Setting("Dask scheduler whose workers plan, like tcp://10.0.0.5:8786 (needs the extra `dask`).", "ADDRESS")
    ] = ""
    executor: Annotated[
        str,
        Setting(
            "Function that makes the executor whose workers plan, in a module that can be imported.", "MODULE:FUNCTION"
        ),
    ] = ""
    top: Annotated[int, Setting("Scenarios shown of each table; 0: all.", "N", least=0)] = 20


class SweepQuestion(Question[SweepOptions, "Sweep"]):
    """Plan many scenarios of a case: a grid of what is varied, or a list; what each costs, buys and is short of.

    Each is planned by itself, as `plan` would. Processes of this machine plan several at once; a cluster does with --dask. The answer is the same.
    """

    name = "sweep"
    options = SweepOptions
    doing = "planning"
    counted = "scenarios"

    def check(self, options: SweepOptions) -> None:
        """Refuses options that exclude each other, or lack another."""
        if options.rerun not in ("", "failed"):
            raise OptionsError("--rerun takes one word: failed")
        if (options.resume or options.rerun or options.parquet) and options.out is None:
            raise OptionsError("--resume, --rerun and --parquet are about a folder: name it with --out")
        if options.dask and options.executor:
            raise OptionsError("--dask and --executor both say who plans: give one of them")

    def ask(self, opened: Opened, options: SweepOptions, progress: Progress | None) -> Sweep:
        """All scenarios.

        Raises:
            InputError: too, if the folder cannot be written.
        """
        try:
            return _swept(opened, options, progress)
        except OSError as error:
            raise refused_by_the_machine(error) from error

    def document(self, result: Sweep, options: SweepOptions) -> Document:
        """What the scenarios come to, beside each other."""
        from .document import sweep_document

        return sweep_document(result, options.top)

    def notes(self, result: Sweep) -> tuple[str, ...]:
        """What was not planned, or failed."""
        from .document import sweep_notes

        return sweep_notes(result)


def _swept(opened: Opened, options: SweepOptions, progress: Progress | None) -> Sweep:
    from friendshore.explain import names_of
    from friendshore.solve import AnswerCache, Limits

    from .grid import scenarios_of
    from .search import SweepFolder, run_sweep
    from .worker import SweptCase

    session = opened.session
    facts = opened.facts
    asked = scenarios_of(facts, opened.applied, options.vary, options.scenarios)
    # What a time limit has cut short is no answer for others.
    answers = session.answers if session.limits.seconds is None else AnswerCache()
    limits = Limits(session.limits.gap, options.each or None, 1)
    case = SweptCase(facts, answers, limits)
    found = run_sweep(
        case,
        opened.plugins,
        asked,
        _pool(opened, options, case, len(asked)),
        SweepFolder(options.out, options.resume or bool(options.rerun), bool(options.rerun), options.parquet),
        lambda: session.stopped,
        progress,
    )
    cost, problem = session.verified.cost, session.problem
    names = names_of(problem, (facts.offer.id for facts in problem.offers))
    return found.but(objective=cost.objective, cash=cost.nominal, names=names)


def _pool(opened: Opened, options: SweepOptions, case: SweptCase, scenarios: int) -> WorkerPool:
    from .executors import dask, named

    workers = opened.session.limits.workers
    if options.dask:
        return dask(options.dask, workers)
    return named(options.executor, workers) if options.executor else case.here(workers, scenarios)
