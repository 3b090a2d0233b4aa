"""The question `programmes`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from friendshore.domain.base import as_decimal
from friendshore.errors import InputError
from friendshore.explain.spending import Money, spending
from friendshore.questions import OptionsError, Question, Setting
from friendshore.readers import reader_in

from .bill import Rolled, read_bill
from .budgets import BudgetLine, read_budgets
from .built import ProgrammeLine, programme_of, programmes

if TYPE_CHECKING:
    from friendshore.document.elements import Document
    from friendshore.questions import Opened, Progress


@dataclass(frozen=True)
class Options:
    """What can be set."""

    bom: Annotated[
        Path | None,
        Setting("Bill of materials (CSV or XLSX), where the plan's demand is not read from one beside it.", "FILE"),
    ] = None
    budgets: Annotated[Path | None, Setting("Budgets (CSV or XLSX): programme, place, year, amount.", "FILE")] = None
    parts: Annotated[int, Setting("Late parts shown of each programme.", "N", least=0)] = 5


@dataclass(frozen=True, slots=True)
class SpendLine:
    """What is spent in a year, undiscounted, on a programme or at a place."""

    name: str
    year: int
    spent: Decimal
    budget: Decimal | None
    """None: there is none."""


@dataclass(frozen=True, slots=True)
class Spent:
    """The money of a plan, by who it is spent for."""

    by_programme: tuple[SpendLine, ...]
    by_place: tuple[SpendLine, ...]
    stock: Decimal
    """On what is left in stock at the end."""
    others: Decimal
    """On what belongs to no purchase: onboarding, discounts settled over a span, take-or-pay, holding."""


@dataclass(frozen=True, slots=True)
class Programmes:
    """The answer."""

    case: str
    currency: str
    bill: str
    """The bill of materials; empty: none is known."""
    lines: tuple[ProgrammeLine, ...]
    spent: Spent
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "case": self.case,
            "currency": self.currency,
            "bill": self.bill,
            "programmes": [_line(line) for line in self.lines],
            "spent": _spent(self.spent),
            "notes": list(self.notes),
        }


def _line(line: ProgrammeLine) -> dict[str, Any]:
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


def _spent(spent: Spent) -> dict[str, Any]:
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
    """Which programmes can be built from when, which parts hold them up, and what each spends against its budget.

    A programme is what demands state under `programme`. Parts are those of the bill of materials that the case reads its demand from.
    """

    name = "programmes"
    options = Options
    doing = "sharing out"
    counted = "demands"

    def check(self, options: Options) -> None:
        """Files that are not there."""
        missing = [str(path) for path in (options.bom, options.budgets) if path is not None and not path.exists()]
        if missing:
            raise OptionsError("there is no such file", found=", ".join(missing), fix="check the path")

    def ask(self, opened: Opened, options: Options, progress: Progress | None) -> Programmes:
        """The answer; nothing is planned for it."""
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
        """Programmes, their late parts, and money."""
        from .document import programmes_document

        return programmes_document(result, options.parts)

    def screen(self, result: Programmes, options: Options) -> Document:
        """The same, late parts last."""
        from .document import programmes_screen

        return programmes_screen(result, options.parts)

    def data(self, result: Programmes, options: Options) -> dict[str, object]:
        """All of it, whatever is shown."""
        return result.to_dict()


def _bill(opened: Opened, options: Options) -> tuple[str, Sequence[Rolled]]:
    """The bill of materials, and what it is called; none where none is known."""
    if options.bom is not None:
        return read_bill(options.bom)
    case = opened.session.problem.case
    named = reader_in(case.demand_from)
    if named is None or named[0] != "bom" or case.folder is None:
        return "", ()
    return read_bill(case.folder / named[1])


def _moved(bill: Sequence[Rolled], planned: Mapping[str, Any]) -> Iterator[str]:
    """Demands that the plan was made with another quantity of than the bill says, as by a scenario."""
    moved = [one.id for one in bill if planned[one.id].spec.per_year != one.kilograms]
    if moved:
        more = f" and {len(moved) - 1} more" if len(moved) > 1 else ""
        yield f"planned with other quantities than the bill of materials states: `{moved[0]}`{more}"


def _shared(opened: Opened, budgets: Sequence[BudgetLine]) -> Spent:
    """The money of the plan by programme and by place."""
    found = spending(opened.session.verified)
    demands = {demand.id: demand for demand in opened.session.problem.demands}

    def added(
        of: Callable[[Any], str], lines: Iterable[BudgetLine], called: Callable[[BudgetLine], str]
    ) -> tuple[SpendLine, ...]:
        totals: dict[tuple[str, int], Fraction] = defaultdict(Fraction)
        for name, money in found.by_demand.items():
            for year, amount in money.items():
                totals[of(demands[name]), year] += amount
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
        _sum(found.left),
        as_decimal(found.others),
    )


def _sum(money: Money) -> Decimal:
    return as_decimal(sum(money.values(), Fraction(0)))


def _unused(budgets: Sequence[BudgetLine]) -> Iterator[str]:
    """Budgets that nothing is held against."""
    both = sum(1 for line in budgets if bool(line.programme) == bool(line.place))
    if both:
        yield f"{both} budgets name both a programme and a place, or neither, and are not told"
