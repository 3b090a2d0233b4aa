"""Components and parts under a plan that withstands a number of losses, and the verified plans that follow each combination."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import combinations

from friendshore.domain.base import exact
from friendshore.domain.plan import Plan
from friendshore.errors import VerificationError
from friendshore.program.matrix import Floats
from friendshore.rules.base import Rule
from friendshore.verify import VerifiedPlan, examine

from ..stress.insurance import Carried, decoded
from .check import FollowsJudge
from .component import Branching, Losses, RobustComponent
from .generation import Generated
from .losses import PossibleLoss
from .program import PartProgram

_NONE = Decimal(0)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedComponent:
    """What withstands a number of losses in one component."""

    found: Generated[Losses]
    following: Branching


@dataclass(frozen=True, slots=True, eq=False)
class AfterLosses:
    """What becomes of a part after losses."""

    rise: Decimal
    """By how much it comes to more than where nothing is lost."""
    missing: Mapping[str, Decimal]
    """Demand -> kilograms short in addition."""
    plan: Plan | None
    """None: rules conflict after them."""


@dataclass(eq=False)
class PreparedPart:
    """A part under the plan that withstands a number of losses."""

    part: PartProgram
    levels: Sequence[PreparedComponent]
    """By component."""
    losses: Sequence[PossibleLoss]
    judge: FollowsJudge
    rules: Mapping[int, Rule]
    """Loss -> the rule that comes to apply with it, as it then does."""
    first: Carried
    _plans: dict[tuple[Losses, ...], _Follower | None] = field(default_factory=dict)
    _judged: dict[Losses, AfterLosses] = field(default_factory=dict)

    @cached_property
    def touching(self) -> Losses:
        """Losses that touch it."""
        found = frozenset(loss for component in self.part.components for loss in component.closed)
        return found | self.rules.keys()

    @property
    def settled(self) -> bool:
        """Whether all that was looked at is proved."""
        return all(level.following.settled for level in self.levels)

    @property
    def plans(self) -> int:
        """How many plans follow losses."""
        return len(self.followers)

    @property
    def followers(self) -> list[Plan]:
        """Those plans."""
        return [follower.plan for follower in self._plans.values() if follower is not None]

    def after(self, losses: Losses) -> AfterLosses:
        """What follows some of the losses that touch it.

        Raises:
            VerificationError: if the plan that is to follow them does not hold, or does not follow them.
        """
        if losses not in self._judged:
            self._judged[losses] = self._after(losses)
        return self._judged[losses]

    def _after(self, losses: Losses) -> AfterLosses:
        found = [
            level.following.of(losses & frozenset(component.closed))
            for component, level in zip(self.part.components, self.levels, strict=True)
        ]
        key = tuple(one.losses for one in found)
        if key not in self._plans:
            values = [one.x for one in found if one.x is not None]
            self._plans[key] = self._follower(values) if len(values) == len(found) else None
        follower = self._plans[key]
        if follower is None:
            return AfterLosses(_NONE, {}, None)
        if any(move in follower.orders for loss in losses for move in self.losses[loss].moves):
            names = " and ".join(self.losses[loss].name for loss in sorted(losses))
            raise VerificationError(f"what is to follow the loss of {names} orders what is lost")
        rules = frozenset(losses & self.rules.keys())
        if rules not in follower.lawful:
            applied = [self.rules[loss] for loss in sorted(rules)]
            follower.lawful[rules] = self.judge.lawful(follower.verified, applied)
        if not follower.lawful[rules] or (follower.dropped and not rules):
            names = " and ".join(self.losses[loss].name for loss in sorted(losses)) or "nobody"
            raise VerificationError(f"what is to follow the loss of {names} is not lawful, or lacks what comes")
        return AfterLosses(follower.rise, follower.missing, follower.plan)

    def _follower(self, values: Sequence[Floats]) -> _Follower:
        plan, idle = decoded(self.part.program, self.part.values(values))
        verified, findings = examine(self.part.program.problem, plan, all_rules=False)
        if verified is None:
            raise VerificationError(findings)
        faults = self.judge.faults(plan)
        if faults:
            raise VerificationError(f"what is to follow losses does not follow the plan: {'; '.join(faults)}")
        rise = exact(Carried(verified, idle).objective - self.first.objective)
        judge = self.judge
        return _Follower(verified, rise, judge.missing(plan), judge.orders(plan), judge.dropped(plan))


@dataclass(frozen=True, slots=True, eq=False)
class _Follower:
    """A verified plan that follows losses under the first one."""

    verified: VerifiedPlan
    rise: Decimal
    missing: Mapping[str, Decimal]
    orders: frozenset[tuple[str, str]]
    dropped: Collection[object]
    """Orders that come to nothing."""
    lawful: dict[Losses, bool] = field(default_factory=dict)
    """Rules that come to apply -> whether it is lawful under them."""

    @property
    def plan(self) -> Plan:
        """The plan."""
        return self.verified.plan


def prepared(component: RobustComponent, most: int, before: PreparedComponent | None) -> PreparedComponent | None:
    """What withstands a number of losses, from what withstands one less; None: the search was ended."""
    found = component.withstanding(most, () if before is None else before.found.keys)
    if found is None or not found.proved or not component.unavoidable.settled:
        return None
    return PreparedComponent(found, component.following(found))


def smallest(part: PreparedPart, most: int) -> Iterator[tuple[Losses, list[str]]]:
    """Sets of losses that leave demands short, with those that no smaller set within it leaves short; conflicts with none."""
    known: list[tuple[Losses, frozenset[str]]] = []
    for size in range(1, most + 1):
        for chosen in combinations(sorted(part.touching), size):
            losses = frozenset(chosen)
            after = part.after(losses)
            below = [(one, demands) for one, demands in known if one < losses]
            if after.plan is None:
                if all(demands for _, demands in below):
                    known.append((losses, frozenset()))
                    yield losses, []
                continue
            new = set(after.missing) - {demand for _, demands in below for demand in demands}
            if new:
                known.append((losses, frozenset(new)))
                yield losses, sorted(new)
