"""The question `interactive` and its page, with everything to plan again in the browser."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, rounded_money
from friendshore.domain.base import totals
from friendshore.report import not_advice

from ..html import InteractivePart, html
from .levers import MIN_FACTOR, Effect, Floats, PageProgram, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from decimal import Decimal

    from friendshore.session import PartLayout, PartPlan, Session

    from .levers import OfferedLevers


Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | float | bool | None"
SOLVER = "HiGHS 1.15.3 as WebAssembly (npm package highs, MIT license)"
SECONDS = 20


def page(result: Interactive, offered: OfferedLevers) -> str:
    """Return the page as text. Equal results give equal bytes."""
    data = json.dumps(_page_data(result, offered), separators=(",", ":"), allow_nan=False)
    worker = _package_file("highs/highs.js") + b"\n" + _package_file("worker.js")
    interactive = InteractivePart(
        title="Plan again",
        id="plan-again",
        fallback="If scripts are enabled, this part of the page plans the case again after changes to prices, capacities, demand, dates, suppliers, and rules.",
        style=_package_file("page.css").decode(),
        script=_package_file("page.js").decode(),
        data={
            "plan-again-data": _compressed(data.encode()),
            "plan-again-worker": _compressed(worker),
            "plan-again-solver": b64encode(_package_file("highs/highs.wasm.gz")).decode(),
        },
        solves=True,
    )
    document = summary(result)
    return html(doc.document(document.title, *document.parts, not_advice()), interactive)


def summary(result: Interactive) -> doc.Document:
    if result.offered is None:
        sentence = doc.sentence(f"No page: {result.refusal}.", tone=doc.Tone.DOUBTFUL)
        return doc.document(f"{result.session.problem.case.name}: no interactive page", sentence)
    problem, verified = result.session.problem, result.session.verified
    currency = problem.case.currency
    short = sorted(verified.plan.short_by_demand.items())
    rows: list[list[doc.Cell]] = [[name, doc.Kilograms(kilograms)] for name, kilograms in short]
    return doc.document(
        f"{problem.case.name}: an interactive plan",
        doc.KeyFigures(
            (
                doc.KeyFigure(
                    "Spent",
                    large_money(verified.cost.nominal, currency),
                    f"present value {large_money(verified.cost.total, currency)}",
                ),
                doc.KeyFigure(
                    "Objective",
                    rounded_money(verified.cost.objective, currency),
                    "present value of spend and penalties",
                    doc.Tone.ASIDE,
                ),
                doc.KeyFigure("Status", verified.plan.status.value, "verified"),
                doc.KeyFigure("Short demands", f"{len(short)} of {len(problem.demands)}"),
            )
        ),
        doc.section("Purchases", _purchases_table(result)),
        doc.section("Shortages", doc.table([doc.Column("demand"), doc.figures("short")], rows)) if rows else None,
        doc.section("Possible changes", _levers_table(result.offered), doc.notes(_notes(result.offered))),
        doc.section("How answers are computed", doc.notes(_solving_notes(result.offered))),
    )


def _purchases_table(result: Interactive) -> doc.DataTable:
    totals_by_key: dict[tuple[str, str, str], tuple[Decimal, Decimal]] = {}
    for line in result.session.verified.lines:
        facility = line.arc.chained.facility
        key = (line.material, line.arc.chained.offer.id, facility.country)
        total = totals_by_key.get(key)
        kilograms, money = line.quantity, line.total
        totals_by_key[key] = (kilograms, money) if total is None else (total[0] + kilograms, total[1] + money)
    columns = [doc.Column("material"), doc.Column("offer", whole=True), doc.Column("country"), doc.figures("quantity")]
    columns.append(doc.figures("cost, not discounted", result.session.problem.case.currency))
    rows: list[list[doc.Cell]] = [
        [*key, doc.Kilograms(kilograms), doc.Amount(money)] for key, (kilograms, money) in sorted(totals_by_key.items())
    ]
    return doc.table(columns, rows)


KIND_TEXTS = {
    "price": "price of an offer, multiplied",
    "capacity": "capacity of a facility, multiplied",
    "demand": "demand, multiplied",
    "delay": "later start of a capacity",
    "later": "later demand",
    "remove": "loss of an offer, company, country, or catalog from a period on",
    "disable": "rules off",
    "enable": "rules and bills that aren't in force, on",
    "move": "later start of a rule",
}


def _levers_table(offered: OfferedLevers) -> doc.DataTable:
    rows: list[list[doc.Cell]] = []
    for kind, text in KIND_TEXTS.items():
        levers = [lever for lever in offered.levers if lever.kind == kind]
        if levers:
            rows.append([text, str(len({lever.name for lever in levers})), str(len(levers))])
    return doc.table(
        [doc.Column("kind of change"), doc.Column("subjects", align="right"), doc.Column("changes", align="right")],
        rows,
    )


def _notes(offered: OfferedLevers) -> Iterator[str]:
    variants = len(offered.programs) - len(offered.plans)
    if variants:
        yield (
            f"{count(len(offered.programs_by_lever), 'change affects', 'changes affect')} what can be bought at all and {'has' if len(offered.programs_by_lever) == 1 else 'have'} "
            f"{count(variants, 'separate program')}. You can combine each with prices, capacities, demand, and losses, but not with other rules and dates of the same materials."
        )
    conflicts = sum(len(program.conflicts) for program in offered.programs)
    if conflicts:
        yield f"{count(conflicts, 'pair')} of changes can't be combined, because their effects don't add up (such as a price and a duty on it)."
    for reason in dict.fromkeys(reason for _, reason in offered.left_out):
        names = [change for change, own_reason in offered.left_out if own_reason == reason]
        yield f"Not offered because {reason}: {', '.join(names)}."


def _solving_notes(offered: OfferedLevers) -> Iterator[str]:
    yield (
        "Each answer is the optimum of the program that friendshore plan solves after the same change, within the solver's tolerance. It is neither verified nor rounded to whole grams. "
        "Before you rely on it, run the command below it."
    )
    if any(program.layout.linear.integer.any() for program in offered.programs):
        yield (
            f"Parts with integer decisions (onboarding, minimum orders, lots) are searched for at most {SECONDS} s. The page shows how far an answer may be from the best one."
        )
    yield "friendshore tested the effect of each change on the program when it made the page. It offers only changes with a proportional effect."
    yield f"Solver: {SOLVER}. The page sends and loads nothing."


def _page_data(result: Interactive, offered: OfferedLevers) -> Json:
    session = result.session
    case = session.problem.case
    offers = sorted({name for lever in offered.levers for name in lever.offers})
    offer_numbers = {name: number for number, name in enumerate(offers)}
    return {
        "case": result.case,
        "currency": case.currency,
        "gap": session.limits.gap,
        "seconds": SECONDS,
        "minFactor": float(MIN_FACTOR),
        "resolution": float(case.resolution),
        "periods": [[period.label, str(period.start)] for period in case.horizon.periods],
        "parts": [_plan_data(item) for item in offered.plans],
        "programs": [_program_data(item, offer_numbers) for item in offered.programs],
        "levers": [
            {
                "kind": lever.kind,
                "name": lever.name,
                "title": lever.title,
                "choice": lever.choice,
                "optionText": lever.option_text,
                "hasFactor": lever.has_factor,
                "affectedParts": offered.affected_parts[number],
                "newPrograms": offered.programs_by_lever.get(number, ()),
                "offers": [offer_numbers[name] for name in lever.offers],
            }
            for number, lever in enumerate(offered.levers)
        ],
    }


def _purchase_name(material: str, offer: str) -> str:
    return f"{material} of {offer}"


def _plan_data(part: PartPlan) -> Json:
    verified = part.verified
    entries = [(entry.material, entry.offer, entry.quantity) for entry in verified.plan.purchases]
    lots = [(entry.material, entry.lot, entry.quantity) for entry in verified.plan.lots]
    bought = totals((_purchase_name(material, offer), kilograms) for material, offer, kilograms in [*entries, *lots])
    return {
        "objective": float(verified.cost.objective),
        "priced": float(verified.cost.shortage),
        "bought": {name: float(kilograms) for name, kilograms in sorted(bought.items())},
        "short": {name: float(kilograms) for name, kilograms in sorted(verified.plan.short_by_demand.items())},
    }


def _program_data(program: PageProgram, offers: Mapping[str, int]) -> Json:
    linear = program.layout.linear
    base = numbers(program.layout)
    return {
        "covers": program.covers,
        "maxFactor": float(program.max_factor),
        "constant": linear.constant,
        "cost": linear.cost.tolist(),
        "lower": _finite_or_none(linear.lower),
        "upper": _finite_or_none(linear.upper),
        "rowLower": _finite_or_none(linear.row_lower),
        "rowUpper": _finite_or_none(linear.row_upper),
        "starts": linear.entries.indptr.tolist(),
        "indices": linear.entries.indices.tolist(),
        "values": linear.entries.data.tolist(),
        "integer": np.flatnonzero(linear.integer).tolist(),
        **_column_data(program.layout, offers),
        "effects": {str(number): _effect_data(effect, base) for number, effect in program.effects.items()},
        "conflicts": program.conflicts,
        "exclusive": program.is_exclusive,
    }


def _column_data(layout: PartLayout, offers: Mapping[str, int]) -> dict[str, Json]:
    """Return the columns of purchases and shortages by name, and the columns closed with each offer with their order periods."""
    bought = [(i, c) for i, c in enumerate(layout.columns) if c.kind in ("bought", "set aside")]
    short = [(i, c) for i, c in enumerate(layout.columns) if c.kind == "short"]
    loss_columns = [(i, c) for i, c in enumerate(layout.columns) if c.kind in ("bought", "made") and c.name in offers]
    names = list(dict.fromkeys(_purchase_name(c.material, c.name) for _, c in bought))
    name_numbers = {name: number for number, name in enumerate(names)}
    demands = list(dict.fromkeys(c.name for _, c in short))
    return {
        "bought": {
            "columns": [i for i, _ in bought],
            "of": [name_numbers[_purchase_name(c.material, c.name)] for _, c in bought],
        },
        "names": names,
        "short": {"columns": [i for i, _ in short], "of": [demands.index(c.name) for _, c in short]},
        "demands": demands,
        "lost": {
            "columns": [i for i, _ in loss_columns],
            "of": [offers[c.name] for _, c in loss_columns],
            "ordered": [c.ordered for _, c in loss_columns],
        },
    }


def _finite_or_none(values: Floats) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.tolist()]


def _effect_data(effect: Effect, base: Floats) -> Json:
    """Return positions, each as a difference from the previous one, slopes (None if equal to the number itself), and step."""
    slopes = effect.slopes
    equals_number = np.abs(slopes - base[effect.positions]) <= 1e-13 * np.abs(slopes)
    sent_slopes = [
        None if is_equal else float(f"{slope:.14g}")
        for slope, is_equal in zip(slopes.tolist(), equals_number, strict=True)
    ]
    return [np.diff(effect.positions, prepend=0).tolist(), sent_slopes, effect.step]


def _package_file(name: str) -> bytes:
    return files(__package__).joinpath(name).read_bytes()


def _compressed(data: bytes) -> str:
    return b64encode(gzip.compress(data, 9, mtime=0)).decode()


@dataclass(frozen=True, slots=True, eq=False)
class Interactive:
    """All data of a page."""

    session: Session
    case: str
    """The case and its changes, as arguments of a command line."""
    offered: OfferedLevers | None
    """None if there is no page."""
    refusal: str = ""

    def to_dict(self) -> dict[str, object]:
        offered = self.offered
        return {
            "case": self.session.problem.case.name,
            "refusal": self.refusal,
            "levers": [
                {"kind": lever.kind, "name": lever.name, "choice": lever.choice, "change": lever.option_text}
                for lever in (offered.levers if offered else ())
            ],
            "programs": len(offered.programs) if offered else 0,
            "not_together": sum(len(program.conflicts) for program in offered.programs) if offered else 0,
            "left_out": [{"what": change, "why": reason} for change, reason in (offered.left_out if offered else ())],
        }
