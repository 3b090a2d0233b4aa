"""The tables of a catalog folder, made from the records that stand in them.

What a column means, its unit, range and example are said once, where the record is stated (`friendshore.domain`); here is what
tables there are, and the columns that are of no record. The reader reads by this, JSON schemas are made from it, and the
reference page prints it.
"""

from __future__ import annotations

from ..domain.evidence import Source
from ..domain.facts import CapacityStep, Catalog, ChainEntry, Facility, Lane, Material, Offer, Quote, RecipeLine
from ..domain.market import BenchmarkPrice, Factor, Rate
from ..domain.naming import Alias
from ..domain.terms import PriceSchedule, Terms, Tier
from ..reading import kinds as k
from ..reading.fields import Field, layout

_OFFER = Field("offer", k.IDENT, "Id of an offer of this catalog.", "acme-gallium", required=True)

HEAD = layout(
    "catalog.toml",
    "What the catalog is. Every catalog folder has this file.",
    Field("schema", k.VERSION, "Version of the format.", 1, required=True),
    Catalog,
)

SOURCES = layout("sources.csv", "The evidence that rows refer to.", Source, key="id")

MATERIALS = layout("materials.csv", "Tradeable forms.", Material, key="id")

FACTORS = layout(
    "factors.csv",
    "How much of an element is in a compound or a material; units in other substances are converted by these rows, in either "
    "direction.",
    Factor,
    key="element compound",
)

_FACTS = (
    "Further columns are those that installed plugins declare: facts that plugins read, such as a port, emissions or owners "
    "(`[facts]` in the manifest of a plugin; `friendshore plugins show NAME` lists them)."
)

FACILITIES = layout("facilities.csv", "Places that make or hold things.", Facility, declared=_FACTS, key="id")

CAPACITY = layout(
    "capacity.csv",
    "What facilities can make a year, from a date until the next row of the same facility. The offers of a facility without a row are "
    "leads, shown and never counted, except those that state a quantity themselves: `max_per_year` or `total`.",
    Field("facility", k.IDENT, "Id of a facility of this catalog.", "acme-smelter", required=True),
    CapacityStep,
    Field(
        "material",
        k.IDENT,
        "Material whose basis the figure is in; blank: what the facility's offers deliver.",
        "tungsten-apt",
    ),
    first="facility from per_year status material",
    key="facility from",
)

OFFERS = layout(
    "offers.csv",
    "Proposals to deliver a material from a facility. Masses are in the material's basis unless they name a substance; with "
    "several outputs (`recipe.csv`) a kilogram stands for one unit of run.",
    Offer,
    Field("material", k.IDENT, "What it delivers; blank where `recipe.csv` gives outputs.", "gallium-metal-4n"),
    first="id facility material price price_source",
    declared=_FACTS,
    key="id",
)

QUOTES = layout(
    "quotes.csv",
    "Quotations: prices of offers for orders within some dates, in place of a price in `offers.csv`. An offer with a row may be ordered "
    "only in periods throughout which one of its rows holds.",
    _OFFER,
    Quote,
    key="offer from until",
)

RECIPE = layout(
    "recipe.csv",
    "What one unit of an offer takes and gives. The unit is a kilogram of the offer's single material, else one unit of run.",
    _OFFER,
    Field(
        "role", k.one_value("role", {"input": "input", "output": "output"}), "Taken or given.", "input", required=True
    ),
    RecipeLine,
    key="offer role material",
)

CHAIN = layout(
    "chain.csv",
    "The stages that an offer performs itself, and the countries each may have happened in.",
    _OFFER,
    ChainEntry,
    key="offer stage feed",
)

TIERS = layout(
    "tiers.csv",
    "Price schedules: prices or discounts by what is bought. Rows of the same offer, facility or supplier with the same materials, "
    "kind, span and dates make one schedule, a tier each. Orders are paid at list prices, and the difference is settled in the "
    "last period of the span.",
    PriceSchedule,
    Tier,
    first="of id materials kind per least most price discount lump from until source",
    key="of id materials kind per from until least",
)

TERMS = layout(
    "terms.csv",
    "Terms of trade: what is due because anything is ordered at all, how much must or may be ordered, and what a set-up takes of the "
    "facility's capacity. Each row holds by itself.",
    Terms,
    first="of id materials places per fixed least most setup_use from until source",
    key="of id materials places per from until",
)

LANES = layout(
    "lanes.csv",
    "Where an offer may be moved. An offer with a row moves by its rows alone, one without to any place that uses its material.",
    _OFFER,
    Lane,
    declared=_FACTS,
    key="offer to from",
)

PRICES = layout("prices.csv", "Benchmarks: published prices of a material on dates.", BenchmarkPrice, key="id date")

RATES = layout("rates.csv", "Exchange rates, each from a date until the next.", Rate, key="currency to from")

ALIASES = layout(
    "aliases.csv",
    "Ids that the catalog no longer uses. Cases, rules and runs that name one are followed to the id of today, and say so; what was "
    "retired is told with day and reason.",
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
    OFFERS,
    RECIPE,
    CHAIN,
    LANES,
    QUOTES,
    TIERS,
    TERMS,
    ALIASES,
)
"""All tables, in reading order."""
