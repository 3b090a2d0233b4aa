"""The checks of rules: a good rule passes them all, and for each check there is a rule that it alone finds."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pytest

from friendshore.domain.facts import Material
from friendshore.domain.use import PASS, Chained, Move, Result, Use, Verdict
from friendshore.errors import PluginError
from friendshore.rules.base import Facts, Rule
from friendshore.rules.kinds import OriginBan
from friendshore.rules.rows import Row, Rows
from friendshore_testing import Check, Example, check_rule, rule_checks

if TYPE_CHECKING:
    from .. import building as b
    from .depth import few
else:
    from tests import building as b
    from tests.functional.depth import few


class Barred(Rule):
    """What was made, at any stage, in a country is barred for some use; doubt is unproven."""

    kind: Literal["barred"] = "barred"
    country: str = "CN"
    end_use: str = "defense"

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        """Fails where the country is sure, unproven where it is possible."""
        if use.end_use != self.end_use:
            return PASS
        if any(entry.countries == {self.country} for entry in offer.performed):
            return self.verdict(Result.FAIL)
        doubtful = any(self.country in e.countries or not e.complete for e in offer.performed)
        return self.verdict(Result.UNPROVEN) if doubtful or offer.missing else PASS

    def verdict(self, result: Result) -> Verdict:
        """A verdict with its reason."""
        return Verdict(result=result, rule=self.id, clause=self.citation, reason=f"it may be of {self.country}")


class Capped(Rule):
    """No more than so much is bought of each material in a period."""

    kind: Literal["capped"] = "capped"
    most: Decimal = Decimal(60)

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row for each material and period."""
        for material in facts.materials:
            for label, periods in facts.spans("period"):
                yield Row(
                    label=f"{material.id} {label}",
                    terms=(facts.bought(lambda o, _, m=material: int(o.material.id == m.id), periods),),  # type: ignore[misc]
                    at_most=self.most,
                    sentence=f"No more than {self.most} kg of {material.id} in {label}.",
                )


GIVEN = {"id": "r", "title": "What is doubtful is not bought.", "citation": "s. 1"}


def one_row(facts: Facts, counts: Any, **bounds: Any) -> Row:
    """A row over all purchases of the horizon."""
    ((_, periods),) = facts.spans("horizon")
    fields = {"sentence": "A limit on all.", **bounds}
    return Row(label="all", terms=(facts.bought(counts, periods),), **fields)


class Untyped(Barred):
    """It holds a tuple, which JSON has not."""

    kind: Literal["untyped"] = "untyped"  # type: ignore[assignment]
    extra: Any = ("a", "b")


class Mute(Capped):
    """Its row has no sentence."""

    kind: Literal["mute"] = "mute"  # type: ignore[assignment]

    def rows(self, facts: Facts) -> Iterable[Row]:
        yield one_row(facts, lambda *_: 1, at_most=Decimal(10**6), sentence="")


class YesOrNo(Barred):
    """It answers yes or no in place of a verdict."""

    kind: Literal["yes-or-no"] = "yes-or-no"  # type: ignore[assignment]

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        return offer.missing == frozenset()  # type: ignore[return-value]


class Squared(Capped):
    """It multiplies what is bought by itself."""

    kind: Literal["squared"] = "squared"  # type: ignore[assignment]

    def rows(self, facts: Facts) -> Iterable[Row]:
        ((_, periods),) = facts.spans("horizon")
        bought = facts.bought(lambda *_: 1, periods)
        yield Row("squared", (bought * bought,), at_most=Decimal(9))  # type: ignore[operator]


class ByPlan(Capped):
    """Its bound is a function of the plan."""

    kind: Literal["by-plan"] = "by-plan"  # type: ignore[assignment]

    def rows(self, facts: Facts) -> Iterable[Row]:
        yield one_row(facts, lambda *_: 1, at_most=lambda plan: plan.cost / 2)


class Moody(Barred):
    """Every third time it says something else."""

    kind: Literal["moody"] = "moody"  # type: ignore[assignment]
    asked: ClassVar[list[int]] = []

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        self.asked.append(1)
        return self.verdict(Result.FAIL) if len(self.asked) % 3 == 0 else PASS


class First(Capped):
    """It caps whatever offer it is shown first."""

    kind: Literal["first"] = "first"  # type: ignore[assignment]

    def rows(self, facts: Facts) -> Iterable[Row]:
        first = [o.offer.id for o in facts.offers[:1]]
        yield one_row(facts, lambda o, _: int(o.offer.id in first), at_most=Decimal(5))


class Trusting(Barred):
    """A doubtful origin passes."""

    kind: Literal["trusting"] = "trusting"  # type: ignore[assignment]

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        sure = any(entry.countries == {self.country} for entry in offer.performed)
        return self.verdict(Result.FAIL) if sure and use.end_use == self.end_use else PASS


class Rebate(Rule):
    """What costs more than 20 is paid for by the law."""

    kind: Literal["rebate"] = "rebate"

    def charge(self, offer: Chained, move: Move, use: Use, origin: str, value: Decimal) -> Decimal:
        return Decimal(20) - value


class ByNumber(Capped):
    """The more offers there are, the more must be bought."""

    kind: Literal["by-number"] = "by-number"  # type: ignore[assignment]

    def rows(self, facts: Facts) -> Iterable[Row]:
        yield one_row(facts, lambda *_: 1, at_least=Decimal(30 * len(facts.offers)))


class Numbered(Barred):
    """It goes by when it first saw an offer."""

    kind: Literal["numbered"] = "numbered"  # type: ignore[assignment]
    seen: ClassVar[list[Chained]] = []

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        number = next((i for i, other in enumerate(self.seen) if other is offer), len(self.seen))
        self.seen[number:] = [offer, *self.seen[number + 1 :]]
        return self.verdict(Result.FAIL) if number % 2 else PASS


class ByName(Capped):
    """It caps the offer whose name comes first."""

    kind: Literal["by-name"] = "by-name"  # type: ignore[assignment]

    def rows(self, facts: Facts) -> Iterable[Row]:
        first = min((o.offer.id for o in facts.offers), default="")
        yield one_row(facts, lambda o, _: int(o.offer.id == first), at_most=Decimal(5))


class EachOffer(Capped):
    """Each offer may sell a little, however many a plant makes of its goods."""

    kind: Literal["each-offer"] = "each-offer"  # type: ignore[assignment]

    def rows(self, facts: Facts) -> Iterable[Row]:
        ((_, periods),) = facts.spans("horizon")
        for name in sorted({o.offer.id for o in facts.offers}):
            term = facts.bought(lambda o, _, n=name: int(o.offer.id == n), periods)  # type: ignore[misc]
            yield Row(label=name, terms=(term,), at_most=Decimal(30), sentence=f"Little of {name}.")


NEVER = {**GIVEN, "stages": ["mined"], "countries": ["CN"], "elements": ["Xx"]}


class Careless(Barred):
    """It says that it bears on nothing."""

    kind: Literal["careless"] = "careless"  # type: ignore[assignment]

    def concerns(self, use: Use) -> bool:
        return False


class ByUse(Rule):
    """It charges for defence use alone, and says that the use plays no part."""

    kind: Literal["by-use"] = "by-use"
    charge_reads_use: ClassVar[bool] = False

    def charge(self, offer: Chained, move: Move, use: Use, origin: str, value: Decimal) -> Decimal:
        return Decimal(int(use.end_use == "defense"))


class OnNothing(Rule):
    """It charges on everything, and says that it charges on no material."""

    kind: Literal["on-nothing"] = "on-nothing"

    def charges_on(self, material: Material) -> bool:
        return False

    def charge(self, offer: Chained, move: Move, use: Use, origin: str, value: Decimal) -> Decimal:
        return Decimal(1)


class ByOrigin(Rule):
    """It charges for Chinese goods alone, and says that all origins are alike."""

    kind: Literal["by-origin"] = "by-origin"

    @property
    def charged_origins(self) -> tuple[frozenset[str], ...]:
        return ()

    def charge(self, offer: Chained, move: Move, use: Use, origin: str, value: Decimal) -> Decimal:
        return Decimal(int(origin == "CN"))


class Unread(Capped):
    """It says that it reads no material."""

    kind: Literal["unread"] = "unread"  # type: ignore[assignment]

    def rows(self, facts: Facts) -> Iterable[Row]:
        yield one_row(facts, lambda *_: 1, at_most=Decimal(100), reads=frozenset())


class Speechless(Barred):
    """It breaks down when it is asked for its sentence."""

    kind: Literal["speechless"] = "speechless"  # type: ignore[assignment]

    def sentence(self) -> str:
        return self.title[1000]


class Crooked(Capped):
    """Its rows do not fit together."""

    kind: Literal["crooked"] = "crooked"  # type: ignore[assignment]

    def rows(self, facts: Facts) -> Iterable[Row]:
        rows = facts.bought_in_each(
            [[1.0 for _ in facts.purchases()]], [periods for _, periods in facts.spans("period")]
        )
        yield Rows(labels=["only one"] * 9, bought=rows, at_most=[Decimal(5)])  # type: ignore[misc]


class Nervous(Barred):
    """It breaks down at an offer whose origin is known."""

    kind: Literal["nervous"] = "nervous"  # type: ignore[assignment]

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        return PASS if any(not e.complete or len(e.countries) > 1 for e in offer.performed) else self.nothing  # type: ignore[attr-defined, no-any-return]


BAD: dict[str, tuple[Rule, str, str]] = {
    "breaks down at its sentence": (Speechless.model_validate(GIVEN), "sentence", "string index out of range"),
    "rows that do not fit": (Crooked.model_validate(GIVEN), "linear", "1 of `at_most`"),
    "breaks down at an offer": (Nervous.model_validate(GIVEN), "answers", "AttributeError"),
    "careless": (Careless.model_validate(GIVEN), "shortcuts", "`concerns` says that it does not bear on defense use"),
    "charge by use": (ByUse.model_validate(GIVEN), "shortcuts", "the charge differs from use to use"),
    "charge on a material": (OnNothing.model_validate(GIVEN), "shortcuts", "`charges_on` is false of"),
    "charge by origin": (ByOrigin.model_validate(GIVEN), "shortcuts", "yet their charges differ"),
    "row that reads nothing": (Unread.model_validate(GIVEN), "shortcuts", "leaves out"),
    "json": (Untyped.model_validate(GIVEN), "json", "another rule once written as JSON"),
    "sentence of a rule": (Barred.model_validate({**GIVEN, "title": ""}), "sentence", "not told in a sentence"),
    "sentence of a row": (Mute.model_validate(GIVEN), "sentence", "row `all` has no sentence"),
    "answers": (YesOrNo.model_validate(GIVEN), "answers", "no verdict"),
    "not linear": (Squared.model_validate(GIVEN), "linear", "unsupported operand"),
    "by the plan": (ByPlan.model_validate(GIVEN), "linear", "`at_most` is <function ByPlan.rows"),
    "not pure": (Moody.model_validate(GIVEN), "pure", "it gives other verdicts"),
    "by order": (First.model_validate(GIVEN), "order", "change with the order in which it is shown"),
    "doubt": (Trusting.model_validate(GIVEN), "doubt", "says fail where"),
    "cheaper": (Rebate.model_validate(GIVEN), "more-rules", "pays the buyer"),
    "by number": (ByNumber.model_validate(GIVEN), "more-offers", "with one more offer"),
    "by number of appearance": (Numbered.model_validate(GIVEN), "rows-of-tables", "in another order"),
    "by name": (ByName.model_validate(GIVEN), "names", "with other names"),
    "each offer": (EachOffer.model_validate(GIVEN), "halves", "split in two"),
    "applies to nothing": (OriginBan.model_validate(NEVER), "applies", "bears on none of them"),
}


def found(checks: Iterable[Check], only: str = "") -> dict[str, str]:
    """What each check, or one alone, finds, in words; those that ask in other processes are left to the tests of whole plugins."""
    made = [check.outcome() for check in checks if check.name != "seeds" and only in ("", check.name)]
    return {one.check.name: "; ".join(map(str, one.found)) for one in made if one.found}


GOOD = {
    "forbids": Barred.model_validate(GIVEN),
    "limits": Capped.model_validate(GIVEN),
    "built in": OriginBan.model_validate(
        {**GIVEN, "stages": ["mined"], "countries": ["CN"], "phases": [{"from": "2027-01-01"}]}
    ),
}


@pytest.mark.parametrize("name", few(GOOD, 0))
def test_a_good_rule_passes_all_checks(name: str) -> None:
    """A rule that keeps to what rules are is found nothing against, and bears on some made-up case."""
    assert found(rule_checks(GOOD[name])) == {}


@pytest.mark.parametrize("name", BAD)
def test_each_check_finds_the_rule_that_breaks_it(name: str) -> None:
    """The check is named that the rule breaks, with what is wrong."""
    rule, check, words = BAD[name]
    said = found(rule_checks(rule), check)
    assert check in said, said
    assert words in said[check]


@pytest.mark.parametrize("name", ["not linear", "by the plan", "not pure", "by order"])
def test_one_mistake_is_named_once(name: str) -> None:
    """What rests on a check that failed is left out, with the reason, so that one mistake is not told as ten."""
    rule, check, _ = BAD[name]
    checks = rule_checks(rule)
    assert set(found(checks)) - {"sentence"} == {check}
    assert any(outcome.left_out for outcome in (check.outcome() for check in checks))


def test_all_that_is_found_is_raised_at_once() -> None:
    """A plain call in a test fails with the rule, the check, what was found and in which made-up case."""
    with pytest.raises(AssertionError, match=r"check `order`[\s\S]*rule `r` of kind `first`[\s\S]*in made-up-"):
        check_rule(First.model_validate(GIVEN))


def test_a_wider_form_must_bar_no_less() -> None:
    """A form that is said to be wider, and lets an offer pass that the narrower bars, is found."""
    narrow = Barred.model_validate(GIVEN)
    other = Barred.model_validate({**GIVEN, "country": "AU"})
    assert "let pass" in found(rule_checks(narrow, wider=[other]), "wider")["wider"]


class TestExamples:
    """Plans that are said to be allowed or refused are planned with their purchases fixed."""

    case = b.case(b.demand("metal", "defense", 10))
    ban = b.ban("mined", start="2026-01-01")

    def example(self, offer: str, allowed: bool, amount: str = "10 kg") -> Example:
        """Buying so much from an offer."""
        return Example(self.case, {offer: amount}, allowed, (b.metals(au=50),))

    def test_right_examples_hold(self) -> None:
        """Chinese metal is refused for defence, Australian is not."""
        examples = [self.example("cn-metal", False), self.example("au-metal", True)]
        assert found(rule_checks(self.ban, examples=examples), "examples") == {}

    @pytest.mark.parametrize(
        ("offer", "allowed", "amount", "words"),
        [
            ("cn-metal", True, "10 kg", "is refused"),
            ("au-metal", False, "10 kg", "is allowed"),
            ("au-metal", True, "99 kg", "even without the rule"),
        ],
    )
    def test_wrong_examples_are_found(self, offer: str, allowed: bool, amount: str, words: str) -> None:
        """An example that the rule does not agree with is named, and one that no rule could allow."""
        examples = [self.example(offer, allowed, amount)]
        assert words in found(rule_checks(self.ban, examples=examples), "examples")["examples"]


class NaN(Capped):
    """Its bound is not a number."""

    kind: Literal["nan"] = "nan"  # type: ignore[assignment]

    def rows(self, facts: Facts) -> Iterable[Row]:
        yield one_row(facts, lambda *_: 1, at_most=Decimal("NaN"))


class Silent(Barred):
    """It answers nothing."""

    kind: Literal["silent"] = "silent"  # type: ignore[assignment]

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        return None  # type: ignore[return-value]


class Rounded(Rule):
    """It charges in binary fractions."""

    kind: Literal["rounded"] = "rounded"

    def charge(self, offer: Chained, move: Move, use: Use, origin: str, value: Decimal) -> Decimal:
        return 0.1  # type: ignore[return-value]


class Ending(Barred):
    """It ends the program as if all were well."""

    kind: Literal["ending"] = "ending"  # type: ignore[assignment]

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        raise SystemExit(0)


class Told(Barred):
    """It is told by a number."""

    kind: Literal["told"] = "told"  # type: ignore[assignment]

    def sentence(self) -> str:
        return 17  # type: ignore[return-value]


class Turned(Barred):
    """It is nothing in another currency."""

    kind: Literal["turned"] = "turned"  # type: ignore[assignment]

    def in_currency(self, currency: str, exchange: Any) -> Rule:
        return None  # type: ignore[return-value]


WRONG: dict[str, tuple[type[Rule], str]] = {
    "no verdict": (Silent, "`judge` answers None, no verdict"),
    "yes or no": (YesOrNo, "`judge` answers True, no verdict"),
    "binary charge": (Rounded, "`charge` answers 0.1, no Decimal"),
    "negative charge": (Rebate, "which pays the buyer: a charge is zero or more"),
    "bound by the plan": (ByPlan, "`at_most` is <function"),
    "sentence of no text": (Told, "`sentence` answers 17, no text"),
    "no rule": (Turned, "`in_currency` answers None, no rule"),
    "no number": (NaN, "`at_most` is Decimal('NaN'), no Decimal"),
    "rows that do not fit": (Crooked, "1 of `at_most`"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_plan_refuses_an_answer_that_is_none(name: str) -> None:
    """What a rule must not answer stops the plan, names rule, kind, file and line, and never becomes a plan or a breakdown."""
    kind, words = WRONG[name]
    given = b.case(b.demand("metal", "defense", 10))
    with pytest.raises(PluginError) as error:
        b.planned(given, b.metals(au=50), kind.model_validate(GIVEN))
    (problem,) = error.value.problems
    assert words in problem.message
    assert f"its rule `r` of kind `{kind.model_fields['kind'].default}`" in problem.message
    assert (problem.file, problem.row) == (__file__, inspect.getsourcelines(kind)[1])


def test_a_rule_cannot_end_the_program() -> None:
    """A plugin that exits in the middle of a plan is a plugin that fails: no exit code of its own makes a plan of it."""
    given = b.case(b.demand("metal", "defense", 10))
    with pytest.raises(PluginError, match="its rule `r` of kind `ending` raised: SystemExit: 0"):
        b.planned(given, b.metals(au=50), Ending.model_validate(GIVEN))
