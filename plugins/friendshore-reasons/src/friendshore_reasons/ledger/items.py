"""Items of a ledger, the cost of each coalition of items, and the split of the total over them."""

# An item is a rule, a scenario, or a kind of term of trade that can be on or off. Rules without any effect in a problem are left out. The case splits
# into independent pieces, and each piece is split by itself.
#
# L. S. Shapley, A value for n-person games, in: Contributions to the Theory of Games II, 1953, 307-317: the value of a player is his marginal
# contribution, averaged over all orders in which the players may come in. Sampled: J. Castro, D. Gómez, J. Tejada, Polynomial calculation of the Shapley
# value based on sampling, Computers & Operations Research 36, 2009, 1726-1730.

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from itertools import chain, combinations
from math import comb, lcm, sqrt
from random import Random
from statistics import fmean, variance

from friendshore.domain.base import exact
from friendshore.domain.change import Change, TermKind
from friendshore.domain.plan import PlanStatus
from friendshore.domain.runtime import cached_method
from friendshore.domain.suggest import did_you_mean
from friendshore.domain.use import Use
from friendshore.errors import Diagnostic, InputError
from friendshore.explain.pieces import Changes, Piece, Pieces
from friendshore.plugins import attributed, sentence_of
from friendshore.plugins.interface import is_own
from friendshore.problem import Problem
from friendshore.problem.changes import scenario_changes
from friendshore.problem.network import Arc
from friendshore.problem.parts import Parts
from friendshore.program import compile_program
from friendshore.rules.answers import as_charge
from friendshore.rules.base import Rule
from friendshore.rules.rows import Row, Rows, single_rows
from friendshore.rules.terms import ReservedTerm, ShortfallTerm, SpentTerm
from friendshore.rules.verdicts import possible_origins, representative_countries
from friendshore.session import PartPlan, PlanCache, Session
from friendshore.solve import digest
from friendshore.verify import rules_in_effect

Coalition = frozenset[int]
"""Numbers of the items that are on."""


def digest_of(problem: Problem) -> bytes:
    program = compile_program(problem)
    return digest(program.linear, program.goals)


class ItemKind(StrEnum):
    """Kind of an item."""

    RULE = "rule"
    SCENARIO = "scenario"
    TERM = "term"


@dataclass(frozen=True, slots=True)
class Item:
    """An item that is on or off."""

    name: str
    kind: ItemKind
    title: str
    on: Changes = ()
    """Changes that switch it on. Empty if it is on in the case."""
    off: Changes = ()
    """Changes that switch it off. Empty if it is off in the case."""


def rule_items(session: Session) -> list[Item]:
    return [
        Item(rule.id, ItemKind.RULE, sentence_of(rule), off=(Change(disable=rule.id),)) for rule in session.inputs.rules
    ]


def items_named(session: Session, names: Sequence[str], applied: Sequence[str] = ()) -> list[Item]:
    """Return the items with these names, which may have the prefixes `rule:`, `scenario:`, and `term:`. Raises InputError with every bad name."""
    items_by_name: dict[str, list[Item]] = {}
    term_items = (Item(kind.value, ItemKind.TERM, "", off=(Change(lift=kind),)) for kind in TermKind)
    for item in (*rule_items(session), *_scenario_items(session), *term_items):
        items_by_name.setdefault(item.name, []).append(item)
        items_by_name.setdefault(f"{item.kind}:{item.name}", []).append(item)
    items: list[Item] = []
    problems: list[Diagnostic] = []
    for name in names:
        matches = items_by_name.get(name, [])
        if len(matches) == 1 and matches[0] not in items and matches[0].name not in applied:
            items.append(matches[0])
        else:
            problems.append(_name_problem(name, matches, items_by_name, applied))
    if problems:
        raise InputError(problems)
    return items


def _name_problem(
    name: str, matches: Sequence[Item], items_by_name: dict[str, list[Item]], applied: Sequence[str]
) -> Diagnostic:
    if not matches:
        known_names = sorted(key for key in items_by_name if ":" not in key)
        return Diagnostic(
            "unknown rule, scenario, or kind of terms",
            found=name,
            expected=", ".join(known_names),
            fix=did_you_mean(name, items_by_name),
            code="FS920",
        )
    if len(matches) > 1:
        choices = " or ".join(f"{item.kind}:{item.name}" for item in matches)
        return Diagnostic(
            f"`{name}` is ambiguous",
            found=name,
            expected=choices,
            fix=f"add the kind, as in `{matches[0].kind}:{name}`",
            code="FS921",
        )
    if matches[0].name in applied:
        message = f"scenario `{name}` is already applied to the case, so the ledger can't switch it off"
        return Diagnostic(message, found=name, fix=f"remove `{name}` from --scenario", code="FS922")
    message = f"`{name}` is listed more than once"
    return Diagnostic(message, found=name, expected="each name once", fix="remove the duplicate", code="FS923")


def _scenario_items(session: Session) -> list[Item]:
    case = session.inputs.case
    return [Item(s.name, ItemKind.SCENARIO, s.title, on=scenario_changes(case, [s.name])) for s in case.scenarios]


def subsets(items: Sequence[int]) -> list[tuple[int, ...]]:
    return list(chain.from_iterable(combinations(items, size) for size in range(len(items) + 1)))


class Coalitions:
    """Pieces of a case under every coalition of items. The constructor raises InputError for a scenario with an unknown name in it."""

    def __init__(self, session: Session, items: Sequence[Item]) -> None:
        self.items = items
        self._covering: dict[Piece, dict[int, frozenset[int]]] = {}
        self._restricting_rules: dict[tuple[Piece, Coalition], dict[int, Rule]] = {}
        self._prohibitions: dict[tuple[Piece, Coalition], dict[int, int]] = {}
        """Item -> prohibitions of a rule that only prohibits, as bits. See `prohibition_key`."""
        self._case = session.inputs.case
        self._scenarios = [i for i, item in enumerate(items) if item.kind is ItemKind.SCENARIO]
        scenario_sets = [self._scenario_changes(scenarios) for scenarios in subsets(self._scenarios)]
        self.pieces = Pieces(session, [*scenario_sets, *(item.off for item in items if item.off)])

    def linking_limit(self, piece: Piece) -> tuple[int, Coalitions, tuple[Piece, ...]] | None:
        """Return the limit rule whose removal splits a piece into most pieces, the items without it, and these pieces. None if no rule does."""
        session = self.pieces.session
        joining = [
            i
            for i, item in enumerate(self.items)
            if item.kind is ItemKind.RULE and len(session.parts.counted.get(item.name, frozenset()) & piece.members) > 1
        ]
        limits = {rule.id for rule in session.problem.rules if rule.verbs == {"rows"}}
        parts_without = {
            i: self._parts_without(self.items[i].name, piece) for i in joining if self.items[i].name in limits
        }
        link = max(parts_without, key=lambda i: parts_without[i], default=None)
        if link is None or parts_without[link] == _count_parts(session.parts, piece):
            return None
        inputs = session.inputs.after(self.items[link].off)
        plans = PlanCache(session.memory // 4)  # those of the session are plans with the rule
        finer = replace(session, inputs=inputs, problem=inputs.problem(), _plans=plans)
        coalitions = Coalitions(finer, self.items)
        pieces = [each for each in coalitions.pieces.all if each.members & piece.members]
        touched = frozenset[str]().union(*(each.members for each in pieces))
        unjoined = [members for members in finer.parts.members if members & piece.members and not members & touched]
        pieces += [Piece(members, frozenset()) for members in unjoined]
        fits = len(pieces) > 1 and all(each.members <= piece.members for each in pieces)
        return (link, coalitions, tuple(pieces)) if fits else None

    def _parts_without(self, rule: str, piece: Piece) -> int:
        session = self.pieces.session
        rows = [(limit, row) for limit, row in session.problem.limit_rows if limit.id != rule]
        ranked_rows = (row for objective in session.problem.objectives for row in objective.rows)
        return _count_parts(Parts(session.inputs, session.problem, rows, ranked_rows), piece)

    def changes(self, piece: Piece, coalition: Coalition) -> Changes:
        """Return the changes that switch the items of a coalition on and the others off: first scenarios, then rules."""
        on = self.pieces.changes_for(piece, self._scenario_changes([i for i in self._scenarios if i in coalition]))
        rule_ids = {rule.id for rule in self.pieces.facts(piece, ()).rules}
        off = [change for i, item in enumerate(self.items) if i not in coalition for change in item.off]
        return (*on, *(change for change in off if change.lift is not None or change.disable in rule_ids))

    def players(self, piece: Piece) -> list[int]:
        """Return the items that can affect a piece. The other items have no effect, regardless of the items that are on.

        These are left out:

        - a scenario whose changes don't affect the piece
        - a kind of terms, if the facts are the same without it
        - a rule that prohibits nothing, charges nothing, and adds no row (`active_rules`)
        - a rule that only prohibits, if the piece has the same program with and without it while all other rules and terms are off: it then
          prohibits nothing that can be bought, and other rules only reduce that
        - with another rule that prohibits as much, a rule without additional prohibitions (`reduced`)
        """
        scenarios = [i for i in self._scenarios if self.pieces.changes_for(piece, self.items[i].on)]
        facts = self.pieces.facts(piece, ())
        terms = [i for i, item in enumerate(self.items) if item.kind is ItemKind.TERM and self._affects(piece, item)]
        rules = {rule.id: rule for rule in facts.rules}
        rule_items = [i for i, item in enumerate(self.items) if item.kind is ItemKind.RULE and item.name in rules]
        scenario_changes = [self.pieces.changes_for(piece, self._scenario_changes(on)) for on in subsets(scenarios)]
        active = frozenset().union(*(active_rules(self.pieces.problem(piece, changes)) for changes in scenario_changes))
        rule_items = [i for i in rule_items if self.items[i].name in active]
        prohibiting = [i for i in rule_items if rules[self.items[i].name].verbs == {"judge"}]
        idle = {i for i in prohibiting if self._same_program(piece, scenarios, frozenset(), frozenset({i}))}
        prohibiting = [i for i in prohibiting if i not in idle]
        self._covering[piece] = self._covering_rules(piece, scenarios, prohibiting)
        return sorted({*scenarios, *terms, *rule_items} - idle)

    def reduced(self, piece: Piece, coalition: Coalition) -> Coalition:
        """Return the coalition without rules whose prohibitions another of its rules includes. It makes the same case of a piece."""
        covering = self._covering.get(piece, {})
        return frozenset(i for i in coalition if not covering.get(i, frozenset()) & coalition)

    def restricting(self, piece: Piece, coalition: Coalition) -> dict[int, Rule]:
        """Return the rules of a piece that only prohibit and charge, by item. Empty if they may do more than remove plans or raise their cost."""
        scenarios = coalition.intersection(self._scenarios)
        if (piece, scenarios) not in self._restricting_rules:
            rules = frozenset(i for i, item in enumerate(self.items) if item.kind is ItemKind.RULE)
            problem = self.pieces.problem(piece, self.changes(piece, scenarios | rules))
            may_loosen = any(_may_loosen(rule, rows) for rule, rows in problem.limit_rows if not _is_vacuous(rows))
            interacts = may_loosen or problem.commitments or problem.objectives
            restricting_rules = {rule.id: rule for rule in problem.rules if rule.verbs <= {"judge", "charge"}}
            rule_by_item = {
                i: restricting_rules[self.items[i].name] for i in rules if self.items[i].name in restricting_rules
            }
            self._restricting_rules[piece, scenarios] = {} if interacts else rule_by_item
            self._prohibitions[piece, scenarios] = {} if interacts else self._prohibitions_by_item(problem)
        return self._restricting_rules[piece, scenarios]

    def prohibition_key(self, piece: Piece, coalition: Coalition) -> tuple[Coalition, int] | None:
        """Return a key that is equal for coalitions that make the same case of a piece. None if rules may affect more than purchases and deliveries."""
        if not self.restricting(piece, coalition):
            return None
        prohibitions = self._prohibitions[piece, coalition.intersection(self._scenarios)]
        united = 0
        for i in coalition:
            united |= prohibitions.get(i, 0)
        return frozenset(i for i in coalition if i not in prohibitions), united

    def _prohibitions_by_item(self, problem: Problem) -> dict[int, int]:
        bit_by_way: dict[tuple[object, ...], int] = {}
        waived = {waiver.rule for waiver in problem.case.waivers}
        item_of = {item.name: i for i, item in enumerate(self.items) if item.kind is ItemKind.RULE}
        prohibitions: dict[int, int] = {}
        for position, rule in enumerate(problem.rules):
            by_order = rule.judge_scope == "chain" and rule.dated_by == "order"
            if rule.id not in item_of or rule.verbs != {"judge"} or rule.id in waived or by_order:
                continue
            ways = _prohibited_ways(problem, position)
            if ways is not None:
                prohibitions[item_of[rule.id]] = sum(1 << bit_by_way.setdefault(way, len(bit_by_way)) for way in ways)
        return prohibitions

    def _scenario_changes(self, scenarios: Sequence[int]) -> Changes:
        return scenario_changes(self._case, [self.items[i].name for i in scenarios])

    def _affects(self, piece: Piece, item: Item) -> bool:
        before, after = self.pieces.facts(piece, ()), self.pieces.facts(piece, item.off)
        return before.catalogs != after.catalogs

    def _covering_rules(
        self, piece: Piece, scenarios: Sequence[int], rules: Sequence[int]
    ) -> dict[int, frozenset[int]]:
        """Return the other rules that include all prohibitions of each rule. Of two with equal prohibitions, only the later one names the other."""
        covering: dict[int, set[int]] = {i: set() for i in rules}
        for first, second in combinations(rules, 2):
            both = frozenset({first, second})
            if self._same_program(piece, scenarios, frozenset({first}), both):
                covering[second].add(first)
            elif self._same_program(piece, scenarios, frozenset({second}), both):
                covering[first].add(second)
        return {i: frozenset(others) for i, others in covering.items()}

    def _same_program(self, piece: Piece, scenarios: Sequence[int], rules: Coalition, other_rules: Coalition) -> bool:
        return all(
            self._digest(piece, frozenset(enabled) | rules) == self._digest(piece, frozenset(enabled) | other_rules)
            for enabled in subsets(scenarios)
        )

    @cached_method
    def _digest(self, piece: Piece, coalition: Coalition) -> bytes:
        return digest_of(self.pieces.problem(piece, self.changes(piece, coalition)))


def _count_parts(parts: Parts, piece: Piece) -> int:
    return sum(bool(members & piece.members) for members in parts.members)


def _prohibited_ways(problem: Problem, position: int) -> set[tuple[object, ...]] | None:
    """Return the prohibitions of a rule: use, arc, and period, or any period. None if a license of limited quantity is involved."""
    law, periods = problem.law, problem.case.horizon.periods
    in_force = [period for period in periods if law.in_force(position, period.span)]
    always = len(in_force) == len(periods)
    ways: set[tuple[object, ...]] = set()
    for use_index, (use, judgement) in enumerate(problem.judgements.items()):
        for index, verdict in {**judgement.chain.get(position, {}), **judgement.trade.get(position, {})}.items():
            arc = problem.network.arcs[index]
            if not law.forbids(verdict, arc):
                continue
            licenses = [law.licenses(verdict, arc, use, p.span) if verdict.license else None for p in in_force]
            if any(licenses):
                return None
            prohibited_periods = [
                period.index for period, granted in zip(in_force, licenses, strict=True) if granted is None
            ]
            if always and len(prohibited_periods) == len(periods):
                ways.add((use_index, index))
            else:
                ways |= {(use_index, index, problem.rules[position].judge_scope, t) for t in prohibited_periods}
    return ways


def active_rules(problem: Problem) -> frozenset[str]:
    """Return the ids of rules that prohibit, charge, or limit anything in a period in which they apply. No other rule changes any plan."""
    law, periods = problem.law, problem.case.horizon.periods
    applying = [i for i, _ in enumerate(problem.rules) if any(law.in_force(i, period.span) for period in periods)]
    with_verdicts = {
        i for judgement in problem.judgements.values() for table in (judgement.chain, judgement.trade) for i in table
    }
    limiting = {rule.id for rule, row in problem.limit_rows if not _is_vacuous(row)}
    judging = {problem.rules[i].id for i in applying if i in with_verdicts or _charges(problem, problem.rules[i])}
    return frozenset(judging | limiting)


def _is_vacuous(row: Row | Rows) -> bool:
    """Return True if a row counts nothing and is satisfied. Facts decide what can be counted, so this is true for every plan."""
    if not all(term.is_empty for term in row.all_terms):
        return False
    return all(
        (single.at_least or 0) <= 0 and (single.at_most is None or single.at_most >= 0) for single in single_rows(row)
    )


def _may_loosen(rule: Rule, rows: Row | Rows) -> bool:
    """Return True if a plan could violate the rows of a limit, and satisfy them once other rules prohibit or charge more.

    Charges are spend: they help to reach a minimum of spend, but never to stay below a maximum. Prohibitions determine the compliance classes,
    so they don't affect what is counted for any use.
    """
    if not is_own(type(rule)) or rule.watches_stock:
        return True
    for row in single_rows(rows):
        for term in row.all_terms:
            if isinstance(term, ReservedTerm | ShortfallTerm) or getattr(term, "for_uses", None) is not None:
                return True
            charged = isinstance(term, SpentTerm)
            if charged and (row.at_least is not None or term.times < 0 or bool((term.weight < 0).any())):
                return True
    return False


def _charges(problem: Problem, rule: Rule) -> bool:
    if "charge" not in rule.verbs:
        return False
    with attributed(rule):
        origin_rules = representative_countries([rule])
        return any(
            as_charge(rule.charge(arc.chained, arc.move, use, origin, value))
            for arc, use in _moves(problem, rule)
            for origin in possible_origins(arc.chained, origin_rules)
            for value in _values(problem, arc)
        )


def _values(problem: Problem, arc: Arc) -> list[Decimal]:
    facts = problem.offers[arc.offer]
    prices = sorted({max(price, Decimal(0)) for price in facts.price})
    return prices if facts.has_one_output else [exact(price / facts.mass_per_unit) for price in prices]


def _moves(problem: Problem, rule: Rule) -> Iterator[tuple[Arc, Use]]:
    seen: set[int] = set()
    for use, judged in problem.judgements.items():
        for index in sorted(judged.reach - seen):
            if problem.network.arcs[index].offer >= 0:
                yield problem.network.arcs[index], use
        if not rule.charge_reads_use:
            seen |= judged.reach


class Method(StrEnum):
    """Method of the split."""

    ORDER = "order"
    EXACT = "exact"
    SAMPLED = "sampled"
    CONFLICT = "conflict"
    """Not split, because rules conflict with some of the items on."""


Weights = dict[Coalition, Fraction]
"""Weight of each coalition's value in a player's part."""
NORMAL = 1.96
"""Half-width of the 95% interval of a normal distribution, in standard deviations."""


def shapley_weights(players: Sequence[int]) -> dict[int, Weights]:
    """Return the Shapley value of each player as weights of coalitions: `1 / (n * C(n-1, s))` with the player, and minus that without."""
    weights_by_player: dict[int, Weights] = {}
    for player in players:
        others, weights = [p for p in players if p != player], {}
        for size in range(len(players)):
            share = Fraction(1, len(players) * comb(len(players) - 1, size))
            for members in combinations(others, size):
                weights[frozenset({*members, player})] = share
                weights[frozenset(members)] = -share
        weights_by_player[player] = weights
    return weights_by_player


def marginal_weights(orders: Sequence[Sequence[int]]) -> dict[int, Weights]:
    """Return the marginal value of each player, averaged over some orders, as weights of coalitions. They add up for any orders."""
    weights_by_player: dict[int, Weights] = {player: {} for player in orders[0]}
    share = Fraction(1, len(orders))
    for order in orders:
        for position, player in enumerate(order):
            before, after = frozenset(order[:position]), frozenset(order[: position + 1])
            weights = weights_by_player[player]
            weights[after] = weights.get(after, Fraction(0)) + share
            weights[before] = weights.get(before, Fraction(0)) - share
    return weights_by_player


def sampled_orders(players: Sequence[int], count: int, seed: int) -> list[list[int]]:
    generator = Random(seed)  # noqa: S311 - no secret: the same every time
    return [generator.sample(list(players), len(players)) for _ in range(count)]


def confidence_half_width(orders: Sequence[Sequence[int]], player: int, value: Callable[[Coalition], float]) -> float:
    marginals = []
    for order in orders:
        position = order.index(player)
        marginals.append(value(frozenset(order[: position + 1])) - value(frozenset(order[:position])))
    return NORMAL * sqrt(variance(marginals, fmean(marginals)) / len(marginals)) if len(marginals) > 1 else float("inf")


def round_to_total(total: int, parts: Sequence[Fraction]) -> list[int]:
    """Round the parts to whole units that sum to `total`, by largest remainders. Zero stays zero, unless no other part can take the rest."""
    units = [part.numerator // part.denominator for part in parts]
    rest = total - sum(units)
    candidates = [i for i, part in enumerate(parts) if part] or list(range(len(parts)))
    candidates.sort(key=lambda i: (units[i] - parts[i], i))
    step = 1 if rest > 0 else -1
    for turn in range(abs(rest)):
        units[(candidates if rest > 0 else candidates[::-1])[turn % len(candidates)]] += step
    return units


@dataclass(frozen=True, slots=True)
class Value:
    """Cost and shortage of a piece under one coalition."""

    lines: tuple[Fraction, ...]
    """Present value spent, penalties, shortage, cash, and kilograms short of each demanded material of the case."""
    slack: Decimal
    """Distance of the value from its lower bound."""
    proved: bool
    conflict: tuple[str, ...]

    @property
    def amount(self) -> Fraction:
        return sum(self.lines[:3], Fraction(0))


def sum_of_values(values: Sequence[Value]) -> Value:
    return Value(
        tuple(sum(lines, Fraction(0)) for lines in zip(*(value.lines for value in values), strict=True)),
        sum((value.slack for value in values), Decimal(0)),
        all(value.proved for value in values),
        tuple(name for value in values for name in value.conflict),
    )


class Split:
    """The split of a piece's cost and shortage over its players."""

    def __init__(self, coalitions: Coalitions, piece: Piece) -> None:
        self.coalitions, self.piece = coalitions, piece
        self.players = coalitions.players(piece)
        self.none: Coalition = frozenset()
        self.whole: Coalition = frozenset(self.players)
        self.weights: dict[int, Weights] = {}
        self.orders: list[list[int]] = []
        self.method = Method.EXACT
        self._values: dict[Coalition, Value] = {}
        self._planned_by_key: dict[tuple[Coalition, int], Coalition] = {}
        """Key of coalitions that make the same case -> the first one planned."""
        self._harmless_rules: dict[Coalition, frozenset[int]] = {}
        """Planned coalition -> rules outside it that leave its plan as lawful and as expensive as it is."""
        linked = coalitions.linking_limit(piece) if len(self.players) > 1 else None
        self._link: int | None = None
        """The limit rule that alone joins otherwise separate pieces. None if there is none."""
        self._pieces: tuple[Split, ...] = ()
        if linked is not None and linked[0] in self.players:
            self._link, unlinked, pieces = linked
            self._pieces = tuple(Split(unlinked, separate) for separate in pieces)

    def choose_coalitions(self, in_order: bool, exact_up_to: int, samples: int, seed: int) -> None:
        if in_order:
            self.method, self.orders = Method.ORDER, [self.players]
        elif len(self.players) > exact_up_to:
            self.method, self.orders = Method.SAMPLED, sampled_orders(self.players, samples, seed)
        self.weights = marginal_weights(self.orders) if self.orders else shapley_weights(self.players)

    @property
    def planned_count(self) -> int:
        return len(self._values)

    @property
    def needed(self) -> list[Coalition]:
        singles = [frozenset({i}) for i in self.players] + [self.whole - {i} for i in self.players]
        coalitions = {coalition for weights in self.weights.values() for coalition in weights} | {
            self.none,
            self.whole,
            *singles,
        }
        coalitions = {self.coalitions.reduced(self.piece, coalition) for coalition in coalitions}
        return sorted(coalitions, key=lambda coalition: (len(coalition), sorted(coalition)))

    def value(self, coalition: Coalition) -> Value:
        coalition = self.coalitions.reduced(self.piece, coalition)
        if coalition not in self._values:
            self._values[coalition] = self._evaluated(coalition)
        return self._values[coalition]

    def _evaluated(self, coalition: Coalition) -> Value:
        if self._link is not None and self._link not in coalition:
            return sum_of_values([split.value(coalition.intersection(split.players)) for split in self._pieces])
        return (
            self._value_of_smaller(coalition)
            or self._value_with_same_prohibitions(coalition)
            or self._planned_value(coalition)
        )

    def _planned_value(self, coalition: Coalition) -> Value:
        plan = self.coalitions.pieces.plan(self.piece, self.coalitions.changes(self.piece, coalition))
        value = plan_value(plan, demanded_materials(self.coalitions.pieces.session))
        rules = self.coalitions.restricting(self.piece, coalition)
        restricting = {i: rules[i] for i in self.players if i in rules and i not in coalition}
        if restricting and value.proved and not value.conflict:
            involved = rules_in_effect(plan.verified, list(restricting.values()))
            self._harmless_rules[coalition] = frozenset(i for i, rule in restricting.items() if rule.id not in involved)
            key = self.coalitions.prohibition_key(self.piece, coalition)
            if key is not None:
                self._planned_by_key.setdefault(key, coalition)
        return value

    def _value_with_same_prohibitions(self, coalition: Coalition) -> Value | None:
        key = self.coalitions.prohibition_key(self.piece, coalition)
        other = self._planned_by_key.get(key) if key is not None else None
        # Verification shows which of the rules that are on only here don't affect its plan.
        if other is None or not coalition - other <= self._harmless_rules[other]:
            return None
        self._harmless_rules[coalition] = (self._harmless_rules[other] | other) - coalition
        return self._values[other]

    def _value_of_smaller(self, coalition: Coalition) -> Value | None:
        """Return the value of a smaller coalition whose plan the additional rules don't affect. None if unknown."""
        # Rules that prohibit and charge remove plans or raise their cost, so the cheapest plan stays the cheapest if it remains.
        smaller = (c for c, rules in self._harmless_rules.items() if c < coalition and coalition - c <= rules)
        return next((self._values[c] for c in smaller), None)

    def amount(self, coalition: Coalition) -> float:
        return float(self.value(coalition).amount)

    @cached_property
    def conflict(self) -> tuple[str, ...]:
        """Rules that conflict in a coalition that counts. The piece then has no cost and is not split."""
        counting = {c for weights in self.weights.values() for c in weights} | {self.none, self.whole}
        return tuple(sorted({name for c in counting for name in self.value(c).conflict}))

    def part_of(self, player: int) -> list[Fraction]:
        weights = self.weights[player]
        values = [(weight, self.value(c).lines) for c, weight in weights.items() if weight]
        return [
            _sum_of_products([(w, lines[at]) for w, lines in values if lines[at]]) for at in range(len(values[0][1]))
        ]

    def weighted_sum(self, weights: Mapping[Coalition, Fraction]) -> tuple[Fraction, Fraction, Fraction] | None:
        """Return a weighted sum of values, its lower bound, and its upper bound. None if rules conflict."""
        values = [(weight, self.value(c)) for c, weight in weights.items() if weight]
        if any(value.conflict for _, value in values):
            return None
        total = sum((w * v.amount for w, v in values), Fraction(0))
        low = sum((w * Fraction(v.slack) for w, v in values if w > 0), Fraction(0))
        high = sum((-w * Fraction(v.slack) for w, v in values if w < 0), Fraction(0))
        return total, total - low, total + high

    @property
    def proved(self) -> bool:
        return all(value.proved for value in self._values.values())


def _sum_of_products(pairs: Sequence[tuple[Fraction, Fraction]]) -> Fraction:
    """Return the sum of products. Fractions over one denominator are reduced once, not after each product."""
    weight_denominator = lcm(*(weight.denominator for weight, _ in pairs))
    line_denominator = lcm(*(line.denominator for _, line in pairs))
    numerators = (
        w.numerator * (weight_denominator // w.denominator) * line.numerator * (line_denominator // line.denominator)
        for w, line in pairs
    )
    return Fraction(sum(numerators), weight_denominator * line_denominator)


def demanded_materials(session: Session) -> tuple[str, ...]:
    return tuple(sorted({demand.use.material.id for demand in session.problem.demands}))


def plan_value(part: PartPlan, materials: Sequence[str]) -> Value:
    plan, cost = part.plan, part.verified.cost
    material_by_demand = {demand.id: demand.use.material.id for demand in part.verified.problem.demands}
    short = dict.fromkeys(materials, Decimal(0))
    for entry in plan.shorts:
        short[material_by_demand[entry.demand]] += entry.quantity
    return Value(
        tuple(Fraction(line) for line in (cost.total, cost.penalties, cost.shortage, cost.nominal, *short.values())),
        max(Decimal(0), plan.objective - plan.bound),
        plan.status is PlanStatus.OPTIMAL,
        tuple(name for entry in plan.infeasible for name in entry.rules),
    )
