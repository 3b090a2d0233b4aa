"""Stock in hand and orders already placed: what the plan uses of them, what is left over, what bars it and what would heal that."""

from __future__ import annotations

from collections.abc import Iterator

from ..document.elements import (
    NOTHING,
    Cell,
    Column,
    Kilograms,
    Section,
    Tone,
    figures,
    notes,
    section,
    section_if_any,
    table,
)
from ..document.figures import mass
from ..domain.held import RunHolding, RunHoldingBar, RunHoldingUse
from ..domain.run import Run


def holdings(run: Run) -> Section | None:
    """Every lot with its verdict, and under the table why it is barred from what, and what would heal it."""
    if not run.holdings:
        return None
    columns = [Column("In hand or on order"), Column("Material"), Column("There from")]
    columns += [figures("Quantity"), figures("Used"), figures("Left over"), Column("Verdict")]
    rows = [_row(run, one) for one in run.holdings]
    return section("Stock in hand and orders placed", table(columns, rows), notes(_barred_lines(run)))


def _row(run: Run, one: RunHolding) -> list[Cell]:
    """A lot: name, material, day, kilograms in all, used and left, verdicts."""
    return [
        one.lot,
        one.material,
        one.arrives if one.arrives is not None else "in hand",
        Kilograms(one.quantity_kg),
        Kilograms(one.used_kg) if one.used_kg else NOTHING,
        Kilograms(one.left_kg) if one.left_kg else NOTHING,
        _verdicts(run, one) or "no demand could take it",
    ]


def barred(run: Run) -> Section | None:
    """What is paid for and may serve nothing, for those who read no further than the status."""
    return section_if_any("Paid for, and barred from all that wants it", notes(barred_texts(run), Tone.DOUBTFUL))


def barred_texts(run: Run) -> Iterator[str]:
    """One sentence a lot that no use may take."""
    for one in run.holdings:
        wanted = [use for use in one.uses if use.verdict != "not wanted"]
        if wanted and all(use.verdict == "barred" for use in wanted):
            rules = ", ".join(dict.fromkeys(bar.rule for use in wanted for bar in use.bars))
            what = f"the order {one.lot}" if one.kind == "order" else f"the stock {one.lot}"
            yield f"{what}, {mass(one.quantity_kg)} of {one.material}: {rules}"


def _verdicts(run: Run, one: RunHolding) -> str:
    """Its verdicts; uses with the same together."""
    found: dict[str, list[str]] = {}
    for use in one.uses:
        found.setdefault(_verdict(use), []).append(_for(run, one, use))
    return "; ".join(f"{verdict} for {' and '.join(dict.fromkeys(uses))}" for verdict, uses in found.items())


def _verdict(use: RunHoldingUse) -> str:
    if use.verdict == "may be used in part of the time":
        first, last = use.periods[0], use.periods[-1]
        return f"may be used in {first}" if first == last else f"may be used from {first} to {last}"
    return use.verdict


def _for(run: Run, one: RunHolding, use: RunHoldingUse) -> str:
    made = "" if use.demand_material == one.material else f" {use.demand_material}"
    place = "" if use.place == run.place else f" at {use.place}"
    return f"{use.end_use}{made}{place}"


def _barred_lines(run: Run) -> Iterator[str]:
    """Every rule that bars a lot, once for all uses it is barred from: since when, why, and what would heal it."""
    titles = {rule.id: rule.title or rule.sentence for rule in run.rules}
    for one in run.holdings:
        found: dict[tuple[str, str, str], tuple[RunHoldingBar, list[str]]] = {}
        for use in one.uses:
            for bar in use.bars:
                _, uses = found.setdefault((bar.rule, _days(run, bar), bar.heals), (bar, []))
                uses.append(_for(run, one, use))
        for (rule, days, heals), (bar, uses) in found.items():
            named = f"{rule} ({titles[rule].rstrip('.')})" if titles.get(rule) else rule
            yield f"{one.lot} for {' and '.join(dict.fromkeys(uses))}: barred {days} by {named}{_why(bar)}. Healed by {heals}."


def _why(bar: RunHoldingBar) -> str:
    """What the rule finds against it."""
    if bar.unproven:
        return f": {bar.reason}"
    done = f"{bar.stage} in" if bar.stage else "out of"
    return f": {done} {', '.join(bar.countries)}" if bar.countries else ""


def _days(run: Run, bar: RunHoldingBar) -> str:
    start = "from the start" if bar.start == run.periods[0].start else f"from {bar.start}"
    return f"{start} to {bar.end}" if bar.end else f"{start} on"
