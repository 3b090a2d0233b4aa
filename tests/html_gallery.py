"""A document with every chart and every element, as a page may hold them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from friendshore.document.charts import (
    Bars,
    Chart,
    Country,
    Flow,
    Ladder,
    Node,
    Route,
    Rung,
    Series,
    Stream,
    Timeline,
    TimelineMark,
    TimelineRow,
    TimelineSpan,
    WorldMap,
)
from friendshore.document.elements import (
    Amount,
    Column,
    Count,
    DataRow,
    DataTable,
    Document,
    Drawing,
    KeyFigure,
    KeyFigures,
    Kilograms,
    Pairs,
    Phrase,
    Verbatim,
    apart,
    document,
    figures,
    notes,
    section,
    sentence,
    table,
)
from friendshore.document.tone import Tone

D = Decimal
QUARTERS = tuple(f"{2027 + i // 4}-Q{i % 4 + 1}" for i in range(16))
SUPPLIERS = (
    "China, antimony",
    "Port Pirie multi-metals smelter",
    "Nui Phao and Thai Nguyen",
    "Onsan smelter",
    "Mitterdill",
)

MIX = Bars(
    QUARTERS,
    tuple(
        Series(name, tuple(D(900 - 120 * place + (37 * i * (place + 1)) % 200) for i in range(16)))
        for place, name in enumerate(SUPPLIERS)
    ),
    "t",
    Series("wanted", tuple(D(3300 + 60 * i) for i in range(16))),
)
MET = Bars(
    ("2027", "2028", "2029", "2030"),
    (
        Series("delivered", tuple(map(D, (9_000_000, 11_000_000, 12_000_000, 12_500_000))), Tone.GOOD),
        Series("late", tuple(map(D, (1_000_000, 500_000, 0, 0))), Tone.DOUBTFUL),
        Series("never", tuple(map(D, (2_000_000, 1_500_000, 1_000_000, 400_000))), Tone.BAD),
    ),
    "kg",
    Series("wanted", tuple(map(D, (12_200_000, 13_000_000, 13_000_000, 12_900_000)))),
)
PATHS = Flow(
    ("Mine", "Refinery", "Magnet works", "User"),
    (
        Node("cn", "China, mined", 0), Node("au", "Mount Weld mine, Western Australia", 0), Node("mm", "Myanmar, ionic clays", 0, Tone.DOUBTFUL),
        Node("us", "Mountain Pass", 0), Node("cn-r", "China, separated", 1), Node("my", "Lynas Malaysia, Gebeng", 1),
        Node("us-r", "Mountain Pass, separation", 1), Node("cn-m", "China, magnets", 2), Node("us-m", "Sumter, South Carolina", 2),
        Node("ee-m", "Narva, magnets", 2), Node("def", "Defence, magnets", 3), Node("civ", "Civil, magnets", 3), Node("no", "Never met", 3, Tone.BAD),
    ),
    (
        Stream("cn", "cn-r", D(4200), ""), Stream("mm", "cn-r", D(900), "", Tone.DOUBTFUL), Stream("au", "my", D(1800), ""),
        Stream("us", "us-r", D(800), ""), Stream("cn-r", "cn-m", D(5100), ""), Stream("my", "us-m", D(800), ""), Stream("my", "ee-m", D(1000), ""),
        Stream("us-r", "us-m", D(700), ""), Stream("us-r", "no", D(100), "no works takes it", Tone.BAD), Stream("cn-m", "civ", D(5100), ""),
        Stream("us-m", "def", D(1500), ""), Stream("ee-m", "civ", D(600), ""), Stream("ee-m", "def", D(400), ""),
    ),
    "t",
)  # fmt: skip
ORDERS = Timeline(
    date(2026, 10, 1),
    date(2030, 12, 31),
    (
        TimelineRow("tungsten-apt, Nui Phao", (TimelineSpan(date(2026, 12, 1), date(2027, 3, 31), "on its way"),),
                    (TimelineMark(date(2026, 12, 1), "order 1,710 t"), TimelineMark(date(2027, 4, 1), "arrives", Tone.GOOD))),
        TimelineRow("ndfeb-magnet, Narva, with the long name of a supplier",
                    (TimelineSpan(date(2027, 2, 1), date(2027, 11, 30), "qualification", Tone.DOUBTFUL),
                     TimelineSpan(date(2027, 12, 1), date(2028, 4, 30), "on its way")), (TimelineMark(date(2028, 5, 1), "arrives", Tone.GOOD),)),
        TimelineRow("smco-alloy", (TimelineSpan(date(2026, 1, 1), date(2027, 12, 31), "never met", Tone.BAD),)),
        TimelineRow("germanium, Hechi", (), (TimelineMark(date(2028, 1, 1), "seen", Tone.ASIDE), TimelineMark(date(2028, 6, 1), "doubted", Tone.DOUBTFUL),
                    TimelineMark(date(2029, 6, 1), "chosen", Tone.CHOICE), TimelineMark(date(2030, 6, 1), "too late", Tone.BAD))),
    ),
    (
        TimelineMark(date(2026, 11, 28), "a suspension ends unless it is extended", Tone.DOUBTFUL),
        TimelineMark(date(2027, 1, 1), "no tungsten mined, refined or melted in four countries counts from here on", Tone.BAD),
        TimelineMark(date(2027, 1, 15), "close to the day before"), TimelineMark(date(2029, 1, 1), "a benchmark", Tone.CHOICE),
    ),
)  # fmt: skip
PLACES = WorldMap(
    (
        Country("CN", D(9_040_000), "antimony, tungsten"), Country("AU", D(1_928_000), "antimony"), Country("VN", D(1_200_000), "tungsten"),
        Country("KR", D(323_500), "tungsten"), Country("MY", D(200_000), "rare earths"), Country("CD", D(131_500), "tantalum"),
        Country("RW", D(77_000), "tantalum"), Country("EE", D(40_000), "magnets"), Country("SG", D(90_000), "germanium"),
        Country("RU", None, "banned", Tone.BAD), Country("IR", None, "banned", Tone.BAD), Country("MM", D(50_000), "rare earths", Tone.DOUBTFUL),
        Country("US", D(3_000_000), "delivered", Tone.GOOD),
    ),
    (Route("CN", "US", D(9_040_000), ""), Route("AU", "US", D(1_928_000), ""), Route("VN", "US", D(1_200_000), ""), Route("EE", "US", D(40_000), ""),
     Route("CD", "EE", D(131_500), ""), Route("MM", "CN", D(50_000), "", Tone.DOUBTFUL), Route("SG", "US", D(90_000), "")),
    "kg",
)  # fmt: skip
PRICES = Ladder(
    (
        Rung("China, antimony", D("55.12"), "bought", Tone.GOOD), Rung("Port Pirie multi-metals smelter", D("61.4"), "", Tone.PLAIN, D("55.12")),
        Rung("Beaver Brook, Newfoundland", D(72), "", Tone.DOUBTFUL, D("58.9")), Rung("An antimony roaster with a long name in Oman", D("80.2"), "", Tone.BAD, D(41)),
        Rung("Thompson Falls", None, "nobody published its capacity or price, so that it counts nowhere in this plan"),
    ),
    "USD/kg",
)  # fmt: skip


def drawing(title: str, told: str, chart: Chart, rows: int) -> Drawing:
    """A chart with a table of so many rows."""
    columns = [Column("What"), figures("How much", "t")]
    return Drawing(
        title, told, chart, table(columns, [[f"{title}, {row}", Kilograms(D(1000 * row))] for row in range(rows)])
    )


def suppliers() -> DataTable:
    """A table in which names are left out where they are as above, in units that differ."""
    return table(
        [Column("Material"), Column("Supplier"), figures("Quantity"), figures("Paid", "USD"), Column("Order by", whole=True)],
        [
            ("antimony", "China", Kilograms(D(9_040_000)), Amount(D(498_000_000)), date(2026, 12, 31)),
            ("", "Port Pirie", Kilograms(D(1_928_000)), Amount(D(106_000_000)), date(2027, 3, 31)),
            ("dysprosium", "Lynas", Kilograms(D(980)), Amount(D(243_000)), date(2027, 1, 31)),
            ("", "Onsan", Kilograms(D("98.5")), Amount(D(1_495)), date(2027, 1, 15)),
            ("gallium", "Kwangyang", Kilograms(D(12_000)), Amount(D(7_164_000)), date(2026, 11, 30)),
            ("tin", "Malaysia", Kilograms(D(41_000)), Amount(D(1_312_000)), date(2027, 6, 30)),
            ("", "Bolivia", Kilograms(D(1_000)), Amount(D(33_000)), date(2027, 6, 30)),
            ("tungsten", "Sangdong", Kilograms(D(3_235_000)), Amount(D(352_000_000)), date(2026, 12, 31)),
            ("", "Mittersill", Kilograms(D(1_201_000)), Amount(D(131_000_000)), date(2027, 2, 28)),
            DataRow(("all", "", Kilograms(D(15_459_078)), Amount(D(1_095_753_495)), ""), strong=True),
        ],
    )  # fmt: skip


def gallery() -> Document:
    """The document."""
    return document(
        "All that a page can show",
        sentence("The plan is ", Phrase("optimal", Tone.GOOD, strong=True), ", see ", Phrase("friendshore verify", code=True), "."),
        KeyFigures((
            KeyFigure("Cost", Amount(D(12_900_000_000), "USD"), "of which 3 % freight"), KeyFigure("Met in full", Count(17, "demand"), "of 23", Tone.GOOD),
            KeyFigure("Never met", Count(6, "demand"), "", Tone.BAD), KeyFigure("Exposed", Amount(D(967_000_000), "USD"), "", Tone.DOUBTFUL),
            KeyFigure("Scenario", "s1803", "", Tone.CHOICE),
        )),
        section("Before you rely on it", notes(["It rests on 66 assumptions.", "85 offers are not counted."], Tone.DOUBTFUL)),
        section("Who supplies it", suppliers(), section("Over time", drawing("Mix by quarter", "Five suppliers.", MIX, 16), drawing("Met and not met", "Ever less is short.", MET, 3))),
        section("From mine to user", drawing("Magnets", "Most goes through China.", PATHS, 14)),
        section("When", drawing("Orders and dates", "The first order is due in December.", ORDERS, 4)),
        section("Where", drawing("Where it comes from", "Most comes from China.", PLACES, 13)),
        section("At what price", drawing("Prices at which offers would be bought", "Port Pirie is nearest.", PRICES, 5)),
        section("How sure this is", apart(Verbatim(("seed 1", "gap 0")), Pairs((("solver", "proved"), ("facts", "13 parts")))), tone=Tone.ASIDE),
    )  # fmt: skip
