"""Tables of a catalog folder: the records of `friendshore.domain`, and columns that belong to no record."""

from __future__ import annotations

from ..domain.evidence import Source
from ..domain.facts import CapacityStep, Catalog, ChainEntry, Facility, Lane, Material, Offer, Owner, Quote, RecipeLine
from ..domain.market import BenchmarkPrice, Factor, Rate
from ..domain.naming import Alias
from ..domain.terms import PriceSchedule, Terms, Tier
from ..reading import kinds as k
from ..reading.fields import Field, layout

_OFFER = Field("offer", k.IDENT, "Id of an offer of this catalog.", "acme-gallium", required=True)

HEAD = layout(
    "catalog.toml",
    "Name and origin of the catalog. Every catalog folder has this file.",
    Field("schema", k.VERSION, "Version of the format.", 1, required=True),
    Catalog,
)

SOURCES = layout("sources.csv", "Evidence that rows refer to.", Source, key="id")

MATERIALS = layout("materials.csv", "Tradeable forms.", Material, key="id")

FACTORS = layout(
    "factors.csv",
    "Kilograms of an element in a kilogram of a compound or a material. Amounts in other substances are converted by these rows, in "
    "either direction.",
    Factor,
    key="element compound",
)

_FACTS = (
    "Installed plugins may declare further columns: facts that they read, such as a port, emissions, or owners (`[facts]` in the "
    "manifest of a plugin; `friendshore plugins show NAME` lists them)."
)

FACILITIES = layout("facilities.csv", "Mines, plants, and warehouses.", Facility, declared=_FACTS, key="id")

CAPACITY = layout(
    "capacity.csv",
    "Yearly capacity of facilities, from a date until the next row of the same facility. Offers of a facility without a row are leads, "
    "which plans never buy, unless they state `max_per_year` or `total`.",
    Field("facility", k.IDENT, "Id of a facility of this catalog.", "acme-smelter", required=True),
    CapacityStep,
    Field(
        "material",
        k.IDENT,
        "Material in whose basis the capacity is. Blank: the output of the facility's offers.",
        "tungsten-apt",
    ),
    first="facility from per_year status material",
    key="facility from",
)

OWNERS = layout(
    "owners.csv",
    "Owners of facilities. A plan reports purchases from plants with an owner in a country of concern.",
    Field("facility", k.IDENT, "Id of a facility of this catalog.", "acme-smelter", required=True),
    Owner,
    first="facility owner country share",
    key="facility owner",
)

OFFERS = layout(
    "offers.csv",
    "Proposals to deliver a material from a facility. Masses are in the material's basis unless they name a substance. If an offer has "
    "several outputs (`recipe.csv`), a kilogram means one unit of run.",
    Offer,
    Field("material", k.IDENT, "Material that it delivers. Blank if `recipe.csv` has its outputs.", "gallium-metal-4n"),
    first="id facility material price price_source",
    declared=_FACTS,
    key="id",
)

QUOTES = layout(
    "quotes.csv",
    "Quotations: prices of offers for orders between two dates, instead of a price in `offers.csv`. An offer with a row may be ordered "
    "only in periods that one of its rows covers completely.",
    _OFFER,
    Quote,
    key="offer from until",
)

RECIPE = layout(
    "recipe.csv",
    "Inputs and outputs of one unit of an offer. The unit is a kilogram of the offer's single material, or one unit of run.",
    _OFFER,
    Field(
        "role",
        k.word_kind("role", {"input": "input", "output": "output"}),
        "Whether the line is an input or an output.",
        "input",
        required=True,
    ),
    RecipeLine,
    key="offer role material",
)

CHAIN = layout(
    "chain.csv",
    "Stages that an offer performs itself, and the possible countries of each.",
    _OFFER,
    ChainEntry,
    key="offer stage feed element",
)

TIERS = layout(
    "tiers.csv",
    "Price schedules: prices or discounts by purchased quantity or amount. Rows of the same offer, facility, or supplier with the same "
    "materials, kind, span, and dates are the tiers of one schedule. Orders are paid at list prices, and the difference is settled in the "
    "last period of the span.",
    PriceSchedule,
    Tier,
    first="of id materials kind per least most price discount lump from until source",
    key="of id materials kind per from until least",
)

TERMS = layout(
    "terms.csv",
    "Terms of trade: fixed costs of ordering, minimum and maximum orders, and the capacity that a set-up uses. Each row applies by "
    "itself.",
    Terms,
    first="of id materials places per fixed least most setup_use from until source",
    key="of id materials places per from until",
)

LANES = layout(
    "lanes.csv",
    "Routes of an offer. An offer with a row moves only by its rows, one without a row to any place that uses its material.",
    _OFFER,
    Lane,
    declared=_FACTS,
    key="offer to from",
)

PRICES = layout("prices.csv", "Benchmarks: published prices of a material by date.", BenchmarkPrice, key="id date")

RATES = layout("rates.csv", "Exchange rates, each from a date until the next row.", Rate, key="currency to from")

ALIASES = layout(
    "aliases.csv",
    "Ids that the catalog no longer uses. If a case, rule, or run names one, friendshore uses the current id and reports it. For a "
    "retired id, it reports the day and the reason.",
    Alias,
    key="of old",
)

TABLES = (
    SOURCES,
    MATERIALS,
    FACTORS,
    PRICES,
    RATES,
    FACILITIES,
    CAPACITY,
    OWNERS,
    OFFERS,
    RECIPE,
    CHAIN,
    LANES,
    QUOTES,
    TIERS,
    TERMS,
    ALIASES,
)
