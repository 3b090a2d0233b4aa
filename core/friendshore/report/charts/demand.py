"""What part of each demand is delivered."""

from __future__ import annotations

from decimal import Decimal

from ...document import charts
from ...document import elements as doc
from ...document.figures import mass, percent
from ...domain.run import Run, RunDemand
from ..demand import for_whom, met_from

DEMANDS = 60
"""Demands that are drawn."""
_HUNDRED = Decimal(100)


def met_drawing(run: Run, table: doc.DataTable) -> doc.Drawing:
    """A rung a demand: how much of it is delivered over the plan, beside the table that says why not more."""
    kept = sorted(run.demands, key=lambda one: not one.short_kg)[:DEMANDS]
    told = "The part of each demand that is delivered over the whole plan, in per cent of what is wanted; what is short comes first."
    return doc.Drawing(
        "Part of each demand that is delivered", told, charts.Ladder(tuple(_rung(run, one) for one in kept), "%"), table
    )


def _rung(run: Run, one: RunDemand) -> charts.Rung:
    name = f"{one.material} for {for_whom(run, one)}"
    if not one.wanted_kg:
        return charts.Rung(name, None, "nothing is wanted")
    part = one.delivered_kg / one.wanted_kg
    tone = doc.Tone.GOOD if not one.short_kg else doc.Tone.DOUBTFUL if one.delivered_kg else doc.Tone.BAD
    short = f", {mass(one.short_kg)} short, met from: {met_from(one)}" if one.short_kg else ""
    return charts.Rung(
        name,
        part * _HUNDRED,
        f"{percent(part)} of {mass(one.wanted_kg)}{short}",
        tone,
    )
