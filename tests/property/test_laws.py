"""More law never makes a plan cheaper, and more supply never makes it more expensive."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

from hypothesis import assume, given, reject
from hypothesis import strategies as st
from tests.building import planned

from friendshore.domain.change import Change
from friendshore.domain.facts import Offer
from friendshore.domain.plan import PlanStatus
from friendshore.errors import InputError
from friendshore.explain.break_even import break_even_price
from friendshore.problem.inputs import Inputs
from friendshore.questions.alternatives.find_alternatives import alternatives
from friendshore.questions.compare.compare_plans import compare
from friendshore.rules.base import Rule
from friendshore.session import Session
from friendshore_risk.stress_answer import stress

from .compare import RELATIVE
from .settings import examples
from .strategies import ONE, Tiny, more_offers, more_rules, tiny_cases


def objective(tiny: Tiny, *more: Rule) -> float:
    """What a case comes to; infinite if its rules cannot hold together."""
    found = planned(tiny.case, tiny.catalog, *tiny.rules, *more)
    return math.inf if found.status is PlanStatus.INFEASIBLE else float(found.plan.plan.objective)


def no_more(one: float, other: float) -> bool:
    """Whether a case comes to no more than another, but for what two solves of the same may differ by."""
    return one <= other + (2 * RELATIVE * max(1.0, other) if math.isfinite(other) else 0.0)


@examples(120)
@given(tiny_cases(), more_rules())
def test_one_more_rule_never_lowers_the_objective(tiny: Tiny, rule: Rule) -> None:
    """A forbid, a limit or a charge beside the rules of a case leaves its objective as it is, or raises it."""
    tiny = tiny.priced()
    assert no_more(objective(tiny), objective(tiny, rule))


@examples(120)
@given(tiny_cases(), more_offers())
def test_one_more_offer_never_raises_the_objective(tiny: Tiny, offer: Offer) -> None:
    """An offer beside those of a case, all else unchanged, leaves its objective as it is, or lowers it."""
    tiny = tiny.priced()
    catalog = tiny.catalog.but(offers=(*tiny.catalog.offers, offer))
    assert no_more(objective(replace(tiny, catalog=catalog)), objective(tiny))


def unpriced(tiny: Tiny) -> Inputs:
    """The case without a price on any shortage, and with holding as a share: all of it follows from the dearest offers.

    Limits, and contracts that are paid for whether or not anything is taken, are left out: they go with the offer.
    """
    demands = tuple(d.but(shortage_price=None) for d in tiny.case.demands)
    stores = tuple(s.but(holding=None) for s in tiny.case.stores)
    share = tiny.case.assume.but(holding=Decimal("0.1"))
    offers = tuple(o.but(take_or_pay=None, take_or_pay_share=Decimal(1)) for o in tiny.catalog.offers)
    made = tiny.case.but(demands=demands, stores=stores, assume=share, objectives=())
    rules = tuple(rule for rule in tiny.rules if "rows" not in rule.verbs)
    return Inputs(made, (tiny.catalog.but(offers=offers),), rules)


def opened(inputs: Inputs) -> Session:
    """The case, solved; left out where an offer is missing that would price a shortage."""
    try:
        session = Session.open(inputs, ONE)
    except InputError:
        reject()
    assume(not session.verified.plan.infeasible)
    return session


def slack(session: Session) -> float:
    """Money that rounding and the solvers' tolerances may move."""
    problem = session.problem
    pieces = 40 * float(problem.case.resolution) * float(max(problem.shortage_price))
    return RELATIVE * max(1.0, abs(float(session.verified.cost.objective))) + pieces


def worse(data: st.DataObject, inputs: Inputs) -> Change:
    """Something taken away or made dearer."""
    (catalog,) = inputs.catalogs
    names = [o.id for o in catalog.offers]
    lost = st.fixed_dictionaries({"remove": st.sampled_from([*names, "country:AU", "country:CN"])})
    less = {"capacity": st.sampled_from([f.id for f in catalog.facilities]), "factor": st.just("0.4")}
    dearer = {"price": st.sampled_from(names), "factor": st.sampled_from(("1.5", "30"))}
    return Change.model_validate(data.draw(lost | st.fixed_dictionaries(less) | st.fixed_dictionaries(dearer)))


@examples(60)
@given(tiny_cases(), st.data())
def test_a_loss_never_saves_and_more_supply_never_costs(tiny: Tiny, data: st.DataObject) -> None:
    """After something worse the objective is no lower; undone it is no higher; and planned anew it is the same."""
    inputs = unpriced(tiny)
    session = opened(inputs)
    change = worse(data, inputs)
    try:
        answer = session.what_if(change)
        anew = Session.open(session.inputs.after((change,)), ONE)
    except InputError:
        return  # it names nothing that can reach the demands, or closes a loop of recipes
    allowed = slack(session)
    assert float(answer.rise.objective) >= -allowed
    assert abs(float(anew.verified.cost.objective - answer.cost.objective)) <= 2 * allowed
    if change.factor is not None:
        back = anew.what_if(change.but(factor=1 / change.factor))
        assert float(back.rise.objective) <= allowed


@examples(15)
@given(tiny_cases(), st.data())
def test_no_question_says_that_a_loss_saves(tiny: Tiny, data: st.DataObject) -> None:
    """Stress, a comparison, what using an offer costs, what an offer saves: none of them moves the price of a shortage."""
    inputs = unpriced(tiny)
    session = opened(inputs)
    allowed = slack(session)
    losses = [loss for loss in stress(session, everything=True).losses if not loss.conflict]
    assert all(float(loss.rise.value) >= -allowed for loss in losses)
    offer = data.draw(st.sampled_from([facts.offer.id for facts in session.problem.offers]))
    loss = Change(remove=offer)
    lost = float(session.what_if(loss).rise.objective)
    compared = compare(session, (), (loss,))
    assert abs(float(compared.difference.value) - lost) <= 2 * allowed
    for one in alternatives(session).offers:
        assert one.rise is None or float(one.rise.value) >= -2 * allowed
    found = break_even_price(session, offer)
    if found.max_saving is not None:
        assert float(found.max_saving) >= lost - 2 * allowed
