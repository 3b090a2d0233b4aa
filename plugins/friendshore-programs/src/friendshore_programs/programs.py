"""The question `programs`: when each program can be built, which parts delay it, and its spend against its budget."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from friendshore.document import elements as doc
from friendshore.document.charts import Bars, Series
from friendshore.document.figures import count, large_money, mass
from friendshore.domain.base import as_decimal
from friendshore.errors import InputError
from friendshore.explain import Cash, trace_cash
from friendshore.questions import OptionsError, Question, Setting
from friendshore.questions.wording import first_few
from friendshore.readers import reader_in

from .bill import (
    NO_PROGRAM,
    BomDemand,
    BudgetLine,
    ProgramStatus,
    program_of,
    program_statuses,
    read_bill,
    read_budgets,
)

if TYPE_CHECKING:
    from friendshore.document.elements import Document
    from friendshore.questions import Opened, Progress

    from .bill import BuildStatus


MATERIALS = 3


def programs_document(result: Programs, parts: int) -> doc.Document:
    late_part_sections = [_late_parts(line, parts) for line in result.lines if line.status.late]
    notes_section = doc.section_if_any("Notes", doc.notes(result.notes))
    return doc.document(
        f"{result.case}: programs", *_summary(result), *_spend_sections(result), notes_section, *late_part_sections
    )


def _summary(result: Programs) -> list[doc.Element]:
    late_count = sum(line.status.late for line in result.lines)
    text = f"{len(result.lines) - late_count} of {count(len(result.lines), 'program')} can be built in full from the first day"
    if [line.status.name for line in result.lines] == [NO_PROGRAM]:
        text = f"The case names no program. All its demand counts as one, which {'cannot' if late_count else 'can'} be built in full from the first day"
    text += "."
    tone = doc.Tone.DOUBTFUL if late_count else doc.Tone.GOOD
    return [doc.sentence(text, tone=tone, strong=True), _program_table(result)]


def _spend_sections(result: Programs) -> list[doc.Element | None]:
    return [
        _spend_section(result, "Spend by program", "Program", result.spent.by_program),
        _spend_section(result, "Spend by place", "Place", result.spent.by_place) if _has_places(result) else None,
        _other_spend(result),
    ]


def _program_table(result: Programs) -> doc.Element:
    columns = [doc.Column("Program", whole=True), doc.Column("Built in full from", whole=True)]
    columns += [doc.figures("Parts late"), doc.figures("Of"), doc.Column("Delayed by")]
    rows = [
        [
            line.status.name,
            _buildable_from(line.status),
            str(len(line.parts)) if line.part_count else doc.NOTHING,
            str(line.part_count) if line.part_count else doc.NOTHING,
            _shortage_text(line),
        ]
        for line in result.lines
    ]
    return doc.section("Programs", doc.table(columns, rows))


def _buildable_from(status: BuildStatus) -> str:
    if not status.late:
        return "the start"
    return status.buildable_from or "never in this plan"


def _shortage_text(line: ProgramStatus) -> str:
    return first_few([f"{material} ({mass(kilograms)} short)" for material, kilograms in line.short], MATERIALS)


def _late_parts(line: ProgramStatus, parts: int) -> doc.Section | None:
    if not line.parts or not parts:
        return None
    shown_parts = line.parts[:parts]
    columns = [doc.Column("Part", whole=True), doc.Column("Built in full from", whole=True), doc.Column("Waits for")]
    rows = [[part.name, _buildable_from(part), ", ".join(part.delayed_by)] for part in shown_parts]
    hidden_count = len(line.parts) - len(shown_parts)
    hidden_note = (
        doc.sentence(f"{hidden_count} more: --parts {len(line.parts)}", tone=doc.Tone.ASIDE) if hidden_count else None
    )
    return doc.section(f"Late parts of {line.status.name}", doc.table(columns, rows), hidden_note)


def _has_places(result: Programs) -> bool:
    """Return True if places add information: there are several, or one has a budget."""
    lines = result.spent.by_place
    return len({line.name for line in lines}) > 1 or any(line.budget is not None for line in lines)


def _spend_section(result: Programs, title: str, column_name: str, lines: Sequence[SpendLine]) -> doc.Section | None:
    if not lines:
        return None
    years = sorted({line.year for line in lines})
    names = list(dict.fromkeys(line.name for line in lines))
    line_by_key = {(line.name, line.year): line for line in lines}
    columns = [doc.Column(column_name, whole=True), *(doc.figures(str(year), result.currency) for year in years)]
    budgeted = any(line.budget is not None for line in lines)
    if budgeted:
        columns.append(doc.Column("Compared with budget"))
    rows = [
        [
            name,
            *(
                doc.Amount(line_by_key[name, year].spent) if (name, year) in line_by_key else doc.NOTHING
                for year in years
            ),
            *(
                [_budget_text(result, [line_by_key[name, year] for year in years if (name, year) in line_by_key])]
                if budgeted
                else []
            ),
        ]
        for name in names
    ]
    zero = Decimal(0)
    series = tuple(
        Series(
            name,
            tuple(line_by_key[name, year].spent if (name, year) in line_by_key else zero for year in years),
            doc.Tone.TITLE,
        )
        for name in names
    )
    chart = Bars(tuple(map(str, years)), series, result.currency)
    return doc.section(
        title, doc.Drawing(title, "Money by year of order, not discounted.", chart, doc.table(columns, rows))
    )


def _budget_text(result: Programs, lines: Sequence[SpendLine]) -> str:
    texts = []
    for line in lines:
        if line.budget is not None:
            remainder = line.budget - line.spent
            side = "left" if remainder >= 0 else "over"
            texts.append(f"{line.year}: {large_money(abs(remainder), result.currency)} {side}")
    return "; ".join(texts)


def _other_spend(result: Programs) -> doc.Element | None:
    """Return spend outside of programs. None if less than one unit of money, which is rounding."""
    spend_by_use = {
        "is for stock that is left at the end": result.spent.stock,
        "belongs to no purchase (onboarding, discounts, take-or-pay, holding)": result.spent.others,
    }
    texts = [
        f"{large_money(amount, result.currency)} {use}" for use, amount in spend_by_use.items() if abs(amount) >= 1
    ]
    return doc.apart(doc.sentence(f"In addition, {' and '.join(texts)}.")) if texts else None


@dataclass(frozen=True)
class Options:
    """Options of the question."""

    bom: Annotated[
        Path | None,
        Setting(
            "Bill of materials (CSV or XLSX). Needed only for a run, or if the case doesn't read its demand from one.",
            "FILE",
        ),
    ] = None
    budgets: Annotated[
        Path | None,
        Setting("Budgets (CSV or XLSX) with the columns `program`, `place`, `year`, and `amount`.", "FILE"),
    ] = None
    parts: Annotated[int, Setting("Late parts shown of each program.", "N", least=0)] = 5


@dataclass(frozen=True, slots=True)
class SpendLine:
    """Undiscounted spend of a program or place in a year."""

    name: str
    year: int
    spent: Decimal
    budget: Decimal | None


@dataclass(frozen=True, slots=True)
class Spend:
    """Money of a plan by program and place."""

    by_program: tuple[SpendLine, ...]
    by_place: tuple[SpendLine, ...]
    stock: Decimal
    others: Decimal
    """Spend that belongs to no purchase (onboarding, discounts settled over a period, take-or-pay, holding), and spend on unused goods."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Answer to the question."""

    case: str
    currency: str
    bill: str
    lines: tuple[ProgramStatus, ...]
    spent: Spend
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "case": self.case,
            "currency": self.currency,
            "bill": self.bill,
            "programs": [_status_data(line) for line in self.lines],
            "spent": _spent_data(self.spent),
            "notes": list(self.notes),
        }


def _status_data(line: ProgramStatus) -> dict[str, Any]:
    return {
        "program": line.status.name,
        "late": line.status.late,
        "buildable_from": line.status.buildable_from,
        "delayed_by": list(line.status.delayed_by),
        "parts": line.part_count,
        "late_parts": [
            {"part": part.name, "buildable_from": part.buildable_from, "delayed_by": list(part.delayed_by)}
            for part in line.parts
        ],
        "short_kg": {material: float(kilograms) for material, kilograms in line.short},
    }


def _spent_data(spent: Spend) -> dict[str, Any]:
    def rows(lines: Iterable[SpendLine], key: str) -> list[dict[str, Any]]:
        return [
            {key: line.name, "year": line.year, "spent": float(line.spent)}
            | ({} if line.budget is None else {"budget": float(line.budget)})
            for line in lines
        ]

    return {
        "by_program": rows(spent.by_program, "program"),
        "by_place": rows(spent.by_place, "place"),
        "stock": float(spent.stock),
        "others": float(spent.others),
    }


class ProgramsQuestion(Question[Options, Programs]):
    """When programs can be built, which parts delay them, and what each spends against its budget.

    Demands name their program under `program`. The parts come from the bill of materials from which the case reads its demand.
    """

    name = "programs"
    options = Options
    doing = "sharing out"
    counted = "demands"

    def check(self, options: Options) -> None:
        missing = [str(path) for path in (options.bom, options.budgets) if path is not None and not path.exists()]
        if missing:
            raise OptionsError("the file doesn't exist", found=", ".join(missing), fix="check the path", code="FS508")

    def ask(self, opened: Opened, options: Options, progress: Progress | None) -> Programs:
        verified = opened.session.verified
        case = verified.problem.case
        bill_name, bill = _bill(opened, options)
        demand_by_id = {demand.id: demand for demand in verified.problem.demands}
        unknown_ids = [demand.id for demand in bill if demand.id not in demand_by_id]
        if unknown_ids:
            raise InputError(
                "the plan was made with another bill of materials",
                bill_name,
                found=f"{len(unknown_ids)} demands that the plan doesn't have, such as `{unknown_ids[0]}`",
                expected="the bill that the case reads its demand from",
                fix="plan again, or name the bill of the plan with --bom FILE",
                code="FS967",
            )
        budgets = read_budgets(options.budgets, case.currency) if options.budgets else ()
        lines = program_statuses(verified, bill)
        notes = list(_changed_quantity_notes(bill, demand_by_id))
        if not bill_name:
            notes.append("parts aren't shown because no bill of materials is known. Name it with --bom FILE")
        spent = _spend(opened, budgets)
        notes.extend(_unused_budget_notes(budgets))
        return Programs(case.name, case.currency, bill_name, tuple(lines), spent, tuple(notes))

    def document(self, result: Programs, options: Options) -> Document:
        return programs_document(result, options.parts)

    def data(self, result: Programs, options: Options) -> dict[str, object]:
        return result.to_dict()


def _bill(opened: Opened, options: Options) -> tuple[str, Sequence[BomDemand]]:
    """Return the bill of materials with its name. Both are empty if it is unknown."""
    if options.bom is not None:
        return read_bill(options.bom)
    case = opened.session.problem.case
    reader_and_path = reader_in(case.demand_from)
    if reader_and_path is None or reader_and_path[0] != "bom" or case.folder is None:
        return "", ()
    return read_bill(case.folder / reader_and_path[1])


def _changed_quantity_notes(bill: Sequence[BomDemand], demand_by_id: Mapping[str, Any]) -> Iterator[str]:
    changed_ids = [demand.id for demand in bill if demand_by_id[demand.id].spec.per_year != demand.kilograms]
    if changed_ids:
        others = f" and {len(changed_ids) - 1} more" if len(changed_ids) > 1 else ""
        yield f"planned with quantities that differ from the bill of materials: `{changed_ids[0]}`{others}"


def _spend(opened: Opened, budgets: Sequence[BudgetLine]) -> Spend:
    cash = trace_cash(opened.session.verified)
    problem = opened.session.problem
    demands = {demand.id: demand for demand in problem.demands}
    years = [period.start.year for period in problem.case.horizon.periods]

    def spend_lines(
        name_of_demand: Callable[[Any], str], lines: Iterable[BudgetLine], name_of_budget: Callable[[BudgetLine], str]
    ) -> tuple[SpendLine, ...]:
        money_by_key: dict[tuple[str, int], Fraction] = defaultdict(Fraction)
        for name, money_by_period in cash.by_demand.items():
            for t, amount in money_by_period.items():
                money_by_key[name_of_demand(demands[name]), years[t]] += amount
        budget_by_key = {(name_of_budget(line), line.year): line.amount for line in lines}
        return tuple(
            SpendLine(
                name, year, as_decimal(money_by_key.get((name, year), Fraction(0))), budget_by_key.get((name, year))
            )
            for name, year in sorted({*money_by_key, *budget_by_key})
        )

    program_budgets = [line for line in budgets if line.program and not line.place]
    place_budgets = [line for line in budgets if line.place and not line.program]
    return Spend(
        spend_lines(lambda demand: program_of(demand.use.stated), program_budgets, lambda line: line.program),
        spend_lines(lambda demand: demand.use.place.id, place_budgets, lambda line: line.place),
        _total([cash.stock]),
        _total([cash.unused, *cash.separate.values()]),
    )


def _total(cash_flows: Iterable[Cash]) -> Decimal:
    return as_decimal(sum((amount for cash in cash_flows for amount in cash.values()), Fraction(0)))


def _unused_budget_notes(budgets: Sequence[BudgetLine]) -> Iterator[str]:
    unused_count = sum(1 for line in budgets if bool(line.program) == bool(line.place))
    if unused_count:
        yield f"{unused_count} budgets aren't shown, because they name both a program and a place, or neither"
