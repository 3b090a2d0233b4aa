"""Checks of rules: direct calls with generated moves, and plans of generated cases."""

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

from . import laws
from .asking import LINEAR, RuleTrial, disordered, impure, is_sentence, unsteady
from .check import Check, NotLookedAt
from .laws import Example, example_problems
from .worlds import USUAL, Words, World, bare, empty, worlds

CASES = 8
"""Minimum number of generated cases to plan."""
MOST_CASES = 16
PER_RULE = 3
"""Number of generated cases in which each rule is called directly."""

Law = Callable[[World, laws.TrialOutcome], "str | None"]


@dataclass(frozen=True, eq=False)
class Trial:
    """Rules and their test data."""

    subject: str
    make: Callable[[], Sequence[Rule]]
    """Function that creates the rules."""
    materials: Callable[[], Sequence[Material]] = tuple
    """Materials that they may mention."""
    examples: tuple[Example, ...] = ()
    wider: tuple[Rule, ...] = ()
    """Wider forms of the rule. Each must bar everything that the rule bars."""
    columns: tuple[DeclaredColumn, ...] = ()
    """Columns of facts that they may read."""

    def worlds(self, rules: Sequence[Rule], count: int) -> Iterator[World]:
        """Yield generated cases for some of the rules."""
        return worlds(rules, self.materials(), count, columns=self.columns)

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rules.

        Raises:
            NotLookedAt: If they can't be created, which another check reports.
        """
        try:
            return tuple(self.make())
        except FriendshoreError as error:
            raise NotLookedAt("the rules cannot be made") from error

    def checks(self) -> tuple[Check, ...]:
        """Return all checks, each after those that it depends on."""
        given = (
            ("json", "A rule written as JSON and read again is the same rule.", self._json),
            ("sentence", "Every rule and every one of its rows is told in a sentence.", self._sentences),
            ("answers", "Judgements are verdicts with a reason, and charges are sums of money of zero or more.", lambda: self._wrong_answers),
            ("linear", "Limits are linear rows with bounds that are numbers, each with a name of its own.", lambda: self._not_linear),
            ("gaps", "A rule answers also where origins, owners, codes and facts are unknown, and where nothing is offered.", self._gaps),
            ("pure", "Asked twice, and in another order, a rule says the same; it reads and changes nothing else.", self._pure),
            ("order", "Shown offers, demands and places in another order, a rule asks for the same.", self._order),
            ("seeds", "A rule says the same in another process, in which sets are gone through in another order.", self._seeds),
            ("shortcuts", "What a rule says of itself to spare work is so: `concerns`, `charges_on`, `charge_reads_use`, `charged_origins`, `reads`.", self._shortcuts),
            ("doubt", "An offer of doubtful origin passes only if it would wherever it may be from, and is charged no less.", self._doubt),
            ("more-rules", "The rules make no plan cheaper.", partial(self._law, "more-rules", self._more_rules)),
            ("more-offers", "One more offer makes no plan dearer, where no limit may be missed at a price.", partial(self._law, "more-offers", self._more_offers)),
            ("wider", "On more days, or in a wider form, a rule bars no less and makes no plan cheaper.", partial(self._law, "wider", self._wider)),
            ("rows-of-tables", "The order of rows in tables changes no byte of a plan.", partial(self._law, "rows-of-tables", self._shuffled)),
            ("names", "Other names of plants, offers and demands change neither cost nor verdicts.", partial(self._law, "names", self._renamed)),
            ("halves", "An offer split in two that share its capacity costs the same, where nothing is counted.", partial(self._law, "halves", self._halved)),
        )  # fmt: skip
        checks = [Check(self.subject, name, says, look) for name, says, look in given]
        if self.examples:
            says = "Plans that are said to be allowed are, and plans that are said to be refused are, for this rule."
            checks.append(Check(self.subject, "examples", says, self._examples))
        applies = "The rules bear on some of the made-up cases, so that the checks above say something."
        return (*checks, Check(self.subject, "applies", applies, self._applies, note=True))

    # ------------------------------------------------------------------------------------------------ asked directly

    def _json(self) -> Iterator[Diagnostic]:
        for rule in self.rules:
            try:
                again = type(rule).model_validate_json(rule.model_dump_json(by_alias=True)).with_settings(rule.settings)
            except ValueError as error:
                yield _problem(rule, f"cannot be read from its own JSON: {error}", "a rule of plain values")
                continue
            if again != rule:
                yield _problem(rule, "is another rule once written as JSON and read again", "a rule of plain values")

    def _sentences(self) -> Iterator[Diagnostic]:
        expected = "what it asks in a planner's words, with a full stop, from `sentence()` or `title`"
        for rule in self.rules:
            try:
                said = sentence_of(rule)
            except FriendshoreError as error:
                yield from (replace(problem, expected=expected, fix="") for problem in error.problems)
                continue
            if not is_sentence(said):
                yield _problem(rule, "is not told in a sentence", expected, repr(said))
        if not self._broken:
            yield from self._asked(RuleTrial.unexplained, "`sentence` of every row, in a planner's words")

    def _gaps(self) -> Iterable[Diagnostic]:
        self._needs(self._broken)
        return self._left_open

    def _pure(self) -> Iterable[Diagnostic]:
        self._needs(self._broken)
        return self._impurities

    def _order(self) -> Iterable[Diagnostic]:
        self._needs(self._broken or ("see `pure`" if self._impurities else ""))
        return self._disorders

    def _seeds(self) -> Iterator[Diagnostic]:
        self._needs(self._unsteady)
        # Kinds of friendshore itself are held to this by its own tests.
        foreign = [rule for rule in self.rules if not is_own(type(rule))]
        named = {rule.id: rule for rule in foreign}
        for name in unsteady(foreign, self.materials(), PER_RULE, self.columns) if foreign else ():
            expected = "names sorted before they are gone through: `for name in sorted(names)`"
            yield _problem(
                named[name], "it says something else, or the same in another order, in another process", expected
            )

    def _shortcuts(self) -> Iterator[Diagnostic]:
        self._needs(self._unsteady)
        yield from self._asked(
            RuleTrial.false_shortcuts, "nothing left out: a shortcut that is wrong lets offers pass unseen"
        )

    def _doubt(self) -> Iterator[Diagnostic]:
        self._needs(self._unsteady)

        def look(asking: RuleTrial) -> Iterator[str]:
            # A ban that asks for no proof is left with the countries that are named, of which it must doubt every one.
            named = isinstance(asking.rule, OriginBan) and not asking.rule.asks_proof
            yield from asking.doubted([] if named else sorted({*USUAL, *Words((asking.rule,)).countries}))
            yield from asking.cheap_in_doubt()

        expected = "fail or unproven while any possible country would not pass, and the dearest charge of them"
        found = list(self._asked(look, expected))
        yield from found if found or self._left_open else self._asked(look, expected, odd=True)

    def _asked(
        self, look: Callable[[RuleTrial], Iterator[str | Diagnostic]], expected: str, odd: bool = False
    ) -> Iterator[Diagnostic]:
        """Yield the first finding for each rule over its generated cases. `expected` describes a correct answer.

        With `odd`, the cases are those with unknown facts and without offers, instead of the usual ones.
        """
        for rule, askings in zip(self.rules, self._odd if odd else self._usual, strict=True):
            for asking in askings:
                try:
                    found = next(look(asking), None)
                except InputError:
                    continue  # it names something that only a real case has
                except FriendshoreError as error:
                    # Whoever checks a rule is its author: what it should have done is of more use than who is to blame.
                    where = f"in {asking.world.case.name}"
                    yield from (replace(problem, found=where, expected=expected, fix="") for problem in error.problems)
                    break
                if isinstance(found, Diagnostic):
                    yield replace(found, message=f"{_named(rule)}: {found.message}", expected=expected)
                elif found is not None:
                    yield _problem(rule, found, expected, f"in {asking.world.case.name}")
                if found is not None:
                    break

    @cached_property
    def _usual(self) -> list[list[RuleTrial]]:
        """Each rule in its generated cases. All checks share these, so that a rule with memory is detected."""
        return [[RuleTrial(rule, world) for world in self.worlds([rule], PER_RULE)] for rule in self.rules]

    @cached_property
    def _odd(self) -> list[list[RuleTrial]]:
        """Each rule in the cases with unknown facts, and in one without offers."""
        return [
            [
                RuleTrial(one.rule, change(one.world), held_to_it=False)
                for change, ones in ((bare, usual), (empty, usual[:1]))
                for one in ones
            ]
            for usual in self._usual
        ]

    @cached_property
    def _broken(self) -> str:
        """Reason for stopping before further calls. Empty if there is none."""
        return "its answers are at fault: see `answers` and `linear`" if self._wrong_answers or self._not_linear else ""

    @cached_property
    def _wrong_answers(self) -> tuple[Diagnostic, ...]:
        return tuple(self._asked(RuleTrial.wrong_answers, "a Verdict with a reason, or a Decimal of zero or more"))

    @cached_property
    def _not_linear(self) -> tuple[Diagnostic, ...]:
        return tuple(self._asked(RuleTrial.not_linear, LINEAR))

    @cached_property
    def _unsteady(self) -> str:
        """Reason for not planning. Empty if there is none."""
        if self._broken:
            return self._broken
        found = self._impurities or self._disorders
        return "its answers differ from time to time: see `pure` and `order`" if found else ""

    @cached_property
    def _impurities(self) -> tuple[Diagnostic, ...]:
        expected = (
            "the same answer whenever it is asked, from what it is given alone: nothing remembered, read or changed"
        )
        return tuple(self._asked(impure, expected))

    @cached_property
    def _left_open(self) -> tuple[Diagnostic, ...]:
        def look(asking: RuleTrial) -> Iterator[str]:
            yield from asking.wrong_answers()
            yield from asking.not_linear()

        expected = "an answer to what is unknown (of origins: unproven), and no row that rests on what is not there"
        return tuple(self._asked(look, expected, odd=True))

    @cached_property
    def _disorders(self) -> tuple[Diagnostic, ...]:
        return tuple(self._asked(disordered, "the same rows whatever comes first: sort by id, and break ties by it"))

    @staticmethod
    def _needs(reason: str) -> None:
        if reason:
            raise NotLookedAt(reason)

    # ------------------------------------------------------------------------------------------------- planned with

    @cached_property
    def _plans(self) -> list[tuple[World, laws.TrialOutcome]]:
        """Generated cases in which the rules can be used, each planned under them."""
        count = max(CASES, min(MOST_CASES, len(self.rules)))
        found = []
        for world in self.worlds(self.rules, count):
            try:
                found.append((world, laws.planned(world, self.rules)))
            except InputError:
                continue
        return found

    @cached_property
    def _without(self) -> dict[int, laws.TrialOutcome]:
        """Plans of these cases without rules, by seed."""
        return {world.seed: laws.planned(world, ()) for world, _ in self._plans}

    def _law(self, name: str, law: Law) -> Iterator[Diagnostic]:
        self._needs(self._unsteady)
        if not self._plans:
            raise NotLookedAt("the rules name what no made-up case has")
        for world, before in self._plans:
            try:
                found = law(world, before)
            except InputError:
                continue  # it names something of this case that the law takes away
            if found is not None:
                yield Diagnostic(found, self.subject, found=f"in {world.case.name}", fix=laws.FIXES[name])
                return

    def _more_rules(self, world: World, before: laws.TrialOutcome) -> str | None:
        without = self._without[world.seed].objective
        if not laws.less(before.objective, without):
            return None
        return f"a plan comes to {laws.money(before.objective)} with the rules, {laws.money(without)} without them"

    def _more_offers(self, world: World, before: laws.TrialOutcome) -> str | None:
        if before.priced:
            # A cap that may be missed at a price has a row for everyone: an offer from somewhere new adds a row, and its price.
            return None
        more = laws.planned(laws.with_one_more(world, self.rules), self.rules).objective
        if not laws.less(before.objective, more):
            return None
        return f"a plan comes to {laws.money(more)} with one more offer, {laws.money(before.objective)} without it"

    def _wider(self, world: World, before: laws.TrialOutcome) -> str | None:
        forms = [laws.always(self.rules), *((wide,) for wide in self.wider)]
        for rules in (form for form in forms if form != self.rules):
            after = laws.planned(world, rules)
            added = {row[:2] for row in before.against} - {row[:2] for row in after.against}
            if added:
                offer, use = min(added)
                return f"`{offer}` is let pass for {use} by the wider rule, and not by the narrower"
            if laws.less(after.objective, before.objective):
                return f"a plan comes to {laws.money(after.objective)} under the wider rule, {laws.money(before.objective)} under the narrower"
        return None

    def _shuffled(self, world: World, before: laws.TrialOutcome) -> str | None:
        other = laws.planned(laws.shuffled(world), self.rules)
        changed = "the plan is another one with the rows of the tables in another order"
        return changed if other.text != before.text else None

    def _renamed(self, world: World, before: laws.TrialOutcome) -> str | None:
        if self._named(world):
            return None
        other, names = laws.renamed(world)
        after = laws.planned(other, self.rules)
        if laws.back(after.against, names) != before.against:
            return "verdicts change with the names of plants, offers and demands"
        return self._differ(before, after, "with other names")

    def _halved(self, world: World, before: laws.TrialOutcome) -> str | None:
        if before.counted or world.case.incumbents or self._named(world):
            return None
        after = laws.planned(laws.halved(world), self.rules)
        if after.counted:
            return None
        return self._differ(before, after, "with offers split in two")

    @staticmethod
    def _differ(before: laws.TrialOutcome, after: laws.TrialOutcome, how: str) -> str | None:
        if not (laws.less(after.objective, before.objective) or laws.less(before.objective, after.objective)):
            return None
        return f"a plan comes to {laws.money(before.objective)}, and to {laws.money(after.objective)} {how}"

    def _named(self, world: World) -> bool:
        """Return True if a rule names something in a generated case, such as an offer to pin."""
        return not world.names.isdisjoint(self._words)

    @cached_property
    def _words(self) -> frozenset[str]:
        """All texts of the rules."""
        return Words(self.rules).all

    def _examples(self) -> Iterator[Diagnostic]:
        self._needs(self._broken)
        for example in self.examples:
            yield from example_problems(example, self.rules)

    def _applies(self) -> Iterator[Diagnostic]:
        self._needs(self._unsteady)
        touched = 0
        for world, plan in self._plans:
            touched += bool(plan.against) or plan.text != self._without[world.seed].text
        if not touched:
            fix = "give example plans to `check_rule`, or vectors to the pack, that show what it does"
            text = "bears on none of them" if self._plans else "names what none of them has"
            yield Diagnostic(f"{text}: {len(self._plans)} planned", self.subject, fix=fix)


def _problem(rule: Rule, message: str, expected: str, found: str = "") -> Diagnostic:
    if is_own(type(rule)):
        return Diagnostic(message, _named(rule), found=found, expected=expected)
    file, line = place_of(type(rule))
    return Diagnostic(f"{_named(rule)}: {message}", file, line, found=found, expected=expected)


def _named(rule: Rule) -> str:
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
        wider: Wider forms of the rules. Each must bar everything that the rules bar.
        columns: Columns of facts that they may read. Generated offers and plants then have values for them.
    """
    known = tuple(materials)
    subject = "rule " + ", ".join(f"`{rule.id or rule.kind}`" for rule in rules)
    return Trial(subject, lambda: rules, lambda: known, tuple(examples), tuple(wider), tuple(columns)).checks()
