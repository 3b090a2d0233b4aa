"""A run: a verified plan for people and programs. Its JSON form is `run.json`, and the output of `plan --json`. Money is in the case's currency and,
unless a field says otherwise, not discounted. Quantities are kilograms in the material's basis. Periods are named by their labels. Dates are ISO
8601.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import PlainSerializer, WrapValidator, model_validator

from .assumption_codes import CODE_BY_SUBJECT, HIGHEST_DUTY, NO_DUTY
from .base import Number, Record, Tables, grouped
from .plan import Confirmation, Cost, Exchangeable, PlanStatus
from .record_table import RecordTable
from .shown_names import RunMaterial, ShownNames, offer_names, rule_titles
from .unmet import RunByMonths, RunConflict, RunRelaxation, RunRounded, RunShortage
from .used import RunBlock, RunPlugin, RunPriceDate

Separate: TypeAlias = Literal["discounts", "onboarding", "fixed", "untaken", "holding"]
SEPARATE: tuple[Separate, ...] = ("discounts", "onboarding", "fixed", "untaken", "holding")
"""Parts of `Cost` that belong to no purchase."""
LotVerdict: TypeAlias = Literal["may be used", "may be used in part of the time", "barred", "not wanted"]
CashUse: TypeAlias = Literal["use", "stock", "unused", "discounts", "onboarding", "fixed", "untaken", "holding"]


class RunCash(Record):
    """Money spent in one period, not discounted. All rows of a run sum to `cost.nominal`."""

    period: str
    """Period of the order, as budgets count it, also for duty and freight that are paid on arrival. For other money, the period in which it is due."""
    purpose: CashUse
    """`use`: purchases that end in deliveries, inputs included. `stock`: purchases that are in stock at the end. `unused`: goods that are made and not
    used. The others are the parts of `cost` that belong to no purchase."""
    place: str = ""
    """Site of the deliveries. Empty if the money belongs to no site."""
    amount: Number


class RunDiscount(Record):
    """Discount of a price schedule over a span in which something is bought under it."""

    schedule: str
    """Offer, facility, or supplier, and the materials unless it covers all."""
    span: str
    """Period, calendar year, or `horizon`."""
    settled: str
    """Period in which the difference from list prices is settled."""
    measure: Literal["quantity", "money"]
    measured: Number
    """Measured amount: units, or undiscounted money at list prices."""
    tier: int
    """Tier that was reached, from 1."""
    tier_min: Number
    """Start of that tier."""
    next_tier_min: Number | None
    """Start of the next tier. None if it is the last."""
    tier_max: Number | None = None
    """End of that tier. None if it ends where the next begins."""
    at_list: Number
    """Undiscounted money at list prices."""
    discount: Number
    """Undiscounted money taken off, less lumps. Negative if it is added."""


class RunDependence(Record):
    """Money that depends on countries of concern: cash paid for purchases, not discounted. Each purchase counts once."""

    scope: Literal["plan", "material", "end use", "stock"]
    """Scope of the row. `stock` means what is in stock at the end."""
    name: str = ""
    """Material or end use. Empty means the whole scope."""
    cost: Number
    """Cost of all purchases. By end use: cash traced along the flow of kilograms to the deliveries."""
    known_concern_cost: Number
    """Cost of purchases that are of concern."""
    possible_concern_cost: Number
    """Cost of purchases that may be of concern, because the country of some step is unknown or one of several."""
    input_concern_cost: Number
    """Part of the two that is of concern only because of inputs."""
    share: Number
    """(known_concern_cost + possible_concern_cost) / cost, or 0 if nothing is paid."""
    quantity_kg: Number | None = None
    """Quantity bought. None for several materials."""
    known_concern_kg: Number | None = None
    possible_concern_kg: Number | None = None


class RunRange(Record):
    """Purchases from an offer with a price range, and their cost at its ends. Money is not discounted."""

    offer: str
    material: str
    quantity_kg: Number
    price: Number
    """At list prices, as in the plan."""
    price_low: Number
    price_high: Number
    cost: Number
    """Price, charges, and freight, as in the plan."""
    cost_low: Number
    """With every price range at its low end, including prices that charges are a share of."""
    cost_high: Number


class RunHoldingProhibition(Record):
    """A rule that excludes stock in hand or an open order from a use."""

    rule: str
    start: datetime.date
    """First day of the plan on which it applies."""
    end: datetime.date | None = None
    """Last day. None means to the end of the plan."""
    unproven: bool
    """True if only a proof or a license is missing."""
    stage: str
    countries: list[str]
    clause: str
    reason: str
    fix: str
    """Change that would let it pass this rule."""


class RunHoldingUse(Record):
    """One kind of use that stock in hand or an open order could end in."""

    demand_material: str
    end_use: str
    place: str
    verdict: LotVerdict
    """Result over the periods in which it is available and the use has demand."""
    periods: list[str]
    """Periods in which this use is permitted."""
    prohibitions: list[RunHoldingProhibition] = []


class RunHolding(Record):
    """Stock in hand or an open order, used or not. It is already paid for."""

    lot: str
    kind: Literal["stock", "order"]
    offer: str
    """Offer that it was bought from. Empty if unknown."""
    material: str
    place: str
    arrives: datetime.date | None = None
    """Arrival date of an order."""
    available: str
    """First period in which it is available."""
    quantity_kg: Number
    used_kg: Number
    """Quantity taken by deliveries, or by goods made from it, by the end of the plan, first in, first out. Includes losses in stock."""
    left_kg: Number
    """Quantity left over: not set aside for a use, or still in stock at the end of the plan."""
    uses: list[RunHoldingUse]


class RunLot(Record):
    """Part of a stock in hand or an open order that is set aside for a compliance class."""

    lot: str
    material: str
    place: str
    compliance_class: str
    available: str
    """First period in which it is available."""
    quantity_kg: Number


class RunStock(Record):
    """Material in stock at the end of a period."""

    material: str
    place: str
    compliance_class: str
    period: str
    quantity_kg: Number


class RunPeriod(Record):
    """One period of the plan."""

    label: str
    start: datetime.date
    end: datetime.date


class RunPurchase(Record):
    """An order: one material from one offer for one place."""

    offer: str
    material: str
    facility: str
    """Name of the facility, or its id if it has none."""
    facility_id: str = ""
    supplier: str
    country: str
    """Country of purchase."""
    countries: dict[str, list[str]]
    """Stage -> countries in which the offer may have performed it itself. Stages of inputs are listed with their own purchases."""
    place: str
    """Place of delivery."""
    ordered: str
    """Period of the order."""
    order_by: datetime.date
    """Last day to order for arrival in time. First day to order if an earlier arrival reduces a shortage."""
    at_once: bool = False
    """True if the demand that it serves is short on the day before it arrives. The earlier the order, the earlier the shortage ends."""
    late_days: int = 0
    """Days from `order_by` to the first possible day of action: the first day of the plan, or the latest review date of a catalog or pack. 0 if an order
    on that day still arrives in time."""
    delivered: str
    """Period of arrival."""
    end_use: str
    """End uses of the deliveries that it may end in, joined by `+`. If it ends in none, those that its compliance class serves."""
    compliance_class: str
    """Compliance class that it is bought for. See `compliance_classes`."""
    quantity_kg: Number
    basis: str = ""
    """Substance that these kilograms weigh. `gross`: the goods as they are. Empty in runs that don't record it."""
    cost: Number
    """Sum of price, charges, and freight."""
    price: Number
    """At the list price. Price schedules are settled over all purchases that they cover (see `discounts`). For an offer with several outputs: this
    purchase's part, by mass, of the cost of making them (see `makes`)."""
    charges: Number
    freight: Number
    inputs_cost: Number = Decimal(0)
    """Cash spent on the inputs of this purchase, with their duty and freight, along the whole chain. Inputs from stock add nothing."""
    duty_on_inputs: Number = Decimal(0)
    """Duty that is not in `cost`. Customs adds the value of inputs that the buyer supplies. The plan charges duty only on the price of processing."""
    full_price_per_kg: Number | None = None
    """`cost` and `inputs_cost` per kilogram. Without inputs, the price of the offer with duty and freight. None if nothing is bought."""
    share_of_demand: Number | None = None
    """Share of all demand for the material over the plan. None for an input."""
    concern: Literal["", "no", "may be", "is"] = ""
    """Dependence of its seller and chain, inputs included, on countries of concern. Empty if the case names none."""
    concern_because: list[str] = []
    """Reasons, the worst first."""
    owners_of_concern: list[str] = []
    """Owners of its facility in countries of concern, such as `Acme Group (CN, 41.65%)`. They don't count in `concern`."""
    catalog: str = ""
    confidence: str = ""
    """Lowest confidence among the evidence of its capacity, price, and chain."""


class RunMake(Record):
    """Units made of an offer with several outputs."""

    offer: str
    ordered: str
    compliance_class: str
    units: Number
    cost: Number


class RunDraw(Record):
    """Input taken to make something."""

    offer: str
    """Offer that takes it."""
    material: str
    place: str
    compliance_class: str
    period: str
    quantity_kg: Number


class RunDelivery(Record):
    """Delivery to a demand in a period."""

    demand: str
    material: str
    end_use: str
    place: str
    period: str
    compliance_class: str
    quantity_kg: Number
    waivers: list[str] = []
    """Waivers under which it is delivered."""


class RunDemand(Record):
    """A demand over the whole plan."""

    id: str
    material: str
    end_use: str
    place: str
    wanted_kg: Number
    low_kg: Number | None = None
    """Demand at the low end of its range. None if it has no range."""
    high_kg: Number | None = None
    delivered_kg: Number
    short_kg: Number
    """Shortage. Shortages below the case's resolution, to which quantities are rounded, count as met."""
    shortage_price: Number
    """Money per kilogram not delivered."""
    program: str = ""
    """Program of the demand, under `program`. Empty if none."""
    cash: Number = Decimal(0)
    """Cash in its deliveries, inputs included: full price times quantity."""
    first_met: str = ""
    """First period from which the demand stays fully met. Empty means never."""
    origin_rules: list[str] = []
    """Rules of origin that check it in a period with demand. Empty if no rule asks for its origin, which proves nothing about the origin."""


class RunComplianceClass(Record):
    """A compliance class: uses that no rule in force distinguishes."""

    label: str
    name: str = ""
    """Meaning of the label: end uses, and goods excluded from them."""
    uses: list[str]
    """Demands, and the ranges of periods in which they belong to it."""
    excluding_rules: list[str]
    """Rules that exclude at least one offer."""


class RunRule(Record):
    """A rule of the case, and its status during the plan."""

    id: str
    kind: str
    title: str
    short_title: str = ""
    """A few words for narrow columns. Empty if the title has to do."""
    citation: str
    sentence: str
    status: str
    """`enacted`, `pending`, `suspended`, or `unknown`: of the phases within the plan, joined by `, `."""
    phases: list[str]
    """Each phase within the plan: `from..until status`."""
    applies: bool
    """True if it is in force on some day of this plan."""
    excluded_offers: int = 0
    """Number of offers that it excludes from some use."""
    charges: Number = Decimal(0)
    """Undiscounted money that it adds to the plan."""
    limits: int = 0
    """Number of its rows in the program."""
    pack: str = ""
    """Pack and distribution that contain it. Empty for a rule of the case itself."""


class RunDoubt(Record):
    """Days on which the status of a rule is unknown, inclusive."""

    start: datetime.date | None = None
    """First day. None means from the beginning."""
    end: datetime.date | None = None
    """Last day. None means no end."""
    note: str = ""
    """Reason, in the words of the rule."""


class RunExposed(Record):
    """Effect of a phase of unknown status, if it were in force."""

    rule: str
    title: str
    cost: Number
    """Money spent on purchases that it would prohibit."""
    materials: dict[str, Number]
    """Kilograms bought that it would prohibit, by material."""
    offers: list[str]
    first: str
    """First affected period."""
    unknown: list[RunDoubt] = []
    """Days during the plan on which its status is unknown. Empty in older runs."""

    @model_validator(mode="before")
    @classmethod
    def _without_total(cls, data: object) -> object:
        """Remove the total over all materials from older runs, because it has no meaning."""
        return {key: value for key, value in data.items() if key != "kg"} if isinstance(data, dict) else data


class RunUnproven(Record):
    """An offer excluded from a use only because a proof is missing."""

    offer: str
    material: str
    end_use: str
    demand_material: str
    rule: str
    stage: str
    reason: str


class RunBlocked(Record):
    """An offer excluded from a use by a rule in force."""

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
    """An offer that is shown but can't be bought."""

    offer: str
    materials: list[str]
    facility: str
    """Name of the facility, or its id if it has none."""
    facility_id: str = ""
    country: str
    reasons: list[str]


class RunLimit(Record):
    """A row of a limit rule, with its value in the plan."""

    rule: str
    label: str
    sentence: str
    value: Number
    at_least: Number | None
    at_most: Number | None
    missed_by: Number
    """Violation, in the limit's own unit."""
    penalty: Number
    """Penalty for the violation. 0 for a hard row."""
    unit: str = ""
    """Unit of `value` and its bounds: `kg`, the case's currency, or nothing for a count."""


class RunLevel(Record):
    """One of the ranked objectives of the case, with its value in the plan."""

    rank: int
    """Rank, from 1. Each level is minimized subject to the levels before it."""
    minimize: Literal["shortage", "cost", "spend", "concentration"]
    sentence: str
    """Minimized quantity, in words."""
    unit: str
    """The case's currency, or `kg`."""
    implied: bool
    """True if the case doesn't state it: cost decides what the stated levels leave open."""
    value: Number
    """Value of this level in the plan."""
    bound: Number
    """Lower bound on this level among plans that keep the values of the levels before it."""
    gap: Number
    """(best_value - bound) / best_value."""
    best_value: Number
    """Value when it was minimized. Later levels may increase it within `within`."""
    within: Number
    """Share by which later levels may increase it, in every independent part of the case."""
    reduction: Number | None = None
    """Reduction compared with the plan without this level and the later ones, except cost. None if not found in time, and for cost itself."""
    objective_increase: Number | None = None
    """Cost of ranking it here: increase of `cost.objective` over that plan."""


class RunAssumption(Record):
    """An assumption of the plan."""

    subject: str
    text: str
    code: str = ""
    """Code of this kind of assumption, such as `FS804`. Empty for assumptions of plugins, and in older runs."""
    short: str = ""
    """Part of the text that a screen shows. Empty means all of it."""

    @property
    def kind(self) -> str:
        """Its code. In older runs, it follows from the subject."""
        return self.code or CODE_BY_SUBJECT.get(self.subject, "")

    @property
    def brief(self) -> str:
        return self.short or self.text


def _table_or_list(value: Any, validate: Callable[[Any], Sequence[RunPurchase]]) -> Sequence[RunPurchase]:
    return value if isinstance(value, RecordTable) else list(validate(value))


class Run(Tables):
    """A verified plan, with everything needed to judge it."""

    schema_version: Literal[4] = 4
    case: str
    title: str = ""
    """Title of the case. Empty if it has none, and in older runs."""
    planned_on: datetime.date | None = None
    """Date of the run, for the age of the data. Nothing else depends on it. None in older runs."""
    scenario: list[str] = []
    """Applied scenarios."""
    changes: list[str] = []
    """All applied changes, those of the scenarios first, as a case file states them."""
    strict: bool = False
    """True if rules of unknown status were enforced."""
    status: PlanStatus
    confirmed_by: list[Confirmation] = []
    """Confirmations of an optimal plan with integer decisions."""
    not_tie_broken: list[str] = []
    """Materials whose plan may be one of several with the same cost, and not the one of least concern or the steadiest."""
    exchangeable: list[Exchangeable] = []
    """Offers of one material at one place. The plan could buy more or less of each at the same cost, and pay no more for purchases of concern."""
    verified: bool
    """True: verified against the facts, by other code than the solver's. An unverified run doesn't exist."""
    currency: str
    place: str
    objective: Number
    """Minimized objective: discounted money spent, plus penalties, plus shortage penalties."""
    bound: Number
    """Lower bound on the objective. If objectives are ranked, among plans that keep the levels before cost."""
    gap: Number
    """(objective - bound) / objective."""
    cost: Cost
    """Money spent, by part. Discounted as its fields say."""
    cash: list[RunCash] = []
    """The same money, not discounted, by period, site, and use."""
    levels: list[RunLevel] = []
    """Ranked objectives. Empty if only cost was minimized."""
    shortage_kg: dict[str, dict[str, Number]]
    """Material -> end use -> kilograms short over the plan. Without shortages of 0."""
    periods: list[RunPeriod]
    materials: list[RunMaterial]
    demands: list[RunDemand]
    priority: list[str] = []
    """End uses in the case's order of priority. All others come after them, with equal priority."""
    purchases: Annotated[
        Sequence[RunPurchase],
        WrapValidator(_table_or_list),
        PlainSerializer(list, return_type=list[RunPurchase]),
    ]
    countries_of_concern: list[str] = []
    dependence: list[RunDependence] = []
    """Dependence of the plan, of each material, and of each end use. Empty if the case names no country of concern, and in older runs."""
    ranges: list[RunRange] = []
    """Purchases at prices that have a range."""
    nominal_low: Number | None = None
    """`cost.nominal` of the same plan with every price range at its low end. None if no paid price has a range."""
    nominal_high: Number | None = None
    oldest_price_days: int | None = None
    """Maximum age of prices that the case allows, in days. None if it states none."""
    price_dates: list[RunPriceDate] = []
    """All prices and freights that the plan pays, with their dates, if the case states a maximum age. Older ones are reported."""
    discounts: list[RunDiscount] = []
    makes: list[RunMake]
    lots: list[RunLot]
    holdings: list[RunHolding] = []
    """All stock in hand and all open orders, including those that are prohibited or have no demand."""
    draws: list[RunDraw]
    stocks: list[RunStock]
    deliveries: list[RunDelivery]
    shortages: list[RunShortage]
    by_months: list[RunByMonths] = []
    """Demands with a shortage, compared with a monthly plan of the same facts. Empty if nothing is short, or if all dates and durations fit the periods."""
    rounded: list[RunRounded] = []
    """Dates within a period and durations of partial periods, with the values that the plan uses instead."""
    exposed: list[RunExposed]
    rules: list[RunRule]
    compliance_classes: list[RunComplianceClass]
    limits: list[RunLimit]
    relaxed: list[RunRelaxation] = []
    """Hard limits that can't be kept, with the bounds that the plan keeps instead."""
    conflicts: list[RunConflict]
    unproven: list[RunUnproven]
    blocked: list[RunBlocked]
    leads: list[RunLead]
    assumptions: list[RunAssumption]
    largest_miss_kg: Number
    """Largest violation of a row through rounding."""
    components: int
    """Number of independent parts solved."""
    plugins: list[RunPlugin]
    plugins_blocked: list[RunBlock] = []
    """Plugins that were treated as not installed."""
    versions: dict[str, str]
    """Versions of friendshore, Python, HiGHS, OR-Tools, and the solvers' number format."""

    def rank_of(self, end_uses: Iterable[str]) -> int:
        order = {name: place for place, name in enumerate(self.priority)}
        return min((order.get(name, len(order)) for name in end_uses), default=len(order))

    @cached_property
    def inputs_of(self) -> Mapping[str, list[str]]:
        """Offer of a maker -> its inputs. The price of such an offer is a fee."""
        inputs = grouped((draw.offer, draw.material) for draw in self.draws)
        return {offer: sorted(set(materials)) for offer, materials in inputs.items()}

    @cached_property
    def duty_on_inputs(self) -> Decimal:
        return sum((purchase.duty_on_inputs for purchase in self.purchases), Decimal(0))

    @cached_property
    def duty_not_checked(self) -> frozenset[str]:
        """Materials without a tariff line, whose prices therefore include no duty."""
        return frozenset(row.brief for row in self.assumptions if row.kind == NO_DUTY)

    @cached_property
    def duty_estimated(self) -> frozenset[str]:
        """Offers of unknown customs origin, which are charged the highest duty for any country."""
        return frozenset(row.brief for row in self.assumptions if row.kind == HIGHEST_DUTY)

    @cached_property
    def shortages_of(self) -> Mapping[str, list[RunShortage]]:
        return grouped((shortage.demand, shortage) for shortage in self.shortages)

    @cached_property
    def demands_for(self) -> Mapping[tuple[str, str], int]:
        return Counter((demand.material, demand.end_use) for demand in self.demands)

    @cached_property
    def names(self) -> ShownNames:
        offers = offer_names((p.offer, p.facility_id, p.facility, p.material) for p in self.purchases)
        titles = rule_titles((rule.id, rule.short_title or rule.title) for rule in self.rules)
        return ShownNames(materials=self.materials, offers=offers, rules=titles)
