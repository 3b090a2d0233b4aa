"""What the problems of a session share: the same as if each were made by itself, asked once by whoever plans and once by whoever verifies."""

from __future__ import annotations

import pickle
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal

from friendshore.domain.change import Change
from friendshore.domain.facts import Material, Place
from friendshore.domain.use import Chained, Move, Use, Verdict
from friendshore.problem.kept import Answers, Kept
from friendshore.rules.base import Phase, Rule
from friendshore.session import Session

from ..building import ban, case, catalog, chain, demand, facility, offer, opened


class Counting(Rule):
    """A ban that lets everything pass, and counts how often it is asked about what."""

    kind: Literal["counting"] = "counting"
    asked: ClassVar[Counter[str]] = Counter()

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        self.asked[offer.offer.id] += 1
        return super().judge(offer, move, use)


def session(*rules: Rule) -> Session:
    """A case with two offers of what it wants."""
    facts = catalog(
        facility("pit", "AU", 200),
        facility("hole", "KZ", 500),
        offer("o1", "pit", "oxide", 7, chain("AU", "mined")),
        offer("o2", "hole", "oxide", 9, chain("KZ", "mined")),
    )
    wanted = case(demand("oxide", "civil", 100, 100), start=date(2027, 1, 1))
    return opened(wanted, facts, *rules)


def test_records_are_the_same_only_if_they_say_the_same_down_to_the_zeros_of_numbers() -> None:
    """A verdict may quote a number as it is written."""
    kept = Kept()
    first, other = Place(id="X", country="AU"), Place(id="X", country="AU")
    assert kept.same(first) is first
    assert kept.same(other) is first
    assert kept.same(Place(id="X", country="KZ")) is not first
    rule = Counting(id="r", loosened=Decimal(1))
    assert kept.same(rule) is rule
    assert kept.same(rule.but(loosened=Decimal("1e0"))) is rule
    assert kept.same(rule.but(loosened=Decimal("1.0"))) is not rule
    assert kept.same(rule.but(phases=(Phase(start=date(2028, 1, 1)),))) is not rule


def test_a_rule_is_asked_again_only_after_it_changed_itself() -> None:
    """Once by whoever plans the part and once by whoever verifies it; not again after another rule has changed."""
    asked = session(Counting(id="r"), ban("mined", countries="AU", end_uses=["civil"], phases=[{"status": "pending"}]))
    asked.part_of("oxide")
    before = Counter(Counting.asked)
    found = asked.after(Change(enable="ban"))
    assert {entry.offer for part in found.after for entry in part.plan.purchases} == {"o2"}
    more = Counting.asked - before
    assert more["o1"] == 0
    assert more["o2"] == 1, "the verifier asks for itself about what the plan before did not buy"


def test_what_is_kept_stays_behind_when_a_session_is_stored() -> None:
    """It is made again."""
    kept = Kept()
    kept.same(Place(id="X", country="AU"))
    assert not pickle.loads(pickle.dumps(kept))._records


def test_answers_of_rules_are_bounded() -> None:
    """However many questions are put to a session, what its rules answered takes no more than it may, and rules are asked again."""
    opened = session(Counting(id="r"))
    opened.inputs.kept.planned = answers = Answers(most=20)
    sizes = []
    for number in range(100):
        opened.after(Change(price="o1", factor=Decimal(1000 + number) / 1000))
        sizes.append(answers.size)
    assert max(sizes) <= 20 + 64 * 2, "as many more as are added between two counts"
    assert sizes != sorted(sizes)


class Duty(Rule):
    """Charges a tenth of the price, whatever is delivered."""

    kind: Literal["duty"] = "duty"

    def charge(self, offer: Chained, move: Move, use: Use, origin: str, value: Decimal) -> Decimal:
        return value / 10


class Narrow(Duty):
    """A duty on one material, which refuses to be asked about any other."""

    kind: Literal["narrow"] = "narrow"  # type: ignore[assignment]
    material: str

    def charges_on(self, material: Material) -> bool:
        return material.id == self.material

    def charge(self, offer: Chained, move: Move, use: Use, origin: str, value: Decimal) -> Decimal:
        assert offer.material.id == self.material
        return super().charge(offer, move, use, origin, value)


def test_a_duty_costs_the_same_where_it_says_which_materials_it_charges_on() -> None:
    """The rule is never asked about another material: it would fail."""
    every = session(Duty(id="d")).verified.cost.charges
    assert session(Narrow(id="d", material="oxide")).verified.cost.charges == every > 0
    assert session(Narrow(id="d", material="gallium")).verified.cost.charges == 0


def test_a_duty_that_ends_earlier_costs_less_though_it_asks_the_same_of_every_delivery() -> None:
    """What rules charge together is kept for the days on which each holds: half a period of a duty is half of it."""
    whole = session(Duty(id="d"))
    half = Change.model_validate({"move": "d", "until": date(2028, 6, 30)})
    lists: dict[str, tuple[Change, ...]] = {"all": (), "half": (half,), "none": (Change(disable="d"),)}
    charges = {name: round(whole.after(*changes).cost.charges, 9) for name, changes in lists.items()}
    alone = {name: Session.open(whole.inputs.after(some)).verified.cost.charges for name, some in lists.items()}
    assert charges == {name: round(money, 9) for name, money in alone.items()}
    assert charges["all"] > charges["half"] > charges["none"] == 0
