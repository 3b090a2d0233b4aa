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


PROGRAMME = PROGRAM
"""Column with the program of a demand, named after the fact."""
_YEAR = re.compile(r"parts_(\d{4})")
_HEADINGS = dict.fromkeys(("part_no", "part_nr", "part_number", "p_n", "pn"), "part") | {
    "program": PROGRAMME,
}
_REST = "What the demand says of the item, in the columns of a demand: material, end_use, place, buyer, from, until, shortage_price, facts."


class BomLine(Record):
    """Need of one part for one material."""

    part: Annotated[str, Written("radar-array-7", sort=label)]
    """Number or name of the part."""
    programme: Annotated[Ident, Written("patriot")]
    """Program that the part is built for."""
    content: Annotated[Kilograms, Written("12 g")]
    """Mass of the material in one part."""
    substance: str = ""
    """Substance that `content` is a mass of, if the bill names one (`5 g WO3`). Empty means the material's basis."""
    parts_per_year: Annotated[NonNegative | None, Written("240")] = None
    """Parts per year. If blank, columns such as `parts_2027` give the parts of each year."""


@dataclass(frozen=True, slots=True)
class Content:
    """Need of a part for the material of a demand."""

    part: str
    kilograms: Decimal
    """Kilograms per year."""
    line: int
    """Line of the bill."""


@dataclass(frozen=True, slots=True)
class Rolled:
    """A demand, summed from lines of a bill."""

    id: str
    line: int
    """First of its lines."""
    stated: Mapping[str, str]
    """Columns of a demand except the quantity."""
    contents: tuple[Content, ...]
    substance: str

    @property
    def kilograms(self) -> Decimal:
        """Kilograms per year."""
        return sum((one.kilograms for one in self.contents), Decimal(0))

    @property
    def cells(self) -> dict[str, str]:
        """Return the demand as a row of a table."""
        of = f" {self.substance}" if self.substance else ""
        return {"id": self.id, **self.stated, "per_year": f"{self.kilograms.normalize():f} kg{of}/year"}


def read_bill(path: Path) -> tuple[str, list[Rolled]]:
    """Return the file's name for messages, and the demands of a bill of materials, sorted by name.

    Lines of one program that agree in all columns of a demand are one demand. A year's column makes a demand of that year.

    Raises:
        InputError: With all errors in it.
    """
    holds = "What each part takes of each material."
    file, rows = read_record_rows(path, BomLine, holds, others=_REST, headings=_HEADINGS)
    found: list[Diagnostic] = []
    groups: dict[tuple[tuple[str, str], ...], list[tuple[RecordRow[BomLine], Decimal]]] = {}
    for row in rows:
        _check(row, file, found)
        for years, parts in _years(row, file, found):
            stated = {name: text for name, text in row.others.items() if not _YEAR.fullmatch(name)}
            key = tuple({**stated, PROGRAMME: row.record.programme, "substance": row.record.substance, **years}.items())
            groups.setdefault(tuple(sorted(key)), []).append((row, parts))
    for lines in groups.values():
        first: dict[str, int] = {}
        for row, _ in lines:
            before = first.setdefault(row.record.part, row.line)
            if before != row.line:
                message = f"line {before} already says what this part takes of this material"
                fix = "add the two up, or delete one"
                found.append(Diagnostic(message, file, row.line, "part", row.record.part, fix=fix))
    if found:
        raise InputError(sorted(found, key=lambda problem: problem.row or 0))
    return file, _named([_rolled(dict(key), lines) for key, lines in groups.items()])


def _check(row: RecordRow[BomLine], file: str, found: list[Diagnostic]) -> None:
    programme = row.record.programme
    if programme.casefold() in ("yes", "no", "true", "false") or not programme[0].isalpha():
        expected = "a name that begins with a letter, and is not yes, no, true or false"
        found.append(
            Diagnostic("cannot be told from a number or a yes", file, row.line, PROGRAMME, programme, expected)
        )
    for column in ("per_year", "quantity", "quantities", "id"):
        if column in row.others:
            fix = "say how many parts there are in `parts_per_year` or `parts_2027`"
            found.append(Diagnostic("a bill of materials has no such column", file, row.line, column, fix=fix))


def _years(row: RecordRow[BomLine], file: str, found: list[Diagnostic]) -> Iterator[tuple[dict[str, str], Decimal]]:
    """Yield days and parts per year: all days with `parts_per_year`, otherwise the days of each year with a column."""
    named = {match[1]: text for name, text in row.others.items() if (match := _YEAR.fullmatch(name))}
    steady = row.record.parts_per_year
    if (steady is None) == (not named):
        message = "says twice how many parts there are" if named else "does not say how many parts there are"
        expected = "either parts_per_year, or columns such as parts_2027"
        found.append(Diagnostic(message, file, row.line, "parts_per_year", expected=expected))
        return
    if named and {"from", "until"} & row.others.keys():
        fix = "leave `from` and `until` blank where a column says the year"
        found.append(Diagnostic("says twice when the parts are wanted", file, row.line, "from", fix=fix))
        return
    if steady is not None:
        yield {}, steady
    for year, text in sorted(named.items()):
        try:
            parts = Decimal(text.replace(",", ""))
        except ArithmeticError:
            parts = Decimal(-1)
        if not parts.is_finite() or parts < 0:
            found.append(Diagnostic("cannot be read", file, row.line, f"parts_{year}", text, "a number, zero or more"))
        elif parts:
            yield {"from": f"{year}-01-01", "until": f"{year}-12-31"}, parts


def _rolled(stated: dict[str, str], lines: Sequence[tuple[RecordRow[BomLine], Decimal]]) -> Rolled:
    substance = stated.pop("substance")
    contents = tuple(Content(row.record.part, row.record.content * parts, row.line) for row, parts in lines)
    about = [stated.get(name, "") for name in (PROGRAMME, "material", "end_use", "place")]
    days = stated.get("from", ""), stated.get("until", "")
    year = days[0][:4] if days == (f"{days[0][:4]}-01-01", f"{days[0][:4]}-12-31") else ""
    words = [re.sub(r"[^\w.+-]+", "-", word).strip("-") for word in (*about, year)]
    return Rolled("/".join(filter(None, words)), lines[0][0].line, stated, contents, substance)


def _named(rolled: Sequence[Rolled]) -> list[Rolled]:
    """Return the demands with unique names. The second of a name is called `…/2`."""
    taken: dict[str, int] = {}
    named = []
    for one in sorted(rolled, key=lambda one: (one.id, one.line)):
        taken[one.id] = number = taken.get(one.id, 0) + 1
        name = one.id if number == 1 else f"{one.id}/{number}"
        named.append(Rolled(name, one.line, one.stated, one.contents, one.substance))
    return named


class BomReader(Reader):
    """A bill of materials as demand, with a row for every program, material, end use, and place."""

    name = "bom"
    example = "example/parts.csv"

    def demand(self, asked: ReadRequest) -> TableRows:
        """Return the demands of the bill."""
        file, rolled = read_bill(asked.path)
        columns = list(dict.fromkeys(name for one in rolled for name in one.cells))
        return TableRows(columns, [(one.line, [one.cells.get(name) for name in columns]) for one in rolled], file)


_YEARS = range(1900, 10_000)


class BudgetLine(Record):
    """Money for a year."""

    programme: Annotated[str, Written("patriot")] = ""
    """Program that the money is for. Blank means all."""
    place: Annotated[SiteOrBlank, Written("US")] = ""
    """Place where the purchases are needed. Blank means all."""
    year: Annotated[Lots, Written("2027")]
    """Calendar year."""
    amount: Annotated[Money, Written("60,000,000 USD")]
    """Money, in the case's currency."""
    amount_currency: CurrencyOrBlank = ""


def read_budgets(path: Path, currency: str) -> tuple[BudgetLine, ...]:
    """Return the lines of a table of budgets.

    Raises:
        InputError: With all errors in it, including a currency other than the case's.
    """
    file, rows = read_record_rows(path, BudgetLine, "What may be spent.")
    found: list[Diagnostic] = []
    seen: dict[tuple[str, str, int], int] = {}
    for row in rows:
        line = row.record
        if line.amount_currency != currency:
            expected = f"an amount in {currency}, the currency of the case"
            found.append(Diagnostic("is in another currency", file, row.line, "amount", line.amount_currency, expected))
        if line.year not in _YEARS:
            found.append(Diagnostic("is no year", file, row.line, "year", str(line.year), "a calendar year, like 2027"))
        before = seen.setdefault((line.programme, line.place, line.year), row.line)
        if before != row.line:
            message = f"line {before} already says the budget of that programme, place and year"
            found.append(Diagnostic(message, file, row.line, "year", fix="delete one of the two"))
    if found:
        raise InputError(found)
    return tuple(row.record for row in rows)


NO_PROGRAMME = "(none)"
"""Label of demands without a program."""


@dataclass(frozen=True, slots=True)
class Held:
    """A part or program, and the date from which it can be built in full."""

    name: str
    met_from: str
    """First period from which it can always be built in full. Empty if never."""
    late: bool
    """True if in some period it is wanted and can't be built in full."""
    held_by: tuple[str, ...]
    """Materials that delay it, those with the longest shortage first."""


@dataclass(frozen=True, slots=True)
class ProgrammeLine:
    """A program."""

    whole: Held
    parts: tuple[Held, ...]
    """Late parts, those with the longest delay first. Empty without a bill of materials."""
    of: int
    """Number of all parts. 0 without a bill of materials."""
    short: tuple[tuple[str, Decimal], ...]
    """Material -> kilograms short over the plan."""


@dataclass(frozen=True, slots=True)
class _Met:
    """A demand by period."""

    material: str
    wanted: Sequence[Decimal]
    missing: Sequence[Decimal]


def programme_of(facts: Mapping[str, object]) -> str:
    """Return the program of a demand."""
    return str(facts.get(PROGRAMME, NO_PROGRAMME))


def programmes(verified: VerifiedPlan, bill: Iterable[Rolled]) -> list[ProgrammeLine]:
    """Return every program by name, with its parts if there is a bill of materials.

    Parts share the supply of a demand in proportion to their needs.
    """
    problem = verified.problem
    met = _met(verified)
    of = grouped((programme_of(demand.use.stated), met[demand.id]) for demand in problem.demands)
    contents = (
        (rolled.stated[PROGRAMME], content.part, met[rolled.id]) for rolled in bill for content in rolled.contents
    )
    parts = grouped(((programme, part), demand) for programme, part, demand in contents)
    labels = [period.label for period in problem.case.horizon.periods]
    lines = []
    for name, demands in sorted(of.items()):
        own = [_held(part, found, labels) for (programme, part), found in parts.items() if programme == name]
        late = sorted((part for part in own if part.late), key=lambda part: (-_until(part, labels), part.name))
        lacking = totals((demand.material, sum(demand.missing, Decimal(0))) for demand in demands)
        short = sorted(((m, kg) for m, kg in lacking.items() if kg), key=lambda pair: (-pair[1], pair[0]))
        lines.append(ProgrammeLine(_held(name, demands, labels), tuple(late), len(own), tuple(short)))
    return lines


def _met(verified: VerifiedPlan) -> dict[str, _Met]:
    """Return every demand by name. A few grams that are missing because of rounding are no shortage."""
    problem = verified.problem
    slack = problem.case.resolution * 10
    missing: dict[tuple[str, int], Decimal] = {
        (short.demand, short.period): short.quantity for short in verified.plan.shorts if short.quantity > slack
    }
    return {
        demand.id: _Met(
            demand.use.material.id,
            demand.quantity,
            [missing.get((demand.id, t), Decimal(0)) for t in range(len(demand.quantity))],
        )
        for demand in problem.demands
    }


def _until(held: Held, labels: Sequence[str]) -> int:
    return labels.index(held.met_from) if held.met_from else len(labels)


def _held(name: str, demands: Sequence[_Met], labels: Sequence[str]) -> Held:
    last = -1
    wanted_in: list[int] = []
    lateness: dict[str, int] = {}
    for t in range(len(labels)):
        wanted = [one for one in demands if one.wanted[t]]
        lacking = [one.material for one in wanted if one.missing[t]]
        if wanted:
            wanted_in.append(t)
        if lacking:
            last = t
        for material in dict.fromkeys(lacking):
            lateness[material] = lateness.get(material, 0) + 1
    later = [t for t in wanted_in if t > last]
    held_by = tuple(sorted(lateness, key=lambda material: (-lateness[material], material)))
    return Held(name, labels[later[0]] if later else "", last >= 0, held_by)
