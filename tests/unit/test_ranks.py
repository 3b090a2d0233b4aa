"""Ranked objectives: what each level buys and costs, what the run says of it, and what the verifier does not believe."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from friendshore.document.terminal import plain_text
from friendshore.domain.change import Change
from friendshore.domain.plan import Plan, PlanLevel, PlanStatus
from friendshore.errors import InputError, VerificationError
from friendshore.recommend import Recommendation
from friendshore.report import plan_document
from friendshore.rules.kinds.limits import MinShare, Pin
from friendshore.verify import verify

from ..building import bought, case, demand, hard_case, metals, planned, rule, short

WANTED = (demand("metal", "civil", 100, price=60), demand("metal", "defense", 40, price=20))
SHORTAGE = {"minimise": "shortage", "of": ["defense"]}
CONCENTRATION = {"minimise": "concentration"}


def ranked(*levels: dict[str, Any], **options: Any) -> Recommendation:
    """140 kg of metal wanted, 60 at 10 from China, 70 at 50 from Australia, the rest at 80 from Japan; defence offers least for it."""
    given = case(*WANTED, objectives=levels)
    return planned(given, metals(cn=60, au=70), *options.pop("rules", ()), **options)


def test_cost_alone_leaves_defence_short() -> None:
    """What a shortage costs decides: nothing is ranked, and the run has no levels."""
    found = ranked()
    assert (short(found), found.run.levels) == ({"metal-defense": 40}, [])


def test_defence_first_leaves_the_rest_to_cost() -> None:
    """Defence gets all of its 40 kg; civil demand pays up to 60, so that it goes without Japanese metal."""
    found = ranked(SHORTAGE)
    assert short(found) == {"metal-civil": 10}
    first, last = found.run.levels
    assert (first.value, first.unit, first.gained, first.raised_objective) == (0, "USD", 40 * 20, 30 * 50 + 600 - 800)
    assert (last.minimise, last.implied, last.value) == ("cost", True, found.cost.objective)
    assert found.status is PlanStatus.OPTIMAL


def test_spending_nothing_first_buys_nothing() -> None:
    """The money spent alone: a shortage is no reason to spend any."""
    found = ranked({"minimise": "spend"})
    assert (bought(found), found.run.levels[0].value) == ({}, 0)
    assert {str(cause) for short in found.run.shortages for cause in short.causes} == {"ranked lower than spend"}


def test_the_largest_is_made_as_small_as_the_shortage_allows() -> None:
    """A third of 140 kg each; civil demand is met for the sake of the rank of all shortage."""
    found = ranked({"minimise": "shortage"}, CONCENTRATION)
    assert bought(found) == pytest.approx({"cn-metal": 46.667, "au-metal": 46.667, "jp-metal": 46.666}, abs=0.002)
    assert float(found.run.levels[1].value) == pytest.approx(140 / 3, abs=0.002)
    assert found.run.levels[1].unit == "kg"


def test_later_levels_use_up_what_one_may_give_up() -> None:
    """Cost may rise by a tenth, of which every dollar goes into a smaller largest country."""
    found = ranked({"minimise": "cost", "within": "0.1"}, CONCENTRATION)
    cost, largest, last = found.run.levels
    assert cost.value == last.value == pytest.approx(cost.least * Decimal("1.1"))
    assert largest.gained is not None
    assert largest.gained > 0
    assert last.implied


def test_parts_that_a_level_says_nothing_of_are_planned_by_cost() -> None:
    """A level about metal leaves salt alone, and each part's plan is its own."""
    salt = demand("salt", "civil", 10, price=5)
    found = planned(case(*WANTED, salt, objectives=[{"minimise": "shortage", "of": ["metal"]}]), metals())
    assert short(found) == {"salt-civil": 10}
    assert found.run.levels[0].value == 0


def test_what_a_change_does_under_a_ranking() -> None:
    """With half of the Australian capacity gone defence is still served, by Japan."""
    found = ranked(SHORTAGE)
    answer = found.session.after(Change(capacity="au", factor=Decimal("0.5")))
    assert (answer.levels[0], answer.levels[1]) == (0, answer.cost.objective)
    assert answer.rise.objective == 35 * (60 - 50)  # civil demand goes without what Australia no longer sells
    assert answer.rise_between == (350, 350)


def test_a_rule_stands_above_every_rank() -> None:
    """What a rule demands is bought though spending comes first; and rules that conflict are named."""
    pin = rule(Pin, offer="jp-metal", at_least=5)
    assert bought(ranked({"minimise": "spend"}, rules=[pin])) == {"jp-metal": 5}
    never = rule(MinShare, countries=["KZ"], share="0.5")
    found = ranked(SHORTAGE, rules=[never])
    assert found.status is PlanStatus.INFEASIBLE


@pytest.mark.parametrize(
    ("level", "words"),
    [
        ({"minimise": "shortage", "of": ["defence"]}, "did you mean `defense`"),
        ({"minimise": "concentration", "of": ["mettal"]}, "did you mean `metal`"),
    ],
)
def test_a_name_that_is_not_there_is_refused(level: dict[str, Any], words: str) -> None:
    """With what was probably meant."""
    with pytest.raises(InputError, match=r"objective\.of") as caught:
        ranked(level)
    assert words in str(caught.value)


def test_what_says_nothing_of_an_objective_is_refused() -> None:
    """In memory as in a file."""
    with pytest.raises(ValidationError, match="is that of the whole plan"):
        ranked({"minimise": "spend", "of": ["metal"]})


@pytest.mark.parametrize("seconds", [0, 0.5])
def test_out_of_time_the_levels_have_values_and_bounds(seconds: float) -> None:
    """A search that is ended early says of each level what it comes to and what it surely does not come below."""
    given, facts = hard_case(offers=15, periods=4)
    objectives = [{"minimise": "shortage", "of": ["metal"]}, {"minimise": "spend", "within": "0.05"}, CONCENTRATION]
    found = planned(
        given.model_copy(update={"objectives": case(*WANTED, objectives=objectives).objectives}),
        facts,
        time_limit=seconds,
    )
    assert found.status is PlanStatus.FEASIBLE
    assert len(found.run.levels) == 4
    assert all(level.bound <= level.value for level in found.run.levels)
    assert all(level.gained is None for level in found.run.levels)


def test_the_report_tells_the_levels() -> None:
    """Rank, value and price of each."""
    run = ranked(SHORTAGE, {"minimise": "cost", "within": "0.1"}, CONCENTRATION).run
    said = plain_text(plan_document(run), 120)
    assert "Lexicographic objectives" in said
    assert "shortage of defense, at its price" in said
    assert "later ones may add 10 %" in said


def level(plan: Plan, rank: int, **update: Any) -> Plan:
    """The plan with another statement of one level."""
    changed = [n.model_copy(update=update) if i == rank else n for i, n in enumerate(plan.levels, 1)]
    return plan.model_copy(update={"levels": tuple(changed)})


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (lambda plan: level(plan, 1, bound=Decimal(5)), "the bound of level 1"),
        (lambda plan: level(plan, 2, most=Decimal(4000)), "level 2 .* is not kept"),
        (lambda plan: level(plan, 1, most=Decimal(50)), "level 1 .* another share"),
        (lambda plan: level(plan, 2, least=Decimal(9000)), "level 2 .* another share"),
        (lambda plan: plan.model_copy(update={"levels": plan.levels[:1]}), "states 1 ranked objectives"),
        (lambda plan: plan.model_copy(update={"levels": ()}), "states 0 ranked objectives"),
        (
            lambda plan: plan.model_copy(update={"levels": (*plan.levels, PlanLevel(least=0, bound=0, most=0))}),
            "states 3",
        ),
    ],
)
def test_what_a_plan_says_of_a_level_is_checked(tamper: Callable[[Plan], Plan], words: str) -> None:
    """Values are counted again on the plan; a bound above them, or a share that the case does not give, is found."""
    found = ranked(SHORTAGE)
    with pytest.raises(VerificationError, match=words):
        verify(found.plan.problem, tamper(found.plan.plan))


def test_a_plan_that_neglects_a_level_does_not_hold() -> None:
    """The cheapest plan, passed off as one that puts defence first."""
    cheapest, found = ranked().plan.plan, ranked(SHORTAGE).plan
    told = cheapest.model_copy(update={"levels": found.plan.levels})
    with pytest.raises(VerificationError, match=r"level 1 .* is not kept"):
        verify(found.problem, told)
