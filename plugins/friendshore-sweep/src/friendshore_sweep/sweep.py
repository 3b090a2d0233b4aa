"""The question `sweep`: many scenarios at once, from a grid or a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from heapq import nsmallest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, number, unit_for
from friendshore.domain.base import totals
from friendshore.domain.shown_names import ShownNames
from friendshore.questions import OptionsError, Question, Setting
from friendshore.questions.wording import ladder, left_out, mass_of, penalty, weighed
from friendshore.writing import system_input_error

from .results import ScenarioPurchase, Sweep, SweptScenario

if TYPE_CHECKING:
    from friendshore.document.elements import Document
    from friendshore.questions import Opened, Progress
    from friendshore.questions.pools import WorkerPool

    from .planning import SweptCase


MATERIALS = 4
"""Maximum number of materials with a chart of the mix."""
OFFERS = 6
"""Maximum number of offers in such a chart."""
VALUES = 40
"""Maximum number of values of an axis in a chart."""
SHORT = 2
"""Maximum number of materials that a row names."""
_TONNE = Decimal(1000)
_NONE = Decimal(0)


def sweep_document(found: Sweep, shown: int) -> doc.Document:
    """Return the whole document. Each table has the first `shown` rows; 0 means all."""
    return doc.document(
        f"Scenarios of {found.case}",
        doc.sentence(_head(found, read := _Read(found))),
        _scenarios(found, read, shown),
        *(_axis(found, read, axis, shown) for axis in found.axes if len(found.axes) > 1),
        _mix(found, read, shown),
        _failures(found, shown),
    )


def sweep_notes(found: Sweep) -> tuple[str, ...]:
    """Return notes on reused, unplanned, and failed scenarios."""
    failed = count(len(found.failed), "scenario")
    left = count(found.unasked, "scenario")
    told = []
    if found.kept:
        told.append(
            f"{found.kept:,} of {count(len(found.scenarios) + found.unasked, 'scenario')} were in the folder, and are not planned again"
        )
    if found.failed:
        told.append(f"{failed} could not be planned: each row says why; --rerun failed tries them again")
    told += [f"the sweep was ended: {left} not planned; --resume goes on, if it has a folder"] if found.unasked else []
    return tuple(told)


@dataclass(frozen=True, slots=True)
class _Planned:
    """Figures of a planned scenario."""

    at: int
    """Position in the sweep, from 0."""
    objective: Decimal
    """Present value with penalties, by which scenarios are ranked."""
    cash: Decimal
    spent: Decimal
    """Present value of cash."""
    penalty: Decimal
    short: int
    """Number of demands with a shortage."""


class _Read:
    """Figures of all plans of a sweep, each of which is parsed once."""

    def __init__(self, found: Sweep) -> None:
        self.found = found
        self.planned: list[_Planned] = []
        self.groups: dict[str, dict[str, list[_Planned]]] = {axis: {} for axis in found.axes}
        """Axis -> value -> scenarios."""
        self.lines: dict[Line, _Spread] = {}
        self._scenarios_of: Counter[str] = Counter()
        """Material -> number of scenarios that buy it."""
        for at, one in enumerate(found.scenarios):
            if one.plan.cost is not None:
                cost = one.plan.cost
                fine = cost.shortage + cost.penalties
                planned = _Planned(at, cost.objective, cost.nominal, cost.total, fine, one.plan.demands_short)
                self.planned.append(planned)
                for axis in found.axes:
                    self.groups[axis].setdefault(one.varied.get(axis, ""), []).append(planned)
                self._read(_bought(one.plan.purchases))
        for (material, _), spread in self.lines.items():
            spread.close(len(self.planned), self._scenarios_of[material])

    def scenario(self, planned: _Planned) -> SweptScenario:
        """Return the whole scenario."""
        return self.found.scenarios[planned.at]

    def _read(self, bought: Mapping[Line, Decimal]) -> None:
        of = totals((material, kilograms) for (material, _), kilograms in bought.items())
        self._scenarios_of.update(material for material, kilograms in of.items() if kilograms)
        for line, kilograms in bought.items():
            whole = of[line[0]]
            self.lines.setdefault(line, _Spread()).add(kilograms, kilograms / whole if whole else None)


class _Spread:
    """Smallest and largest purchases from an offer over the scenarios."""

    def __init__(self) -> None:
        self.scenarios = self._shares = 0
        self._kilograms: list[Decimal] = []
        self._share: list[Decimal] = []

    def add(self, kilograms: Decimal, share: Decimal | None) -> None:
        """Add a scenario that buys from the offer. The share is None if nothing of the material is bought."""
        self.scenarios += 1
        self._kilograms = list(_ends([*self._kilograms, kilograms]))
        if share is not None:
            self._shares += 1
            self._share = list(_ends([*self._share, share]))

    def close(self, scenarios: int, of_material: int) -> None:
        """Count the remaining scenarios as purchases of 0.

        Args:
            scenarios: Number of all scenarios.
            of_material: Number of scenarios that buy the material.
        """
        if self.scenarios < scenarios:
            self._kilograms = list(_ends([*self._kilograms, _NONE]))
        if self._shares < of_material:
            self._share = list(_ends([*self._share, _NONE]))

    @property
    def kilograms(self) -> tuple[Decimal, Decimal]:
        """Return the minimum and the maximum."""
        return _ends(self._kilograms)

    @property
    def share(self) -> tuple[Decimal, Decimal]:
        """Return the minimum and the maximum as a share of the material's purchases."""
        return _ends(self._share)


def _head(found: Sweep, read: _Read) -> str:
    currency = found.currency
    told = f"{count(len(read.planned), 'scenario')} planned"
    if read.planned:
        least, most = (end(read.planned, key=lambda one: one.cash) for end in (min, max))
        told += f", cash from {large_money(least.cash, currency)} ({read.scenario(least).name})"
        told += f" to {large_money(most.cash, currency)} ({read.scenario(most).name})"
        short = [one.short for one in read.planned]
        ends = f"{min(short):,} to {max(short):,}" if min(short) < max(short) else f"{short[0]:,}"
        told += f"; demands short: {ends}"
    if found.cash is not None:
        told += f"; the plan without any of them spends {large_money(found.cash, currency)}"
    return told + "."


def _scenarios(found: Sweep, read: _Read, shown: int) -> doc.Section | None:
    planned = read.planned
    if not planned:
        return None
    in_order = not shown or len(planned) <= shown
    some = planned if in_order else nsmallest(shown, planned, key=lambda one: (-one.objective, one.at))
    kept = [(one, read.scenario(one)) for one in some]
    rungs = [
        charts.Rung(
            scenario.name,
            one.cash,
            f"{large_money(one.cash, found.currency)}, {_short(found.names, scenario) or 'nothing short'}",
            doc.Tone.BAD if scenario.plan.message else doc.Tone.PLAIN,
        )
        for one, scenario in kept
    ]
    columns = [doc.figures(""), doc.Column("Scenario"), doc.figures("Demands short"), doc.Column("Short")]
    columns += [
        doc.figures("Cash", found.currency),
        doc.figures("Present value"),
        doc.figures("Penalty"),
        doc.Column("Status"),
    ]
    rows = [
        (
            doc.Count(scenario.number),
            scenario.name,
            doc.Count(one.short),
            _short(found.names, scenario) or doc.NOTHING,
            doc.Amount(one.cash),
            doc.Amount(one.spent),
            penalty(one.penalty),
            scenario.plan.message or scenario.plan.status,
        )
        for one, scenario in kept
    ]
    told = f"Cash that each scenario spends, in {found.currency}; red where rules conflict."
    title = "Scenarios" if in_order else "The worst scenarios, by present value and penalties together"
    notes = doc.notes(left_out(len(planned) - len(kept), "more scenario", "more scenarios"))
    return doc.section(title, ladder(title, told, rungs, found.currency, doc.table(columns, rows)), notes)


def _short(names: ShownNames, one: SweptScenario) -> str:
    """Return the first few materials with a shortage, and the number of the others."""
    short = [
        f"{names.material(m.material)} {mass_of(names, m.material, m.short_kg)}"
        for m in one.plan.materials
        if m.short_kg
    ]
    more = [f"{len(short) - SHORT} more"] if len(short) > SHORT else []
    return ", ".join([*short[:SHORT], *more])


def _axis(found: Sweep, read: _Read, axis: str, shown: int) -> doc.Section | None:
    """Return the spending and shortages of each value's scenarios: averages and extremes."""
    groups = read.groups[axis]
    if len(groups) < 2:
        return None
    kept = list(groups.items())[: shown or None]
    mean = {value: _mean(one.cash for one in some) for value, some in kept}
    rungs = [
        charts.Rung(value, mean[value], f"{large_money(mean[value], found.currency)} on average of {len(some):,}")
        for value, some in kept
    ]
    columns = [doc.Column("Value"), doc.figures("Scenarios"), doc.figures("Demands short")]
    columns += [
        doc.figures("Cash on average", found.currency),
        doc.figures("Least"),
        doc.figures("Most"),
        doc.figures("Penalty on average"),
    ]
    rows = [
        (
            value,
            doc.Count(len(some)),
            number(_mean(Decimal(one.short) for one in some)),
            doc.Amount(mean[value]),
            doc.Amount(min(one.cash for one in some)),
            doc.Amount(max(one.cash for one in some)),
            penalty(_mean(one.penalty for one in some)),
        )
        for value, some in kept
    ]
    told = f"Cash that scenarios spend on average by the value of {axis}, in {found.currency}."
    notes = doc.notes(left_out(len(groups) - len(kept), "more value", "more values"))
    return doc.section(f"By {axis}", ladder(axis, told, rungs, found.currency, doc.table(columns, rows)), notes)


def _mean(amounts: Iterable[Decimal]) -> Decimal:
    found = list(amounts)
    return sum(found, _NONE) / len(found)


Line = tuple[str, str]
"""Material and offer."""


def _mix(found: Sweep, read: _Read, shown: int) -> doc.Section | None:
    """Return the offers whose purchases differ between scenarios."""
    spread = {line: each.kilograms for line, each in sorted(read.lines.items())}
    moved = [line for line in spread if spread[line][0] != spread[line][1]]
    if len(read.planned) < 2 or not moved:
        return None
    moved.sort(key=lambda line: (spread[line][0] - spread[line][1], line))
    kept = moved[: shown or None]
    rows = [
        (
            found.names.material_with_id(material),
            found.names.offer_with_id(offer),
            doc.Count(read.lines[material, offer].scenarios),
            weighed(found.names, material, spread[material, offer][0]),
            weighed(found.names, material, spread[material, offer][1]),
            doc.Share(read.lines[material, offer].share[0]),
            doc.Share(read.lines[material, offer].share[1]),
        )
        for material, offer in kept
    ]
    columns = [doc.Column("Material"), doc.Column("Offer"), doc.figures("Scenarios")]
    columns += [doc.figures("Least"), doc.figures("Most"), doc.figures("Least share"), doc.figures("Most share")]
    materials = list(dict.fromkeys(material for material, _ in moved))[:MATERIALS]
    few = [read.scenario(one) for one in read.planned] if len(read.planned) <= VALUES else []
    drawn = [
        _drawing(found, few, [_bought(one.plan.purchases) for one in few], material) for material in materials if few
    ]
    notes = doc.notes(left_out(len(moved) - len(kept), "more offer", "more offers"))
    sections = (
        doc.section(found.names.material_with_id(material), one)
        for material, one in zip(materials, drawn, strict=False)
    )
    return doc.section("How the mix moves", doc.table(columns, rows), notes, *sections)


def _bought(purchases: Iterable[ScenarioPurchase]) -> Mapping[Line, Decimal]:
    return totals(((one.material, one.offer), one.quantity_kg) for one in purchases)


def _ends(amounts: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    return min(amounts), max(amounts)


def _drawing(
    found: Sweep, planned: Sequence[SweptScenario], bought: Sequence[Mapping[Line, Decimal]], material: str
) -> doc.Drawing:
    """Return bars of a material's purchases by offer and its shortage: by value if there is one axis, else by scenario."""
    named = len(found.axes) == 1
    labels = tuple(one.varied.get(found.axes[0], one.name) if named else str(one.number) for one in planned)
    whole = totals((offer, kg) for each in bought for (name, offer), kg in each.items() if name == material)
    offers = sorted(whole, key=lambda offer: (-whole[offer], offer))
    first, rest = offers[:OFFERS], offers[OFFERS:]
    short = [_NONE + sum(one.short_kg for one in each.plan.materials if one.material == material) for each in planned]
    names = found.names
    parts = [
        (names.offer(offer), [each.get((material, offer), _NONE) for each in bought], doc.Tone.PLAIN) for offer in first
    ]
    if rest:
        others = [sum((each.get((material, offer), _NONE) for offer in rest), _NONE) for each in bought]
        parts.append((f"{len(rest):,} others", others, doc.Tone.ASIDE))
    if any(short):
        parts.append(("short", short, doc.Tone.BAD))
    unit = unit_for(kg for _, amounts, _ in parts for kg in amounts)
    by = _TONNE if unit == "t" else Decimal(1)
    series = tuple(charts.Series(name, tuple(kg / by for kg in amounts), tone) for name, amounts, tone in parts)
    rows: list[list[doc.Cell]] = [
        [label, *(doc.Kilograms(amounts[i]) for _, amounts, _ in parts)] for i, label in enumerate(labels)
    ]
    columns = [doc.Column(found.axes[0] if named else "Scenario"), *(doc.figures(name) for name, _, _ in parts)]
    most = max(sum((each.get((material, offer), _NONE) for offer in offers), _NONE) for each in bought)
    weight = f"{unit} {names.basis(material)}".rstrip()
    told = f"Over the whole plan, in {weight}, by scenario: at most {mass_of(names, material, most)} are bought."
    title = f"{names.material(material)}: purchases by supplier"
    return doc.Drawing(title, told, charts.Bars(labels, series, weight), doc.table(columns, rows))


def _failures(found: Sweep, shown: int) -> doc.Section | None:
    if not found.failed:
        return None
    kept = found.failed[: shown or None]
    columns = [doc.figures(""), doc.Column("Scenario"), doc.Column("Why")]
    rows = [(doc.Count(one.number), one.name, one.plan.message) for one in kept]
    notes = doc.notes(left_out(len(found.failed) - len(kept), "more scenario", "more scenarios"))
    return doc.section("Not planned", doc.table(columns, rows), notes, tone=doc.Tone.BAD)


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """Options of the question."""

    vary: Annotated[
        tuple[str, ...],
        Setting(
            "A change as in --change, with a list or a range of values: 'price=OFFER, factor=0.5..2/16' (16 factors), 'disable=RULE,RULE', "
            "'capacity=PLANT, delay=0 months,12 months'. Or 'scenario=NAME,NAME' ('scenario=*': all) or 'strict=no,yes'. The value `none` changes nothing. "
            "Several options make a grid. Without any, the case's scenarios are planned.",
            "CHANGE",
        ),
    ] = ()
    scenarios: Annotated[
        Path | None,
        Setting(
            "File of scenarios, written as in a case file; with --vary, each is planned at every point of the grid.",
            "FILE",
        ),
    ] = None
    folder: Annotated[
        Path | None,
        Setting("Folder for the plans and the tables: totals, materials, and purchases.", "FOLDER"),
    ] = None
    resume: Annotated[bool, Setting("Resume the sweep in --folder. Its plans are kept.")] = False
    rerun: Annotated[str, Setting("Go on likewise, and plan again what failed: `failed`.", "WHAT")] = ""
    parquet: Annotated[bool, Setting("Also write the tables in --folder as Parquet (needs the extra `parquet`).")] = (
        False
    )
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
        """Reject options that exclude each other or require another."""
        if options.rerun not in ("", "failed"):
            raise OptionsError("--rerun takes one word: failed")
        if (options.resume or options.rerun or options.parquet) and options.folder is None:
            raise OptionsError("--resume, --rerun and --parquet are about a folder: name it with --folder")
        if options.dask and options.executor:
            raise OptionsError("--dask and --executor both say who plans: give one of them")

    def ask(self, opened: Opened, options: SweepOptions, progress: Progress | None) -> Sweep:
        """Plan all scenarios.

        Raises:
            InputError: Also if the folder can't be written.
        """
        try:
            return _swept(opened, options, progress)
        except OSError as error:
            raise system_input_error(error) from error

    def document(self, result: Sweep, options: SweepOptions) -> Document:
        """Return the results side by side."""
        return sweep_document(result, options.top)

    def notes(self, result: Sweep) -> tuple[str, ...]:
        """Return notes on unplanned and failed scenarios."""
        return sweep_notes(result)


def _swept(opened: Opened, options: SweepOptions, progress: Progress | None) -> Sweep:
    from friendshore.explain import names_of
    from friendshore.solve import AnswerCache, Limits

    from .grid import scenarios_of
    from .planning import SweepFolder, SweptCase, run_sweep

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
        SweepFolder(options.folder, options.resume or bool(options.rerun), bool(options.rerun), options.parquet),
        lambda: session.stopped,
        progress,
    )
    cost, problem = session.verified.cost, session.problem
    names = names_of(problem, (facts.offer.id for facts in problem.offers))
    return found.but(objective=cost.objective, cash=cost.nominal, names=names)


def _pool(opened: Opened, options: SweepOptions, case: SweptCase, scenarios: int) -> WorkerPool:
    from .planning import dask, named

    workers = opened.session.limits.workers
    if options.dask:
        return dask(options.dask, workers)
    return named(options.executor, workers) if options.executor else case.here(workers, scenarios)
