"""A run: a verified plan told to people and programs. Its JSON form is `run.json`, and what `plan --json` prints.

Money is in the case's currency and, unless a field says otherwise, not discounted. Quantities are kilograms in the material's basis. Periods are named by
their labels; dates are ISO 8601.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Literal, TypeAlias

from pydantic import model_validator

from .base import Number, Record, Tables, grouped
from .plan import Confirmation, Cost, Exchangeable, PlanStatus
from .shown_names import RunMaterial, ShownNames, offer_names
from .unmet import RunByMonths, RunConflict, RunRounded, RunShortage
from .used import RunBlock, RunPlugin, RunPriceDate

Separate: TypeAlias = Literal["discounts", "onboarding", "fixed", "untaken", "holding"]
SEPARATE: tuple[Separate, ...] = ("discounts", "onboarding", "fixed", "untaken", "holding")
"""Parts of `Cost` that belong to no purchase."""
LotVerdict: TypeAlias = Literal["may be used", "may be used in part of the time", "barred", "not wanted"]
CashUse: TypeAlias = Literal["use", "stock", "unused", "discounts", "onboarding", "fixed", "untaken", "holding"]


class RunCash(Record):
    """Money spent in one period, not discounted. All rows of a run add up to `cost.nominal`."""

    period: str
    """Period of the order, as budgets count it, also for duty and freight that are paid on arrival. Of other money, the period in which it is due."""
    on: CashUse
    """`use`: purchases that end in deliveries, inputs included. `stock`: purchases that are in stock at the end. `unused`: goods made that nothing takes.
    The others are the parts of `cost` that belong to no purchase."""
    place: str = ""
    """Site of the deliveries; empty: the money belongs to no site."""
    amount: Number


class RunDiscount(Record):
    """What a price schedule takes off list prices over a span in which something is bought under it."""

    schedule: str
    """Offer, facility or supplier, and the materials it is about if not all."""
    span: str
    """Period, calendar year, or `horizon`."""
    settled: str
    """Period in which the difference to list prices is settled."""
    measure: Literal["quantity", "money"]
    measured: Number
    """What was added up: units, or undiscounted money at list prices."""
    tier: int
    """The tier it comes to, from 1."""
    least: Number
    """Where that tier begins."""
    next: Number | None
    """Where the next begins; none: it is the last."""
    most: Number | None = None
    """Where that tier ends; none: where the next begins."""
    at_list: Number
    """Undiscounted money at list prices."""
    discount: Number
    """Undiscounted money taken off, less lumps; negative: added."""


class RunDependence(Record):
    """Money that depends on countries of concern: cash paid for purchases, not discounted. Each purchase counts once."""

    scope: Literal["plan", "material", "end use", "stock"]
    """What it is about. `stock`: what is in stock at the end."""
    name: str = ""
    """Material or end use; empty: all of it."""
    cost: Number
    """All purchases. By end use: cash traced along the flow of kilograms to the deliveries."""
    is_cost: Number
    """Purchases that are of concern."""
    may_be_cost: Number
    """Purchases that may be of concern, because the country of some step is unknown or one of several."""
    by_inputs_cost: Number
    """Part of the two that is of concern only because of the inputs it is made of."""
    share: Number
    """(is_cost + may_be_cost) / cost; 0 where nothing is paid."""
    quantity_kg: Number | None = None
    """Bought; None: several materials."""
    is_kg: Number | None = None
    may_be_kg: Number | None = None


class RunRange(Record):
    """What is bought of an offer whose price has a range: what the same purchases would cost at its ends. Money is not discounted."""

    offer: str
    material: str
    quantity_kg: Number
    price: Number
    """At list prices, as in the plan."""
    price_low: Number
    price_high: Number
    cost: Number
    """Price, charges and freight, as in the plan."""
    cost_low: Number
    """With every price that has a range at its low end, those of what a charge is a share of included."""
    cost_high: Number


class RunHoldingBar(Record):
    """A rule that keeps stock in hand, or an order already placed, from a use."""

    rule: str
    start: datetime.date
    """First day of the plan on which it does."""
    end: datetime.date | None = None
    """Last day; None: to the end of the plan."""
    unproven: bool
    """Whether something is only not proved, or a licence is wanting."""
    stage: str
    countries: list[str]
    clause: str
    reason: str
    heals: str
    """What would let it pass this rule."""


class RunHoldingUse(Record):
    """One kind of use that stock in hand or an order already placed could end in."""

    demand_material: str
    end_use: str
    place: str
    verdict: LotVerdict
    """Over the periods in which it is there and such use is wanted."""
    periods: list[str]
    """Periods in which it may be used so."""
    bars: list[RunHoldingBar] = []


class RunHolding(Record):
    """Stock in hand, or an order already placed, used or not: it is paid for."""

    lot: str
    kind: Literal["stock", "order"]
    offer: str
    """Offer that it was bought from. Empty if unknown."""
    material: str
    place: str
    arrives: datetime.date | None = None
    """Day on which an order arrives."""
    available: str
    """Period from which it is there."""
    quantity_kg: Number
    used_kg: Number
    """What deliveries, or goods made of it, have taken by the end of the plan, first in, first out; what was lost in stock too."""
    left_kg: Number
    """Left over: set aside for no use, or still in stock at the end of the plan."""
    uses: list[RunHoldingUse]


class RunLot(Record):
    """Stock in hand, or an order already placed, set aside for a compliance class."""

    lot: str
    material: str
    place: str
    requirement: str
    available: str
    """Period from which it is there."""
    quantity_kg: Number


class RunStock(Record):
    """Material held at the end of a period."""

    material: str
    place: str
    requirement: str
    period: str
    quantity_kg: Number


class RunPeriod(Record):
    """One period of the plan."""

    label: str
    start: datetime.date
    end: datetime.date


class RunPurchase(Record):
    """What to order: one material from one offer for one place."""

    offer: str
    material: str
    facility: str
    """Its name; its id where it has none."""
    facility_id: str = ""
    supplier: str
    country: str
    """Where it is bought."""
    countries: dict[str, list[str]]
    """Stage -> the countries in which the offer may have performed it itself; stages of its inputs stand with the purchases of those."""
    place: str
    """Where it is delivered."""
    ordered: str
    """Period of the order."""
    order_by: datetime.date
    """Last day of the order: it then arrives in time. First day of the order if it is to be placed `at_once`."""
    at_once: bool = False
    """True if what it serves is short until it arrives: the earlier it is ordered, the earlier the shortage ends."""
    late_days: int = 0
    """Days from that day to the first on which one can act: of the plan, or the newest on which a catalog or pack was looked at. 0: an order
    of that first day still arrives in time."""
    delivered: str
    """Period of arrival."""
    end_use: str
    """End uses of the deliveries that it may end in, joined by `+`; of what ends in none, those that its compliance class serves."""
    requirement: str
    """Class of uses it is bought for; see `requirements`."""
    quantity_kg: Number
    basis: str = ""
    """Substance that these kilograms weigh. `gross`: the goods as they are. Empty in runs from before it was recorded."""
    cost: Number
    """Price, charges and freight together."""
    price: Number
    """At the list price: what price schedules take off is settled over all they bear on (see `discounts`). Of an offer with
    several outputs: this purchase's part, by mass, of what making them costs (see `makes`)."""
    charges: Number
    freight: Number
    inputs_cost: Number = Decimal(0)
    """Cash spent on the inputs of this purchase, with their duty and freight, along the whole chain; inputs from stock bring none."""
    duty_on_inputs: Number = Decimal(0)
    """Duty that is not in `cost`. Customs adds the value of inputs that the buyer supplies; the plan charges duty on the price of processing alone."""
    full_price_per_kg: Number | None = None
    """`cost` and `inputs_cost` per kilogram. Without inputs, the price of the offer with duty and freight; None: nothing is bought."""
    share_of_demand: Number | None = None
    """Its part of all demand for the material over the plan; None for an input."""
    concern: Literal["", "no", "may be", "is"] = ""
    """Dependence of its seller and chain, inputs included, on countries of concern. Empty: the case names none."""
    concern_because: list[str] = []
    """Reasons, the worst first."""
    catalog: str = ""
    confidence: str = ""
    """Least confidence among the evidence of its capacity, price and chain."""


class RunMake(Record):
    """Units made of an offer with several outputs."""

    offer: str
    ordered: str
    requirement: str
    units: Number
    cost: Number


class RunDraw(Record):
    """An input taken to make something."""

    offer: str
    """Offer that takes it."""
    material: str
    place: str
    requirement: str
    period: str
    quantity_kg: Number


class RunDelivery(Record):
    """What a demand gets in a period."""

    demand: str
    material: str
    end_use: str
    place: str
    period: str
    requirement: str
    quantity_kg: Number
    waivers: list[str] = []
    """Waivers it is delivered under."""


class RunDemand(Record):
    """A demand over the whole plan."""

    id: str
    material: str
    end_use: str
    place: str
    wanted_kg: Number
    low_kg: Number | None = None
    """What would be wanted at the low end of the demand's range; None: it has none."""
    high_kg: Number | None = None
    delivered_kg: Number
    short_kg: Number
    """Shortages below the case's resolution, to which quantities are rounded, count as met."""
    shortage_price: Number
    """Money per kilogram not delivered."""
    program: str = ""
    """Program that it states, under `programme`. Empty: none."""
    cash: Number = Decimal(0)
    """Cash that its deliveries carry, inputs included: full price times quantity."""
    first_met: str = ""
    """First period from which it is met in full to the end; empty: never."""
    origin_rules: list[str] = []
    """Rules of origin that look at it in a period in which it is wanted; none: nothing asks where it comes from, which says nothing for it."""


class RunComplianceClass(Record):
    """A compliance class: uses that no rule in force can tell apart."""

    label: str
    name: str = ""
    """End uses, and what is kept from them: what the label stands for, in words."""
    uses: list[str]
    """Demands and the stretches of periods in which they fall into it."""
    forbids: list[str]
    """Rules that keep at least one offer out."""


class RunRule(Record):
    """A rule of the case, and what is known of it in the plan's time."""

    id: str
    kind: str
    title: str
    citation: str
    sentence: str
    status: str
    """`enacted`, `pending`, `suspended` or `unknown`: of the phases within the plan, joined by `, `."""
    phases: list[str]
    """Each phase within the plan: `from..until status`."""
    bites: bool
    """Whether it has force on some day of this plan."""
    keeps_out: int = 0
    """Offers that it keeps out of some use."""
    charges: Number = Decimal(0)
    """Undiscounted money that it adds to the plan."""
    limits: int = 0
    """Rows that it asks of the plan."""
    pack: str = ""
    """Pack and distribution it comes from; empty: the case itself."""


class RunDoubt(Record):
    """Days of which nobody knows whether a rule holds on them, inclusive."""

    start: datetime.date | None = None
    """None: since ever."""
    end: datetime.date | None = None
    """None: with no end."""
    note: str = ""
    """Why it is not known, in the words of the rule."""


class RunExposed(Record):
    """What a phase of unknown status would forbid if it held."""

    rule: str
    title: str
    cost: Number
    """Money spent on what it would forbid."""
    materials: dict[str, Number]
    """Kilograms bought that it would forbid, by material."""
    offers: list[str]
    first: str
    """First period concerned."""
    unknown: list[RunDoubt] = []
    """The days of the plan's time on which nobody knows whether it holds; none in runs written before they were told."""

    @model_validator(mode="before")
    @classmethod
    def _without_total(cls, data: object) -> object:
        """Runs written before hold kilograms of all materials added up, which say nothing."""
        return {key: value for key, value in data.items() if key != "kg"} if isinstance(data, dict) else data


class RunUnproven(Record):
    """An offer kept out of a use only because something is not proved."""

    offer: str
    material: str
    end_use: str
    demand_material: str
    rule: str
    stage: str
    reason: str


class RunBlocked(Record):
    """An offer that a rule in force keeps out of a use."""

    offer: str
    material: str
    end_use: str
    demand_material: str
    rule: str
    stage: str
    countries: list[str]
    clause: str
    reason: str


class RunLead(Record):
    """An offer that is shown and never counted."""

    offer: str
    materials: list[str]
    facility: str
    """Its name; its id where it has none."""
    facility_id: str = ""
    country: str
    reasons: list[str]


class RunLimit(Record):
    """A row of a limit rule, with what the plan makes of it."""

    rule: str
    label: str
    sentence: str
    value: Number
    at_least: Number | None
    at_most: Number | None
    missed_by: Number
    """In the limit's own unit."""
    penalty: Number
    """Money for missing it; 0 for a hard row."""
    unit: str = ""
    """What `value` and its bounds are in: `kg`, the case's currency, or nothing for a count."""


class RunLevel(Record):
    """One of the objectives that the case ranks, with what the plan makes of it."""

    rank: int
    """From 1; each level is made as small as those before it allow."""
    minimise: Literal["shortage", "cost", "spend", "concentration"]
    sentence: str
    """What is made as small as possible, in words."""
    unit: str
    """The case's currency, or `kg`."""
    implied: bool
    """Whether the case does not state it: cost settles what its levels leave open."""
    value: Number
    """What the plan comes to."""
    bound: Number
    """No plan that keeps the levels before it, at what they came to, comes to less."""
    gap: Number
    """(least - bound) / least."""
    least: Number
    """What it came to when it was minimised; later levels may have made it worse by its `within`."""
    within: Number
    """Share by which later levels may make it worse, in every independent part of the case."""
    gained: Number | None = None
    """By how much it is smaller than in the plan without this level and those after it but cost; None: not found in time, or cost itself."""
    raised_objective: Number | None = None
    """By how much this level raises `cost.objective` above that plan's: what it costs to rank it here."""


class RunAssumption(Record):
    """Something taken as given."""

    subject: str
    text: str


class Run(Tables):
    """A verified plan, and all that a reader needs to judge it."""

    schema_version: Literal[3] = 3
    case: str
    made: datetime.date | None = None
    """Day on which it was made, for the age of the data; nothing else depends on it. None in runs of before it was recorded."""
    scenario: list[str] = []
    """Scenarios applied."""
    changes: list[str] = []
    """Every change applied, those of the scenarios first, as a case file states it."""
    strict: bool = False
    """Whether rules of unknown status were enforced."""
    status: PlanStatus
    confirmed_by: list[Confirmation] = []
    """What confirms an optimal plan with integer decisions."""
    not_tie_broken: list[str] = []
    """Materials whose plan may be one of several that cost the same, and not the one that is least of concern or the steadiest."""
    exchangeable: list[Exchangeable] = []
    """Offers of one material at one place. The plan could buy more or less of each at the same cost, and pay no more for purchases of concern."""
    verified: bool
    """True: re-derived from the facts by other code than the solver's. There is no run without it."""
    currency: str
    place: str
    objective: Number
    """Discounted money spent, plus penalties, plus priced shortage: what was minimised."""
    bound: Number
    """No plan has a lower objective; where objectives are ranked, none that keeps the levels before cost."""
    gap: Number
    """(objective - bound) / objective."""
    cost: Cost
    """Money spent, by part; discounted as its fields say."""
    cash: list[RunCash] = []
    """The same money, not discounted, by period, site, and what it is spent on."""
    levels: list[RunLevel] = []
    """Lexicographic objectives; none: cost alone was minimised."""
    shortage_kg: dict[str, dict[str, Number]]
    """Material -> end use -> kilograms short over the plan; only what is short."""
    periods: list[RunPeriod]
    materials: list[RunMaterial]
    demands: list[RunDemand]
    priority: list[str] = []
    """End uses in the case's order of priority; the others come after them, all alike."""
    purchases: list[RunPurchase]
    countries_of_concern: list[str] = []
    dependence: list[RunDependence] = []
    """Of the plan, of each material, and of each end use; none where the case names no country of concern, and in runs of before it was recorded."""
    ranges: list[RunRange] = []
    """Purchases at prices that have a range."""
    nominal_low: Number | None = None
    """`cost.nominal` of the same plan with every price that has a range at its low end; None: none that is paid has one."""
    nominal_high: Number | None = None
    oldest_price_days: int | None = None
    """Greatest age of a price that the case allows, in days; None: it states none."""
    price_dates: list[RunPriceDate] = []
    """Every price and freight that the plan pays, with its day, where the case states a greatest age; those that are older are told."""
    discounts: list[RunDiscount] = []
    makes: list[RunMake]
    lots: list[RunLot]
    holdings: list[RunHolding] = []
    """All stock in hand and all orders already placed, those that a rule bars or nobody wants too."""
    draws: list[RunDraw]
    stocks: list[RunStock]
    deliveries: list[RunDelivery]
    shortages: list[RunShortage]
    by_months: list[RunByMonths] = []
    """Demands that are short, beside a plan of the same facts in months; none where nothing is short or nothing lies within a period."""
    rounded: list[RunRounded] = []
    """Dates within a period and odd lead times, with what the plan counts instead."""
    exposed: list[RunExposed]
    rules: list[RunRule]
    requirements: list[RunComplianceClass]
    limits: list[RunLimit]
    conflicts: list[RunConflict]
    unproven: list[RunUnproven]
    blocked: list[RunBlocked]
    leads: list[RunLead]
    assumptions: list[RunAssumption]
    largest_miss_kg: Number
    """By how much the worst row misses through rounding."""
    components: int
    """Independent parts solved."""
    plugins: list[RunPlugin]
    plugins_blocked: list[RunBlock] = []
    """Plugins that counted as not installed."""
    versions: dict[str, str]
    """friendshore, Python, HiGHS, OR-Tools and the solvers' number format."""

    def rank_of(self, end_uses: Iterable[str]) -> int:
        """Return the place of the first of some end uses in the case's order of priority."""
        order = {name: place for place, name in enumerate(self.priority)}
        return min((order.get(name, len(order)) for name in end_uses), default=len(order))

    @cached_property
    def inputs_of(self) -> Mapping[str, list[str]]:
        """Materials that each offer of a maker takes, by offer: its own price is a fee."""
        found = grouped((draw.offer, draw.material) for draw in self.draws)
        return {offer: sorted(set(materials)) for offer, materials in found.items()}

    @cached_property
    def duty_on_inputs(self) -> Decimal:
        """Duty on the value of inputs that the plan leaves out."""
        return sum((one.duty_on_inputs for one in self.purchases), Decimal(0))

    @cached_property
    def shortages_of(self) -> Mapping[str, list[RunShortage]]:
        """Shortages by demand."""
        return grouped((entry.demand, entry) for entry in self.shortages)

    @cached_property
    def demands_for(self) -> Mapping[tuple[str, str], int]:
        """Number of demands by material and end use."""
        return Counter((demand.material, demand.end_use) for demand in self.demands)

    @cached_property
    def names(self) -> ShownNames:
        """Names of its materials, and of the offers that it buys from."""
        offers = offer_names((p.offer, p.facility_id, p.facility, p.material) for p in self.purchases)
        return ShownNames(materials=self.materials, offers=offers)
