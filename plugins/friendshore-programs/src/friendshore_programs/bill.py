"""Bills of materials: reading, the programs that they build, and the budgets of programs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from friendshore.domain.base import Record, grouped, totals
from friendshore.domain.use import PROGRAM
from friendshore.domain.values import CurrencyOrBlank, Ident, Kilograms, Lots, Money, NonNegative, SiteOrBlank, label
from friendshore.domain.written import Written
from friendshore.errors import Diagnostic, InputError
from friendshore.readers import Reader, ReadRequest, RecordRow, TableRows, read_record_rows

if TYPE_CHECKING:
    from friendshore.verify import VerifiedPlan


PROGRAM_COLUMN = PROGRAM
"""Column with the program of a demand, named after the fact."""
_YEAR = re.compile(r"parts_(\d{4})")
_HEADINGS = dict.fromkeys(("part_no", "part_nr", "part_number", "p_n", "pn"), "part") | {
    "program": PROGRAM_COLUMN,
}
_DEMAND_COLUMNS = "Columns of a demand: material, end_use, place, buyer, from, until, shortage_price, facts."


class BomLine(Record):
    """Need of one part for one material."""

    part: Annotated[str, Written("radar-array-7", sort=label)]
    """Number or name of the part."""
    program: Annotated[Ident, Written("patriot")]
    """Program that the part is built for."""
    content: Annotated[Kilograms, Written("12 g")]
    """Mass of the material in one part."""
    substance: str = ""
    """Substance that `content` is a mass of, if the bill names one (`5 g WO3`). Empty means the material's basis."""
    parts_per_year: Annotated[NonNegative | None, Written("240")] = None
    """Parts per year. If blank, columns such as `parts_2027` give the parts of each year."""


@dataclass(frozen=True, slots=True)
class PartNeed:
    """A part's yearly need of the material of a demand."""

    part: str
    kilograms: Decimal
    line: int


@dataclass(frozen=True, slots=True)
class BomDemand:
    """A demand, summed from lines of a bill."""

    id: str
    line: int
    demand_columns: Mapping[str, str]
    contents: tuple[PartNeed, ...]
    substance: str

    @property
    def kilograms(self) -> Decimal:
        return sum((need.kilograms for need in self.contents), Decimal(0))

    @property
    def cells(self) -> dict[str, str]:
        suffix = f" {self.substance}" if self.substance else ""
        return {"id": self.id, **self.demand_columns, "per_year": f"{self.kilograms.normalize():f} kg{suffix}/year"}


def read_bill(path: Path) -> tuple[str, list[BomDemand]]:
    """Return the file's name for messages, and the demands of a bill of materials, sorted by name.

    Lines of one program that agree in all columns of a demand are one demand. A year's column makes a demand of that year.
    """
    description = "Quantity of each material in each part."
    file, rows = read_record_rows(path, BomLine, description, others=_DEMAND_COLUMNS, headings=_HEADINGS)
    problems: list[Diagnostic] = []
    groups: dict[tuple[tuple[str, str], ...], list[tuple[RecordRow[BomLine], Decimal]]] = {}
    for row in rows:
        _check(row, file, problems)
        for years, parts in _parts_by_year(row, file, problems):
            demand_columns = {name: text for name, text in row.others.items() if not _YEAR.fullmatch(name)}
            key = tuple(
                {
                    **demand_columns,
                    PROGRAM_COLUMN: row.record.program,
                    "substance": row.record.substance,
                    **years,
                }.items()
            )
            groups.setdefault(tuple(sorted(key)), []).append((row, parts))
    for lines in groups.values():
        first_line_by_part: dict[str, int] = {}
        for row, _ in lines:
            first_line = first_line_by_part.setdefault(row.record.part, row.line)
            if first_line != row.line:
                message = f"line {first_line} has the same part and material"
                fix = "add the two quantities, or delete one line"
                problems.append(Diagnostic(message, file, row.line, "part", row.record.part, fix=fix, code="FS966"))
    if problems:
        raise InputError(sorted(problems, key=lambda problem: problem.row or 0))
    return file, _with_unique_names([_bom_demand(dict(key), lines) for key, lines in groups.items()])


def _check(row: RecordRow[BomLine], file: str, problems: list[Diagnostic]) -> None:
    program = row.record.program
    if program.casefold() in ("yes", "no", "true", "false") or not program[0].isalpha():
        expected = "a name that begins with a letter and isn't yes, no, true, or false"
        message = "the program's name looks like a number or a yes or no"
        problems.append(Diagnostic(message, file, row.line, PROGRAM_COLUMN, program, expected, code="FS012"))
    for column in ("per_year", "quantity", "quantities", "id"):
        if column in row.others:
            fix = "write the number of parts in `parts_per_year`, or in columns such as `parts_2027`"
            message = "a bill of materials doesn't have this column"
            problems.append(Diagnostic(message, file, row.line, column, fix=fix, code="FS965"))


def _parts_by_year(
    row: RecordRow[BomLine], file: str, problems: list[Diagnostic]
) -> Iterator[tuple[dict[str, str], Decimal]]:
    text_by_year = {match[1]: text for name, text in row.others.items() if (match := _YEAR.fullmatch(name))}
    steady_parts = row.record.parts_per_year
    if (steady_parts is None) == (not text_by_year):
        message = "the number of parts is given twice" if text_by_year else "the number of parts is missing"
        expected = "either `parts_per_year`, or columns such as `parts_2027`"
        problems.append(Diagnostic(message, file, row.line, "parts_per_year", expected=expected, code="FS965"))
        return
    if text_by_year and {"from", "until"} & row.others.keys():
        fix = "leave `from` and `until` blank, or use `parts_per_year`"
        problems.append(
            Diagnostic("the year of the parts is given twice", file, row.line, "from", fix=fix, code="FS965")
        )
        return
    if steady_parts is not None:
        yield {}, steady_parts
    for year, text in sorted(text_by_year.items()):
        try:
            parts = Decimal(text.replace(",", ""))
        except ArithmeticError:
            parts = Decimal(-1)
        if not parts.is_finite() or parts < 0:
            problems.append(
                Diagnostic(
                    "the number of parts can't be read",
                    file,
                    row.line,
                    f"parts_{year}",
                    text,
                    "a number from 0 on",
                    code="FS011",
                )
            )
        elif parts:
            yield {"from": f"{year}-01-01", "until": f"{year}-12-31"}, parts


def _bom_demand(demand_columns: dict[str, str], lines: Sequence[tuple[RecordRow[BomLine], Decimal]]) -> BomDemand:
    substance = demand_columns.pop("substance")
    contents = tuple(PartNeed(row.record.part, row.record.content * parts, row.line) for row, parts in lines)
    name_parts = [demand_columns.get(name, "") for name in (PROGRAM_COLUMN, "material", "end_use", "place")]
    days = demand_columns.get("from", ""), demand_columns.get("until", "")
    year = days[0][:4] if days == (f"{days[0][:4]}-01-01", f"{days[0][:4]}-12-31") else ""
    words = [re.sub(r"[^\w.+-]+", "-", word).strip("-") for word in (*name_parts, year)]
    return BomDemand("/".join(filter(None, words)), lines[0][0].line, demand_columns, contents, substance)


def _with_unique_names(demands: Sequence[BomDemand]) -> list[BomDemand]:
    count_by_id: dict[str, int] = {}
    renamed_demands = []
    for demand in sorted(demands, key=lambda demand: (demand.id, demand.line)):
        count_by_id[demand.id] = number = count_by_id.get(demand.id, 0) + 1
        name = demand.id if number == 1 else f"{demand.id}/{number}"
        renamed_demands.append(BomDemand(name, demand.line, demand.demand_columns, demand.contents, demand.substance))
    return renamed_demands


class BomReader(Reader):
    """A bill of materials as demand, with a row for every program, material, end use, and place."""

    name = "bom"
    example = "example/parts.csv"

    def demand(self, request: ReadRequest) -> TableRows:
        file, demands = read_bill(request.path)
        columns = list(dict.fromkeys(name for demand in demands for name in demand.cells))
        return TableRows(
            columns, [(demand.line, [demand.cells.get(name) for name in columns]) for demand in demands], file
        )


_YEARS = range(1900, 10_000)


class BudgetLine(Record):
    """Money for a year."""

    program: Annotated[str, Written("patriot")] = ""
    """Program that the money is for. Blank means all."""
    place: Annotated[SiteOrBlank, Written("US")] = ""
    """Place where the purchases are needed. Blank means all."""
    year: Annotated[Lots, Written("2027")]
    amount: Annotated[Money, Written("60,000,000 USD")]
    """Money, in the case's currency."""
    amount_currency: CurrencyOrBlank = ""


def read_budgets(path: Path, currency: str) -> tuple[BudgetLine, ...]:
    file, rows = read_record_rows(path, BudgetLine, "Money for each year.")
    problems: list[Diagnostic] = []
    first_line_by_key: dict[tuple[str, str, int], int] = {}
    for row in rows:
        line = row.record
        if line.amount_currency != currency:
            expected = f"an amount in {currency}, the currency of the case"
            message = "the budget is in another currency"
            problems.append(Diagnostic(message, file, row.line, "amount", line.amount_currency, expected, code="FS012"))
        if line.year not in _YEARS:
            problems.append(
                Diagnostic(
                    "this isn't a calendar year",
                    file,
                    row.line,
                    "year",
                    str(line.year),
                    "a year such as 2027",
                    code="FS012",
                )
            )
        first_line = first_line_by_key.setdefault((line.program, line.place, line.year), row.line)
        if first_line != row.line:
            message = f"line {first_line} has the same program, place, and year"
            problems.append(
                Diagnostic(message, file, row.line, "year", fix="add the two amounts, or delete one line", code="FS966")
            )
    if problems:
        raise InputError(problems)
    return tuple(row.record for row in rows)


NO_PROGRAM = "(none)"


@dataclass(frozen=True, slots=True)
class BuildStatus:
    """A part or program, and the date from which it can be built in full."""

    name: str
    buildable_from: str
    """First period from which it can always be built in full. Empty if never."""
    late: bool
    """True if in some period it is wanted and can't be built in full."""
    delayed_by: tuple[str, ...]
    """Materials that delay it, those with the longest shortage first."""


@dataclass(frozen=True, slots=True)
class ProgramStatus:
    """A program."""

    status: BuildStatus
    parts: tuple[BuildStatus, ...]
    """Late parts, those with the longest delay first. Empty without a bill of materials."""
    part_count: int
    """Number of all parts. 0 without a bill of materials."""
    short: tuple[tuple[str, Decimal], ...]
    """Material -> kilograms short over the plan."""


@dataclass(frozen=True, slots=True)
class _DemandByPeriod:
    material: str
    quantities: Sequence[Decimal]
    missing: Sequence[Decimal]


def program_of(facts: Mapping[str, object]) -> str:
    return str(facts.get(PROGRAM_COLUMN, NO_PROGRAM))


def program_statuses(verified: VerifiedPlan, bill: Iterable[BomDemand]) -> list[ProgramStatus]:
    """Return every program by name, with its parts if there is a bill of materials.

    Parts share the supply of a demand in proportion to their needs.
    """
    problem = verified.problem
    demand_by_id = _demands_by_id(verified)
    demands_by_program = grouped((program_of(demand.use.stated), demand_by_id[demand.id]) for demand in problem.demands)
    contents = (
        (rolled.demand_columns[PROGRAM_COLUMN], content.part, demand_by_id[rolled.id])
        for rolled in bill
        for content in rolled.contents
    )
    parts = grouped(((program, part), demand) for program, part, demand in contents)
    labels = [period.label for period in problem.case.horizon.periods]
    lines = []
    for name, demands in sorted(demands_by_program.items()):
        statuses = [
            _build_status(part, demands_of_part, labels)
            for (program, part), demands_of_part in parts.items()
            if program == name
        ]
        late_parts = sorted(
            (part for part in statuses if part.late), key=lambda part: (-_delay(part, labels), part.name)
        )
        short_by_material = totals((demand.material, sum(demand.missing, Decimal(0))) for demand in demands)
        short = sorted(((m, kg) for m, kg in short_by_material.items() if kg), key=lambda pair: (-pair[1], pair[0]))
        lines.append(
            ProgramStatus(_build_status(name, demands, labels), tuple(late_parts), len(statuses), tuple(short))
        )
    return lines


def _demands_by_id(verified: VerifiedPlan) -> dict[str, _DemandByPeriod]:
    problem = verified.problem
    tolerance = problem.case.resolution * 10  # a few grams are missing because of rounding
    missing: dict[tuple[str, int], Decimal] = {
        (short.demand, short.period): short.quantity for short in verified.plan.shorts if short.quantity > tolerance
    }
    return {
        demand.id: _DemandByPeriod(
            demand.use.material.id,
            demand.quantity,
            [missing.get((demand.id, t), Decimal(0)) for t in range(len(demand.quantity))],
        )
        for demand in problem.demands
    }


def _delay(status: BuildStatus, labels: Sequence[str]) -> int:
    return labels.index(status.buildable_from) if status.buildable_from else len(labels)


def _build_status(name: str, demands: Sequence[_DemandByPeriod], labels: Sequence[str]) -> BuildStatus:
    last_short = -1
    demand_periods: list[int] = []
    short_periods_by_material: dict[str, int] = {}
    for t in range(len(labels)):
        demands_in_period = [demand for demand in demands if demand.quantities[t]]
        short_materials = [demand.material for demand in demands_in_period if demand.missing[t]]
        if demands_in_period:
            demand_periods.append(t)
        if short_materials:
            last_short = t
        for material in dict.fromkeys(short_materials):
            short_periods_by_material[material] = short_periods_by_material.get(material, 0) + 1
    periods_after = [t for t in demand_periods if t > last_short]
    delayed_by = tuple(
        sorted(short_periods_by_material, key=lambda material: (-short_periods_by_material[material], material))
    )
    return BuildStatus(name, labels[periods_after[0]] if periods_after else "", last_short >= 0, delayed_by)
