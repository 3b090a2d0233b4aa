"""Checks of rules by direct calls and by plans of generated cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from friendshore.domain.facts import DeclaredColumn, Material
from friendshore.errors import Diagnostic, FriendshoreError, InputError
from friendshore.plugins.attribution import place_of, sentence_of
from friendshore.plugins.interface import is_own
from friendshore.rules.base import Rule
from friendshore.rules.kinds import OriginBan

from . import plan_tests
from .check import Check, CheckSkipped
from .generated_cases import (
    USUAL_COUNTRIES,
    GeneratedCase,
    RuleWords,
    generate_cases,
    without_offers,
    without_optional_facts,
)
from .plan_tests import Example, example_problems
from .rule_trials import EXPECTED_ROWS, RuleTrial, impurities, is_sentence, order_dependence, seed_dependent_rules

MIN_CASES = 8
MAX_CASES = 16
CASES_PER_RULE = 3

PlanTest = Callable[[GeneratedCase, plan_tests.PlanOutcome], "str | None"]


@dataclass(frozen=True, eq=False)
class RuleSetTrial:
    """Rules and their test data."""

    subject: str
    create_rules: Callable[[], Sequence[Rule]]
    materials: Callable[[], Sequence[Material]] = tuple
    examples: tuple[Example, ...] = ()
    wider: tuple[Rule, ...] = ()
    """Wider forms of the rule. Each must prohibit everything that the rule prohibits."""
    columns: tuple[DeclaredColumn, ...] = ()

    def generated_cases(self, rules: Sequence[Rule], count: int) -> Iterator[GeneratedCase]:
        return generate_cases(rules, self.materials(), count, columns=self.columns)

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rules. Raises CheckSkipped if they can't be created, which another check reports."""
        try:
            return tuple(self.create_rules())
        except FriendshoreError as error:
            raise CheckSkipped("the rules can't be created") from error

    def checks(self) -> tuple[Check, ...]:
        definitions = (
            ("json", "A rule written as JSON and read again is the same rule.", self._json_problems),
            ("sentence", "Every rule and every row of it has a sentence.", self._missing_sentences),
            ("answers", "Verdicts have a reason, and charges are amounts of zero or more.", lambda: self._invalid_answers),
            ("linear", "Limits are linear rows with numeric bounds and unique labels.", lambda: self._nonlinear_rows),
            ("gaps", "A rule also answers if origins, owners, codes, and facts are unknown, and without offers.", self._gap_problems),
            ("pure", "Called twice and in another order, a rule returns the same. It reads and changes nothing else.", self._purity_problems),
            ("order", "With offers, demands, and places in another order, a rule returns the same rows.", self._order_problems),
            ("seeds", "A rule returns the same in another process, in which sets have another order.", self._seed_problems),
            ("shortcuts", "The claims of a rule about itself are true: `concerns`, `concerns_move`, `judge_reads_terms`, `charges_on`, `charge_reads_use`, `charged_origins`, `reads`.", self._claim_problems),
            ("doubt", "An offer of uncertain origin passes only if it would from every possible origin, and is charged no less than from any.", self._doubt_problems),
            ("more-rules", "The rules make no plan cheaper.", partial(self._plan_problems, "more-rules", self._more_rules)),
            ("more-offers", "One more offer makes no plan more expensive, unless limits are soft.", partial(self._plan_problems, "more-offers", self._more_offers)),
            ("wider", "On more days or in a wider form, a rule prohibits no less and makes no plan cheaper.", partial(self._plan_problems, "wider", self._wider)),
            ("rows-of-tables", "The order of rows in tables doesn't change a plan.", partial(self._plan_problems, "rows-of-tables", self._shuffled)),
            ("names", "Other names of plants, offers, and demands change neither cost nor verdicts.", partial(self._plan_problems, "names", self._renamed)),
            ("halves", "An offer split into two with shared capacity costs the same, unless the rules count offers.", partial(self._plan_problems, "halves", self._halved)),
        )  # fmt: skip
        checks = [Check(self.subject, name, text, find) for name, text, find in definitions]
        if self.examples:
            text = "The rule allows and refuses the example plans as stated."
            checks.append(Check(self.subject, "examples", text, self._example_problems))
        effect_text = "The rules affect some of the generated cases. Otherwise, the checks above prove little."
        return (*checks, Check(self.subject, "applies", effect_text, self._effect_problems, note=True))

    # ------------------------------------------------------------------------------------------------ called directly

    def _json_problems(self) -> Iterator[Diagnostic]:
        for rule in self.rules:
            try:
                reread = (
                    type(rule).model_validate_json(rule.model_dump_json(by_alias=True)).with_settings(rule.settings)
                )
            except ValueError as error:
                message = f"can't be read from its own JSON: {error}"
                yield _problem(rule, message, "a rule of plain values", code="FS953")
                continue
            if reread != rule:
                message = "is another rule when written as JSON and read again"
                yield _problem(rule, message, "a rule of plain values", code="FS953")

    def _missing_sentences(self) -> Iterator[Diagnostic]:
        expected = "a sentence that ends with a period, from `sentence()` or `title`"
        for rule in self.rules:
            try:
                sentence = sentence_of(rule)
            except FriendshoreError as error:
                yield from (replace(problem, expected=expected, fix="") for problem in error.problems)
                continue
            if not is_sentence(sentence):
                yield _problem(rule, "has no sentence", expected, repr(sentence), code="FS422")
        if not self._reason_to_stop:
            yield from self._first_findings(RuleTrial.rows_without_sentence, "a `sentence` for every row", "FS422")

    def _gap_problems(self) -> Iterable[Diagnostic]:
        self._skip_if(self._reason_to_stop)
        return self._gap_findings

    def _purity_problems(self) -> Iterable[Diagnostic]:
        self._skip_if(self._reason_to_stop)
        return self._purity_findings

    def _order_problems(self) -> Iterable[Diagnostic]:
        self._skip_if(self._reason_to_stop or ("see check `pure`" if self._purity_findings else ""))
        return self._order_findings

    def _seed_problems(self) -> Iterator[Diagnostic]:
        self._skip_if(self._reason_not_to_plan)
        # friendshore's own tests cover its own kinds.
        plugin_rules = [rule for rule in self.rules if not is_own(type(rule))]
        rule_by_id = {rule.id: rule for rule in plugin_rules}
        for name in (
            seed_dependent_rules(plugin_rules, self.materials(), CASES_PER_RULE, self.columns) if plugin_rules else ()
        ):
            expected = "sets that are sorted first, as in `for name in sorted(names)`"
            message = "its answers or their order differ in another process"
            yield _problem(rule_by_id[name], message, expected, code="FS955")

    def _claim_problems(self) -> Iterator[Diagnostic]:
        self._skip_if(self._reason_not_to_plan)
        expected = "true claims, since a false one lets offers pass unchecked"
        yield from self._first_findings(RuleTrial.false_claims, expected, "FS956")

    def _doubt_problems(self) -> Iterator[Diagnostic]:
        self._skip_if(self._reason_not_to_plan)

        def find(trial: RuleTrial) -> Iterator[str]:
            # A ban without proof of origin considers only the stated countries, and must doubt each of them.
            uses_only_stated = isinstance(trial.rule, OriginBan) and not trial.rule.asks_proof
            yield from trial.passes_too_early(
                [] if uses_only_stated else sorted({*USUAL_COUNTRIES, *RuleWords((trial.rule,)).countries})
            )
            yield from trial.charges_too_low()

        expected = "fail or unproven unless every possible country passes, and the highest charge of them"
        findings = list(self._first_findings(find, expected, "FS956"))
        yield from (
            findings if findings or self._gap_findings else self._first_findings(find, expected, "FS956", odd=True)
        )

    def _first_findings(
        self, find: Callable[[RuleTrial], Iterator[str | Diagnostic]], expected: str, code: str, odd: bool = False
    ) -> Iterator[Diagnostic]:
        """Yield the first finding for each rule over its generated cases, or, if `odd`, over those without facts and offers."""
        for rule, trials in zip(self.rules, self._odd_trials if odd else self._usual_trials, strict=True):
            for trial in trials:
                try:
                    finding = next(find(trial), None)
                except InputError:
                    continue  # the rule refers to something that only a real case has
                except FriendshoreError as error:
                    # The author of the rule runs this, so the expected answer helps more than the plugin's address.
                    where = f"in {trial.generated.case.name}"
                    yield from (replace(problem, found=where, expected=expected, fix="") for problem in error.problems)
                    break
                if isinstance(finding, Diagnostic):
                    yield replace(finding, message=f"{_rule_name(rule)}: {finding.message}", expected=expected)
                elif finding is not None:
                    yield _problem(rule, finding, expected, f"in {trial.generated.case.name}", code=code)
                if finding is not None:
                    break

    @cached_property
    def _usual_trials(self) -> list[list[RuleTrial]]:
        """Each rule in its generated cases. All checks share these, so that rules that remember calls are detected."""
        return [
            [RuleTrial(rule, generated) for generated in self.generated_cases([rule], CASES_PER_RULE)]
            for rule in self.rules
        ]

    @cached_property
    def _odd_trials(self) -> list[list[RuleTrial]]:
        return [
            [
                RuleTrial(trial.rule, change(trial.generated), checks_purity=False)
                for change, trials in ((without_optional_facts, usual_trials), (without_offers, usual_trials[:1]))
                for trial in trials
            ]
            for usual_trials in self._usual_trials
        ]

    @cached_property
    def _reason_to_stop(self) -> str:
        """Reason for stopping before further calls. Empty if there is none."""
        return (
            "its answers are invalid, see checks `answers` and `linear`"
            if self._invalid_answers or self._nonlinear_rows
            else ""
        )

    @cached_property
    def _invalid_answers(self) -> tuple[Diagnostic, ...]:
        return tuple(
            self._first_findings(
                RuleTrial.invalid_answers, "a Verdict with a reason, or a Decimal of zero or more", "FS422"
            )
        )

    @cached_property
    def _nonlinear_rows(self) -> tuple[Diagnostic, ...]:
        return tuple(self._first_findings(RuleTrial.nonlinear_rows, EXPECTED_ROWS, "FS422"))

    @cached_property
    def _reason_not_to_plan(self) -> str:
        if self._reason_to_stop:
            return self._reason_to_stop
        problems = self._purity_findings or self._order_findings
        return "its answers vary, see checks `pure` and `order`" if problems else ""

    @cached_property
    def _purity_findings(self) -> tuple[Diagnostic, ...]:
        expected = "the same answer to every call with the same arguments, without memory or side effects"
        return tuple(self._first_findings(impurities, expected, "FS955"))

    @cached_property
    def _gap_findings(self) -> tuple[Diagnostic, ...]:
        def find(trial: RuleTrial) -> Iterator[str]:
            yield from trial.invalid_answers()
            yield from trial.nonlinear_rows()

        expected = "an answer if facts are unknown (unproven for origins), and no row about missing offers"
        return tuple(self._first_findings(find, expected, "FS422", odd=True))

    @cached_property
    def _order_findings(self) -> tuple[Diagnostic, ...]:
        return tuple(
            self._first_findings(order_dependence, "the same rows in every order, such as sorted by id", "FS955")
        )

    @staticmethod
    def _skip_if(reason: str) -> None:
        if reason:
            raise CheckSkipped(reason)

    # ------------------------------------------------------------------------------------------------- planned with

    @cached_property
    def _plans_with_rules(self) -> list[tuple[GeneratedCase, plan_tests.PlanOutcome]]:
        """Generated cases in which the rules can be used, each with its plan under them."""
        count = max(MIN_CASES, min(MAX_CASES, len(self.rules)))
        plans = []
        for generated in self.generated_cases(self.rules, count):
            try:
                plans.append((generated, plan_tests.plan_outcome(generated, self.rules)))
            except InputError:
                continue
        return plans

    @cached_property
    def _plans_without_rules(self) -> dict[int, plan_tests.PlanOutcome]:
        return {generated.seed: plan_tests.plan_outcome(generated, ()) for generated, _ in self._plans_with_rules}

    def _plan_problems(self, name: str, test: PlanTest) -> Iterator[Diagnostic]:
        self._skip_if(self._reason_not_to_plan)
        if not self._plans_with_rules:
            raise CheckSkipped("the rules refer to something that no generated case has")
        for generated, before in self._plans_with_rules:
            try:
                problem = test(generated, before)
            except InputError:
                continue  # the rule refers to something that the changed case lacks
            if problem is not None:
                place = f"in {generated.case.name}"
                yield Diagnostic(problem, self.subject, found=place, fix=plan_tests.FIXES[name], code="FS956")
                return

    def _more_rules(self, generated: GeneratedCase, before: plan_tests.PlanOutcome) -> str | None:
        without = self._plans_without_rules[generated.seed].objective
        if not plan_tests.is_below(before.objective, without):
            return None
        return f"a plan costs {plan_tests.money_text(before.objective)} with the rules and {plan_tests.money_text(without)} without them"

    def _more_offers(self, generated: GeneratedCase, before: plan_tests.PlanOutcome) -> str | None:
        if before.has_soft_limits:
            # A soft cap has a row for each supplier or country. An offer from a new one adds a row and its penalty.
            return None
        more = plan_tests.plan_outcome(plan_tests.with_one_more_offer(generated, self.rules), self.rules).objective
        if not plan_tests.is_below(before.objective, more):
            return None
        return f"a plan costs {plan_tests.money_text(more)} with one more offer and {plan_tests.money_text(before.objective)} without it"

    def _wider(self, generated: GeneratedCase, before: plan_tests.PlanOutcome) -> str | None:
        wider_forms = [plan_tests.in_force_always(self.rules), *((rule,) for rule in self.wider)]
        for rules in (form for form in wider_forms if form != self.rules):
            after = plan_tests.plan_outcome(generated, rules)
            newly_passed = {row[:2] for row in before.failed_verdicts} - {row[:2] for row in after.failed_verdicts}
            if newly_passed:
                offer, use = min(newly_passed)
                return f"offer `{offer}` passes for {use} under the wider rule, but not under the narrower one"
            if plan_tests.is_below(after.objective, before.objective):
                return f"a plan costs {plan_tests.money_text(after.objective)} under the wider rule and {plan_tests.money_text(before.objective)} under the narrower one"
        return None

    def _shuffled(self, generated: GeneratedCase, before: plan_tests.PlanOutcome) -> str | None:
        after = plan_tests.plan_outcome(plan_tests.shuffled(generated), self.rules)
        message = "the plan changes with the order of rows in tables"
        return message if after.plan_json != before.plan_json else None

    def _renamed(self, generated: GeneratedCase, before: plan_tests.PlanOutcome) -> str | None:
        if self._refers_to(generated):
            return None
        other, names = plan_tests.renamed(generated)
        after = plan_tests.plan_outcome(other, self.rules)
        if plan_tests.under_old_names(after.failed_verdicts, names) != before.failed_verdicts:
            return "verdicts change with the names of plants, offers, and demands"
        return self._difference_in_cost(before, after, "with other names")

    def _halved(self, generated: GeneratedCase, before: plan_tests.PlanOutcome) -> str | None:
        if before.has_counts or generated.case.incumbents or self._refers_to(generated):
            return None
        after = plan_tests.plan_outcome(plan_tests.halved(generated), self.rules)
        if after.has_counts:
            return None
        return self._difference_in_cost(before, after, "with offers split in two")

    @staticmethod
    def _difference_in_cost(before: plan_tests.PlanOutcome, after: plan_tests.PlanOutcome, how: str) -> str | None:
        if not (
            plan_tests.is_below(after.objective, before.objective)
            or plan_tests.is_below(before.objective, after.objective)
        ):
            return None
        return f"a plan costs {plan_tests.money_text(before.objective)}, but {plan_tests.money_text(after.objective)} {how}"

    def _refers_to(self, generated: GeneratedCase) -> bool:
        return not generated.names.isdisjoint(self._rule_texts)

    @cached_property
    def _rule_texts(self) -> frozenset[str]:
        return RuleWords(self.rules).all

    def _example_problems(self) -> Iterator[Diagnostic]:
        self._skip_if(self._reason_to_stop)
        for example in self.examples:
            yield from example_problems(example, self.rules)

    def _effect_problems(self) -> Iterator[Diagnostic]:
        self._skip_if(self._reason_not_to_plan)
        affected = 0
        for generated, plan in self._plans_with_rules:
            affected += (
                bool(plan.failed_verdicts) or plan.plan_json != self._plans_without_rules[generated.seed].plan_json
            )
        if not affected:
            fix = "add example plans to `check_rule`, or worked examples to the pack"
            number = len(self._plans_with_rules)
            message = f"the rules affect none of {number} generated cases"
            if not number:
                message = "the rules refer to things that no generated case has"
            yield Diagnostic(message, self.subject, fix=fix, code="FS957")


def _problem(rule: Rule, message: str, expected: str, found: str = "", *, code: str) -> Diagnostic:
    if is_own(type(rule)):
        return Diagnostic(message, _rule_name(rule), found=found, expected=expected, code=code)
    file, line = place_of(type(rule))
    return Diagnostic(f"{_rule_name(rule)}: {message}", file, line, found=found, expected=expected, code=code)


def _rule_name(rule: Rule) -> str:
    return f"rule `{rule.id}` of kind `{rule.kind}`"


def rule_checks(
    *rules: Rule,
    materials: Iterable[Material] = (),
    examples: Iterable[Example] = (),
    wider: Iterable[Rule] = (),
    columns: Iterable[DeclaredColumn] = (),
) -> tuple[Check, ...]:
    """Return the checks of rules in memory, tested together.

    Args:
        rules: One rule, or several that apply together.
        materials: Materials that they may mention, besides generated ones.
        examples: Plans that they should allow or refuse.
        wider: Wider forms of the rules. Each must prohibit everything that the rules prohibit.
        columns: Columns of facts that they may read. Generated offers and plants then have values for them.
    """
    material_list = tuple(materials)
    subject = "rule " + ", ".join(f"`{rule.id or rule.kind}`" for rule in rules)
    return RuleSetTrial(
        subject, lambda: rules, lambda: material_list, tuple(examples), tuple(wider), tuple(columns)
    ).checks()
