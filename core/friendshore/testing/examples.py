"""Plans that a rule is said to allow or to refuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..case import load_case
from ..domain.case import Case
from ..domain.facts import Catalog
from ..domain.plan import PlanStatus
from ..errors import Diagnostic
from ..plugins import Registry
from ..recommend import gather
from ..rules.base import Rule
from ..rules.kinds.limits import Pin
from ..session import Session
from ..solve import Limits


@dataclass(frozen=True, slots=True)
class Example:
    """A plan, by what it buys, and whether the rule allows it."""

    case: Case | Path
    """The case, or the file or folder it is read from."""
    bought: Mapping[str, str]
    """Offer -> what is bought of it over the whole plan, like `{"au-metal": "50 kg"}`. The rest of the plan is left open."""
    allowed: bool
    """Whether the rule allows it."""
    catalogs: Sequence[Catalog] = ()
    """Catalogs given in memory, beside those that the case names."""
    why: str = ""
    """What it shows."""


def example_problems(example: Example, rules: Sequence[Rule]) -> Iterator[Diagnostic]:
    """What is wrong with what an example says: planned with its purchases fixed, under the rules and without them.

    Raises:
        InputError: if the case cannot be read, or has no such offer.
        PluginError: if a rule raises.
    """
    case = load_case(example.case) if isinstance(example.case, Path) else example.case
    registry = None if case.catalogs or case.packs else Registry.of()
    inputs = gather(case, registry, example.catalogs).inputs
    pins = tuple(
        Pin.model_validate({"id": f"example-{offer}", "offer": offer, "exactly": amount})
        for offer, amount in example.bought.items()
    )

    def possible(held: Sequence[Rule]) -> bool:
        asked = replace(inputs, rules=(*inputs.rules, *pins, *held))
        plan = Session.open(asked, Limits(workers=1)).verified.plan
        return plan.status is not PlanStatus.INFEASIBLE

    what = example.why or ", ".join(f"{amount} of {offer}" for offer, amount in example.bought.items())
    if not possible(()):
        fix = "buy no more than the offers can deliver and the demands can use"
        yield Diagnostic(f"the example `{what}` cannot be planned even without the rule", f"case {case.name}", fix=fix)
    elif possible(rules) != example.allowed:
        said, found = ("allowed", "refused") if example.allowed else ("refused", "allowed")
        yield Diagnostic(f"the example `{what}` is {found}", f"case {case.name}", found=found, expected=said)
