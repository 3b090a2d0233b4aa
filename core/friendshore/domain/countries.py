"""Countries, groups of countries, and currencies, from the lists of pycountry, which is imported on first use."""

from __future__ import annotations

import gettext
import unicodedata
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "america": "US", "u.s.": "US", "u.s.a.": "US", "united states of america": "US", "the united states": "US",
        "uk": "GB", "u.k.": "GB", "great britain": "GB", "britain": "GB", "england": "GB",
        "south korea": "KR", "republic of korea": "KR", "north korea": "KP", "dprk": "KP",
        "china, mainland": "CN", "mainland china": "CN", "prc": "CN", "p.r. china": "CN",
        "russia": "RU", "iran": "IR", "syria": "SY", "vietnam": "VN", "laos": "LA", "burma": "MM", "brunei": "BN",
        "turkey": "TR", "czech republic": "CZ", "macedonia": "MK", "moldova": "MD", "holland": "NL", "the netherlands": "NL",
        "bolivia": "BO", "venezuela": "VE", "tanzania": "TZ", "ivory coast": "CI", "cape verde": "CV",
        "swaziland": "SZ", "drc": "CD", "dr congo": "CD", "congo-kinshasa": "CD", "congo-brazzaville": "CG",
        "democratic republic of the congo": "CD", "republic of the congo": "CG", "east timor": "TL",
        "palestine": "PS", "vatican": "VA", "kosovo": "XK", "taiwan": "TW", "hong kong": "HK", "macau": "MO", "uae": "AE",
    }
)  # fmt: skip
"""Lowercase names that the ISO list lacks or has in another form."""

USER_ASSIGNED: Mapping[str, str] = MappingProxyType({"XK": "Kosovo"})
"""Common codes from the range that ISO leaves to users."""

AMBIGUOUS = frozenset({"congo"})
"""ISO names that also stand for another country, so they aren't accepted."""

LANGUAGES = ("cs", "de", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "sv", "tr", "zh_CN")
"""Languages in which countries may be named, besides English."""

SHOWN: Mapping[str, str] = MappingProxyType({"CG": "Congo-Brazzaville", "CD": "DR Congo"})
"""Names shown in place of the ISO ones."""

GROUPS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "EU": frozenset(
            {
                "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU",
                "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE",
                # Parts of members with codes of their own: Aaland, and the outermost regions of France (TFEU article 355).
                "AX", "GF", "GP", "MF", "MQ", "RE", "YT",
            }
        ),
    }
)  # fmt: skip
"""Groups that stand for their members. Nothing is located in a group."""

_WITH_ARTICLE = (
    "Bahamas",
    "Central African",
    "DR Congo",
    "Dominican Republic",
    "Gambia",
    "Maldives",
    "Netherlands",
    "Philippines",
    "United ",
)
"""First words of names that have an article in a sentence."""

COVERED_NATIONS = frozenset({"CN", "HK", "IR", "KP", "MO", "RU"})
"""The covered nations of 10 USC 4872(f)(2): North Korea, China, Russia, and Iran. Hong Kong and Macau are regions of China, which the section doesn't
set apart. The pack `us-10usc4872` lists them for the same reason."""


@cache
def country_names() -> Mapping[str, str]:
    from pycountry import countries

    names = {c.alpha_2: str(getattr(c, "common_name", c.name)) for c in countries}
    return MappingProxyType({**names, **USER_ASSIGNED, **SHOWN})


def country_name(code: str) -> str:
    """Return the name of a country, or the code if it has none."""
    return country_names().get(code, code)


def country_in_text(code: str) -> str:
    """Return the name of a country as in a sentence: `the United States`."""
    name = country_name(code)
    return f"the {name}" if name.startswith(_WITH_ARTICLE) else name


@cache
def country_words() -> Mapping[str, str]:
    """Every accepted lowercase word (code, three-letter code, name, alias) -> alpha-2 code."""
    from pycountry import countries

    words: dict[str, str] = {}
    for country in countries:
        for attribute in ("alpha_2", "alpha_3", "name", "common_name", "official_name"):
            word = getattr(country, attribute, None)
            if word:
                words[str(word).casefold()] = country.alpha_2
    words.update({code.casefold(): code for code in USER_ASSIGNED})
    words.update(ALIASES)
    return MappingProxyType({word: code for word, code in words.items() if word not in AMBIGUOUS})


def without_accents(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(char))


@cache
def local_country_words() -> Mapping[str, str]:
    """Name in one of `LANGUAGES`, without accents -> alpha-2 code. Names of two countries are left out."""
    from pycountry import LOCALES_DIR, countries

    codes: dict[str, set[str]] = {}
    for language in LANGUAGES:
        # Some distributions of pycountry have no translations.
        translation = gettext.translation("iso3166-1", LOCALES_DIR, languages=[language], fallback=True)
        for country in countries:
            for attribute in ("name", "common_name"):
                name = str(getattr(country, attribute, ""))
                if name and name.casefold() not in AMBIGUOUS:
                    codes.setdefault(without_accents(translation.gettext(name)), set()).add(country.alpha_2)
    return MappingProxyType({name: code for name, (code, *more) in codes.items() if not more})


def is_country(code: str) -> bool:
    return code in country_names()


def country_of(text: str) -> str:
    """Return the alpha-2 code of a country from its code or its name in English or one of `LANGUAGES`, or raise ValueError."""
    word = text.strip()
    code = country_words().get(word.casefold()) or local_country_words().get(without_accents(word))
    if code is None:
        raise ValueError("a country by its ISO 3166 code or English name")
    return code


def countries_of(text: str) -> frozenset[str]:
    """Return the alpha-2 codes of a country or a group from its code or name, or raise ValueError."""
    group = GROUPS.get(text.strip().upper())
    return group if group is not None else frozenset({country_of(text)})


# Currencies in which metals are commonly priced, for suggestions.
COMMON = ("USD", "EUR", "GBP", "JPY", "CNY", "AUD", "CAD", "CHF", "INR", "KRW", "KZT", "MYR", "SEK", "VND", "ZAR")


@cache
def currency_codes() -> frozenset[str]:
    from pycountry import currencies

    return frozenset(str(c.alpha_3) for c in currencies)


def is_currency(code: str) -> bool:
    return code in currency_codes()
