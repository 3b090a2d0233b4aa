"""What a search for repairs finds, as records."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from friendshore.domain.base import Number, Record
from friendshore.domain.change import Change
from friendshore.explain.results import Difference, Effort, QuestionResult

from .levers import LeverKind


class LeverUse(Record):
    """A lever, and how much of it is used."""

    kind: LeverKind
    subject: str
    """Id of the demand, rule, offer, facility or material."""
    name: str
    """The same in words."""
    amount: Number | None
    """Kilograms, kilograms a year, months, or a limit's own unit; None: it is a matter of yes or no."""
    most: Number | None
    """The most that a repair may use."""
    unit: str
    """`kg`, `kg/year`, `months`; empty for a limit's own unit or a share."""
    today: Number | None = None
    """What there is without it, where a capacity is raised or a share of the demand moved."""
    to: Number | None = None
    """What there is with it, then; of shares in several stretches of time, the one that moves most."""
    of: str = ""
    """Demand of a waiver, country of a licence or of a stock, whose term is relaxed."""
    since: date | None = None
    """First day of a waiver whose law bounds how long it runs."""
    until: date | None = None
    note: str = ""
    """The clause, what is not proved, or how far a plant is."""


class Repair(Record):
    """A minimal set of levers, with the least of each that will do."""

    rank: int
    """By cost; 1 is the cheapest."""
    gap: int
    """Place of what it repairs in `gaps`, counted from 1."""
    uses: tuple[LeverUse, ...]
    changes: tuple[Change, ...]
    """The same as changes of the case: a scenario of these plans it."""
    cost: Difference | None
    """What it adds to the objective, penalties included, in the case's currency; of a conflict, to that of a plan without what conflicts. None: no plan was
    found in time."""
    cash: Number | None = None
    """Cash that the plan then spends more, without penalties and not discounted."""
    spends: Number | None
    """Present value of the same."""
    penalty: Number | None = None
    """By how much the penalties for shortage and missed limits are then higher, or (negative) lower."""
    served: Difference | None = None
    """Where the cheapest plan rather leaves the demands short: what serving them in full adds to the objective all the same, penalties included."""
    left: Number | None
    """Kilograms that the demands are short of in the cheapest plan with these changes; None: no plan was found in time."""
    rounded: bool
    """Whether `left` is nothing, or no more than rounding leaves."""
    others: dict[str, Number]
    """Material -> kilograms that other demands are then short of more, or (negative) less."""
    least: bool
    """Whether each amount is shown to be the least; else the search was ended."""


class Gap(Record):
    """Demands of one material that are short, or rules that conflict, with what was found."""

    material: str
    """Empty for a conflict."""
    demands: tuple[str, ...]
    short: Number
    """Kilograms, over the plan; of a conflict all that its demands want."""
    first: str
    last: str
    """Periods."""
    rules: tuple[str, ...] = ()
    """Rules that cannot hold together, a minimal set."""
    sentences: tuple[str, ...] = ()
    """The same in words, with their source."""
    levers: tuple[LeverUse, ...] = ()
    """All that was tried, each at its bound."""
    dearer: bool = False
    """Nothing needs repair: the demands can be served, for more money than their shortage is priced at."""
    served: Difference | None = None
    """What that adds to the objective, penalties included; None: it was not found in time."""
    left: Number | None = None
    """Kilograms short at best with all levers at their bounds; None: not known, or rules still conflict."""
    size: int
    """Repairs of up to so many levers were looked for."""
    complete: bool
    """Whether these are all of them; else the search was ended."""
    stopped: bool = False
    """Whether a time limit or the user ended it, and not the number of trials: with more time it may find more."""
    searched: int
    """All repairs of up to so many levers are known; -1: not even whether one is needed."""
    tried: int
    """Programs that were solved: of sets of levers and amounts, and of such as bound what these come to."""


class Repairs(QuestionResult):
    """What would repair a plan."""

    TABLES = ("repairs", "gaps")
    TOLD_BY: ClassVar[str] = "friendshore_reasons.repairs.screen:repairs_screen"

    currency: str
    gaps: tuple[Gap, ...]
    repairs: tuple[Repair, ...]
    """Gap by gap, cheapest first."""
    effort: Effort
