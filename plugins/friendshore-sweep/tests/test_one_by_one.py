"""A sweep plans each scenario as it would be planned by itself, to the byte."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.property.settings import examples
from tests.property.strategies import Tiny, tiny_cases
from tests.property.test_sessions import beside, changes

from friendshore.errors import FriendshoreError
from friendshore.problem.inputs import Applied
from friendshore.questions.pools import local_pool
from friendshore.session import Session
from friendshore.solve import AnswerCache, Limits
from friendshore_sweep.planning import SweptCase, plan_figures, run_sweep
from friendshore_sweep.results import FAILED, ScenarioPlan, SweepScenario

LIMITS = Limits(workers=1)


def alone(case: SweptCase, applied: Applied) -> ScenarioPlan:
    """The plan of one scenario, made as `plan` makes it, of facts that nothing was asked of before."""
    try:
        return plan_figures(Session.open(case.facts.apply(applied), LIMITS).verified)
    except FriendshoreError as error:
        return ScenarioPlan(status=FAILED, message="; ".join(map(str, error.problems)))


@examples(60)
@given(tiny_cases(), st.integers(5, 60), st.booleans(), st.data())
def test_a_sweep_is_the_plans_made_one_by_one(tiny: Tiny, capacity: int, joint: bool, data: st.DataObject) -> None:
    """Up to five lists of up to three changes, some strict, some that name what is gone: each row is the plan made for it alone."""
    inputs = beside(tiny, capacity, joint)
    lists: list[Any] = [
        [data.draw(changes(inputs)) for _ in range(data.draw(st.integers(0, 3)))]
        for _ in range(data.draw(st.integers(1, 5)))
    ]
    asked = [Applied(changes=tuple(some), strict=data.draw(st.booleans())) for some in lists]
    case = SweptCase(inputs, AnswerCache(), LIMITS)
    scenarios = [SweepScenario(name=str(number), applied=one) for number, one in enumerate(asked)]
    answer = run_sweep(case, (), scenarios, local_pool(1, len(asked)))
    assert [scenario.plan.model_dump_json() for scenario in answer.scenarios] == [
        alone(case, applied).model_dump_json() for applied in asked
    ]
    assert [scenario.number for scenario in answer.scenarios] == list(range(1, len(asked) + 1))
