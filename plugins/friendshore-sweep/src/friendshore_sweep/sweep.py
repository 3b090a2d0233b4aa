"""The question `sweep`: many scenarios at once, from a grid or a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from friendshore.questions.wording import cash, first_few, ladder, mass_of, omitted_note, penalty, ranked, weighed
from friendshore.writing import system_input_error

from .results import ScenarioPurchase, Sweep, SweptScenario

if TYPE_CHECKING:
    from friendshore.document.elements import Document
    from friendshore.questions import Opened, Progress
    from friendshore.questions.pools import WorkerPool

    from .planning import SweptCase


MATERIALS = 4
OFFERS = 6
VALUES = 40
MAX_MATERIALS_SHOWN = 2
_TONNE = Decimal(1000)
_ZERO = Decimal(0)


def sweep_document(answer: Sweep, shown: int) -> doc.Document:
    return doc.document(
        f"Scenarios of {answer.case}",
        doc.answer(_summary(answer, figures := _SweepFigures(answer))),
        _scenarios(answer, figures, shown),
        *(_axis(answer, figures, axis, shown) for axis in answer.axes if len(answer.axes) > 1),
        _mix(answer, figures, shown),
        _failures(answer, shown),
    )


def sweep_notes(answer: Sweep) -> tuple[str, ...]:
    failed = count(len(answer.failed), "scenario")
    left_count = count(answer.not_tried, "scenario")
    notes = []
    if answer.reused:
        notes.append(
            f"{answer.reused:,} of {count(len(answer.scenarios) + answer.not_tried, 'scenario')} were already in the folder and aren't planned again"
        )
    if answer.failed:
        notes.append(f"{failed} couldn't be planned. The reason is in each row. To plan them again, use --rerun failed")
    notes += (
        [f"the sweep was ended before {left_count} could be planned. To continue a sweep with a folder, use --resume"]
        if answer.not_tried
        else []
    )
    return tuple(notes)


@dataclass(frozen=True, slots=True)
class _ScenarioFigures:
    position: int
    objective: Decimal
    cash: Decimal
    spent: Decimal
    penalty: Decimal
    short: int


class _SweepFigures:
    """Figures of all plans of a sweep, so that each plan is parsed once."""

    def __init__(self, answer: Sweep) -> None:
        self.answer = answer
        self.planned: list[_ScenarioFigures] = []
        self.groups: dict[str, dict[str, list[_ScenarioFigures]]] = {axis: {} for axis in answer.axes}
        self.lines: dict[Line, _PurchaseRange] = {}
        self._scenarios_of: Counter[str] = Counter()
        """Material -> number of scenarios that buy it."""
        for position, scenario in enumerate(answer.scenarios):
            if scenario.plan.cost is not None:
                cost = scenario.plan.cost
                penalty_amount = cost.shortage + cost.penalties
                figures = _ScenarioFigures(
                    position, cost.objective, cost.nominal, cost.total, penalty_amount, scenario.plan.demands_short
                )
                self.planned.append(figures)
                for axis in answer.axes:
                    self.groups[axis].setdefault(scenario.varied.get(axis, ""), []).append(figures)
                self._add_purchases(_kilograms_by_line(scenario.plan.purchases))
        for (material, _), spread in self.lines.items():
            spread.close(len(self.planned), self._scenarios_of[material])

    def scenario(self, planned: _ScenarioFigures) -> SweptScenario:
        return self.answer.scenarios[planned.position]

    def _add_purchases(self, kilograms_by_line: Mapping[Line, Decimal]) -> None:
        kilograms_by_material = totals((material, kilograms) for (material, _), kilograms in kilograms_by_line.items())
        self._scenarios_of.update(material for material, kilograms in kilograms_by_material.items() if kilograms)
        for line, kilograms in kilograms_by_line.items():
            total = kilograms_by_material[line[0]]
            self.lines.setdefault(line, _PurchaseRange()).add(kilograms, kilograms / total if total else None)


class _PurchaseRange:
    def __init__(self) -> None:
        self.scenarios = self._shares = 0
        self._kilograms: list[Decimal] = []
        self._share: list[Decimal] = []

    def add(self, kilograms: Decimal, share: Decimal | None) -> None:
        """Add a scenario that buys from the offer. The share is None if nothing of the material is bought."""
        self.scenarios += 1
        self._kilograms = list(_min_and_max([*self._kilograms, kilograms]))
        if share is not None:
            self._shares += 1
            self._share = list(_min_and_max([*self._share, share]))

    def close(self, scenarios: int, of_material: int) -> None:
        """Count the other ones of all `scenarios` as purchases of 0. `of_material` scenarios buy the material."""
        if self.scenarios < scenarios:
            self._kilograms = list(_min_and_max([*self._kilograms, _ZERO]))
        if self._shares < of_material:
            self._share = list(_min_and_max([*self._share, _ZERO]))

    @property
    def kilograms(self) -> tuple[Decimal, Decimal]:
        return _min_and_max(self._kilograms)

    @property
    def share(self) -> tuple[Decimal, Decimal]:
        return _min_and_max(self._share)


def _summary(answer: Sweep, figures: _SweepFigures) -> str:
    currency = answer.currency
    sentences = [f"{count(len(figures.planned), 'scenario is', 'scenarios are')} planned."]
    if figures.planned:
        cheapest, most_expensive = (end(figures.planned, key=lambda figures: figures.cash) for end in (min, max))
        low, high = (
            f"{large_money(each.cash, currency)} ({figures.scenario(each).name})" for each in (cheapest, most_expensive)
        )
        counts = [figures.short for figures in figures.planned]
        shortages = f"{min(counts):,} to {max(counts):,}" if min(counts) < max(counts) else f"{counts[0]:,}"
        sentences.append(f"They spend {low} to {high}.")
        sentences.append("No demand is short." if not max(counts) else f"{shortages} demands are short.")
    if answer.cash is not None:
        sentences.append(f"Without changes, the plan spends {large_money(answer.cash, currency)}.")
    return " ".join(sentences)


def _scenarios(answer: Sweep, sweep_figures: _SweepFigures, shown: int) -> doc.Section | None:
    planned = sweep_figures.planned
    if not planned:
        return None
    are_all_shown = not shown or len(planned) <= shown
    selection = (
        planned
        if are_all_shown
        else nsmallest(shown, planned, key=lambda figures: (-figures.objective, figures.position))
    )
    shown_scenarios = [(figures, sweep_figures.scenario(figures)) for figures in selection]
    rungs = [
        charts.Rung(
            scenario.name,
            figures.cash,
            f"{large_money(figures.cash, answer.currency)}, {_shortage_text(answer.names, scenario) or 'nothing short'}",
            doc.Tone.BAD if figures.short or scenario.plan.message else doc.Tone.PLAIN,
        )
        for figures, scenario in shown_scenarios
    ]
    same_status = len({scenario.plan.message or scenario.plan.status for _, scenario in shown_scenarios}) == 1
    columns = [replace(doc.figures(""), on="whole"), doc.Column("Scenario")]
    columns += [doc.figures("Demands short"), doc.Column("Short", from_width=doc.MEDIUM)]
    columns += [
        doc.figures("Cash", answer.currency),
        doc.figures("Present value", from_width=doc.WIDE),
        doc.figures("Penalty", from_width=doc.MEDIUM),
        doc.Column("Status", on="whole" if same_status else None),
    ]
    rows = [
        (
            doc.Count(scenario.number),
            doc.Either(scenario.name, doc.Several((f"{scenario.number}. {scenario.name}",))),
            doc.Count(figures.short),
            doc.Either(_shortage_text(answer.names, scenario) or doc.NOTHING, _shortage_cell(answer.names, scenario)),
            cash(figures.cash),
            cash(figures.spent),
            penalty(figures.penalty),
            scenario.plan.message or scenario.plan.status,
        )
        for figures, scenario in shown_scenarios
    ]
    description = f"Cash of each scenario in {answer.currency}. A plan that delivers less costs less."
    title = "Scenarios" if are_all_shown else "The worst scenarios by present value plus penalties"
    notes = doc.notes(omitted_note(len(planned) - len(shown_scenarios), "more scenario", "more scenarios"))
    table = ranked(columns, rows, "more scenario", part=4)
    return doc.section(title, ladder(title, description, rungs, answer.currency, table), notes, column="Scenario")


def _shortages(names: ShownNames, scenario: SweptScenario) -> list[str]:
    return [
        f"{names.material(material.material)} {mass_of(names, material.material, material.short_kg)}"
        for material in scenario.plan.materials
        if material.short_kg
    ]


def _shortage_text(names: ShownNames, scenario: SweptScenario) -> str:
    return first_few(_shortages(names, scenario), MAX_MATERIALS_SHOWN)


def _shortage_cell(names: ShownNames, scenario: SweptScenario) -> doc.Cell:
    shortages = _shortages(names, scenario)
    return doc.Several(tuple(shortages)) if shortages else doc.NOTHING


def _axis(answer: Sweep, sweep_figures: _SweepFigures, axis: str, shown: int) -> doc.Section | None:
    groups = sweep_figures.groups[axis]
    if len(groups) < 2:
        return None
    shown_groups = list(groups.items())[: shown or None]
    mean_cash_by_value = {value: _mean(figures.cash for figures in group) for value, group in shown_groups}
    rungs = [
        charts.Rung(
            value,
            mean_cash_by_value[value],
            f"{large_money(mean_cash_by_value[value], answer.currency)} on average over {len(group):,}",
        )
        for value, group in shown_groups
    ]
    columns = [doc.Column("Value"), doc.figures("Scenarios", from_width=doc.MEDIUM), doc.figures("Demands short")]
    columns += [
        doc.figures("Mean cash", answer.currency),
        doc.figures("Minimum", from_width=doc.NARROW),
        doc.figures("Maximum", from_width=doc.NARROW),
        doc.figures("Mean penalty", from_width=doc.MEDIUM),
    ]
    rows = [
        (
            value,
            doc.Count(len(group)),
            number(_mean(Decimal(figures.short) for figures in group)),
            cash(mean_cash_by_value[value]),
            cash(min(figures.cash for figures in group)),
            cash(max(figures.cash for figures in group)),
            penalty(_mean(figures.penalty for figures in group)),
        )
        for value, group in shown_groups
    ]
    description = f"Mean cash by the value of {axis}, in {answer.currency}."
    notes = doc.notes(omitted_note(len(groups) - len(shown_groups), "more value", "more values"))
    table = ranked(columns, rows, "more value", part=4)
    return doc.section(f"By {axis}", ladder(axis, description, rungs, answer.currency, table), notes)


def _mean(amounts: Iterable[Decimal]) -> Decimal:
    values = list(amounts)
    return sum(values, _ZERO) / len(values)


Line = tuple[str, str]


def _mix(answer: Sweep, sweep_figures: _SweepFigures, shown: int) -> doc.Section | None:
    range_by_line = {line: purchase_range.kilograms for line, purchase_range in sorted(sweep_figures.lines.items())}
    changed_lines = [line for line in range_by_line if range_by_line[line][0] != range_by_line[line][1]]
    if len(sweep_figures.planned) < 2 or not changed_lines:
        return None
    changed_lines.sort(key=lambda line: (range_by_line[line][0] - range_by_line[line][1], line))
    shown_lines = changed_lines[: shown or None]
    rows = [
        (
            doc.Either(answer.names.material_with_id(material), answer.names.material(material)),
            doc.Either(answer.names.offer_with_id(offer), doc.Several((answer.names.offer(offer),))),
            doc.Count(sweep_figures.lines[material, offer].scenarios),
            weighed(answer.names, material, range_by_line[material, offer][0]),
            weighed(answer.names, material, range_by_line[material, offer][1]),
            doc.Share(sweep_figures.lines[material, offer].share[0]),
            doc.Share(sweep_figures.lines[material, offer].share[1]),
        )
        for material, offer in shown_lines
    ]
    columns = [doc.Column("Material"), doc.Column("Offer"), doc.figures("Scenarios", from_width=doc.NARROW)]
    columns += [
        doc.figures("Minimum"),
        doc.figures("Maximum"),
        doc.figures("Minimum share", from_width=doc.MEDIUM),
        doc.figures("Maximum share", from_width=doc.MEDIUM),
    ]
    materials = list(dict.fromkeys(material for material, _ in changed_lines))[:MATERIALS]
    charted_scenarios = (
        [sweep_figures.scenario(figures) for figures in sweep_figures.planned]
        if len(sweep_figures.planned) <= VALUES
        else []
    )
    drawings = [
        _drawing(
            answer,
            charted_scenarios,
            [_kilograms_by_line(scenario.plan.purchases) for scenario in charted_scenarios],
            material,
        )
        for material in materials
        if charted_scenarios
    ]
    notes = doc.notes(omitted_note(len(changed_lines) - len(shown_lines), "more offer", "more offers"))
    sections = (
        doc.section(answer.names.material_with_id(material), drawing)
        for material, drawing in zip(materials, drawings, strict=False)
    )
    table = ranked(columns, rows, "more offer", part=2)
    title = "Purchases that differ between scenarios"
    return doc.section(title, table, notes, *sections, column="Differs")


def _kilograms_by_line(purchases: Iterable[ScenarioPurchase]) -> Mapping[Line, Decimal]:
    return totals(((purchase.material, purchase.offer), purchase.quantity_kg) for purchase in purchases)


def _min_and_max(amounts: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    return min(amounts), max(amounts)


def _drawing(
    answer: Sweep,
    planned: Sequence[SweptScenario],
    kilograms_by_scenario: Sequence[Mapping[Line, Decimal]],
    material: str,
) -> doc.Drawing:
    """Return bars of a material's purchases by offer and its shortage: by value if there is one axis, else by scenario."""
    has_one_axis = len(answer.axes) == 1
    labels = tuple(
        scenario.varied.get(answer.axes[0], scenario.name) if has_one_axis else str(scenario.number)
        for scenario in planned
    )
    total_by_offer = totals(
        (offer, kg)
        for kilograms_by_line in kilograms_by_scenario
        for (name, offer), kg in kilograms_by_line.items()
        if name == material
    )
    offers = sorted(total_by_offer, key=lambda offer: (-total_by_offer[offer], offer))
    charted_offers, other_offers = offers[:OFFERS], offers[OFFERS:]
    short = [
        _ZERO + sum(figures.short_kg for figures in scenario.plan.materials if figures.material == material)
        for scenario in planned
    ]
    names = answer.names
    parts = [
        (
            names.offer(offer),
            [kilograms_by_line.get((material, offer), _ZERO) for kilograms_by_line in kilograms_by_scenario],
            doc.Tone.TITLE,
        )
        for offer in charted_offers
    ]
    if other_offers:
        others = [
            sum((kilograms_by_line.get((material, offer), _ZERO) for offer in other_offers), _ZERO)
            for kilograms_by_line in kilograms_by_scenario
        ]
        parts.append((f"{len(other_offers):,} others", others, doc.Tone.ASIDE))
    if any(short):
        parts.append(("short", short, doc.Tone.BAD))
    unit = unit_for(kg for _, amounts, _ in parts for kg in amounts)
    unit_kilograms = _TONNE if unit == "t" else Decimal(1)
    series = tuple(
        charts.Series(name, tuple(kg / unit_kilograms for kg in amounts), tone) for name, amounts, tone in parts
    )
    rows: list[list[doc.Cell]] = [
        [label, *(doc.Kilograms(amounts[i]) for _, amounts, _ in parts)] for i, label in enumerate(labels)
    ]
    columns = [doc.Column(answer.axes[0] if has_one_axis else "Scenario"), *(doc.figures(name) for name, _, _ in parts)]
    max_kilograms = max(
        sum((kilograms_by_line.get((material, offer), _ZERO) for offer in offers), _ZERO)
        for kilograms_by_line in kilograms_by_scenario
    )
    weight = f"{unit} {names.basis(material)}".rstrip()
    description = f"Over the whole plan, in {weight}, by scenario. The largest purchases total {mass_of(names, material, max_kilograms)}."
    title = f"{names.material(material)}: purchases by supplier"
    return doc.Drawing(title, description, charts.Bars(labels, series, weight), doc.table(columns, rows))


def _failures(answer: Sweep, shown: int) -> doc.Section | None:
    if not answer.failed:
        return None
    shown_failures = answer.failed[: shown or None]
    columns = [doc.figures(""), doc.Column("Scenario"), doc.Column("Reason")]
    rows = [(doc.Count(scenario.number), scenario.name, scenario.plan.message) for scenario in shown_failures]
    notes = doc.notes(omitted_note(len(answer.failed) - len(shown_failures), "more scenario", "more scenarios"))
    return doc.section("Not planned", doc.table(columns, rows), notes, tone=doc.Tone.BAD)


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """Options of the question."""

    vary: Annotated[
        tuple[str, ...],
        Setting(
            "A change as in --change with a list or range of values: 'price=OFFER, factor=0.5..2/16' (16 factors), 'disable=RULE,RULE', "
            "'capacity=PLANT, delay=0 months,12 months'. Or 'scenario=NAME,NAME' ('scenario=*': all) or 'strict=no,yes'. The value `none` means no change. "
            "Several options form a grid. Without this option, the case's scenarios are planned.",
            "CHANGE",
        ),
    ] = ()
    scenarios: Annotated[
        Path | None,
        Setting(
            "File of scenarios in the format of a case file. With --vary, each is planned at every point of the grid.",
            "FILE",
        ),
    ] = None
    folder: Annotated[
        Path | None,
        Setting("Folder for the plans and the tables: totals, materials, and purchases.", "FOLDER"),
    ] = None
    resume: Annotated[bool, Setting("Resume the sweep in --folder and reuse its plans.", served=False)] = False
    rerun: Annotated[str, Setting("`failed`: resume, and plan the failed scenarios again.", "WHAT", served=False)] = ""
    parquet: Annotated[
        bool, Setting("Also write the tables in --folder as Parquet (needs the extra `parquet`).", served=False)
    ] = False
    each: Annotated[
        float,
        Setting("Time limit of each scenario in seconds. 0 means no limit.", "SECONDS", least=0),
    ] = 0.0
    dask: Annotated[
        str,
        Setting(
            "Dask scheduler whose workers plan the scenarios, such as tcp://10.0.0.5:8786 (needs the extra `dask`).",
            "ADDRESS",
            served=False,
        ),
    ] = ""
    executor: Annotated[
        str,
        Setting(
            "Importable function that returns the executor whose workers plan the scenarios.",
            "MODULE:FUNCTION",
            served=False,
        ),
    ] = ""
    top: Annotated[int, Setting("Rows shown of each table. 0 means all.", "N", least=0)] = 20


class SweepQuestion(Question[SweepOptions, "Sweep"]):
    """Plan many scenarios of a case, from a grid or a list, and compare their cost, purchases, and shortages.

    Each scenario is planned independently, as by `plan`. Several run at once on this machine or, with --dask, on a cluster. The results are the same.
    """

    name = "sweep"
    options = SweepOptions
    doing = "planning"
    counted = "scenarios"

    def check(self, options: SweepOptions) -> None:
        if options.rerun not in ("", "failed"):
            raise OptionsError("the value of --rerun is unknown", found=options.rerun, expected="failed", code="FS003")
        if (options.resume or options.rerun or options.parquet) and options.folder is None:
            raise OptionsError(
                "--resume, --rerun, and --parquet need a folder", fix="add --folder FOLDER", code="FS501"
            )
        if options.dask and options.executor:
            raise OptionsError("--dask and --executor exclude each other", fix="remove one of them", code="FS501")

    def ask(self, opened: Opened, options: SweepOptions, progress: Progress | None) -> Sweep:
        try:
            return _run(opened, options, progress)
        except OSError as error:
            raise system_input_error(error) from error

    def document(self, result: Sweep, options: SweepOptions) -> Document:
        return sweep_document(result, options.top)

    def notes(self, result: Sweep) -> tuple[str, ...]:
        return sweep_notes(result)


def _run(opened: Opened, options: SweepOptions, progress: Progress | None) -> Sweep:
    from friendshore.explain import names_of
    from friendshore.solve import AnswerCache, Limits

    from .grid import grid_scenarios
    from .planning import SweepFolder, SweptCase, run_sweep

    session = opened.session
    facts = opened.facts
    scenarios = grid_scenarios(facts, opened.applied, options.vary, options.scenarios)
    # An answer that a time limit cut short must not be reused.
    answers = session.answers if session.limits.seconds is None else AnswerCache()
    limits = Limits(session.limits.gap, options.each or None, 1)
    case = SweptCase(facts, answers, limits)
    answer = run_sweep(
        case,
        opened.plugins,
        scenarios,
        _pool(opened, options, case, len(scenarios)),
        SweepFolder(options.folder, options.resume or bool(options.rerun), bool(options.rerun), options.parquet),
        lambda: session.stopped,
        progress,
    )
    cost, problem = session.verified.cost, session.problem
    names = names_of(problem, (facts.offer.id for facts in problem.offers))
    return answer.but(objective=cost.objective, cash=cost.nominal, names=names)


def _pool(opened: Opened, options: SweepOptions, case: SweptCase, scenarios: int) -> WorkerPool:
    from .planning import dask, executor_pool

    workers = opened.session.limits.workers
    if options.dask:
        return dask(options.dask, workers)
    return executor_pool(options.executor, workers) if options.executor else case.local_pool(workers, scenarios)
