"""A program as text: columns by meaning, and rows by owner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from friendshore.problem import Problem
from friendshore.program import Program, compile_program


def written(problem: Problem) -> list[str]:
    """Return one line per column and one per row."""
    program = compile_program(problem)
    names = _names(program)
    linear = program.linear
    lines = []
    for column, name in enumerate(names):
        kind = "whole " if linear.integer[column] else ""
        lines.append(f"{name}: {kind}{linear.lower[column]:g} to {linear.upper[column]:g} at {linear.cost[column]:g}")
    for row, owner in enumerate(_owners(program)):
        lines.append(f"[{owner}] {_row(program, row, names)}")
    for rank, goal in enumerate(program.goals, 1):
        sum_ = _sum(zip(np.flatnonzero(goal.cost).tolist(), goal.cost[goal.cost != 0].tolist(), strict=True), names)
        within = f", later no more than {goal.within:.0%} above it" if goal.within else ""
        lines.append(f"level {rank}: least {sum_}{within}")
    return lines


def _owners(program: Program) -> Iterator[str]:
    ends = [first for first, _ in program.owners[1:]] + [program.linear.entries.shape[0]]
    for (first, owner), end in zip(program.owners, ends, strict=True):
        yield from [owner] * (end - first)


def _row(program: Program, row: int, names: list[str]) -> str:
    linear = program.linear
    entries = linear.entries[np.array([row])]
    terms = _sum(sorted(zip(entries.indices.tolist(), entries.data.tolist(), strict=True)), names)
    low, high = linear.row_lower[row], linear.row_upper[row]
    if low == high:
        return f"{terms or '0'} = {low:g}"
    left = "" if low == float("-inf") else f"{low:g} <= "
    right = "" if high == float("inf") else f" <= {high:g}"
    return f"{left}{terms or '0'}{right}"


def _sum(entries: Iterable[tuple[int, float]], names: list[str]) -> str:
    return " ".join(
        f"{'+' if value > 0 else '-'} {'' if abs(value) == 1 else f'{abs(value):g} '}({names[column]})"
        for column, value in entries
    )


def _names(program: Program) -> list[str]:
    """Return the meaning of every column. Columns that limit rules add are numbered."""
    problem, columns = program.problem, program.columns
    label = problem.case.horizon.label
    names = [""] * len(program.linear.cost)
    for position, column in enumerate(columns.buy):
        move = columns.buy_move[position]
        arc = problem.network.arcs[int(problem.moves.arc[move])]
        what = arc.chained.offer.id if arc.lot < 0 else f"lot {problem.lots[arc.lot].id}"
        several = f" {arc.node[0]}" if len(arc.chained.offer.outputs) > 1 else ""
        under = f" under {'+'.join(columns.buy_licenses[position])}" if position in columns.buy_licenses else ""
        days = dict.fromkeys((label(int(problem.moves.ordered[move])), label(int(problem.moves.delivered[move]))))
        place = arc.node[1]
        compliance_class = _class_label(columns.buy_compliance_class[position])
        names[column] = f"buy {what}{several} to {place} for {compliance_class} {' to '.join(days)}{under}"
    for (offer, compliance_class, t), column in columns.make.items():
        names[column] = f"make {problem.offers[offer].offer.id} for {_class_label(compliance_class)} {label(t)}"
    for (offer, output, t, giver, taker), column in columns.transfer.items():
        line = problem.offers[offer].offer.outputs[output]
        names[column] = (
            f"lend {line.material} of {problem.offers[offer].offer.id} {_class_label(giver)} to {_class_label(taker)} {label(t)}"
        )
    for (node, compliance_class), first in columns.stock.items():
        material, place = problem.network.nodes[node]
        for t in range(problem.case.horizon.count):
            names[first + t] = f"hold {material} at {place} for {_class_label(compliance_class)} {label(t)}"
    for column, (demand, t, compliance_class, waivers) in zip(columns.deliver, columns.deliver_key, strict=True):
        under = f" under {'+'.join(waivers)}" if waivers else ""
        names[column] = f"deliver {problem.demands[demand].id} {label(t)} for {_class_label(compliance_class)}{under}"
    for (demand, compliance_class, _, day), column in columns.late.items():
        names[column] = f"use {problem.demands[demand].id} from {day} for {_class_label(compliance_class)}"
    for d, facts in enumerate(problem.demands):
        for t in range(problem.case.horizon.count):
            names[columns.short + d * problem.case.horizon.count + t] = f"short {facts.id} {label(t)}"
    for lot, column in columns.rest.items():
        names[column] = f"rest of {problem.lots[lot].id}"
    _name_orders(program, names)
    _name_tiers(program, names)
    _number(program, names)
    return names


def _name_orders(program: Program, names: list[str]) -> None:
    problem, columns, label = program.problem, program.columns, program.problem.case.horizon.label
    for offer, column in columns.onboard.items():
        names[column] = f"onboard {problem.offers[offer].offer.id}"
    for (offer, t), column in columns.order.items():
        names[column] = f"order {problem.offers[offer].offer.id} {label(t)}"
    for span, column in columns.placed.items():
        names[column] = f"order anything of {problem.term_spans[span]}"
    for commitment, column in columns.untaken.items():
        about = problem.commitments[commitment]
        names[column] = f"not taken of {problem.offers[about.offer].offer.id} in {about.label}"
    for (offer, t), column in columns.lot.items():
        names[column] = f"lots of {problem.offers[offer].offer.id} {label(t)}"


def _name_tiers(program: Program, names: list[str]) -> None:
    problem, columns = program.problem, program.columns
    for (span, tier, offer, t), column in columns.tier.items():
        about = f" of {problem.offers[offer].offer.id} {problem.case.horizon.label(t)}" if offer >= 0 else ""
        names[column] = f"in tier {tier + 1} of {problem.price_spans[span]}{about}"
    for (span, tier), column in columns.tier_reached.items():
        names[column] = f"reach tier {tier + 1} of {problem.price_spans[span]}"
    for span, column in columns.list_money.items():
        names[column] = f"list money of {problem.price_spans[span]}"


def _number(program: Program, names: list[str]) -> None:
    missed = {column: row for row, column, _ in program.limits.misses}
    for column, name in enumerate(names):
        if not name:
            counted = "used" if program.linear.integer[column] else "lacking"
            kind = "miss" if column in missed else counted
            names[column] = f"{kind} {sum(1 for other in names[:column] if other.startswith(kind)) + 1}"


def _class_label(index: int) -> str:
    return f"R{index + 1}" if index >= 0 else "any"


def difference(piece: list[str], base: list[str]) -> str:
    """Return the lines that a piece of the model adds to a program (`+`) and removes from it (`-`)."""
    gone = [f"- {line}" for line in base if line not in piece]
    new = [f"+ {line}" for line in piece if line not in base]
    return "".join(f"{line}\n" for line in gone + new)
