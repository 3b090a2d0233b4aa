"""The checks of rules: a good rule passes them all, and for each check there is a rule that it alone finds."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, ClassVar, Literal

import pytest
from tests import building as b
from tests.functional.depth import few

from friendshore.domain.use import PASS, Chained, Move, Result, Use, Verdict
from friendshore.errors import Diagnostic, PluginError
from friendshore.rules.base import Facts, Rule
from friendshore.rules.kinds import OriginBan
from friendshore.rules.rows import Row, Rows
from friendshore_testing import Check, Example, check_rule, rule_checks


class Prohibited(Rule):
    """Goods with any stage in a country are prohibited for some use. Unknown origins are unproven."""

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


class Untyped(Prohibited):
    """It holds a tuple, which JSON has not."""

    kind: Literal["untyped"] = "untyped"  # type: ignore[assignment]
    extra: Any = ("a", "b")


GIVEN = {"id": "r", "title": "What is doubtful is not bought.", "citation": "s. 1"}
NEVER = {**GIVEN, "stages": ["mined"], "countries": ["CN"], "elements": ["Xx"]}


def made(kind: str, base: type[Rule] = Prohibited, **members: Any) -> Rule:
    """A rule of a kind that does something else than the one it is based on."""
    noted = {
        "kind": Literal[kind],
        "asked": ClassVar[list[Any]],
        "charge_reads_use": ClassVar[bool],
        "judge_reads_terms": ClassVar[bool],
    }
    body = {"__module__": __name__, "kind": kind, "asked": [], **members, "__annotations__": noted}
    return type(base)(kind, (base,), body).model_validate(GIVEN)


def row_of(counts: Any = lambda offer, place: 1, **bounds: Any) -> Callable[[Rule, Facts], Iterable[Row]]:
    """Return a function that gives one row over all purchases. Its terms and bounds may depend on the facts."""

    def rows(self: Rule, facts: Facts) -> Iterable[Row]:
        ((_, periods),) = facts.spans("horizon")
        given = {name: value(facts) if name == "at_least" else value for name, value in bounds.items()}
        number = counts(facts) if counts.__code__.co_argcount == 1 else counts
        yield Row(label="all", terms=(facts.bought(number, periods),), **{"sentence": "A limit on all.", **given})

    return rows


def squared(self: Rule, facts: Facts) -> Iterable[Row]:
    """It multiplies what is bought by itself."""
    ((_, periods),) = facts.spans("horizon")
    bought = facts.bought(lambda *_: 1, periods)
    yield Row("squared", (bought * bought,), at_most=Decimal(9))  # type: ignore[operator]


def moody(self: Any, offer: Chained, move: Move, use: Use) -> Verdict:
    """Every third time it says something else."""
    self.asked.append(1)
    return self.verdict(Result.FAIL) if len(self.asked) % 3 == 0 else PASS


def dear(self: Any, offer: Chained, move: Move, use: Use) -> Verdict:
    """It prohibits what has a list price."""
    return PASS if offer.offer.price is None else self.verdict(Result.FAIL)


def numbered(self: Any, offer: Chained, move: Move, use: Use) -> Verdict:
    """It goes by when it first saw an offer."""
    number = next((i for i, other in enumerate(self.asked) if other is offer), len(self.asked))
    self.asked[number:] = [offer, *self.asked[number + 1 :]]
    return self.verdict(Result.FAIL) if number % 2 else PASS


def trusting(self: Any, offer: Chained, move: Move, use: Use) -> Verdict:
    """A doubtful origin passes."""
    sure = any(entry.countries == {self.country} for entry in offer.performed)
    return self.verdict(Result.FAIL) if sure and use.end_use == self.end_use else PASS


def nervous(self: Any, offer: Chained, move: Move, use: Use) -> Verdict:
    """It breaks down at an offer whose origin is known."""
    return PASS if any(not e.complete or len(e.countries) > 1 for e in offer.performed) else self.nothing


def each_offer(self: Rule, facts: Facts) -> Iterable[Row]:
    """Each offer may sell a little, however many a plant makes of its goods."""
    ((_, periods),) = facts.spans("horizon")
    for name in sorted({o.offer.id for o in facts.offers}):
        term = facts.bought(lambda o, _, n=name: int(o.offer.id == n), periods)  # type: ignore[misc]
        yield Row(label=name, terms=(term,), at_most=Decimal(30), sentence=f"Little of {name}.")


def crooked(self: Rule, facts: Facts) -> Iterable[Rows]:
    """Its rows do not fit together."""
    rows = facts.bought_in_each([[1.0 for _ in facts.purchases()]], [periods for _, periods in facts.spans("period")])
    yield Rows(labels=["only one"] * 9, bought=rows, at_most=[Decimal(5)])  # type: ignore[misc]


def first_shown(facts: Facts) -> Callable[[Chained, str], int]:
    """Counts whatever offer is shown first."""
    return lambda offer, _: int(offer.offer.id in [o.offer.id for o in facts.offers[:1]])


def first_called(facts: Facts) -> Callable[[Chained, str], int]:
    """Counts the offer whose name comes first."""
    return lambda offer, _: int(offer.offer.id == min((o.offer.id for o in facts.offers), default=""))


def charging(value: Callable[..., Decimal]) -> Callable[..., Decimal]:
    """A charge by end use, origin, and value."""
    return lambda self, offer, move, use, origin, given: value(use.end_use, origin, given)


FIVE = {"at_most": Decimal(5)}
PLANNED = {"at_most": lambda plan: plan.cost / 2}
SQUARED = made("squared", Capped, rows=squared)
BY_PLAN = made("by-plan", Capped, rows=row_of(**PLANNED))
YES = made("yes-or-no", judge=lambda self, offer, move, use: not offer.missing)
REBATE = made("rebate", Rule, charge=charging(lambda use, origin, value: Decimal(20) - value))
CROOKED = made("crooked", Capped, rows=crooked)
BAD: dict[str, tuple[Rule, str, str]] = {
    "breaks down at its sentence": (made("speechless", sentence=lambda self: self.title[1000]), "sentence", "string index out of range"),
    "rows that do not fit": (CROOKED, "linear", "1 of `at_most`"),
    "breaks down at an offer": (made("nervous", judge=nervous), "answers", "AttributeError"),
    "careless": (made("careless", concerns=lambda self, use: False), "shortcuts", "FS956 & `concerns`"),
    "careless about moves": (made("careless-about-moves", concerns_move=lambda self, move: False), "shortcuts", "FS956 & `concerns_move`"),
    "careless about terms": (made("careless-about-terms", judge_reads_terms=False, judge=dear), "shortcuts", "FS956 & `judge_reads_terms`"),
    "charge by use": (made("by-use", Rule, charge_reads_use=False, charge=charging(lambda use, *_: Decimal(int(use == "defense")))), "shortcuts", "FS956 & `charge_reads_use`"),
    "charge on a material": (made("on-nothing", Rule, charges_on=lambda self, material: False, charge=charging(lambda *_: Decimal(1))), "shortcuts", "FS956 & `charges_on`"),
    "charge by origin": (made("by-origin", Rule, charged_origins=property(lambda self: ()), charge=charging(lambda use, origin, _: Decimal(int(origin == "CN")))), "shortcuts", "FS956 & `charged_origins`"),
    "row that reads nothing": (made("unread", Capped, rows=row_of(at_most=Decimal(100), reads=frozenset())), "shortcuts", "FS956 & `reads`"),
    "json": (Untyped.model_validate(GIVEN), "json", "FS953"),
    "sentence of a rule": (Prohibited.model_validate({**GIVEN, "title": ""}), "sentence", "FS422"),
    "sentence of a row": (made("mute", Capped, rows=row_of(at_most=Decimal(10**6), sentence="")), "sentence", "FS422 & row `all`"),
    "answers": (YES, "answers", "FS422"),
    "not linear": (SQUARED, "linear", "unsupported operand"),
    "by the plan": (BY_PLAN, "linear", "`at_most` is <function"),
    "not pure": (made("moody", judge=moody), "pure", "FS955"),
    "by order": (made("first", Capped, rows=row_of(first_shown, **FIVE)), "order", "FS955"),
    "doubt": (made("trusting", judge=trusting), "doubt", "FS956 & passes"),
    "cheaper": (REBATE, "more-rules", "FS422"),
    "by number": (made("by-number", Capped, rows=row_of(at_least=lambda facts: Decimal(30 * len(facts.offers)))), "more-offers", "FS956"),
    "by number of appearance": (made("numbered", judge=numbered), "rows-of-tables", "FS956"),
    "by name": (made("by-name", Capped, rows=row_of(first_called, **FIVE)), "names", "FS956"),
    "each offer": (made("each-offer", Capped, rows=each_offer), "halves", "FS956"),
    "applies to nothing": (OriginBan.model_validate(NEVER), "applies", "FS957"),
}  # fmt: skip
"""Rules that each break one check, and what is found."""


def found(checks: Iterable[Check], only: str = "") -> dict[str, str]:
    """Return the findings by check, without checks that start other processes."""
    made = [check.outcome() for check in checks if check.name != "seeds" and only in ("", check.name)]
    return {one.check.name: "; ".join(map(str, one.problems)) for one in made if one.problems}


GOOD = {
    "forbids": Prohibited.model_validate(GIVEN),
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
    assert all(part in said[check] for part in words.split(" & ")), said


@pytest.mark.parametrize("name", ["not linear", "by the plan", "not pure", "by order"])
def test_one_mistake_is_named_once(name: str) -> None:
    """Checks that depend on a failed one are skipped, with the reason."""
    rule, check, _ = BAD[name]
    checks = rule_checks(rule)
    assert set(found(checks)) - {"sentence"} == {check}
    assert any(outcome.skip_reason for outcome in (check.outcome() for check in checks))


def test_all_that_is_found_is_raised_at_once() -> None:
    """A plain call in a test fails with the rule, the check, what was found and in which made-up case."""
    with pytest.raises(AssertionError, match=r"check `order`[\s\S]*rule `r` of kind `first`[\s\S]*in made-up-"):
        check_rule(BAD["by order"][0])


def test_a_wider_form_must_bar_no_less() -> None:
    """A form that is said to be wider, and lets an offer pass that the narrower bars, is found."""
    narrow = Prohibited.model_validate(GIVEN)
    other = Prohibited.model_validate({**GIVEN, "country": "AU"})
    assert "FS956" in found(rule_checks(narrow, wider=[other]), "wider")["wider"]


class TestExamples:
    """Plans that are said to be allowed or refused are planned with their purchases fixed."""

    case = b.case(b.demand("metal", "defense", 10))
    ban = b.ban("mined", start="2026-01-01")

    def example(self, offer: str, allowed: bool, amount: str = "10 kg") -> Example:
        """Buying so much from an offer."""
        return Example(self.case, {offer: amount}, allowed, (b.metals(au=50),))

    def test_right_examples_hold(self) -> None:
        """Chinese metal is refused for defense, Australian is not."""
        examples = [self.example("cn-metal", False), self.example("au-metal", True)]
        assert found(rule_checks(self.ban, examples=examples), "examples") == {}

    @pytest.mark.parametrize(
        ("offer", "allowed", "amount", "words"),
        [
            ("cn-metal", True, "10 kg", "found refused"),
            ("au-metal", False, "10 kg", "found allowed"),
            ("au-metal", True, "99 kg", "FS957"),
        ],
    )
    def test_wrong_examples_are_found(self, offer: str, allowed: bool, amount: str, words: str) -> None:
        """An example that the rule does not agree with is named, and one that no rule could allow."""
        examples = [self.example(offer, allowed, amount)]
        assert words in found(rule_checks(self.ban, examples=examples), "examples")["examples"]


class Silent(Prohibited):
    """It answers nothing."""

    kind: Literal["silent"] = "silent"  # type: ignore[assignment]

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        return None  # type: ignore[return-value]


def ends(*_: object) -> None:
    """It ends the program as if all were well."""
    raise SystemExit(0)


WRONG: dict[str, tuple[Rule, str]] = {
    "yes or no": (YES, "`judge` returned True instead of a verdict"),
    "binary charge": (
        made("rounded", Rule, charge=charging(lambda *_: 0.1)),
        "`charge` returned 0.1 instead of a finite Decimal",
    ),
    "negative charge": (REBATE, "a charge can't be negative"),
    "bound by the plan": (BY_PLAN, "`at_most` is <function"),
    "sentence of no text": (made("told", sentence=lambda self: 17), "`sentence` returned 17 instead of text"),
    "no rule": (made("turned", in_currency=lambda *_: None), "`in_currency` returned None instead of a rule"),
    "no number": (
        made("nan", Capped, rows=row_of(at_most=Decimal("NaN"))),
        "`at_most` is Decimal('NaN') instead of a finite Decimal",
    ),
    "rows that do not fit": (CROOKED, "1 of `at_most`"),
    "end of the program": (made("ending", judge=ends), "raised: SystemExit: 0"),
}


def refused(rule: Rule) -> Diagnostic:
    with pytest.raises(PluginError) as error:
        b.planned(b.case(b.demand("metal", "defense", 10)), b.metals(au=50), rule)
    (problem,) = error.value.problems
    return problem


@pytest.mark.parametrize("name", WRONG)
def test_a_plan_refuses_an_answer_that_is_none(name: str) -> None:
    """An invalid answer stops the plan, and names the rule and its kind."""
    rule, words = WRONG[name]
    problem = refused(rule)
    assert words in problem.message
    assert f"its rule `r` of kind `{rule.kind}`" in problem.message


def test_an_answer_that_is_none_is_told_with_its_line() -> None:
    """File and line are those of the kind's class."""
    problem = refused(Silent.model_validate(GIVEN))
    assert "`judge` returned None instead of a verdict" in problem.message
    assert (problem.file, problem.row) == (__file__, inspect.getsourcelines(Silent)[1])
