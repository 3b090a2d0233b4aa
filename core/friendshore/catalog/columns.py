"""The tables of a catalog folder: their columns, with meaning, unit and example.

This one definition is what the reader reads by, the JSON schemas are made from, and the reference page prints.
"""

from __future__ import annotations

from ..domain.evidence import Confidence
from ..domain.facts import Feed, Status
from ..domain.stages import Stage
from ..domain.tiers import TierKind
from ..domain.values import INCOTERMS
from ..reading import kinds as k
from ..reading.fields import Field, Layout

_SOURCE_NEEDED = Field(
    "source",
    k.TEXT,
    "Evidence of the figure: an id of `sources.csv`, or `catalog:id`.",
    "usgs-ga-2026",
    required=True,
)
_SOURCE = Field("source", k.TEXT, "Evidence: an id of `sources.csv`, or `catalog:id`.", "usgs-ga-2026")
_NOTE = Field("note", k.TEXT, "What a reader should know.", "nameplate, not yet proved")
_OFFER = Field("offer", k.IDENT, "Id of an offer of this catalog.", "acme-gallium", required=True)

HEAD = Layout(
    "catalog.toml",
    "What the catalog is. Every catalog folder has this file.",
    (
        Field("schema", k.VERSION, "Version of the format.", 1, required=True),
        Field("name", k.IDENT, "Name by which cases and other catalogs refer to it.", "world", required=True),
        Field("title", k.TEXT, "One line.", "Facilities of the world"),
        Field("licence", k.TEXT, "Licence of the data.", "CC-BY-4.0"),
        Field("as_of", k.DATE, "Day on which the facts were last looked at.", "2026-09-30"),
        Field(
            "requires",
            k.IDENTS,
            "Catalogs whose materials, prices, rates and factors this one refers to. They are read along, without their "
            "facilities and offers.",
            ["materials"],
        ),
        _NOTE,
    ),
)

SOURCES = Layout(
    "sources.csv",
    "The evidence that rows refer to.",
    (
        Field("id", k.IDENT, "Name by which rows refer to it.", "usgs-ga-2026", required=True),
        Field("reference", k.TEXT, "Title, address or document.", "USGS MCS 2026, gallium", required=True),
        Field(
            "date",
            k.DATE,
            "Day of its facts: the one they are stated for, else that of publication. Blank: unknown, which counts as old.",
            "2025-12-31",
        ),
        Field("read", k.DATE, "Day on which it was last read; says nothing of how old the facts are.", "2026-11-24"),
        Field(
            "states",
            k.STEPS_DONE,
            "Stages of which it says where all of it was done; a chain entry that is `complete` rests on a source that states its "
            "stage.",
            "mined;refined",
        ),
        Field("confidence", k.choice("confidence", Confidence), "How far to trust it.", "verified", required=True),
        _NOTE,
    ),
)

MATERIALS = Layout(
    "materials.csv",
    "Tradeable forms.",
    (
        Field("id", k.IDENT, "Name, like `gallium-metal-4n`.", "tungsten-apt", required=True),
        Field("name", k.TEXT, "What people call it.", "ammonium paratungstate"),
        Field("element", k.TEXT, "Element it is wanted for: a symbol, or a group such as `NdPr`.", "W"),
        Field(
            "form", k.TEXT, "What it comes as: concentrate, oxide, metal, alloy, powder, magnet or the like.", "oxide"
        ),
        Field("grade", k.TEXT, "Purity or specification.", "88.5 % WO3"),
        Field("basis", k.TEXT, "What its kilograms weigh: `gross` (if blank), or the substance counted.", "WO3"),
        Field(
            "content", k.PART, "Kilograms of the element in a kilogram of the basis; blank: by the factors.", "0.793"
        ),
        Field("hs", k.HS, "HS or national tariff code.", "2841.80"),
        Field(
            "stages", k.several("stages, set apart by `;`", Stage), "The stages its chain must have.", "mined;refined"
        ),
        Field("tags", k.WORDS, "Words by which rules select it.", "tungsten"),
        _SOURCE,
    ),
)

FACTORS = Layout(
    "factors.csv",
    "How much of an element is in a compound or a material; units in other substances are converted by these rows, in either "
    "direction.",
    (
        Field("element", k.TEXT, "Element, or a compound that another row leads on from.", "W", required=True),
        Field(
            "compound",
            k.TEXT,
            "Formula, or id of a material (then of its goods as they are).",
            "WO3",
            required=True,
        ),
        Field("kg_per_kg", k.PART, "Kilograms of the element in a kilogram of the compound.", "0.793", required=True),
        _SOURCE_NEEDED,
    ),
)

FACILITIES = Layout(
    "facilities.csv",
    "Places that make or hold things.",
    (
        Field("id", k.IDENT, "Name by which offers refer to it.", "acme-smelter", required=True),
        Field("name", k.TEXT, "What people call it.", "Acme smelter"),
        Field("operator", k.TEXT, "Company that runs it: the supplier.", "Acme Metals"),
        Field("parent", k.TEXT, "Company that owns the operator.", "Acme Group"),
        Field("country", k.COUNTRY, "Where it lies: ISO 3166 code or English name.", "AU", required=True),
        Field("place", k.PLACE, "Site where its inputs must be delivered; blank: its country.", "wagerup"),
        Field(
            "within",
            k.IDENT,
            "Facility whose capacity it shares: the plant of a line, the country total of a plant.",
            "",
        ),
        _NOTE,
        _SOURCE,
    ),
)

CAPACITY = Layout(
    "capacity.csv",
    "What facilities can make a year, from a date until the next row of the same facility. The offers of a facility without a row are "
    "leads, shown and never counted, except those that state a quantity themselves: `max_per_year` or `total`.",
    (
        Field("facility", k.IDENT, "Id of a facility of this catalog.", "acme-smelter", required=True),
        Field("from", k.DATE, "First day; blank: since ever.", "2027-07-01"),
        Field("per_year", k.CAPACITY, "Mass per time.", "3300 t WO3/year", required=True),
        Field("status", k.choice("status", Status), "How real it is.", "operating", required=True),
        Field(
            "material",
            k.IDENT,
            "Material whose basis the figure is in; blank: what the facility's offers deliver.",
            "tungsten-apt",
        ),
        _SOURCE_NEEDED,
    ),
)

OFFERS = Layout(
    "offers.csv",
    "Proposals to deliver a material from a facility. Masses are in the material's basis unless they name a substance; with "
    "several outputs (`recipe.csv`) a kilogram stands for one unit of run.",
    (
        Field(
            "id", k.IDENT, "Name by which cases, recipes, chains and lanes refer to it.", "acme-gallium", required=True
        ),
        Field("facility", k.IDENT, "Facility it comes from.", "acme-smelter", required=True),
        Field("material", k.IDENT, "What it delivers; blank where `recipe.csv` gives outputs.", "gallium-metal-4n"),
        Field("price", k.UNIT_PRICE, "Quoted price; not together with `benchmark`.", "580 USD/kg"),
        Field("price_source", k.TEXT, "Evidence of the price; blank: `source`.", "acme-list-2026"),
        Field("benchmark", k.IDENT, "Benchmark of `prices.csv` that the price follows.", "gallium-rotterdam"),
        Field("premium", k.PREMIUM, "Share on top of the benchmark; blank: none.", "25 %"),
        Field("from", k.DATE, "First day on which it may be ordered.", "2027-01-01"),
        Field("until", k.DATE, "Last day on which it may be ordered.", "2030-12-31"),
        Field("min_order", k.MASS, "Least ordered in one period, if anything is.", "500 kg"),
        Field("max_order", k.MASS, "Most ordered in one period.", "5 t"),
        Field(
            "lot", k.MASS, "What is ordered in one period is a whole multiple of this; blank: any quantity.", "250 kg"
        ),
        Field("max_lots", k.COUNT, "Most lots ordered in one period.", "8"),
        Field(
            "max_per_year",
            k.MASS_RATE,
            "Most a year from this offer, beside its facility's capacity; it counts without one, by the offer's `source`.",
            "20 t/year",
        ),
        Field(
            "total",
            k.MASS,
            "Most over the whole plan: a stock in hand, a parcel; it counts without a capacity, by the offer's `source`.",
            "12 t",
        ),
        Field(
            "onboarding",
            k.MONEY,
            "One-off cost of using it at all; `[[incumbent]]` offers have paid it.",
            "250000 USD",
        ),
        Field(
            "qualification",
            k.DURATION,
            "From the start of the plan to the first order; blank: none. `[[incumbent]]` offers are qualified already.",
            "9 months",
        ),
        Field("take_or_pay", k.MASS_RATE, "Paid for, taken or not, if it is used at all.", "10 t/year"),
        Field(
            "take_or_pay_share", k.FRACTION, "Share of the price due on what is not taken; blank: all of it.", "60 %"
        ),
        Field("lead_time", k.DURATION, "From order to delivery; blank: the case's.", "1 quarter"),
        Field("capacity_use", k.NON_NEGATIVE, "Kilograms of the facility's capacity a unit takes; blank: 1.", "1"),
        Field("customs_origin", k.COUNTRY, "Origin for customs; blank: country of the last stage performed.", "AU"),
        _NOTE,
        Field("source", k.TEXT, "Evidence of its existence and quantities.", "acme-report-2026"),
    ),
)

QUOTES = Layout(
    "quotes.csv",
    "Quotations: prices of offers for orders within some dates, in place of a price in `offers.csv`. An offer with a row may be ordered "
    "only in periods throughout which one of its rows holds.",
    (
        _OFFER,
        Field("from", k.DATE, "First day; blank: since ever.", "2026-10-01"),
        Field("until", k.DATE, "Last day; blank: for good.", "2027-03-31"),
        Field("price", k.UNIT_PRICE, "Money per mass, or per unit of run.", "560 USD/kg", required=True),
        _SOURCE_NEEDED,
    ),
)

RECIPE = Layout(
    "recipe.csv",
    "What one unit of an offer takes and gives. The unit is a kilogram of the offer's single material, else one unit of run.",
    (
        _OFFER,
        Field(
            "role",
            k.one_value("role", {"input": "input", "output": "output"}),
            "Taken or given.",
            "input",
            required=True,
        ),
        Field("material", k.IDENT, "What is taken or given.", "ndpr-oxide", required=True),
        Field("per_unit", k.PER_UNIT, "Kilograms of its basis per unit.", "1.2", required=True),
        Field("source", k.TEXT, "Evidence; may be blank only for an output of 1.", "acme-report-2026"),
    ),
)

CHAIN = Layout(
    "chain.csv",
    "The stages that an offer performs itself, and the countries each may have happened in.",
    (
        _OFFER,
        Field("stage", k.STEP, "A stage that the material must have, or a step of one.", "refined", required=True),
        Field("countries", k.COUNTRIES, "All countries it may have happened in; `EU` stands for its members.", "AU;JP"),
        Field("complete", k.YES_NO, "Whether the list is known to be complete; blank: no.", "yes"),
        Field(
            "feed",
            k.choice("feed", Feed),
            "Primary or recycled feed; blank: primary, of `collection` recycled.",
            "primary",
        ),
        _SOURCE_NEEDED,
    ),
)

_OF = Field(
    "of",
    k.one_value("subject", {word: word for word in ("offer", "facility", "supplier")}),
    "What `id` names; blank: an offer.",
    "supplier",
)
_SUBJECT = Field(
    "id",
    k.TEXT,
    "The offer, facility (with those within it) or supplier, of this catalog or one it requires.",
    "Acme",
    required=True,
)
_PER = Field(
    "per",
    k.one_value("span", {word: word for word in ("period", "year", "horizon")}),
    "Span over which orders are added up: a period, a calendar year, or the whole plan.",
    "year",
    required=True,
)

TIERS = Layout(
    "tiers.csv",
    "Price schedules: prices or discounts by what is bought. Rows of the same offer, facility or supplier with the same materials, "
    "kind, span and dates make one schedule, a tier each. Orders are paid at list prices, and the difference is settled in the "
    "last period of the span.",
    (
        _OF,
        _SUBJECT,
        Field("materials", k.IDENTS, "Materials that are added up; blank: all.", "dy-oxide;tb-oxide"),
        Field(
            "kind",
            k.choice("kind", TierKind),
            "`incremental`: a tier's terms bear on what lies within it; `all-units`: on everything, once it is reached.",
            "all-units",
            required=True,
        ),
        _PER,
        Field(
            "least",
            k.MASS_OR_MONEY,
            "Where the tier begins: a mass, or money at list prices. The first tier of a schedule begins at 0.",
            "10 t",
            required=True,
        ),
        Field("price", k.UNIT_PRICE, "Price in the tier, in place of the list price.", "520 USD/kg"),
        Field("discount", k.DISCOUNT, "Or share off the list price; below 0: on top of it.", "5 %"),
        Field("lump", k.MONEY, "Due once in a span that ends in this tier; blank: nothing.", "10000 USD"),
        Field("from", k.DATE, "First day of the orders it is about.", "2027-01-01"),
        Field("until", k.DATE, "Last day.", "2029-12-31"),
        _SOURCE_NEEDED,
    ),
)

TERMS = Layout(
    "terms.csv",
    "Terms of trade: what is due because anything is ordered at all, how much must or may be ordered, and what a set-up takes of the "
    "facility's capacity. Each row holds by itself.",
    (
        _OF,
        _SUBJECT,
        Field("materials", k.IDENTS, "Materials it is about; blank: all.", "dy-oxide;tb-oxide"),
        Field("places", k.PLACES, "Places of delivery it is about; blank: all.", "US;JP"),
        _PER,
        Field("fixed", k.MONEY, "Due in every span in which anything is ordered, in its first period.", "12000 USD"),
        Field("least", k.MASS, "Least ordered in a span, if anything is.", "2 t"),
        Field("most", k.MASS, "Most ordered in a span.", "40 t"),
        Field(
            "setup_use",
            k.MASS,
            "Capacity of the facility that any order in a period takes, whatever its size; only with `per` = `period`.",
            "500 kg",
        ),
        Field("from", k.DATE, "First day: a period counts if any of its days lies within.", "2027-01-01"),
        Field("until", k.DATE, "Last day.", "2029-12-31"),
        _SOURCE_NEEDED,
    ),
)

LANES = Layout(
    "lanes.csv",
    "Where an offer may be moved. An offer with a row moves by its rows alone, one without to any place that uses its material.",
    (
        _OFFER,
        Field("to", k.PLACE, "Country, or site of a facility.", "US", required=True),
        Field("freight", k.UNIT_PRICE, "Cost of moving; blank: nothing is added.", "2 USD/kg"),
        Field("lead_time", k.DURATION, "From order to delivery; blank: the offer's.", "45 days"),
        _SOURCE,
    ),
)

PRICES = Layout(
    "prices.csv",
    "Benchmarks: published prices of a material on dates.",
    (
        Field("id", k.IDENT, "Benchmark; rows of several dates make a series.", "gallium-rotterdam", required=True),
        Field("material", k.IDENT, "What is priced.", "gallium-metal-4n", required=True),
        Field("date", k.DATE, "Day of the price.", "2026-06-30", required=True),
        Field("price", k.UNIT_PRICE, "Money per mass.", "1000 USD/mtu", required=True),
        Field("place", k.TEXT, "Where it is quoted.", "Rotterdam"),
        Field("incoterm", k.one_value("Incoterm", INCOTERMS), "Incoterms 2020.", "CIF"),
        _SOURCE_NEEDED,
    ),
)

RATES = Layout(
    "rates.csv",
    "Exchange rates, each from a date until the next.",
    (
        Field("currency", k.CURRENCY, "What is exchanged.", "EUR", required=True),
        Field("to", k.CURRENCY, "What for.", "USD", required=True),
        Field("rate", k.RATE, "Units of `to` for one of `currency`.", "1.12", required=True),
        Field("from", k.DATE, "First day.", "2026-07-01", required=True),
        _SOURCE,
    ),
)

TABLES = (
    SOURCES,
    MATERIALS,
    FACTORS,
    PRICES,
    RATES,
    FACILITIES,
    CAPACITY,
    OFFERS,
    RECIPE,
    CHAIN,
    LANES,
    QUOTES,
    TIERS,
    TERMS,
)
"""All tables, in the order in which they are read."""
