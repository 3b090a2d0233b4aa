"""Confirmed inputs of open orders: rules find of the order what they found of the plan's purchases, for every use."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from tests.building import built

from friendshore.domain.case import OrderSpec
from friendshore.domain.plan import PlanStatus
from friendshore.orders.lines import OrderLine, order_lines
from friendshore.problem import Problem
from friendshore.problem.network import final_node

from .settings import examples
from .strategies import Tiny, tiny_cases


def confirmed(line: OrderLine, problem: Problem) -> OrderSpec:
    """The order of a line whose supplier confirms the planned inputs."""
    periods = problem.case.horizon.periods
    first = periods[line.ordered].start
    return OrderSpec(
        id="confirmed", offer=line.offer, quantity=line.quantity, ordered=first - timedelta(days=400), arrives=periods[line.delivered].start,
        place=line.place, inputs=line.inputs, confirmed_by="AB-1", confirmed_on=first,
    )  # fmt: skip


def forbidden(problem: Problem, arcs: list[int]) -> set[tuple[str, str]]:
    """Rules of origin, each with a use, that forbid any of some arcs on their days."""
    return {
        (problem.rules[rule].id, use.model_dump_json())
        for use, judgement in problem.judgements.items()
        for rule, verdicts in judgement.chain.items()
        for arc in arcs
        if arc in verdicts and problem.law.forbids(verdicts[arc], problem.network.arcs[arc])
    }


@pytest.mark.parametrize("unconfirmed", [False, True])
@examples(60)
@given(tiny=tiny_cases())
def test_an_order_is_forbidden_if_and_only_if_a_purchase_up_its_chain_is(tiny: Tiny, unconfirmed: bool) -> None:
    """The maker and each planned input, for every use that the goods can end in; without a confirmation at least as much is forbidden."""
    verified = tiny.session().verified
    if verified.plan.status is PlanStatus.INFEASIBLE:
        return
    problem = verified.problem
    arcs = {(arc.chained.offer.id, arc.node): arc.index for arc in problem.network.arcs if arc.lot < 0}
    for line in order_lines(verified):
        if not line.inputs or line.unnamed or line.placed is not None or "+" in line.material:
            continue
        order, node = confirmed(line, problem), (line.material, line.place)
        if unconfirmed:
            order = order.but(confirmed_by="", confirmed_on=None)
        later = built(problem.case.but(orders=(*problem.case.orders, order)), tiny.catalog, *tiny.rules)
        (lot,) = [arc.index for arc in later.network.arcs if arc.lot >= 0 and later.lots[arc.lot].id == "confirmed"]
        chain = [*(index for (offer, _), index in arcs.items() if offer in line.inputs), arcs[line.offer, node]]
        uses = [d.use for d in later.demands if node in later.network.reach(final_node(d.use))[1]]
        ends = {use.model_dump_json() for use in uses}
        of_order = {one for one in forbidden(later, [lot]) if one[1] in ends}
        of_plan = {one for one in forbidden(problem, chain) if one[1] in ends}
        assert of_order >= of_plan if unconfirmed else of_order == of_plan, (line.offer, line.inputs)
