"""Items of a ledger, the cost of each coalition of items, and the split of the total over them.

An item is a rule, a scenario, or a kind of term of trade that can be on or off. Rules without any effect in a problem are left out. The case
splits into independent pieces, and each piece is split by itself.

L. S. Shapley, A value for n-person games, in: Contributions to the Theory of Games II, 1953, 307-317: the value of a player is
his marginal contribution, averaged over all orders in which the players may come in. Sampled: J. Castro, D. Gómez, J. Tejada,
Polynomial calculation of the Shapley value based on sampling, Computers & Operations Research 36, 2009, 1726-1730.
"""

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
from friendshore.rules.rows import Row, Rows, one_by_one
from friendshore.rules.terms import LackingTerm, ReservedTerm, SpentTerm
from friendshore.rules.verdicts import possible_origins, told_apart
from friendshore.session import PartPlan, PlanCache, Session
from friendshore.solve import digest
from friendshore.verify import bearing

Coalition = frozenset[int]
"""Numbers of the items that are on."""


def digest_of(problem: Problem) -> bytes:
    """Return a short key of the program of a problem, equal for programs with equal numbers.

    Raises:
        PluginError: If a plugin's limit rule raises.
    """
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
    """Return every rule of a case in order."""
    return [_rule(rule.id, sentence_of(rule)) for rule in session.inputs.rules]


def items_named(session: Session, names: Sequence[str], applied: Sequence[str] = ()) -> list[Item]:
    """Return items by name. The prefixes `rule:`, `scenario:`, and `term:` resolve ambiguous names.

    Names are ids of rules, names of scenarios, and kinds of terms of trade. Applied scenarios can't be switched on.

    Raises:
        InputError: For every name that is unknown, ambiguous, repeated, or of an applied scenario.
    """
    known: dict[str, list[Item]] = {}
    for item in (*rule_items(session), *_scenarios(session), *_terms()):
        known.setdefault(item.name, []).append(item)
        known.setdefault(f"{item.kind}:{item.name}", []).append(item)
    found: list[Item] = []
    troubles: list[Diagnostic] = []
    for name in names:
        meant = known.get(name, [])
        if len(meant) == 1 and meant[0] not in found and meant[0].name not in applied:
            found.append(meant[0])
        else:
            troubles.append(_trouble(name, meant, known, applied))
    if troubles:
        raise InputError(troubles)
    return found


def _trouble(name: str, meant: Sequence[Item], known: dict[str, list[Item]], applied: Sequence[str]) -> Diagnostic:
    if not meant:
        plain = sorted(key for key in known if ":" not in key)
        return Diagnostic(
            "no rule, scenario or kind of terms has this name",
            found=name,
            expected=", ".join(plain),
            fix=did_you_mean(name, known),
        )
    if len(meant) > 1:
        choices = " or ".join(f"{item.kind}:{item.name}" for item in meant)
        return Diagnostic("several things have this name", found=name, expected=choices)
    if meant[0].name in applied:
        return Diagnostic(
            f"scenario `{name}` is applied to the case already, so that nothing says what it is without it",
            found=name,
            fix="leave it out of --scenario",
        )
    return Diagnostic("named twice", found=name, expected="every name once")


def _rule(name: str, title: str) -> Item:
    return Item(name, ItemKind.RULE, title, off=(Change(disable=name),))


def _scenarios(session: Session) -> list[Item]:
    case = session.inputs.case
    return [Item(s.name, ItemKind.SCENARIO, s.title, on=scenario_changes(case, [s.name])) for s in case.scenarios]


def _terms() -> list[Item]:
    return [Item(kind.value, ItemKind.TERM, "", off=(Change(lift=kind),)) for kind in TermKind]


def subsets(of: Sequence[int]) -> list[tuple[int, ...]]:
    """Return every subset, small ones first."""
    return list(chain.from_iterable(combinations(of, size) for size in range(len(of) + 1)))


class Coalitions:
    """Pieces of a case under every coalition of items, with the items that can affect each."""

    def __init__(self, session: Session, items: Sequence[Item]) -> None:
        """Find the pieces.

        Raises:
            InputError: For a scenario with an unknown name in it.
            PluginError: If a plugin's rule raises.
        """
        self.items = items
        self._covered: dict[Piece, dict[int, frozenset[int]]] = {}
        self._restricting: dict[tuple[Piece, Coalition], dict[int, Rule]] = {}
        self._forbids: dict[tuple[Piece, Coalition], dict[int, int]] = {}
        """Item -> prohibitions of a rule that only prohibits, as bits. See `told_by_what_is_forbidden`."""
        self._case = session.inputs.case
        self._scenarios = [i for i, item in enumerate(items) if item.kind is ItemKind.SCENARIO]
        on = [self._on(some) for some in subsets(self._scenarios)]
        self.pieces = Pieces(session, [*on, *(item.off for item in items if item.off)])

    def apart(self, piece: Piece) -> tuple[int, Coalitions, tuple[Piece, ...]] | None:
        """Return the limit rule whose removal splits a piece into most pieces, the items without it, and these pieces.

        None if no rule joins the piece by itself. A coalition without that rule costs the sum of the costs of the pieces.
        """
        session = self.pieces.session
        joining = [
            i
            for i, item in enumerate(self.items)
            if item.kind is ItemKind.RULE and len(session.parts.counted.get(item.name, frozenset()) & piece.members) > 1
        ]
        limits = {rule.id for rule in session.problem.rules if rule.verbs == {"rows"}}
        found = {i: self._parts_without(self.items[i].name, piece) for i in joining if self.items[i].name in limits}
        link = max(found, key=lambda i: found[i], default=None)
        if link is None or found[link] == _inside(session.parts, piece):
            return None
        inputs = session.inputs.after(self.items[link].off)
        plans = PlanCache(session.memory // 4)  # those of the session are plans with the rule
        finer = replace(session, inputs=inputs, problem=inputs.problem(), _plans=plans)
        lattice = Coalitions(finer, self.items)
        pieces = [each for each in lattice.pieces.all if each.members & piece.members]
        touched = frozenset[str]().union(*(each.members for each in pieces))
        others = [members for members in finer.parts.members if members & piece.members and not members & touched]
        pieces += [Piece(members, frozenset()) for members in others]
        fits = len(pieces) > 1 and all(each.members <= piece.members for each in pieces)
        return (link, lattice, tuple(pieces)) if fits else None

    def _parts_without(self, rule: str, piece: Piece) -> int:
        """Return the number of parts of a piece without the rows of a rule."""
        session = self.pieces.session
        rows = [(one, row) for one, row in session.problem.limit_rows if one.id != rule]
        ranked = (row for objective in session.problem.objectives for row in objective.rows)
        return _inside(Parts(session.inputs, session.problem, rows, ranked), piece)

    def changes(self, piece: Piece, coalition: Coalition) -> Changes:
        """Return the changes that switch the items of a coalition on and the others off.

        Rules are switched off after scenarios have switched them on. Items that don't affect the piece may be left out,
        because a rule that is off is not evaluated, which is faster.
        """
        on = self.pieces.bearing(piece, self._on([i for i in self._scenarios if i in coalition]))
        known = {rule.id for rule in self.pieces.facts(piece, ()).rules}
        off = [change for i, item in enumerate(self.items) if i not in coalition for change in item.off]
        return (*on, *(change for change in off if change.lift is not None or change.disable in known))

    def players(self, piece: Piece) -> list[int]:
        """Return the items that can affect a piece. The other items have no effect, regardless of the items that are on.

        These are left out:

        - a scenario whose changes don't affect the piece
        - a kind of terms, if the facts are the same without it
        - a rule that prohibits nothing, charges nothing, and adds no row (`active_rules`)
        - a rule that only prohibits, if the piece has the same program with and without it while all other rules and terms are off: it then
          prohibits nothing that can be bought, and other rules only reduce that
        - with another rule that prohibits as much, a rule without additional prohibitions (`least`)
        """
        scenarios = [i for i in self._scenarios if self.pieces.bearing(piece, self.items[i].on)]
        facts = self.pieces.facts(piece, ())
        terms = [i for i, item in enumerate(self.items) if item.kind is ItemKind.TERM and self._differs(piece, item)]
        rules = {rule.id: rule for rule in facts.rules}
        some = [i for i, item in enumerate(self.items) if item.kind is ItemKind.RULE and item.name in rules]
        bearing = [self.pieces.bearing(piece, self._on(on)) for on in subsets(scenarios)]
        active = frozenset().union(*(active_rules(self.pieces.problem(piece, changes)) for changes in bearing))
        some = [i for i in some if self.items[i].name in active]
        forbidding = [i for i in some if rules[self.items[i].name].verbs == {"judge"}]
        idle = {i for i in forbidding if self._same(piece, scenarios, frozenset(), frozenset({i}))}
        forbidding = [i for i in forbidding if i not in idle]
        self._covered[piece] = self._covers(piece, scenarios, forbidding)
        return sorted({*scenarios, *terms, *some} - idle)

    def least(self, piece: Piece, coalition: Coalition) -> Coalition:
        """Return the smallest known coalition that makes the same case of a piece: without rules whose prohibitions another rule includes."""
        covered = self._covered.get(piece, {})
        return frozenset(i for i in coalition if not covered.get(i, frozenset()) & coalition)

    def restricting(self, piece: Piece, coalition: Coalition) -> dict[int, Rule]:
        """Return the rules of a piece that only prohibit and charge, by item, with the scenarios of a coalition.

        Empty if these rules can do more than remove plans or raise their cost: with limits that they may loosen, commitments, or ranked objectives.
        """
        scenarios = coalition.intersection(self._scenarios)
        if (piece, scenarios) not in self._restricting:
            rules = frozenset(i for i, item in enumerate(self.items) if item.kind is ItemKind.RULE)
            problem = self.pieces.problem(piece, self.changes(piece, scenarios | rules))
            loosened = any(_may_be_loosened(rule, rows) for rule, rows in problem.limit_rows if not _empty(rows))
            bound = loosened or problem.commitments or problem.objectives
            known = {rule.id: rule for rule in problem.rules if rule.verbs <= {"judge", "charge"}}
            found = {i: known[self.items[i].name] for i in rules if self.items[i].name in known}
            self._restricting[piece, scenarios] = {} if bound else found
            self._forbids[piece, scenarios] = {} if bound else self._forbidding(problem)
        return self._restricting[piece, scenarios]

    def told_by_what_is_forbidden(self, piece: Piece, coalition: Coalition) -> tuple[Coalition, int] | None:
        """Return a key that is the same for two coalitions that make the same case of a piece: their prohibitions and all other items agree.

        None if more than purchases and deliveries could depend on rules.

        The key has the prohibitions of rules that only prohibit, without a waiver or a license of bounded quantity: the ways for each use, in the
        periods in which the rules are in force. It has every other item by itself.
        """
        if not self.restricting(piece, coalition):
            return None
        forbids = self._forbids[piece, coalition.intersection(self._scenarios)]
        together = 0
        for i in coalition:
            together |= forbids.get(i, 0)
        return frozenset(i for i in coalition if i not in forbids), together

    def _forbidding(self, problem: Problem) -> dict[int, int]:
        """Return the prohibitions of each rule that only prohibits: a bit for each use, way, and period, or for all periods."""
        bits: dict[tuple[object, ...], int] = {}
        waived = {waiver.rule for waiver in problem.case.waivers}
        item_of = {item.name: i for i, item in enumerate(self.items) if item.kind is ItemKind.RULE}
        found: dict[int, int] = {}
        for position, rule in enumerate(problem.rules):
            by_order = rule.bears_on == "chain" and rule.dated_by == "order"
            if rule.id not in item_of or rule.verbs != {"judge"} or rule.id in waived or by_order:
                continue
            ways = _forbidden(problem, position)
            if ways is not None:
                found[item_of[rule.id]] = sum(1 << bits.setdefault(way, len(bits)) for way in ways)
        return found

    def _on(self, scenarios: Sequence[int]) -> Changes:
        return scenario_changes(self._case, [self.items[i].name for i in scenarios])

    def _differs(self, piece: Piece, item: Item) -> bool:
        """Return True if a kind of terms changes the facts of a piece."""
        before, after = self.pieces.facts(piece, ()), self.pieces.facts(piece, item.off)
        return before.catalogs != after.catalogs

    def _covers(self, piece: Piece, scenarios: Sequence[int], rules: Sequence[int]) -> dict[int, frozenset[int]]:
        """Return the other rules that include all prohibitions of each rule. Of two with equal prohibitions, the later names the earlier."""
        found: dict[int, set[int]] = {i: set() for i in rules}
        for one, other in combinations(rules, 2):
            both = frozenset({one, other})
            if self._same(piece, scenarios, frozenset({one}), both):
                found[other].add(one)
            elif self._same(piece, scenarios, frozenset({other}), both):
                found[one].add(other)
        return {i: frozenset(some) for i, some in found.items()}

    def _same(self, piece: Piece, scenarios: Sequence[int], one: Coalition, other: Coalition) -> bool:
        """Return True if two sets of rules make the same program of a piece under any scenarios, with all other rules and terms off."""
        return all(
            self._digest(piece, frozenset(on) | one) == self._digest(piece, frozenset(on) | other)
            for on in subsets(scenarios)
        )

    @cached_method
    def _digest(self, piece: Piece, coalition: Coalition) -> bytes:
        return digest_of(self.pieces.problem(piece, self.changes(piece, coalition)))


def _inside(parts: Parts, piece: Piece) -> int:
    return sum(bool(members & piece.members) for members in parts.members)


def _forbidden(problem: Problem, position: int) -> set[tuple[object, ...]] | None:
    """Return the prohibitions of a rule: use, arc, and period of the delivery or move, or any period.

    None if a license of bounded quantity is involved.
    """
    law, periods = problem.law, problem.case.horizon.periods
    holds = [period for period in periods if law.in_force(position, period.span)]
    always = len(holds) == len(periods)
    found: set[tuple[object, ...]] = set()
    for number, (use, judged) in enumerate(problem.judgements.items()):
        for index, verdict in {**judged.chain.get(position, {}), **judged.trade.get(position, {})}.items():
            arc = problem.network.arcs[index]
            if not law.forbids(verdict, arc):
                continue
            licences = [law.licences(verdict, arc, use, p.span) if verdict.licence else None for p in holds]
            if any(licences):
                return None
            barred = [period.index for period, some in zip(holds, licences, strict=True) if some is None]
            if always and len(barred) == len(periods):
                found.add((number, index))
            else:
                found |= {(number, index, problem.rules[position].bears_on, t) for t in barred}
    return found


def active_rules(problem: Problem) -> frozenset[str]:
    """Return the ids of rules that prohibit, charge, or limit anything in a period in which they apply.

    Verdicts, charges, and rows depend on facts alone, never on other rules. Any other rule therefore changes no plan, regardless of the other rules.

    Raises:
        PluginError: If a plugin's rule raises.
    """
    law, periods = problem.law, problem.case.horizon.periods
    applying = [i for i, _ in enumerate(problem.rules) if any(law.in_force(i, period.span) for period in periods)]
    against = {i for judged in problem.judgements.values() for table in (judged.chain, judged.trade) for i in table}
    asking = {rule.id for rule, row in problem.limit_rows if not _empty(row)}
    found = {problem.rules[i].id for i in applying if i in against or _charges(problem, problem.rules[i])}
    return frozenset(found | asking)


def _empty(row: Row | Rows) -> bool:
    """Return True if a row counts nothing and is satisfied. Facts decide what can be counted, so it is then satisfied in every plan."""
    if not all(term.is_empty for term in row.asked):
        return False
    return all((one.at_least or 0) <= 0 and (one.at_most is None or one.at_most >= 0) for one in one_by_one(row))


def _may_be_loosened(rule: Rule, rows: Row | Rows) -> bool:
    """Return True if a plan could violate the rows of a limit, and satisfy them once other rules prohibit or charge more.

    Charges are spend: they help to reach a minimum of spend, but never to stay below a maximum. Prohibitions determine the compliance classes.
    They don't affect kilograms and money that are counted for any use.
    """
    if not is_own(type(rule)) or rule.watches_stock:
        return True
    for row in one_by_one(rows):
        for term in row.asked:
            if isinstance(term, ReservedTerm | LackingTerm) or getattr(term, "for_uses", None) is not None:
                return True
            charged = isinstance(term, SpentTerm)
            if charged and (row.at_least is not None or term.times < 0 or bool((term.weight < 0).any())):
                return True
    return False


def _charges(problem: Problem, rule: Rule) -> bool:
    """Return True if a rule charges anything on any arc, for any possible customs origin."""
    if "charge" not in rule.verbs:
        return False
    with attributed(rule):
        others = told_apart([rule])
        return any(
            as_charge(rule.charge(arc.chained, arc.move, use, origin, value))
            for arc, use in _moves(problem, rule)
            for origin in possible_origins(arc.chained, others)
            for value in _values(problem, arc)
        )


def _values(problem: Problem, arc: Arc) -> list[Decimal]:
    """Return the distinct prices per kilogram of an arc in all periods, as rules receive them."""
    facts = problem.offers[arc.offer]
    prices = sorted({max(price, Decimal(0)) for price in facts.price})
    return prices if facts.single else [exact(price / facts.mass_per_unit) for price in prices]


def _moves(problem: Problem, rule: Rule) -> Iterator[tuple[Arc, Use]]:
    """Yield every purchased arc with every use that it can reach, or with one of them if the rule doesn't depend on the use."""
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
    """Items enter in the requested order."""
    EXACT = "exact"
    """Shapley values over every coalition."""
    SAMPLED = "sampled"
    """Shapley values over orders drawn at random."""
    CONFLICT = "conflict"
    """Not split, because rules conflict with some of the items on."""


Weights = dict[Coalition, Fraction]
"""Weight of each coalition's value in a player's part."""
NORMAL = 1.96
"""Standard deviations on both sides of the mean that cover 95 % of a normal distribution."""


def exact_weights(players: Sequence[int]) -> dict[int, Weights]:
    """Return the Shapley value of each player as weights of coalition values: `1 / (n * C(n-1, s))` with the player, minus that without."""
    found: dict[int, Weights] = {}
    for player in players:
        others, weights = [p for p in players if p != player], {}
        for size in range(len(players)):
            share = Fraction(1, len(players) * comb(len(players) - 1, size))
            for some in combinations(others, size):
                weights[frozenset({*some, player})] = share
                weights[frozenset(some)] = -share
        found[player] = weights
    return found


def mean_weights(orders: Sequence[Sequence[int]]) -> dict[int, Weights]:
    """Return the marginal value of each player, averaged over some orders, as weights of coalition values. They add up for any orders."""
    found: dict[int, Weights] = {player: {} for player in orders[0]}
    share = Fraction(1, len(orders))
    for order in orders:
        for position, player in enumerate(order):
            before, after = frozenset(order[:position]), frozenset(order[: position + 1])
            weights = found[player]
            weights[after] = weights.get(after, Fraction(0)) + share
            weights[before] = weights.get(before, Fraction(0)) - share
    return found


def sampled_orders(players: Sequence[int], count: int, seed: int) -> list[list[int]]:
    """Return random orders, reproducible by the seed."""
    dice = Random(seed)  # noqa: S311 - no secret: the same every time
    return [dice.sample(list(players), len(players)) for _ in range(count)]


def half_width(orders: Sequence[Sequence[int]], player: int, value: Callable[[Coalition], float]) -> float:
    """Return half of the 95 % confidence interval of a sampled Shapley value, by the normal approximation."""
    seen = []
    for order in orders:
        position = order.index(player)
        seen.append(value(frozenset(order[: position + 1])) - value(frozenset(order[:position])))
    return NORMAL * sqrt(variance(seen, fmean(seen)) / len(seen)) if len(seen) > 1 else float("inf")


def in_units(total: int, parts: Sequence[Fraction]) -> list[int]:
    """Return whole units near every part that add up to `total` exactly: the largest remainders get one more.

    Zero stays zero, unless no other part can take the rest.
    """
    found = [part.numerator // part.denominator for part in parts]
    left = total - sum(found)
    able = [i for i, part in enumerate(parts) if part] or list(range(len(parts)))
    able.sort(key=lambda i: (found[i] - parts[i], i))
    step = 1 if left > 0 else -1
    for turn in range(abs(left)):
        found[(able if left > 0 else able[::-1])[turn % len(able)]] += step
    return found


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


def total(values: Sequence[Value]) -> Value:
    """Return the cost of a coalition for several pieces together."""
    return Value(
        tuple(sum(lines, Fraction(0)) for lines in zip(*(value.lines for value in values), strict=True)),
        sum((value.slack for value in values), Decimal(0)),
        all(value.proved for value in values),
        tuple(name for value in values for name in value.conflict),
    )


class Split:
    """One piece, its players, and the split of its total over them."""

    def __init__(self, lattice: Coalitions, piece: Piece) -> None:
        self.lattice, self.piece = lattice, piece
        self.players = lattice.players(piece)
        self.none: Coalition = frozenset()
        self.whole: Coalition = frozenset(self.players)
        self.weights: dict[int, Weights] = {}
        self.orders: list[list[int]] = []
        self.method = Method.EXACT
        self._known: dict[Coalition, Value] = {}
        self._first: dict[tuple[Coalition, int], Coalition] = {}
        """Key of coalitions that make the same case -> the first one planned."""
        self._untouched: dict[Coalition, frozenset[int]] = {}
        """Planned coalition -> rules outside it that leave its plan as lawful and as expensive as it is."""
        apart = lattice.apart(piece) if len(self.players) > 1 else None
        self._link: int | None = None
        """The limit rule that alone joins otherwise separate pieces. None if there is none."""
        self._pieces: tuple[Split, ...] = ()
        """These pieces. A coalition without the rule costs the sum of their costs, and few of its rules affect the same one."""
        if apart is not None and apart[0] in self.players:
            self._link, finer, pieces = apart
            self._pieces = tuple(Split(finer, each) for each in pieces)

    def choose(self, in_order: bool, exact_up_to: int, samples: int, seed: int) -> None:
        """Choose the coalitions that count, with their weights."""
        if in_order:
            self.method, self.orders = Method.ORDER, [self.players]
        elif len(self.players) > exact_up_to:
            self.method, self.orders = Method.SAMPLED, sampled_orders(self.players, samples, seed)
        self.weights = mean_weights(self.orders) if self.orders else exact_weights(self.players)

    @property
    def questions(self) -> int:
        """Number of requested plans."""
        return len(self._known)

    @property
    def needed(self) -> list[Coalition]:
        """Every required coalition, in a reproducible order."""
        alone = [frozenset({i}) for i in self.players] + [self.whole - {i} for i in self.players]
        found = {c for weights in self.weights.values() for c in weights} | {self.none, self.whole, *alone}
        found = {self.lattice.least(self.piece, coalition) for coalition in found}
        return sorted(found, key=lambda coalition: (len(coalition), sorted(coalition)))

    def value(self, coalition: Coalition) -> Value:
        """Return the value of the piece with some items on."""
        coalition = self.lattice.least(self.piece, coalition)
        if coalition not in self._known:
            self._known[coalition] = self._found(coalition)
        return self._known[coalition]

    def _found(self, coalition: Coalition) -> Value:
        if self._link is not None and self._link not in coalition:
            return total([each.value(coalition.intersection(each.players)) for each in self._pieces])
        return self._implied(coalition) or self._alike(coalition) or self._planned(coalition)

    def _planned(self, coalition: Coalition) -> Value:
        plan = self.lattice.pieces.plan(self.piece, self.lattice.changes(self.piece, coalition))
        value = value_of(plan, demanded(self.lattice.pieces.session))
        rules = self.lattice.restricting(self.piece, coalition)
        restricting = {i: rules[i] for i in self.players if i in rules and i not in coalition}
        if restricting and value.proved and not value.conflict:
            against = bearing(plan.verified, list(restricting.values()))
            self._untouched[coalition] = frozenset(i for i, rule in restricting.items() if rule.id not in against)
            told = self.lattice.told_by_what_is_forbidden(self.piece, coalition)
            if told is not None:
                self._first.setdefault(told, coalition)
        return value

    def _alike(self, coalition: Coalition) -> Value | None:
        """Return the value of another coalition with the same prohibitions. None if unknown.

        Its plan is also the cheapest here, if verification shows that none of the rules that are on only here affects it.
        """
        told = self.lattice.told_by_what_is_forbidden(self.piece, coalition)
        other = self._first.get(told) if told is not None else None
        if other is None or not coalition - other <= self._untouched[other]:
            return None
        self._untouched[coalition] = (self._untouched[other] | other) - coalition
        return self._known[other]

    def _implied(self, coalition: Coalition) -> Value | None:
        """Return the value of a smaller coalition, if the additional rules neither prohibit nor charge anything in its plan. None if unknown.

        Rules that prohibit and charge remove plans or raise their cost, so that the cheapest plan that remains is still the cheapest.
        """
        smaller = (c for c, rules in self._untouched.items() if c < coalition and coalition - c <= rules)
        return next((self._known[c] for c in smaller), None)

    def amount(self, coalition: Coalition) -> float:
        """Return the cost of the piece with some items on, as a float, for error estimates."""
        return float(self.value(coalition).amount)

    @cached_property
    def conflict(self) -> tuple[str, ...]:
        """Rules that conflict in a coalition that counts. The piece then has no cost and is not split."""
        counting = {c for weights in self.weights.values() for c in weights} | {self.none, self.whole}
        return tuple(sorted({name for c in counting for name in self.value(c).conflict}))

    def part(self, player: int) -> list[Fraction]:
        """Return a player's part of every line."""
        weights = self.weights[player]
        values = [(weight, self.value(c).lines) for c, weight in weights.items() if weight]
        return [_products([(w, lines[at]) for w, lines in values if lines[at]]) for at in range(len(values[0][1]))]

    def rise(self) -> list[Fraction]:
        """Return the sum of all items, by line."""
        return [a - b for a, b in zip(self.value(self.whole).lines, self.value(self.none).lines, strict=True)]

    def weighed(self, weights: Mapping[Coalition, Fraction]) -> tuple[Fraction, Fraction, Fraction] | None:
        """Return a weighted sum of the values of coalitions: as found, its lower bound, and its upper bound. None if rules conflict."""
        values = [(weight, self.value(c)) for c, weight in weights.items() if weight]
        if any(value.conflict for _, value in values):
            return None
        found = sum((w * v.amount for w, v in values), Fraction(0))
        low = sum((w * Fraction(v.slack) for w, v in values if w > 0), Fraction(0))
        high = sum((-w * Fraction(v.slack) for w, v in values if w < 0), Fraction(0))
        return found, found - low, found + high

    @property
    def proved(self) -> bool:
        """True if every requested plan is proved optimal."""
        return all(value.proved for value in self._known.values())


def _products(pairs: Sequence[tuple[Fraction, Fraction]]) -> Fraction:
    """Return the sum of products. Whole numbers over one denominator are reduced once, not after each product."""
    over = lcm(*(weight.denominator for weight, _ in pairs))
    under = lcm(*(line.denominator for _, line in pairs))
    whole = (w.numerator * (over // w.denominator) * line.numerator * (under // line.denominator) for w, line in pairs)
    return Fraction(sum(whole), over * under)


def demanded(session: Session) -> tuple[str, ...]:
    """Return the demanded materials of a case in order."""
    return tuple(sorted({demand.use.material.id for demand in session.problem.demands}))


def value_of(part: PartPlan, materials: Sequence[str]) -> Value:
    """Return the lines of a plan's value. Kilograms of different materials are never added."""
    plan, cost = part.plan, part.verified.cost
    of = {demand.id: demand.use.material.id for demand in part.verified.problem.demands}
    short = dict.fromkeys(materials, Decimal(0))
    for one in plan.shorts:
        short[of[one.demand]] += one.quantity
    return Value(
        tuple(Fraction(line) for line in (cost.total, cost.penalties, cost.shortage, cost.nominal, *short.values())),
        max(Decimal(0), plan.objective - plan.bound),
        plan.status is PlanStatus.OPTIMAL,
        tuple(name for one in plan.infeasible for name in one.rules),
    )
