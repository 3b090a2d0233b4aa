"""The page: what it says of the plan, and all that it needs to plan anew."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money
from friendshore.document.html import Working, html
from friendshore.domain.base import totals

from .levers import Floats, PageLever

if TYPE_CHECKING:
    from .question import Interactive, Situation

SOLVER = "HiGHS 1.15.3 as WebAssembly (npm `highs`, MIT licence)"


def page(result: Interactive) -> str:
    """The page as text; equal results give equal bytes."""
    data = json.dumps(_data(result), separators=(",", ":"), allow_nan=False)
    worker = _held("highs/highs.js") + b"\n" + _held("worker.js")
    working = Working(
        title="Plan anew",
        id="plan-anew",
        told="With scripts on, this part of the page plans the case anew after changes to prices, capacities, demand, suppliers and rules.",
        style=_held("page.css").decode(),
        script=_held("page.js").decode(),
        data={
            "plan-anew-data": _packed(data.encode()),
            "plan-anew-worker": _packed(worker),
            "plan-anew-solver": b64encode(_held("highs/highs.wasm.gz")).decode(),
        },
        solves=True,
    )
    return html(summary(result), working)


def summary(result: Interactive) -> doc.Document:
    """The plan in short, and what the page can change."""
    if result.refusal:
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
                doc.KeyFigure("Spent", large_money(verified.cost.total, currency), "discounted"),
                doc.KeyFigure(
                    "What is minimised", large_money(verified.cost.objective, currency), "with shortage at its price"
                ),
                doc.KeyFigure("Status", verified.plan.status.value, "verified"),
                doc.KeyFigure("Demands short", f"{len(short)} of {len(problem.demands)}"),
            )
        ),
        doc.section("What is bought", _bought(result)),
        doc.section("What is short", doc.table([doc.Column("demand"), doc.figures("short")], rows)) if rows else None,
        doc.section("What can be changed here", doc.notes(_told(one) for one in result.situations)),
        doc.section(
            "How an answer is found",
            doc.notes(
                (
                    "Each answer is the optimum of the same program as `friendshore plan` solves after the same change, to the tolerance of the solver; it is not verified again, "
                    "and not rounded to whole grams. Before anything hangs on it, plan it with the command that stands below it.",
                    "What a change does to the program was tried out when the page was made; what does not move it in proportion is not offered.",
                    f"Solver: {SOLVER}. Nothing leaves the page, and nothing is loaded into it.",
                )
            ),
        ),
    )


def _bought(result: Interactive) -> doc.DataTable:
    found: dict[tuple[str, str, str], Any] = {}
    for line in result.session.verified.lines:
        facility = line.item.arc.chained.facility
        key = (line.item.entry.material, line.item.arc.chained.offer.id, facility.country)
        kilograms, money = found.get(key, (0, 0))
        found[key] = (kilograms + line.item.entry.quantity, money + line.total)
    columns = [doc.Column("material"), doc.Column("offer", whole=True), doc.Column("country"), doc.figures("quantity")]
    columns.append(doc.figures("cost, not discounted", result.session.problem.case.currency))
    rows: list[list[doc.Cell]] = [
        [*key, doc.Kilograms(kilograms), doc.Amount(money)] for key, (kilograms, money) in sorted(found.items())
    ]
    return doc.table(columns, rows)


def _told(situation: Situation) -> str:
    levers = situation.levers
    kinds = [
        (kind, sum(lever.kind == kind for lever in levers.levers))
        for kind in sorted({lever.kind for lever in levers.levers})
    ]
    told = ", ".join(f"{kind} {number}" for kind, number in kinds)
    apart = (
        f"; {count(len(levers.apart), 'pair')} of these do not add up, and are not taken together"
        if levers.apart
        else ""
    )
    left = f". Not offered, because it is not exact: {', '.join(levers.left_out)}" if levers.left_out else ""
    return f"Rules {situation.title}: {told}{apart}{left}"


def _data(result: Interactive) -> dict[str, Any]:
    problem = result.session.problem
    return {
        "case": result.path,
        "currency": problem.case.currency,
        "periods": problem.case.horizon.count,
        "resolution": float(problem.case.resolution),
        "demands": [demand.id for demand in problem.demands],
        "plan": _plan(result),
        "situations": [_situation(one) for one in result.situations],
    }


def _called(material: str, offer: str) -> str:
    """What is bought of an offer, or set aside of a lot."""
    return f"{material} of {offer}"


def _plan(result: Interactive) -> dict[str, Any]:
    """What answers stand beside: the verified plan."""
    verified = result.session.verified
    entries = [(entry.material, entry.offer, entry.quantity) for entry in verified.plan.purchases]
    lots = [(entry.material, entry.lot, entry.quantity) for entry in verified.plan.lots]
    bought = totals((_called(material, offer), kilograms) for material, offer, kilograms in [*entries, *lots])
    return {
        "objective": float(verified.cost.objective),
        "priced": float(verified.cost.shortage),
        "bought": {name: float(kilograms) for name, kilograms in sorted(bought.items())},
        "short": {name: float(kilograms) for name, kilograms in sorted(verified.plan.short_by_demand.items())},
    }


def _situation(situation: Situation) -> dict[str, Any]:
    levers = situation.levers
    linear, columns, problem = levers.linear, levers.program.columns, levers.program.problem
    arcs = [problem.network.arcs[arc] for arc in problem.moves.arc[columns.buy_move].tolist()]
    bought = [_called(arc.node[0], arc.chained.offer.id if arc.lot < 0 else problem.lots[arc.lot].id) for arc in arcs]
    names = list(dict.fromkeys(bought))
    return {
        "title": situation.title,
        "change": situation.change,
        "cost": linear.cost.tolist(),
        "lower": _ends(linear.lower),
        "upper": _ends(linear.upper),
        "rowLower": _ends(linear.row_lower),
        "rowUpper": _ends(linear.row_upper),
        "starts": linear.entries.indptr.tolist(),
        "indices": linear.entries.indices.tolist(),
        "values": linear.entries.data.tolist(),
        "buy": columns.buy.tolist(),
        "groupNames": names,
        "groups": [names.index(name) for name in bought],
        "short": int(columns.short),
        "levers": [_lever(lever) for lever in levers.levers],
        "apart": [list(pair) for pair in levers.apart],
    }


def _ends(values: Floats) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.tolist()]


def _lever(lever: PageLever) -> dict[str, Any]:
    return {
        "kind": lever.kind,
        "name": lever.name,
        "title": lever.title,
        "sized": lever.has_size,
        "step": lever.step,
        "positions": lever.positions.tolist(),
        "slopes": lever.slopes.tolist(),
        "columns": lever.columns.tolist(),
    }


def _held(name: str) -> bytes:
    return files(__package__).joinpath(name).read_bytes()


def _packed(held: bytes) -> str:
    """Compressed, without the time of day; as text."""
    return b64encode(gzip.compress(held, 9, mtime=0)).decode()
