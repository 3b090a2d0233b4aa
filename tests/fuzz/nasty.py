"""Values that break programs: texts, numbers, and dates of attackers and spreadsheets."""

from __future__ import annotations

import re
from random import Random

TEXTS = (
    "", " ", "\t", "a\nb", "a\rb", "a\r\nb", "\x00", "\x07", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x9b31m", "\x85",
    "é", "e\u0301", "\u200b", "defens\u200be", "\u202egnp", "\ufeff", "\u0430ntimony", "\U0001f9f2", "\ufffd", "ﬁ", "İ", "ß",
    "=1+1", "+1", "-1", "@A1", "|", "a|b", "[x](http://example.org)", "![x](http://example.org/x.png)", "<script>x</script>",
    "`", "```", "*", "_", "#", "\\", "%s", "{}", "{0}", "${HOME}", "$(id)", ";", ",", '"', "'", '""', "a;b;;c", "a,b",
    "..", ".", "/", "../..", "/dev/zero", "~", "C:\\x", "file:///etc/passwd", "http://127.0.0.1:9/x", "x.xlsx", "./x", "./x.xlsx",
    "within", "none", "None", "null", "true", "yes", "nan", "inf", "all", "any", "country:CN", "outside:CN", "material:x",
    "CN", "cn", "US", "United States", "XX", "EU", "CN;RU", "mined", "refined", "Mined", "defense", "defens", "civil",
    "USD", "EUR", "XXX", "a" * 300, "a" * 20_000, "-", "--json", "--", "0", "id", "self", "__class__", "model_config",
)  # fmt: skip

NUMBERS = (
    "0", "-0", "-1", "1", "1e3", "1E400", "1e9999999", "1e-9999999", "1e99999999999999999999", "9" * 30, "9" * 5000,
    "0." + "0" * 400 + "1", "1." + "3" * 400, "1e-30", "1e15", "1e30", "nan", "-nan", "sNaN", "inf", "-inf", "Infinity", "0x10",
    "1_000", "1,000", "1.000,5", "1 000", "1\u00a0000", "1'000", "½", "1/3", "1/0", "٣", "１２", "²", "--1", "+-1", "1.2.3", ".5", "5.",
    "10%", "101%", "-5%", "1e9999999%", "0.001%",
)  # fmt: skip

UNITS = (
    "", " kg", " t", " g", " lb", " mtu", " t/year", " kg/month", " t/quarter", " USD/kg", " EUR/t", " USD", " USD/kg/year", " %",
    " %/year", " months", " quarter", " year", " years", " days", " t WO3", " kg Sm", " furlong", " kg kg", "kg", " t/0", " mm", " °C",
)  # fmt: skip

DATES = (
    "2027-01-01", "2026-12-31", "2027-02-30", "2028-02-29", "0001-01-01", "0000-01-01", "9999-12-31", "99999-01-01", "2207-01-01",
    "1900-01-01", "2027-1-1", "20270101", "01/02/2027", "2027-Q1", "2027-Q5", "2027-13", "2027", "2027-01-01T00:00:00Z", "-2027-01-01",
    "46388", "2027-W01-1", "today", "",
)  # fmt: skip


def text(rng: Random) -> str:
    return rng.choice(rng.choice((TEXTS, TEXTS, NUMBERS, DATES)))


def quantity(rng: Random) -> str:
    return rng.choice(NUMBERS) + rng.choice(UNITS)


def near(value: str, rng: Random) -> str:
    """Replace the number at the start of a text, or the year of a date, by a plausible one."""
    figures = re.match(r"[0-9.,]+", value)
    if figures is None:
        return value
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return f"{rng.randint(2024, 2032)}{value[4:]}"
    number_text = rng.choice(
        ("0", "1", "0.5", "3", "7", "12", "40", "99.9", "1000", "123456.789", "1e6", "0.001", str(rng.randint(1, 500)))
    )
    return number_text + value[figures.end() :]


def number(rng: Random) -> int | float:
    return rng.choice((
        0, 1, -1, 2, 7, 100, 1000, 10**6, 10**15, 10**30, -(10**9), 0.5, 1e-30, 1e300, -0.1, 0.1 + 0.2, 1.0000000001,
        1e-9, 99999999999, 2**63, float("inf"), float("nan"), rng.randint(-10, 5000), round(rng.uniform(0, 100), 3),
    ))  # fmt: skip
