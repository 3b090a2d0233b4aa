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
from .levers import LEAST, Effect, Floats, PageProgram, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from decimal import Decimal

    from friendshore.session import PartLayout, PartPlan, Session

    from .levers import Offered


Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | float | bool | None"
SOLVER = "HiGHS 1.15.3 as WebAssembly (npm package highs, MIT licence)"
SECONDS = 20
"""Seconds of a search with integer decisions before the page reports the gap of its answer."""


def page(result: Interactive, offered: Offered) -> str:
    """Return the page as text. Equal results give equal bytes."""
    data = json.dumps(_data(result, offered), separators=(",", ":"), allow_nan=False)
    worker = _held("highs/highs.js") + b"\n" + _held("worker.js")
    working = InteractivePart(
        title="Plan anew",
        id="plan-anew",
        fallback="With scripts on, this part of the page plans the case anew after changes to prices, capacities, demand, dates, suppliers and rules.",
        style=_held("page.css").decode(),
        script=_held("page.js").decode(),
        data={
            "plan-anew-data": _packed(data.encode()),
            "plan-anew-worker": _packed(worker),
            "plan-anew-solver": b64encode(_held("highs/highs.wasm.gz")).decode(),
        },
        solves=True,
    )
    told = summary(result)
    return html(doc.document(told.title, *told.parts, not_advice()), working)


def summary(result: Interactive) -> doc.Document:
    """Return a summary of the plan and of the page's levers."""
    if result.offered is None:
        told = doc.sentence(f"No page: {result.refusal}.", tone=doc.Tone.DOUBTFUL)
        return doc.document(f"{result.session.problem.case.name}: no page that plans anew", told)
    problem, verified = result.session.problem, result.session.verified
    currency = problem.case.currency
    short = sorted(verified.plan.short_by_demand.items())
    rows: list[list[doc.Cell]] = [[name, doc.Kilograms(kilograms)] for name, kilograms in short]
    return doc.document(
        f"{problem.case.name}: a plan that can be changed",
        doc.KeyFigures(
            (
                doc.KeyFigure(
                    "Spent",
                    large_money(verified.cost.nominal, currency),
                    f"present value {large_money(verified.cost.total, currency)}",
                ),
                doc.KeyFigure(
                    "What is minimised",
                    rounded_money(verified.cost.objective, currency),
                    "present value of spend and penalties",
                    doc.Tone.ASIDE,
                ),
                doc.KeyFigure("Status", verified.plan.status.value, "verified"),
                doc.KeyFigure("Demands short", f"{len(short)} of {len(problem.demands)}"),
            )
        ),
        doc.section("What is bought", _bought(result)),
        doc.section("What is short", doc.table([doc.Column("demand"), doc.figures("short")], rows)) if rows else None,
        doc.section("What can be changed here", _levers(result.offered), doc.notes(_told(result.offered))),
        doc.section("How an answer is found", doc.notes(_how(result.offered))),
    )


def _bought(result: Interactive) -> doc.DataTable:
    found: dict[tuple[str, str, str], tuple[Decimal, Decimal]] = {}
    for line in result.session.verified.lines:
        facility = line.arc.chained.facility
        key = (line.material, line.arc.chained.offer.id, facility.country)
        so_far = found.get(key)
        kilograms, money = line.quantity, line.total
        found[key] = (kilograms, money) if so_far is None else (so_far[0] + kilograms, so_far[1] + money)
    columns = [doc.Column("material"), doc.Column("offer", whole=True), doc.Column("country"), doc.figures("quantity")]
    columns.append(doc.figures("cost, not discounted", result.session.problem.case.currency))
    rows: list[list[doc.Cell]] = [
        [*key, doc.Kilograms(kilograms), doc.Amount(money)] for key, (kilograms, money) in sorted(found.items())
    ]
    return doc.table(columns, rows)


WHAT = {
    "price": "the price of an offer, multiplied",
    "capacity": "the capacity of a facility, multiplied",
    "demand": "what is wanted, multiplied",
    "delay": "the start of a capacity, later",
    "later": "what is wanted, later",
    "remove": "offers, companies, countries and catalogs, lost from a period on",
    "disable": "rules, switched off",
    "enable": "rules and bills that are not in force, switched on",
    "move": "rules that begin later",
}
"""Kind of lever -> its description in the page."""


def _levers(offered: Offered) -> doc.DataTable:
    rows: list[list[doc.Cell]] = []
    for kind, told in WHAT.items():
        own = [lever for lever in offered.levers if lever.kind == kind]
        if own:
            rows.append([told, str(len({lever.name for lever in own})), str(len(own))])
    return doc.table([doc.Column("what"), doc.Column("of", align="right"), doc.Column("changes", align="right")], rows)


def _told(offered: Offered) -> Iterator[str]:
    more = len(offered.programs) - len(offered.plans)
    if more:
        yield (
            f"{count(len(offered.makes), 'change decides', 'changes decide')} what can be bought at all: the page holds {count(more, 'program')} of their own for these, in which "
            "prices, capacities and demand can be changed too, and losses taken; other rules and dates of the same materials not at the same time."
        )
    apart = sum(len(program.apart) for program in offered.programs)
    if apart:
        yield f"{count(apart, 'pair')} of changes do not add up (a price, and a duty that is a share of it), and are not taken together."
    for why in dict.fromkeys(why for _, why in offered.left_out):
        names = [what for what, own in offered.left_out if own == why]
        yield f"Not offered, because {why}: {', '.join(names)}."


def _how(offered: Offered) -> Iterator[str]:
    yield (
        "Each answer is the optimum of the same program as the command friendshore plan solves after the same change, to the tolerance of the solver; it is not verified again, "
        "and not rounded to whole grams. Before anything hangs on it, plan it with the command that stands below it."
    )
    if any(program.layout.linear.integer.any() for program in offered.programs):
        yield (
            f"Parts with integer decisions (onboarding, orders of a least size, lots) are searched for {SECONDS} s at most; how far an answer may be from the best stands beside it."
        )
    yield "What a change does to the program was tried out when the page was made; what does not move it in proportion is not offered."
    yield f"Solver: {SOLVER}. Nothing leaves the page, and nothing is loaded into it."


def _data(result: Interactive, offered: Offered) -> Json:
    session = result.session
    case = session.problem.case
    offers = sorted({name for lever in offered.levers for name in lever.offers})
    at = {name: number for number, name in enumerate(offers)}
    return {
        "case": result.case,
        "currency": case.currency,
        "gap": session.limits.gap,
        "seconds": SECONDS,
        "least": float(LEAST),
        "resolution": float(case.resolution),
        "periods": [[period.label, str(period.start)] for period in case.horizon.periods],
        "parts": [_plan(one) for one in offered.plans],
        "programs": [_program(one, at) for one in offered.programs],
        "levers": [
            {
                "kind": lever.kind,
                "name": lever.name,
                "title": lever.title,
                "choice": lever.choice,
                "words": lever.words,
                "sized": lever.sized,
                "touches": offered.touches[number],
                "makes": offered.makes.get(number, ()),
                "offers": [at[name] for name in lever.offers],
            }
            for number, lever in enumerate(offered.levers)
        ],
    }


def _called(material: str, offer: str) -> str:
    """Return the name of a purchase from an offer, or of stock from a lot."""
    return f"{material} of {offer}"


def _plan(part: PartPlan) -> Json:
    """Return the verified plan of a part, for comparison with answers."""
    verified = part.verified
    entries = [(entry.material, entry.offer, entry.quantity) for entry in verified.plan.purchases]
    lots = [(entry.material, entry.lot, entry.quantity) for entry in verified.plan.lots]
    bought = totals((_called(material, offer), kilograms) for material, offer, kilograms in [*entries, *lots])
    return {
        "objective": float(verified.cost.objective),
        "priced": float(verified.cost.shortage),
        "bought": {name: float(kilograms) for name, kilograms in sorted(bought.items())},
        "short": {name: float(kilograms) for name, kilograms in sorted(verified.plan.short_by_demand.items())},
    }


def _program(program: PageProgram, offers: Mapping[str, int]) -> Json:
    linear = program.layout.linear
    base = numbers(program.layout)
    return {
        "covers": program.covers,
        "most": float(program.most),
        "constant": linear.constant,
        "cost": linear.cost.tolist(),
        "lower": _ends(linear.lower),
        "upper": _ends(linear.upper),
        "rowLower": _ends(linear.row_lower),
        "rowUpper": _ends(linear.row_upper),
        "starts": linear.entries.indptr.tolist(),
        "indices": linear.entries.indices.tolist(),
        "values": linear.entries.data.tolist(),
        "integer": np.flatnonzero(linear.integer).tolist(),
        **_columns(program.layout, offers),
        "effects": {str(number): _effect(effect, base) for number, effect in program.effects.items()},
        "apart": program.apart,
        "alone": program.alone,
    }


def _columns(layout: PartLayout, offers: Mapping[str, int]) -> dict[str, Json]:
    """Return the columns of purchases and shortages by name, and the columns closed with each offer with their order periods."""
    bought = [(i, c) for i, c in enumerate(layout.columns) if c.kind in ("bought", "set aside")]
    short = [(i, c) for i, c in enumerate(layout.columns) if c.kind == "short"]
    lost = [(i, c) for i, c in enumerate(layout.columns) if c.kind in ("bought", "made") and c.name in offers]
    names = list(dict.fromkeys(_called(c.material, c.name) for _, c in bought))
    place = {name: number for number, name in enumerate(names)}
    demands = list(dict.fromkeys(c.name for _, c in short))
    return {
        "bought": {"columns": [i for i, _ in bought], "of": [place[_called(c.material, c.name)] for _, c in bought]},
        "names": names,
        "short": {"columns": [i for i, _ in short], "of": [demands.index(c.name) for _, c in short]},
        "demands": demands,
        "lost": {
            "columns": [i for i, _ in lost],
            "of": [offers[c.name] for _, c in lost],
            "ordered": [c.ordered for _, c in lost],
        },
    }


def _ends(values: Floats) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.tolist()]


def _effect(effect: Effect, base: Floats) -> Json:
    """Return positions, each as a difference from the previous one, slopes unless they are the value itself, and step."""
    slopes = effect.slopes
    itself = np.abs(slopes - base[effect.positions]) <= 1e-13 * np.abs(slopes)
    told = [None if same else float(f"{slope:.14g}") for slope, same in zip(slopes.tolist(), itself, strict=True)]
    return [np.diff(effect.positions, prepend=0).tolist(), told, effect.step]


def _held(name: str) -> bytes:
    return files(__package__).joinpath(name).read_bytes()


def _packed(held: bytes) -> str:
    return b64encode(gzip.compress(held, 9, mtime=0)).decode()


@dataclass(frozen=True, slots=True, eq=False)
class Interactive:
    """All data of a page."""

    session: Session
    case: str
    """The case and its changes, as arguments of a command line."""
    offered: Offered | None
    """None if there is no page."""
    refusal: str = ""
    """Reason why there is no page."""

    def to_dict(self) -> dict[str, object]:
        """Return the page's capabilities as JSON-ready data."""
        found = self.offered
        return {
            "case": self.session.problem.case.name,
            "refusal": self.refusal,
            "levers": [
                {"kind": lever.kind, "name": lever.name, "choice": lever.choice, "change": lever.words}
                for lever in (found.levers if found else ())
            ],
            "programs": len(found.programs) if found else 0,
            "not_together": sum(len(program.apart) for program in found.programs) if found else 0,
            "left_out": [{"what": what, "why": why} for what, why in (found.left_out if found else ())],
        }
