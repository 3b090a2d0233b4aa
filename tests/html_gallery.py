"""A document with every chart and every element."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from friendshore.document import charts as c
from friendshore.document import elements as doc
from friendshore.document.tones import Tone

D = Decimal
QUARTERS = tuple(f"{2027 + i // 4}-Q{i % 4 + 1}" for i in range(16))
SUPPLIERS = (
    "China, antimony",
    "Port Pirie multi-metals smelter",
    "Nui Phao and Thai Nguyen",
    "Onsan smelter",
    "Mitterdill",
)

MIX = c.Bars(
    QUARTERS,
    tuple(
        c.Series(name, tuple(D(900 - 120 * place + (37 * i * (place + 1)) % 200) for i in range(16)))
        for place, name in enumerate(SUPPLIERS)
    ),
    "t",
    c.Series("wanted", tuple(D(3300 + 60 * i) for i in range(16))),
)
MET = c.Bars(
    ("2027", "2028", "2029", "2030"),
    (
        c.Series("delivered", tuple(map(D, (9_000_000, 11_000_000, 12_000_000, 12_500_000))), Tone.GOOD),
        c.Series("late", tuple(map(D, (1_000_000, 500_000, 0, 0))), Tone.DOUBTFUL),
        c.Series("never", tuple(map(D, (2_000_000, 1_500_000, 1_000_000, 400_000))), Tone.BAD),
    ),
    "kg",
    c.Series("wanted", tuple(map(D, (12_200_000, 13_000_000, 13_000_000, 12_900_000)))),
)
PATHS = c.Flow(
    ("Mine", "Refinery", "Magnet works", "User"),
    (
        c.Node("cn", "China, mined", 0), c.Node("au", "Mount Weld mine, Western Australia", 0), c.Node("mm", "Myanmar, ionic clays", 0, Tone.DOUBTFUL),
        c.Node("us", "Mountain Pass", 0), c.Node("cn-r", "China, separated", 1), c.Node("my", "Lynas Malaysia, Gebeng", 1),
        c.Node("us-r", "Mountain Pass, separation", 1), c.Node("cn-m", "China, magnets", 2), c.Node("us-m", "Sumter, South Carolina", 2),
        c.Node("ee-m", "Narva, magnets", 2), c.Node("def", "Defence, magnets", 3), c.Node("civ", "Civil, magnets", 3), c.Node("no", "Never met", 3, Tone.BAD),
    ),
    (
        c.Stream("cn", "cn-r", D(4200), ""), c.Stream("mm", "cn-r", D(900), "", Tone.DOUBTFUL), c.Stream("au", "my", D(1800), ""),
        c.Stream("us", "us-r", D(800), ""), c.Stream("cn-r", "cn-m", D(5100), ""), c.Stream("my", "us-m", D(800), ""), c.Stream("my", "ee-m", D(1000), ""),
        c.Stream("us-r", "us-m", D(700), ""), c.Stream("us-r", "no", D(100), "no works takes it", Tone.BAD), c.Stream("cn-m", "civ", D(5100), ""),
        c.Stream("us-m", "def", D(1500), ""), c.Stream("ee-m", "civ", D(600), ""), c.Stream("ee-m", "def", D(400), ""),
    ),
    "t",
)  # fmt: skip
RULES = c.Timeline(
    date(2026, 10, 1),
    date(2030, 12, 31),
    (
        c.TimelineRow("Tungsten from the mine on", (c.TimelineSpan(date(2027, 1, 1), date(2030, 12, 31), "in force", Tone.TITLE),)),
        c.TimelineRow("Magnets, a rule with the long name that some rules of some packs have", (
            c.TimelineSpan(date(2026, 10, 1), date(2026, 11, 27), "suspended", Tone.ASIDE), c.TimelineSpan(date(2026, 11, 28), date(2030, 12, 31), "status unknown", Tone.UNKNOWN))),
        c.TimelineRow("SmCo alloy, not met", (c.TimelineSpan(date(2026, 1, 1), date(2027, 12, 31), "never met", Tone.BAD),)),
        c.TimelineRow("germanium, Hechi"),
    ),
    (
        c.TimelineMark(date(2026, 11, 28), "a suspension ends unless it is extended"),
        c.TimelineMark(date(2027, 1, 1), "no tungsten mined, refined or melted in four countries counts from here on"),
        c.TimelineMark(date(2027, 1, 15), "close to the day before"), c.TimelineMark(date(2029, 1, 1), "a benchmark"),
    ),
)  # fmt: skip
FRONTIER = c.Curve(
    tuple(map(D, (13_300_000_000, 12_750_000_000, 7_000_000_000, 480_000_000, 0))), "Cap on purchases that depend on countries of concern", "USD",
    (
        c.Series("of concern", tuple(map(D, (10_500_000_000, 10_300_000_000, 5_000_000_000, 200_000_000, 0))), Tone.CONCERN),
        c.Series("may be of concern", tuple(map(D, (2_800_000_000, 2_450_000_000, 2_000_000_000, 280_000_000, 0))), Tone.UNKNOWN),
        c.Series("other", tuple(map(D, (1_600_000_000, 2_300_000_000, 2_400_000_000, 2_400_000_000, 2_300_000_000)))),
    ),
    "USD", ("Today: USD 14.9 billion", "85% for USD 192 million more cash. Below, more is short", "", "", "0%: 9 materials with more shortage"),
    tuple(c.Series(name, tuple(map(D, counts)), Tone.BAD) for name, counts in (
        ("Antimony trioxide, Antimony metal, Germanium dioxide", (0, 0, 3, 3, 3)), ("Ammonium paratungstate, Gallium metal", (0, 0, 0, 2, 2)), ("Samarium oxide", (0, 0, 0, 0, 1)),
    )), "More shortage at this cap and below:", "not spent, since less can be bought",
)  # fmt: skip
PRICES = c.Ladder(
    (
        c.Rung("China, antimony", D("55.12"), "bought", Tone.GOOD), c.Rung("Port Pirie multi-metals smelter", D("61.4"), "", Tone.PLAIN, D("55.12")),
        c.Rung("Beaver Brook, Newfoundland", D(72), "", Tone.DOUBTFUL, D("58.9")), c.Rung("An antimony roaster with a long name in Oman", D("80.2"), "", Tone.BAD, D(41)),
        c.Rung("Thompson Falls", None, "nobody published its capacity or price, so that it counts nowhere in this plan"),
    ),
    "USD/kg",
)  # fmt: skip


def drawing(title: str, summary: str, chart: c.Chart, count: int) -> doc.Drawing:
    """Return a chart with a table of `count` rows."""
    rows = [[f"{title}, {row}", doc.Kilograms(D(1000 * row))] for row in range(count)]
    return doc.Drawing(title, summary, chart, doc.table([doc.Column("What"), doc.figures("How much", "t")], rows))


def barred(concern: int, unknown: int, other: int) -> doc.Amount:
    """An amount with a bar."""
    parts = ((Tone.CONCERN, D(concern)), (Tone.UNKNOWN, D(unknown)), (Tone.PLAIN, D(other)))
    return doc.Amount(D(concern + unknown + other), parts=parts)


def suppliers() -> doc.DataTable:
    """Return a table with repeated names left out, and different units."""
    rows = [
        ("antimony", "China", "9040000", 498_000_000, date(2026, 12, 31)), ("", "Port Pirie", "1928000", 106_000_000, date(2027, 3, 31)),
        ("dysprosium", "Lynas", "980", 243_000, date(2027, 1, 31)), ("", "Onsan", "98.5", 1_495, date(2027, 1, 15)),
        ("gallium", "Kwangyang", "12000", 7_164_000, date(2026, 11, 30)), ("tin", "Malaysia", "41000", 1_312_000, date(2027, 6, 30)),
        ("", "Bolivia", "1000", 33_000, date(2027, 6, 30)), ("tungsten", "Sangdong", "3235000", 352_000_000, date(2026, 12, 31)),
        ("", "Mittersill", "1201000", 131_000_000, date(2027, 2, 28)), ("all", "", "15459078", 1_095_753_495, ""),
    ]  # fmt: skip
    cells = [
        (material, who, doc.Kilograms(D(mass)), doc.Amount(D(paid)), day) for material, who, mass, paid, day in rows
    ]
    columns = [doc.Column("Material"), doc.Column("Supplier"), doc.figures("Quantity"), doc.figures("Paid", "USD")]
    return doc.table([*columns, doc.Column("Order by", whole=True)], [*cells[:-1], doc.DataRow(cells[-1], strong=True)])


def gallery() -> doc.Document:
    return doc.document(
        "All that a page can show",
        doc.sentence("The plan is ", doc.Phrase("optimal", Tone.GOOD, strong=True), ", see ", doc.Phrase("friendshore verify", code=True), "."),
        doc.KeyFigures((
            doc.KeyFigure("Cost", doc.Amount(D(12_900_000_000), "USD"), "of which 3% freight"), doc.KeyFigure("Met in full", doc.Count(17, "demand"), "of 23", Tone.GOOD),
            doc.KeyFigure("Never met", doc.Count(6, "demand"), "", Tone.BAD), doc.KeyFigure("Exposed", doc.Amount(D(967_000_000), "USD"), "", Tone.DOUBTFUL),
            doc.KeyFigure("Scenario", "s1803", "", Tone.CHOICE),
        )),
        doc.section("Before you rely on this plan", doc.notes(["It is based on 66 assumptions.", "85 offers are not counted."], Tone.DOUBTFUL)),
        doc.section("Suppliers", suppliers(), doc.section("Over time", drawing("Mix by quarter", "Five suppliers.", MIX, 16), drawing("Met and not met", "Ever less is short.", MET, 3))),
        doc.section("From mine to user", drawing("Magnets", "Most goes through China.", PATHS, 14)),
        doc.section("When", drawing("Rules over time", "The first begins in January.", RULES, 4)),
        doc.section("Where", doc.table([doc.Column("Country"), doc.figures("Paid", "USD million")], [["China", barred(10_500, 0, 0)], ["South Korea", barred(0, 700, 255)], ["Japan", barred(0, 0, 7)]])),
        doc.section("At what cap", drawing("The price of independence", "Money by dependence.", FRONTIER, 5)),
        doc.folded("Many", doc.table([doc.Column("Name"), doc.figures("Figure")], [[f"name {row}", doc.Count(row)] for row in range(25)])),
        doc.section("At what price", drawing("Prices at which offers would be bought", "Port Pirie is nearest.", PRICES, 5)),
        doc.section("Proof", doc.apart(doc.Verbatim(("seed 1", "gap 0")), doc.Pairs((("solver", "proved"), ("facts", "13 parts")))), tone=Tone.ASIDE),
    )  # fmt: skip
