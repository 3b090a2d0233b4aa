"""What part of each demand is delivered."""

from __future__ import annotations

from decimal import Decimal

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import count, percent
from friendshore.domain.run import Run, RunDemand
from friendshore.questions.wording import mass_of
from friendshore.report.demand import for_whom, met_from
from friendshore.report.ground import few

DEMANDS = 60
"""Demands that are drawn."""
MET = 5
"""Demands met in full up to which each has a rung of its own."""
_HUNDRED = Decimal(100)


def met_drawing(run: Run, table: doc.DataTable) -> doc.Drawing:
    """A rung a demand: how much of it is delivered over the plan, beside the table that says why not more. Where many are met in full, one rung for them."""
    kept = sorted(run.demands, key=lambda one: not one.short_kg)
    met = [one for one in kept if not one.short_kg]
    folded = len(met) if len(met) > MET else 0
    rungs = [_rung(run, one) for one in kept[: len(kept) - folded][:DEMANDS]]
    if folded:
        names = few([f"{run.names.material(one.material)} for {for_whom(run, one)}" for one in met])
        rungs.append(charts.Rung(count(folded, "met in full", "met in full"), _HUNDRED, names, doc.Tone.GOOD))
    told = "The part of each demand that is delivered over the whole plan, in per cent of what is wanted; what is short comes first."
    return doc.Drawing("Part of each demand that is delivered", told, charts.Ladder(tuple(rungs), "%"), table)


def _rung(run: Run, one: RunDemand) -> charts.Rung:
    name = f"{run.names.material(one.material)} for {for_whom(run, one)}"
    if not one.wanted_kg:
        return charts.Rung(name, None, "nothing is wanted")
    part = one.delivered_kg / one.wanted_kg
    tone = doc.Tone.GOOD if not one.short_kg else doc.Tone.DOUBTFUL if one.delivered_kg else doc.Tone.BAD
    short = (
        f", {mass_of(run.names, one.material, one.short_kg)} short, met from: {met_from(one)}" if one.short_kg else ""
    )
    return charts.Rung(
        name,
        part * _HUNDRED,
        f"{percent(part)} of {mass_of(run.names, one.material, one.wanted_kg)}{short}",
        tone,
    )
