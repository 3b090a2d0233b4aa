"""The question `programmes`: when each program can be built, which parts delay it, and its spend against its budget."""

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
from friendshore.readers import reader_in

from .bill import NO_PROGRAMME, BudgetLine, ProgrammeLine, Rolled, programme_of, programmes, read_bill, read_budgets

if TYPE_CHECKING:
    from friendshore.document.elements import Document
    from friendshore.questions import Opened, Progress

    from .bill import Held


MATERIALS = 3
"""Maximum number of materials in a cell."""


def programmes_document(result: Programmes, parts: int) -> doc.Document:
    """Return programs and their money, then the first `parts` late parts of each, since all may be too many for a screen."""
    late = [_late_parts(line, parts) for line in result.lines if line.whole.late]
    known = doc.section_if_any("To be known", doc.notes(result.notes))
    return doc.document(f"{result.case}: programmes", *_head(result), *_spent(result), known, *late)


def _head(result: Programmes) -> list[doc.Element]:
    late = sum(line.whole.late for line in result.lines)
    told = (
        f"{len(result.lines) - late} of {count(len(result.lines), 'programme')} can be built in full from the first day"
    )
    if [line.whole.name for line in result.lines] == [NO_PROGRAMME]:
        told = f"The case names no programme; what it wants is told as one, which {'cannot' if late else 'can'} be built in full from the first day"
    tone = doc.Tone.DOUBTFUL if late else doc.Tone.GOOD
    return [doc.sentence(told, tone=tone, strong=True), _programmes(result)]


def _spent(result: Programmes) -> list[doc.Element | None]:
    return [
        _money(result, "Spent by programme", "programme", result.spent.by_programme),
        _money(result, "Spent by place", "place", result.spent.by_place) if _places(result) else None,
        _rest(result),
    ]


def _programmes(result: Programmes) -> doc.Element:
    columns = [doc.Column("programme", whole=True), doc.Column("built in full from", whole=True)]
    columns += [doc.figures("parts late"), doc.figures("of"), doc.Column("held up by")]
    rows = [
        [
            line.whole.name,
            _since(line.whole),
            str(len(line.parts)) if line.of else doc.NOTHING,
            str(line.of) if line.of else doc.NOTHING,
            _short(line),
        ]
        for line in result.lines
    ]
    return doc.section("Programmes", doc.table(columns, rows))


def _since(held: Held) -> str:
    if not held.late:
        return "the start"
    return held.met_from or "never in this plan"


def _short(line: ProgrammeLine) -> str:
    named = [f"{material} ({mass(kilograms)} short)" for material, kilograms in line.short[:MATERIALS]]
    more = len(line.short) - MATERIALS
    return ", ".join([*named, *([f"{more} more"] if more > 0 else [])])


def _late_parts(line: ProgrammeLine, parts: int) -> doc.Section | None:
    if not line.parts or not parts:
        return None
    shown = line.parts[:parts]
    columns = [doc.Column("part", whole=True), doc.Column("built in full from", whole=True), doc.Column("waits for")]
    rows = [[part.name, _since(part), ", ".join(part.held_by)] for part in shown]
    more = len(line.parts) - len(shown)
    rest = doc.sentence(f"{more} more: --parts {len(line.parts)}", tone=doc.Tone.ASIDE) if more else None
    return doc.section(f"Parts of {line.whole.name} that are late", doc.table(columns, rows), rest)


def _places(result: Programmes) -> bool:
    """Return True if places add information: there are several, or one has a budget."""
    lines = result.spent.by_place
    return len({line.name for line in lines}) > 1 or any(line.budget is not None for line in lines)


def _money(result: Programmes, title: str, called: str, lines: Sequence[SpendLine]) -> doc.Section | None:
    """Return spend by year, with budgets if there are any."""
    if not lines:
        return None
    years = sorted({line.year for line in lines})
    names = list(dict.fromkeys(line.name for line in lines))
    of = {(line.name, line.year): line for line in lines}
    columns = [doc.Column(called, whole=True), *(doc.figures(str(year), result.currency) for year in years)]
    budgeted = any(line.budget is not None for line in lines)
    if budgeted:
        columns.append(doc.Column("against the budget"))
    rows = [
        [
            name,
            *(doc.Amount(of[name, year].spent) if (name, year) in of else doc.NOTHING for year in years),
            *([_against(result, [of[name, year] for year in years if (name, year) in of])] if budgeted else []),
        ]
        for name in names
    ]
    zero = Decimal(0)
    series = tuple(
        Series(name, tuple(of[name, year].spent if (name, year) in of else zero for year in years)) for name in names
    )
    chart = Bars(tuple(map(str, years)), series, result.currency)
    return doc.section(
        title, doc.Drawing(title, "Money by the year of the order, not discounted.", chart, doc.table(columns, rows))
    )


def _against(result: Programmes, lines: Sequence[SpendLine]) -> str:
    told = []
    for line in lines:
        if line.budget is not None:
            left = line.budget - line.spent
            what = "left" if left >= 0 else "over"
            told.append(f"{line.year}: {large_money(abs(left), result.currency)} {what}")
    return "; ".join(told)


def _rest(result: Programmes) -> doc.Element | None:
    """Return spend outside of programs. None if less than one unit of money, which is rounding."""
    places = {
        "went into stock that is left at the end": result.spent.stock,
        "belong to no purchase (onboarding, discounts, take-or-pay, holding)": result.spent.others,
    }
    told = [f"{large_money(one, result.currency)} {what}" for what, one in places.items() if abs(one) >= 1]
    return doc.apart(doc.sentence(f"Besides, {' and '.join(told)}.")) if told else None


@dataclass(frozen=True)
class Options:
    """Options of the question."""

    bom: Annotated[
        Path | None,
        Setting("Bill of materials (CSV or XLSX), where the plan's demand is not read from one beside it.", "FILE"),
    ] = None
    budgets: Annotated[Path | None, Setting("Budgets (CSV or XLSX): programme, place, year, amount.", "FILE")] = None
    parts: Annotated[int, Setting("Late parts shown of each programme.", "N", least=0)] = 5


@dataclass(frozen=True, slots=True)
class SpendLine:
    """Undiscounted spend of a program or place in a year."""

    name: str
    year: int
    spent: Decimal
    budget: Decimal | None
    """None if there is no budget."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Money of a plan by program and place."""

    by_programme: tuple[SpendLine, ...]
    by_place: tuple[SpendLine, ...]
    stock: Decimal
    """Spend on stock that is left at the end."""
    others: Decimal
    """Spend that belongs to no purchase (onboarding, discounts settled over a span, take-or-pay, holding), and spend on unused goods."""


@dataclass(frozen=True, slots=True)
class Programmes:
    """Answer to the question."""

    case: str
    currency: str
    bill: str
    """Bill of materials. Empty if unknown."""
    lines: tuple[ProgrammeLine, ...]
    spent: Spent
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {
            "case": self.case,
            "currency": self.currency,
            "bill": self.bill,
            "programmes": [_line_data(line) for line in self.lines],
            "spent": _spent_data(self.spent),
            "notes": list(self.notes),
        }


def _line_data(line: ProgrammeLine) -> dict[str, Any]:
    return {
        "programme": line.whole.name,
        "late": line.whole.late,
        "met_from": line.whole.met_from,
        "held_by": list(line.whole.held_by),
        "parts": line.of,
        "late_parts": [
            {"part": part.name, "met_from": part.met_from, "held_by": list(part.held_by)} for part in line.parts
        ],
        "short_kg": {material: float(kilograms) for material, kilograms in line.short},
    }


def _spent_data(spent: Spent) -> dict[str, Any]:
    def rows(lines: Iterable[SpendLine], called: str) -> list[dict[str, Any]]:
        return [
            {called: one.name, "year": one.year, "spent": float(one.spent)}
            | ({} if one.budget is None else {"budget": float(one.budget)})
            for one in lines
        ]

    return {
        "by_programme": rows(spent.by_programme, "programme"),
        "by_place": rows(spent.by_place, "place"),
        "stock": float(spent.stock),
        "others": float(spent.others),
    }


class ProgrammesQuestion(Question[Options, Programmes]):
    """When programs can be built, which parts delay them, and the spend of each against its budget.

    A program is named by demands under `programme`. Its parts come from the bill of materials that the case reads its demand from.
    """

    name = "programmes"
    options = Options
    doing = "sharing out"
    counted = "demands"

    def check(self, options: Options) -> None:
        missing = [str(path) for path in (options.bom, options.budgets) if path is not None and not path.exists()]
        if missing:
            raise OptionsError("there is no such file", found=", ".join(missing), fix="check the path")

    def ask(self, opened: Opened, options: Options, progress: Progress | None) -> Programmes:
        verified = opened.session.verified
        case = verified.problem.case
        called, bill = _bill(opened, options)
        planned = {demand.id: demand for demand in verified.problem.demands}
        unknown = [rolled.id for rolled in bill if rolled.id not in planned]
        if unknown:
            raise InputError(
                "the bill of materials is not the one that was planned for",
                called,
                found=f"{len(unknown)} demands that the plan has not, as `{unknown[0]}`",
                expected="the bill that the case reads its demand from",
                fix="plan again, or name the bill that the plan was made with: --bom FILE",
            )
        budgets = read_budgets(options.budgets, case.currency) if options.budgets else ()
        lines = programmes(verified, bill)
        notes = list(_moved(bill, planned))
        if not called:
            notes.append("no bill of materials is known, so that parts are not told: --bom FILE")
        spent = _shared(opened, budgets)
        notes.extend(_unused(budgets))
        return Programmes(case.name, case.currency, called, tuple(lines), spent, tuple(notes))

    def document(self, result: Programmes, options: Options) -> Document:
        return programmes_document(result, options.parts)

    def data(self, result: Programmes, options: Options) -> dict[str, object]:
        return result.to_dict()


def _bill(opened: Opened, options: Options) -> tuple[str, Sequence[Rolled]]:
    """Return the bill of materials with its name. Empty if unknown."""
    if options.bom is not None:
        return read_bill(options.bom)
    case = opened.session.problem.case
    named = reader_in(case.demand_from)
    if named is None or named[0] != "bom" or case.folder is None:
        return "", ()
    return read_bill(case.folder / named[1])


def _moved(bill: Sequence[Rolled], planned: Mapping[str, Any]) -> Iterator[str]:
    """Yield demands whose planned quantity differs from the bill, for example because of a scenario."""
    moved = [one.id for one in bill if planned[one.id].spec.per_year != one.kilograms]
    if moved:
        more = f" and {len(moved) - 1} more" if len(moved) > 1 else ""
        yield f"planned with other quantities than the bill of materials states: `{moved[0]}`{more}"


def _shared(opened: Opened, budgets: Sequence[BudgetLine]) -> Spent:
    """Return the money of the plan by program and by place."""
    found = trace_cash(opened.session.verified)
    problem = opened.session.problem
    demands = {demand.id: demand for demand in problem.demands}
    years = [period.start.year for period in problem.case.horizon.periods]

    def added(
        of: Callable[[Any], str], lines: Iterable[BudgetLine], called: Callable[[BudgetLine], str]
    ) -> tuple[SpendLine, ...]:
        totals: dict[tuple[str, int], Fraction] = defaultdict(Fraction)
        for name, money in found.by_demand.items():
            for t, amount in money.items():
                totals[of(demands[name]), years[t]] += amount
        allowed = {(called(line), line.year): line.amount for line in lines}
        return tuple(
            SpendLine(name, year, as_decimal(totals.get((name, year), Fraction(0))), allowed.get((name, year)))
            for name, year in sorted({*totals, *allowed})
        )

    whose = [line for line in budgets if line.programme and not line.place]
    where = [line for line in budgets if line.place and not line.programme]
    return Spent(
        added(lambda demand: programme_of(demand.use.stated), whose, lambda line: line.programme),
        added(lambda demand: demand.use.place.id, where, lambda line: line.place),
        _sum([found.stock]),
        _sum([found.unused, *found.separate.values()]),
    )


def _sum(some: Iterable[Cash]) -> Decimal:
    return as_decimal(sum((amount for cash in some for amount in cash.values()), Fraction(0)))


def _unused(budgets: Sequence[BudgetLine]) -> Iterator[str]:
    """Yield budgets that match no spend."""
    both = sum(1 for line in budgets if bool(line.programme) == bool(line.place))
    if both:
        yield f"{both} budgets name both a programme and a place, or neither, and are not told"
