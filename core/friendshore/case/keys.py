"""The sections of a case file: their keys, with meaning, unit and example.

This one definition is what the reader reads by, the JSON schema is made from, and the reference page prints.
"""

from __future__ import annotations

from ..domain.case import CAPACITY_COUNTS, Minimise
from ..domain.change import Change, TermKind
from ..domain.evidence import Confidence
from ..domain.facts import Feed, Status
from ..domain.stages import Stage
from ..domain.time import PeriodLength
from ..reading import kinds as k
from ..reading.fields import Field, Layout
from ..rules.base import PhaseStatus

_WHY = Field("why", k.TEXT, "Reason or evidence, printed beside it.", "letter of 2026-08-01")
_FROM = Field("from", k.DATE, "First day; blank: from the start.", "2027-01-01")
_UNTIL = Field("until", k.DATE, "Last day; blank: to the end.", "2028-12-31")
_PLACE = Field("place", k.PLACE, "Country, or site of a facility; blank: the case's place.", "US")
_MATERIAL = Field("material", k.IDENT, "Material of a catalog.", "gallium-metal-4n", required=True)
_RULE = Field("rule", k.IDENT, "Id of the rule.", "cn-gallium-licence", required=True)

CHAIN = Layout(
    "chain = [{ … }]",
    "One stage that was performed, as in `chain.csv`.",
    (
        Field("stage", k.STEP, "A stage, or a step of one.", "refined", required=True),
        Field("countries", k.COUNTRIES, "All countries it may have happened in.", ["AU"]),
        Field("complete", k.YES_NO, "Whether the list is known to be complete; blank: no.", True),
        Field(
            "feed",
            k.choice("feed", Feed),
            "Primary or recycled feed; blank: primary, of `collection` recycled.",
            "primary",
        ),
    ),
)

_SUBJECT = "One of the subjects; a change has exactly one."
CHANGE = Layout(
    "change = [{ … }]",
    "One change of the facts: one subject, and how it changes.",
    (
        *(Field(s, k.TEXT, _SUBJECT, "…", record=Change) for s in Change.SUBJECTS[:-2]),
        Field("lift", k.choice("term of trade", TermKind), _SUBJECT, "fixed-cost", record=Change),
        Field(
            "accept",
            k.choice("status", Status),
            f"{_SUBJECT} Status of capacity that counts for `factor`.",
            "announced",
        ),
        Field("factor", k.FACTOR, "Multiplier.", 1.5),
        Field("amount", k.UNIT_PRICE, "New price of an offer, a lead's as well.", "500 USD/kg"),
        Field("status", k.choice("status", Status), "New status of a capacity.", "idle"),
        Field("of", k.TEXT, "Demand or material of a waiver, exporter of a licence, whose terms are relaxed.", "…"),
        Field("quantity", k.MASS, "Of a waiver, a licence or a stock.", "5 t"),
        Field("per_year", k.MASS_RATE, "New capacity of a facility.", "20 t/year"),
        Field("by", k.NON_NEGATIVE, "By how much the bounds of a limit are relaxed, in their own unit.", 1000),
        Field("countries", k.COUNTRIES, "Where all stages of a stock were performed.", ["US"]),
        Field("delay", k.DURATION, "How much later a capacity starts, or a demand is wanted.", "2 quarters"),
        _FROM,
        _UNTIL,
        _WHY,
    ),
)

CASE = Layout(
    "[case]",
    "What is planned.",
    (
        Field("name", k.IDENT, "Name of the case.", "us-2027", required=True),
        Field("start", k.DATE, "First day of the plan.", "2026-10-01", required=True),
        Field("periods", k.INTEGER, "Number of periods.", 17, required=True),
        Field("period", k.choice("period", PeriodLength), "Length of a period.", "quarter", required=True),
        Field("currency", k.CURRENCY, "Currency of all money in the result; blank: USD.", "USD"),
        Field("place", k.PLACE, "Where demand lies unless it says otherwise.", "US", required=True),
        Field("discount", k.FRACTION, "Share a year by which later money counts less; blank: 0.", "8 %"),
        Field(
            "resolution",
            k.RESOLUTION,
            "Mass to which purchases are rounded, finer than what is wanted; blank: 1 g.",
            "1 g",
        ),
    ),
)

USE = Layout(
    "[use]",
    "Which catalogs and rule packs are used. Nothing that is installed is used unless it is named here.",
    (
        Field("catalogs", k.TEXTS, "Names of installed catalogs, or folders beside the case.", ["world", "./mine"]),
        Field("packs", k.TEXTS, "Names of installed rule packs, or folders beside the case.", ["us-10usc4872"]),
        Field(
            "block",
            k.TEXTS,
            "Plugins that count as not installed: distributions or entry points, with `:name` for one thing of a plugin; friendshore's own "
            "kinds of rules are `built-in`.",
            ["acme-rules", "built-in:tariff"],
        ),
        Field("demand", k.TEXT, "CSV file beside the case with the columns of [[demand]].", "demand.csv"),
    ),
)

ACCEPT_CAPACITY = Layout(
    "[accept.capacity]",
    "What share of a capacity of each status counts, on top of its start date.",
    tuple(
        Field(
            status.value, k.FRACTION, f"Share of `{status.value}` capacity that counts; blank: {counts}.", float(counts)
        )
        for status, counts in CAPACITY_COUNTS.items()
        if status not in (Status.SUPERSEDED, Status.EVENT)
    ),
)

ACCEPT = Layout(
    "[accept]",
    "What is taken as given.",
    (
        Field(
            "confidence",
            k.choice("confidence", Confidence),
            "Least confidence that counts; blank: verified.",
            "verified",
        ),
        Field(
            "rule_status",
            k.several("rule statuses", PhaseStatus),
            "Statuses of rules that apply; blank: only enacted.",
            ["enacted"],
        ),
        Field("unproven", k.YES_NO, "Whether an unproven verdict is let pass; blank: no.", False),
        Field("capacity", k.TABLE, "What a capacity of each status counts for.", inside=ACCEPT_CAPACITY),
    ),
)

ASSUME_LICENCE = Layout(
    "[assume.licence]",
    'Export licences taken as given, by end use: `civil = "granted"`.',
    (),
    others="kept",
    others_doc="The key is an end use, the value `granted`.",
)

ASSUME_OFFER = Layout(
    "[[assume.offer]]",
    "A figure given to a lead, or put in the place of a published one.",
    (
        Field("id", k.IDENT, "The offer.", "acme-gallium", required=True),
        Field("capacity", k.MASS_RATE, "Mass per time.", "20 t/year"),
        Field("from", k.DATE, "First day of the capacity; blank: since ever.", "2027-07-01"),
        Field("price", k.UNIT_PRICE, "Quoted price.", "580 USD/kg"),
        Field("benchmark", k.IDENT, "Benchmark that the price follows instead.", "gallium-rotterdam"),
        Field("premium", k.PREMIUM, "Share on top of the benchmark.", "25 %"),
        Field("chain", k.TABLES, "Stages that take the place of the offer's own.", inside=CHAIN, repeated=True),
        _WHY,
    ),
)

ASSUME = Layout(
    "[assume]",
    "What is assumed; printed in every output.",
    (
        Field("lead_time", k.DURATION, "From order to delivery where an offer gives none; blank: 0.", "1 quarter"),
        Field(
            "freight", k.UNIT_PRICE, "Freight across a border where none is given, in the case's currency.", "2 USD/kg"
        ),
        Field("holding", k.YEARLY_SHARE, "Cost of holding stock, as a share of its value.", "5 %/year"),
        Field(
            "priority",
            k.END_USES,
            "End uses whose shortage is priced above that of those after them, where no `shortage_price` is given; end uses not named come "
            'last, all alike. Blank: `["defense"]`. `[]`: no priority.',
            ["defense", "civil"],
        ),
        Field("licence", k.TABLE, "Export licences taken as given.", inside=ASSUME_LICENCE),
        Field("offer", k.TABLES, "Figures given to offers.", inside=ASSUME_OFFER, repeated=True),
    ),
)

DEMAND = Layout(
    "[[demand]]",
    "What is wanted. A demand gives exactly one of per_year, quantity and quantities.",
    (
        Field("id", k.LABEL, "Name; blank: material/end_use/place.", "gallium-radar"),
        _MATERIAL,
        Field("end_use", k.END_USE, "`defense`, `civil`, or a word of your own.", "defense", required=True),
        _PLACE,
        Field("buyer", k.TEXT, "Who buys, where a rule names buyers.", "Acme Aerospace"),
        Field("per_year", k.MASS_RATE, "Steady rate.", "2 t/year"),
        Field("quantity", k.MASS, "The same mass in each period in which it is wanted.", "500 kg"),
        Field("quantities", k.MASSES, "A mass for each period of the plan.", ["500 kg", "0", "1 t"]),
        _FROM,
        _UNTIL,
        Field("shortage_price", k.UNIT_PRICE, "Price of what is not delivered, in the case's currency.", "5000 USD/kg"),
        _WHY,
    ),
    others="kept",
    others_doc='Every other key states a fact of the item, such as `cots = true` or `tungsten_share = "60 %"`.',
)

STOCK = Layout(
    "[[stock]]",
    "Stock in hand at the start.",
    (
        Field("id", k.LABEL, "Name; blank: material/place.", "gallium-vault"),
        _MATERIAL,
        _PLACE,
        Field("quantity", k.MASS, "How much.", "800 kg", required=True),
        Field("acquired", k.DATE, "When it was acquired.", "2024-05-01"),
        Field("chain", k.TABLES, "Where its stages happened.", inside=CHAIN, repeated=True),
        _WHY,
    ),
)

ORDER = Layout(
    "[[order]]",
    "An order already placed: paid for, and on its way.",
    (
        Field("id", k.LABEL, "Name; blank: by its place in the case and its offer.", "gallium-on-the-water"),
        Field("offer", k.IDENT, "The offer.", "acme-gallium", required=True),
        Field("quantity", k.MASS, "How much.", "500 kg", required=True),
        Field("arrives", k.DATE, "Day of arrival.", "2026-12-01", required=True),
        Field("ordered", k.DATE, "Day of the order.", "2026-06-01"),
        _PLACE,
        _WHY,
    ),
)

INCUMBENT = Layout(
    "[[incumbent]]",
    "An offer that is bought from today: qualified already, and what churn is measured against.",
    (
        Field("offer", k.IDENT, "The offer.", "acme-gallium", required=True),
        Field("per_year", k.MASS_RATE, "What is bought of it today.", "2 t/year", required=True),
        _WHY,
    ),
)

LICENCE = Layout(
    "[[licence]]",
    "An export licence in hand.",
    (
        Field("id", k.LABEL, "Name; blank: rule/exporter.", "licence-2026-17"),
        _RULE,
        Field("exporter", k.TEXT, "Facility or country it is for; blank: any.", "CN"),
        Field("quantity", k.MASS, "Mass moved under it; blank: not limited.", "2 t"),
        _FROM,
        _UNTIL,
        _WHY,
    ),
)

WAIVER = Layout(
    "[[waiver]]",
    "A waiver of one rule, bounded in quantity and dates.",
    (
        Field("id", k.LABEL, "Name; blank: rule/demand.", "waiver-1"),
        _RULE,
        Field("demand", k.TEXT, "Demand or material it is for; blank: any.", "ndfeb-magnet/defense/US"),
        Field("quantity", k.MASS, "Mass delivered under it.", "300 kg", required=True),
        _FROM,
        _UNTIL,
        Field(
            "under",
            k.LABEL,
            "Which of the waivers that the rule's law knows; blank: the usual one. The law may bound how long it runs.",
            "national-security",
        ),
        _WHY,
    ),
)

STORE = Layout(
    "[[store]]",
    "How a material is held at a place.",
    (
        _MATERIAL,
        _PLACE,
        Field("holding", k.YEARLY_PRICE, "Cost of holding, in the case's currency.", "1 USD/kg/year"),
        Field("limit", k.MASS, "Most held at the end of a period; 0: it cannot be held.", "5 t"),
        Field("loss", k.YEARLY_SHARE, "Share of what is held that is lost; at most 100 % a year.", "2 %/year"),
    ),
)

RULE = Layout(
    "[[rule]]",
    "A rule of any kind, in the same form as in a rule pack.",
    (
        Field("kind", k.IDENT, "Kind of rule: built in, or of a plugin.", "max-share", required=True),
        Field("id", k.IDENT, "Name; blank: the kind and its number, like `max-share-1`.", "no-single-mine"),
    ),
    others="kept",
    others_doc="Every other key belongs to the kind; `docs/reference/rules.md` lists them.",
)

OBJECTIVE = Layout(
    "[[objective]]",
    "Lexicographic objectives, in place of one cost: each is made as small as those before it allow; cost settles the rest.",
    (
        Field(
            "minimise",
            k.choice("objective", Minimise),
            "`shortage` (at its price), `cost` (money spent, penalties and priced shortage), `spend` (money spent alone) or "
            "`concentration` (kilograms from whoever most is bought from).",
            "shortage",
            required=True,
        ),
        Field(
            "of",
            k.TEXTS,
            "Of shortage: end uses, materials or demands. Of concentration: materials or elements. Blank: all.",
            ["defense"],
        ),
        Field(
            "by",
            k.one_value("party", {name: name for name in ("country", "supplier", "parent", "facility")}),
            "Of concentration: who is counted; blank: country.",
            "supplier",
        ),
        Field(
            "stage",
            k.choice("stage", Stage),
            "Of concentration by country: where this stage was performed, in contained element; blank: where it is bought.",
            "refined",
        ),
        Field(
            "per",
            k.one_value("stretch", {name: name for name in ("period", "year", "horizon")}),
            "Of concentration: over which stretch the largest is found; blank: year.",
            "horizon",
        ),
        Field("within", k.FRACTION, "Share by which later objectives may make it worse; blank: 0.", "2 %"),
    ),
)

OVERLAP = Layout(
    "[[overlap]]",
    "Facilities of different catalogs that look like one. Without it both count; with `keep` they are one facility.",
    (
        Field(
            "facilities",
            k.TEXTS,
            "`catalog:facility`, two or more, each of a catalog of its own.",
            ["acme:smelter", "desk:acme-1"],
            required=True,
        ),
        Field(
            "keep",
            k.TEXT,
            "The one whose country, place, company and capacity count for all; the others are left out.",
            "acme:smelter",
        ),
        Field(
            "offers",
            k.one_value("choice", {"all": "all", "kept": "kept"}),
            "With `keep`: `all` offers stay, and draw on the one capacity, or only those of the facility that is `kept`.",
            "all",
        ),
        Field("distinct", k.YES_NO, "In place of `keep`: they are different facilities, and both count.", True),
        _WHY,
    ),
)

SCENARIO = Layout(
    "[[scenario]]",
    "A named list of changes.",
    (
        Field("name", k.IDENT, "Name, for `--scenario`.", "bill-passes", required=True),
        Field("title", k.TEXT, "One line.", "The bill passes"),
        Field("inherits", k.IDENTS, "Scenarios whose changes come first.", ["base"]),
        Field("change", k.TABLES, "The changes, in order.", inside=CHANGE, repeated=True),
    ),
)

FILE = Layout(
    "case.toml",
    "The whole file.",
    (
        Field("schema", k.VERSION, "Version of the format.", 1, required=True),
        Field("case", k.TABLE, CASE.doc, required=True, inside=CASE),
        *(Field(n, k.TABLE, t.doc, inside=t) for n, t in (("use", USE), ("accept", ACCEPT), ("assume", ASSUME))),
        *(
            Field(layout.name.strip("[]"), k.TABLES, layout.doc, inside=layout, repeated=True)
            for layout in (DEMAND, STOCK, ORDER, INCUMBENT, LICENCE, WAIVER, STORE, OVERLAP, RULE, OBJECTIVE, SCENARIO)
        ),
    ),
)
