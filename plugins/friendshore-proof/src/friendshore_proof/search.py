"""Branch and bound over one part of a program, with an exact bound for each leaf."""

# The bound of a part is that of its linear relaxation, raised by branching on integer columns. The leaf with the lowest bound is split until it is a
# plan, or a limit ends the search. Each leaf has its own multipliers, and its bound is computed in fractions (`exact`). A leaf without any plan is proved
# in the same way (Farkas), by multipliers that prove a cost above zero where nothing costs anything. Land and Doig, Econometrica 28, 1960, 497-520.

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from heapq import heappop, heappush

import numpy as np

from friendshore.program.matrix import Entries, Floats, Linear, Mask
from friendshore.solve import ENGINES, Progress, SolverAnswer, SolverOutcome, Watch, relaxation, split

from .claims import Claim
from .cuts import Cut, ExactRows
from .exact import ExactProgram, Multipliers, implied_upper

NODES = 1000
"""Maximum number of relaxations for one program, so that the result doesn't depend on the clock."""
WHOLE = 1e-9
"""Tolerance of integers."""
COSTLESS = 1e-6
"""Weight of a column without cost in the choice of a split, relative to the most expensive."""
CLOSE = Fraction(1, 10**9)
"""Relative distance between cheapest plan and bound at which the search ends."""
BEFORE_CUTS = 100
"""Number of relaxations before cuts: most trees end earlier, and faster than with cuts."""
STALLED = 3
"""Number of rounds of cuts that together must close `LITTLE` of the gap."""
LITTLE = 0.05
_FIRST = replace(ENGINES, simplex=ENGINES.simplex[:1])
"""Only the first engine: its answers are proved here, so no second one needs to agree."""


@dataclass(frozen=True, slots=True)
class Branch:
    """Split: the column is at most a value in the first branch, and at least one more in the second."""

    column: int
    at: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """Multipliers that prove a bound between the splits above."""

    multipliers: Multipliers
    empty: bool = False
    """True if they prove instead that there is no plan."""


@dataclass(slots=True, eq=False)
class _Node:
    lower: Floats
    upper: Floats
    bound: Fraction | None
    """Proved bound. None if unknown, or if there is no plan."""
    proof: Leaf | None
    x: Floats | None = None
    split: tuple[Branch, _Node, _Node] | None = None


class Tree:
    """A program split into leaves, each with a proved bound."""

    def __init__(self, linear: Linear, max_cost: float, watch: Watch, target: Fraction | None = None) -> None:
        """Start with the program as one leaf, for plans of at most `max_cost`. The shortest multipliers for the bound `target` of a leaf are kept."""
        self.linear, self.watch, self.target = linear, watch, target
        self.exact = ExactProgram(linear)
        self.cuts: tuple[Cut, ...] = ()
        """Cuts, which follow the program's rows in `linear`."""
        self._rows = ExactRows(linear, first_upper(linear, max_cost))
        self.nodes = 0
        self.best: tuple[float, Floats] | None = None
        """Cheapest plan found and its cost, not verified."""
        self._leaves: list[tuple[Fraction, int, _Node]] = []
        self._unknown = False
        """True if a leaf was dropped without a bound."""
        self._root = self._new_leaf(linear.lower, self._rows.upper, None)

    @property
    def bound(self) -> Fraction | None:
        return self._leaves[0][0] if self._leaves and not self._unknown else None

    @property
    def empty(self) -> bool:
        return not self._leaves and not self._unknown

    @property
    def done(self) -> bool:
        """True if the cheapest plan found equals the bound within the solver's tolerance."""
        if self.best is None or self.bound is None:
            return False
        best = Fraction(self.best[0])
        return best - self.bound <= CLOSE * max(abs(best), Fraction(1))

    @property
    def steps(self) -> Iterator[Branch | Leaf]:
        """Yield the proof of the bound: splits, each followed by the branch below and then the branch above, down to leaves."""
        nodes = [self._root]
        while nodes:
            node = nodes.pop()
            if node.split is not None:
                branch, below, above = node.split
                nodes += [above, below]
                yield branch
            else:
                assert node.proof is not None, "nothing is known of a leaf"
                yield node.proof

    def raise_bound(self, target: Fraction) -> None:
        """Raise the bound until it suffices, a plan reaches it, or a limit ends it: by some branching, and then with cuts."""
        self._branch(target, min(BEFORE_CUTS, NODES))
        if (
            self._leaves
            and not self.done
            and self._leaves[0][0] < target
            and not self.cuts
            and not self.watch.stopped()
        ):
            self._add_cuts(target)
        self._branch(target, NODES)

    def _branch(self, target: Fraction, nodes: int) -> None:
        while self._leaves and not self.done and self._leaves[0][0] < target:
            node = self._leaves[0][2]
            column = None if node.x is None else self._branching_column(node.x)
            if column is None or self.nodes >= nodes or self.watch.stopped():
                return
            heappop(self._leaves)
            self._split(node, column)

    def _add_cuts(self, target: Fraction) -> None:
        """Add cuts while they raise the bound much, and drop those that it doesn't use."""
        from .cuts import separated  # few plans need any

        rows, first = self._rows, self._relaxed(self.linear)
        x, bounds = first.x, [first.objective]
        proofs: list[Cut] = []
        last: SolverAnswer | None = None
        while x is not None and self._branching_column(x) is not None and not self.watch.stopped():
            new_cuts = separated(rows, x)
            rows.cuts += [row for _, row in new_cuts]
            answer = self._relaxed(rows.linear) if new_cuts else None
            if answer is None or answer.outcome is not SolverOutcome.OPTIMAL or answer.duals is None:
                del rows.cuts[len(proofs) :]
                break
            proofs += [cut for cut, _ in new_cuts]
            last, x = answer, answer.x
            bounds.append(answer.objective)
            gap = float(target) - answer.objective
            if gap <= 0 or (len(bounds) > STALLED and bounds[-1] - bounds[-1 - STALLED] < LITTLE * gap):
                break
        if last is None or last.x is None or last.duals is None:
            return
        self.cuts, remaining_rows = rows.drop_slack_cuts(proofs, last.x)
        self.linear = rows.linear
        self.exact = ExactProgram(self.linear)
        old_root, leaves, self._leaves = self._root, self._leaves, []
        root = self._new_leaf(old_root.lower, old_root.upper, old_root, replace(last, duals=last.duals[remaining_rows]))
        if self.watch.stopped() and root.bound is not None and root.bound < leaves[0][0]:
            self._leaves = leaves
        else:
            self._root = root

    def _split(self, node: _Node, column: int) -> None:
        assert node.x is not None
        branch = Branch(column, int(np.floor(node.x[column])))
        below, above = halves(branch, node.lower, node.upper)
        node.split = branch, self._new_leaf(*below, node), self._new_leaf(*above, node)
        node.x = None

    def _new_leaf(
        self, lower: Floats, upper: Floats, parent: _Node | None, known_answer: SolverAnswer | None = None
    ) -> _Node:
        """Return a leaf and its proof. Its parent's bound applies to it too. The answer of its relaxation may be known."""
        self.nodes += 1
        linear = replace(self.linear, lower=lower, upper=np.where(self._split_columns(upper), upper, self.linear.upper))
        answer = self._relaxed(linear) if known_answer is None else known_answer
        if (
            answer.outcome is SolverOutcome.INFEASIBLE
            and (proof := self._proof_of_no_plan(linear, lower, upper)) is not None
        ):
            return _Node(lower, upper, None, proof)
        duals = answer.duals if answer.duals is not None else np.zeros(len(self.linear.row_lower))
        best = self.exact.best(duals, lower, upper, enough=self.target)
        node = _Node(lower, upper, None, None) if best is None else _Node(lower, upper, best[0], Leaf(best[1]))
        if parent is not None and parent.bound is not None and (node.bound is None or parent.bound > node.bound):
            node.bound, node.proof = parent.bound, parent.proof
        if node.bound is None:
            self._unknown = True
            return node
        node.x = answer.x if answer.outcome is SolverOutcome.OPTIMAL else None
        self._keep_if_best(linear, answer)
        heappush(self._leaves, (node.bound, self.nodes, node))
        return node

    def _relaxed(self, linear: Linear) -> SolverAnswer:
        answer = relaxation(linear, self.watch, _FIRST)
        return relaxation(linear, self.watch) if answer.outcome is SolverOutcome.BROKEN else answer

    def _split_columns(self, upper: Floats) -> Mask:
        """Return the columns whose upper end a split set. Others keep their own in the relaxation."""
        is_split: Mask = self.linear.integer & np.isfinite(upper)
        return is_split

    def _keep_if_best(self, linear: Linear, answer: SolverAnswer) -> None:
        if (
            answer.outcome is not SolverOutcome.OPTIMAL
            or answer.x is None
            or self._branching_column(answer.x) is not None
        ):
            return
        value = float(linear.cost @ answer.x) + linear.constant
        if self.best is None or value < self.best[0]:
            self.best = value, answer.x

    def _branching_column(self, x: Floats) -> int | None:
        """Return the integer column to split: the one with the largest cost of its fraction. None if all are whole."""
        distance = np.where(self.linear.integer, np.abs(x - np.round(x)), 0.0)
        if distance.max(initial=0.0) <= WHOLE:
            return None
        # To open a supplier, or not, decides much of what follows; what costs nothing comes last, by what it misses alone.
        cost = np.abs(self.linear.cost)
        return int((distance * (cost + COSTLESS * max(float(cost.max()), 1.0))).argmax())

    def _proof_of_no_plan(self, linear: Linear, lower: Floats, upper: Floats) -> Leaf | None:
        entries, (rows, columns) = linear.entries, linear.entries.shape
        row, ones = np.arange(rows), np.ones(2 * rows)
        elastic = Linear(
            cost=np.concatenate([np.zeros(columns), ones]),
            lower=np.concatenate([linear.lower, 0 * ones]),
            upper=np.concatenate([linear.upper, ones * np.inf]),
            integer=np.zeros(columns + 2 * rows, dtype=bool),
            entries=Entries.summed(
                np.concatenate([entries.rows, row, row]),
                np.concatenate([entries.indices, np.arange(columns, columns + 2 * rows)]),
                np.concatenate([entries.data, ones[:rows], -ones[rows:]]),
                (rows, columns + 2 * rows),
            ),
            row_lower=linear.row_lower,
            row_upper=linear.row_upper,
        )
        duals = relaxation(elastic, self.watch).duals
        if duals is None:
            return None
        best = self.exact.best(duals, lower, upper, costs=False)
        return Leaf(best[1], empty=True) if best is not None and best[0] > 0 else None


def halves(branch: Branch, lower: Floats, upper: Floats) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    below, above = upper.copy(), lower.copy()
    below[branch.column] = min(below[branch.column], branch.at)
    above[branch.column] = max(above[branch.column], branch.at + 1)
    return (lower, below), (above, upper)


def first_upper(linear: Linear, max_cost: float) -> Floats:
    upper: Floats = np.minimum(linear.upper, implied_upper(linear, max_cost))
    return upper


class ClaimParts:
    """Independent parts of a claim's program."""

    def __init__(self, claim: Claim) -> None:
        self.linear, self.parts = claim.linear, split(claim.linear)
        self._floors = np.array([_cheapest_ends(part.linear) for part in self.parts])
        self._total_max_cost = float(claim.value + claim.slack) - self.linear.constant

    def max_cost(self, number: int) -> float:
        others = float(self._floors.sum() - self._floors[number]) if np.isfinite(self._floors).all() else -np.inf
        return self._total_max_cost - others

    def sum(self, bounds: Sequence[Fraction | None]) -> Fraction | None:
        proved = [bound for bound in bounds if bound is not None]
        return Fraction(repr(self.linear.constant)) + sum(proved, Fraction(0)) if len(proved) == len(bounds) else None


class ProofSearch(ClaimParts):
    """The parts of a program with their trees."""

    def __init__(self, claim: Claim, watch: Watch, progress: Progress | None, x: Floats | None = None) -> None:
        """Search for the best bound. Leaves that cost at least as much as the plan `x` are pruned. Parts without time get the bound of their ends."""
        super().__init__(claim)
        started = time.monotonic()
        sufficient = [None if x is None else _sufficient_bound(part.linear, x[part.columns]) for part in self.parts]
        self.trees: list[Tree] = []
        for number, part in enumerate(self.parts):
            self.trees.append(Tree(part.linear, self.max_cost(number), watch, sufficient[number]))
            if progress is not None:
                progress(number, len(self.parts), time.monotonic() - started)
        target = Fraction(claim.value) - CLOSE * abs(Fraction(claim.value))
        for number, (tree, sufficient_bound) in enumerate(zip(self.trees, sufficient, strict=True)):
            bound = self.bound
            if bound is None or bound >= target:
                break
            assert tree.bound is not None
            tree.raise_bound(tree.bound + target - bound if sufficient_bound is None else sufficient_bound)
            if progress is not None:
                progress(number, len(self.parts), time.monotonic() - started)

    @property
    def bound(self) -> Fraction | None:
        return self.sum([tree.bound for tree in self.trees])

    def best(self) -> Floats | None:
        x = np.zeros(len(self.linear.cost))
        for part, tree in zip(self.parts, self.trees, strict=True):
            if tree.best is None:
                return None
            x[part.columns] = tree.best[1]
        return x


def _sufficient_bound(linear: Linear, x: Floats) -> Fraction:
    value = Fraction(float(linear.cost @ x))
    return value - CLOSE * max(abs(value), Fraction(1))


def _cheapest_ends(linear: Linear) -> float:
    has_cost = linear.cost != 0
    ends = np.where(linear.cost < 0, linear.upper, linear.lower)[has_cost]
    return float(linear.cost[has_cost] @ ends)
