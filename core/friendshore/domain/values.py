"""Valid values: ranges of numbers, names, countries, and currencies, each with its error message.

All records use these, whatever their origin. Readers of files use them after parsing a text like `5 t`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator

from .base import Number, UnreadableError, Words, beyond, exact, is_in_range
from .countries import (
    COMMON,
    GROUPS,
    countries_of,
    country_names,
    country_of,
    country_words,
    currency_codes,
    is_currency,
    local_country_words,
    without_accents,
)
from .stages import STEPS, Stage
from .suggest import did_you_mean, misleading, nearest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Range:
    """Range of a number."""

    expected: str
    """Description for messages."""
    least: int | Decimal = 0
    most: int | None = None
    above: bool = False
    """True if `least` itself is excluded."""
    beyond: tuple[str, str] = ("", "")
    """Expected value and fix for a number above `most`, if other than for one below `least`."""
    unit: str = ""
    """Unit in records: `kg`, `money/kg`, `months`, and so on. Empty for a share or a bare number."""
    digits: int = 0
    """Maximum number of significant digits. 0 means no limit."""

    def __call__(self, number: Decimal) -> Decimal:
        """Return the number.

        Raises:
            UnreadableError: If it is outside the range.
        """
        if number < self.least or (self.above and number == self.least):
            raise UnreadableError(self.expected)
        if self.most is not None and number > self.most:
            raise UnreadableError(self.beyond[0] or self.expected, self.beyond[1])
        if not is_in_range(number):
            raise beyond()
        if self.digits and len(number.normalize().as_tuple().digits) > self.digits:
            raise UnreadableError(f"a number of no more than {self.digits} significant digits", "round it")
        return number

    def whole(self, value: object) -> int:
        """Return a whole number in the range.

        Raises:
            UnreadableError: If it isn't one.
        """
        try:
            number = exact(value)
        except ValueError:
            raise UnreadableError(self.expected) from None
        if number != number.to_integral_value():
            raise UnreadableError(self.expected)
        return int(self(number))


_CHECK = "check the figure and its unit"
NON_NEGATIVE = Range("a number, zero or more")
FRACTION = Range("a share from 0 to 1, like 65 % or 0.65", 0, 1)
PART = Range("a share above 0 and up to 1, like 65 %", 0, 1, above=True)
PREMIUM = Range("a share above -100 %, like 25 %", -1, above=True)
DISCOUNT = Range("a share from -100 % to 100 %, like 5 %; below 0: on top", -1, 1)
FACTOR = Range("zero or more, like 1.5 or 150 %, and up to a million", 0, 1_000_000)
YEARLY_SHARE = replace(NON_NEGATIVE, unit="1/year")
MASS = Range("zero or more", 0, 10**12, beyond=(f"no more than {10**12:,} kg", _CHECK), unit="kg")
"""Kilograms, up to a billion tonnes. With more, the 15 digits of a number can't represent grams."""
MASS_RATE = replace(MASS, unit="kg/year")
MONEY = Range("zero or more", 0, 10**11, beyond=(f"no more than {10**11:,} of money", _CHECK), unit="money")
"""Money in one sum, or per kilogram. With more, the solver can't resolve the other costs."""
AMOUNT = Range(f"a number from -{10**12:,} to {10**12:,}", -(10**12), 10**12)
"""Kilograms or money, also negative."""
UNIT_PRICE = replace(MONEY, unit="money/kg")
SIGNED_PRICE = replace(UNIT_PRICE, expected=f"from -{10**11:,} to {10**11:,} of money per mass", least=-(10**11))
"""A negative price is paid to the buyer."""
YEARLY_PRICE = replace(MONEY, unit="money/kg/year")
MONTHS = Range("zero or more", 0, 1_200, beyond=("no more than 1,200 months", _CHECK), unit="months")
PER_UNIT = Range(
    "kilograms per unit, above zero: a number, or a mass like `1.3 kg Dy2O3`",
    0,
    1_000_000,
    above=True,
    beyond=("no more than 1,000,000 kg per unit", ""),
    unit="kg/unit",
)
RATE = Range(
    "a number above 0, from 1e-9 to 1e9",
    Decimal("1e-9"),
    10**9,
    beyond=("no more than 1e9 units of one currency for one of the other", "check which currency is which"),
    unit="money/money",
)
"""Units of one currency for one of another."""
RESOLUTION = Range(
    "a mass above zero, 0.000001 g or more, like `1 g`",
    Decimal("1e-9"),
    1_000_000,
    beyond=("no more than 1,000 t", "plan to a finer resolution, like `1 g`"),
    unit="kg",
    digits=9,
)
"""Kilograms to which a plan is rounded. A finer one would need more digits than a decimal has."""
PERIODS = Range("a whole number from 1 to 1,200", 1, 1_200)
"""Number of periods: up to a century of months."""
LOTS = Range("a whole number from 1 to 1,000,000", 1, 1_000_000)

Amount = Annotated[Number, AfterValidator(AMOUNT)]
NonNegative = Annotated[Number, AfterValidator(NON_NEGATIVE)]
Fraction = Annotated[Number, AfterValidator(FRACTION)]
Part = Annotated[Number, AfterValidator(PART)]
Premium = Annotated[Number, AfterValidator(PREMIUM)]
Discount = Annotated[Number, AfterValidator(DISCOUNT)]
YearlyShare = Annotated[Number, AfterValidator(YEARLY_SHARE)]
Kilograms = Annotated[Number, AfterValidator(MASS)]
KilogramsPerYear = Annotated[Number, AfterValidator(MASS_RATE)]
Money = Annotated[Number, AfterValidator(MONEY)]
MoneyPerKilogram = Annotated[Number, AfterValidator(UNIT_PRICE)]
SignedMoneyPerKilogram = Annotated[Number, AfterValidator(SIGNED_PRICE)]
MoneyPerKilogramYear = Annotated[Number, AfterValidator(YEARLY_PRICE)]
Months = Annotated[Number, AfterValidator(MONTHS)]
PerUnit = Annotated[Number, AfterValidator(PER_UNIT)]
ExchangeRate = Annotated[Number, AfterValidator(RATE)]
Resolution = Annotated[Number, AfterValidator(RESOLUTION)]
Periods = Annotated[int, BeforeValidator(PERIODS.whole)]
Lots = Annotated[int, BeforeValidator(LOTS.whole)]

_IDENT = re.compile(r"[A-Za-z0-9][\w.+-]*\Z")
_LABEL = re.compile(r"[A-Za-z0-9][\w.+/-]*(?:/\*)?\Z")
"""`/*` at the end means any, as in default names of licenses and waivers."""
_HS = re.compile(r"[0-9]{2}(?:\.?[0-9]{2}){0,5}\Z")
_MEANT = {
    **dict.fromkeys(("defence", "military", "dod", "mod", "mil", "def"), "defense"),
    **dict.fromkeys(("civilian", "commercial", "civ"), "civil"),
}
"""Words for an end use that no rule matches."""
_KNOWN_USES = ("defense", "civil")
"""End uses in laws."""
_SLIP = 0.85
"""Similarity from which a word is a misspelling of an end use, like `defens` and `civl`, but not `civic`."""
_ALIKE = 0.8
"""Similarity to an end use that a rule names."""
_SINGLE = re.compile(r"[a-z]+\Z")
"""A word without parts, unlike `defense-spares`."""


def ident(word: str) -> str:
    """Return an id.

    Raises:
        UnreadableError: If it isn't valid.
    """
    if not _IDENT.match(word):
        raise UnreadableError("a name of letters, digits, `-`, `_`, `.` and `+`, without spaces")
    return _plain(word)


def _plain(word: str) -> str:
    """Reject a name with lookalike characters, as no rule would match it.

    Raises:
        UnreadableError: If it has any.
    """
    why = misleading(word)
    if why:
        raise UnreadableError("a name of visible letters of one alphabet", f"`{word}` {why}: type the name again")
    return word


def label(word: str) -> str:
    """Return a name in a case, which may contain slashes.

    Raises:
        UnreadableError: If it isn't valid.
    """
    if not _LABEL.match(word):
        raise UnreadableError("a name of letters, digits, `-`, `_`, `.`, `+` and `/`, without spaces")
    return _plain(word)


def end_use(word: str) -> str:
    """Return an end use. Words that resemble `defense` and `civil` but match no rule are rejected.

    Raises:
        UnreadableError: If it is such a word.
    """
    folded = _plain(word).casefold()
    meant = _MEANT.get(folded) or (nearest(folded, _KNOWN_USES, _SLIP) if _SINGLE.match(folded) else folded)
    if meant != word and meant in _KNOWN_USES:
        raise UnreadableError("defense, civil, or a word of your own", f"did you mean `{meant}`?")
    return word


def intended_end_use(word: str, named: Collection[str]) -> str | None:
    """Return the end use named by rules that a word misspells or contains, as `defence-us` contains `defense`. None if there is none."""
    parts = re.split(r"[\W\d_]+", word.casefold())
    within = (one for one in (_MEANT.get(part, part) for part in parts) if one in named)
    return next(within, None) or nearest(word, named, _ALIKE)


def _meant_country(word: str) -> str:
    words = {**local_country_words(), **country_words()}
    near = nearest(without_accents(word), words)
    return "" if near is None else f"did you mean `{country_names()[words[near]]}`?"


def country(word: str) -> str:
    """Return the alpha-2 code of a country, given by code or name.

    Raises:
        UnreadableError: If there is no such country, or it is a group.
    """
    if word in country_names():
        return word
    if word.upper() in GROUPS:
        raise UnreadableError("one country", f"{word.upper()} is a group of countries: name the country itself")
    try:
        return country_of(word)
    except ValueError as error:
        raise UnreadableError(str(error), _meant_country(word)) from None


def countries(words: Iterable[str]) -> frozenset[str]:
    """Return the alpha-2 codes of countries and of the members of groups.

    Raises:
        UnreadableError: If a word is neither.
    """
    known, found = country_names(), set()
    for word in words:
        if word in known:
            found.add(word)
            continue
        try:
            found |= countries_of(word)
        except ValueError:
            fix = "set countries apart by `;`" if "," in word else _meant_country(word)
            raise UnreadableError("countries by ISO 3166 code or English name, set apart by `;`", fix) from None
    return frozenset(found)


def place(word: str) -> str:
    """Return the code of a country given by code or English name. Any other name is a site and is unchanged.

    Raises:
        UnreadableError: If it is a group, or looks like a country's code but isn't.
    """
    if word.upper() in GROUPS:
        raise UnreadableError("a country or a site", f"{word.upper()} is a group of countries: name a country")
    # A site may be called like a country in another language.
    code = country_words().get(word.strip().casefold())
    if code is None and len(word) == 2:
        raise UnreadableError("a country by its ISO 3166 code, or the name of a facility's site")
    return word if code is None else code


def currency(code: str) -> str:
    """Return an ISO 4217 currency code.

    Raises:
        UnreadableError: If it isn't one.
    """
    if not is_currency(code):
        raise UnreadableError(
            "a currency by its ISO 4217 code, like USD",
            did_you_mean(code, COMMON) or did_you_mean(code, currency_codes()),
        )
    return code


def hs_code(code: str) -> str:
    """Return an HS or tariff code.

    Raises:
        UnreadableError: If it isn't one.
    """
    if not _HS.match(code):
        raise UnreadableError("an HS or tariff code, like 8112.92 or 2841.80.00")
    return code


def one_of(words: Mapping[str, T], what: str = "one of") -> Callable[[str], T]:
    """Return a parser for a fixed set of words."""

    def ask(word: str) -> T:
        if word not in words:
            raise UnreadableError(f"{what} " + ", ".join(words), did_you_mean(word, words))
        return words[word]

    return ask


STEP_WORDS: Mapping[str, str] = {str(word): str(word) for word in (*Stage, *STEPS)}
INCOTERMS: Mapping[str, str] = {
    term: term for term in ("EXW", "FCA", "CPT", "CIP", "DAP", "DPU", "DDP", "FAS", "FOB", "CFR", "CIF")
}
"""Incoterms 2020."""
step = one_of(STEP_WORDS)
incoterm = one_of(INCOTERMS)


@dataclass(frozen=True, slots=True)
class OrBlank:
    """Parser that accepts a blank."""

    ask: Callable[[str], str]

    def __call__(self, word: str) -> str:
        return self.ask(word) if word else word


@dataclass(frozen=True, slots=True)
class Each:
    """Parser of every word of a set."""

    ask: Callable[[str], str]

    def __call__(self, words: Iterable[str]) -> frozenset[str]:
        return frozenset(map(self.ask, words))


def _in_order(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    return tuple(sorted(set(stages), key=lambda stage: stage.rank))


Ident = Annotated[str, AfterValidator(ident)]
Idents = Annotated[Words, AfterValidator(Each(ident))]
IdentOrBlank = Annotated[str, AfterValidator(OrBlank(ident))]
LabelOrBlank = Annotated[str, AfterValidator(OrBlank(label))]
EndUse = Annotated[str, AfterValidator(end_use)]
Country = Annotated[str, AfterValidator(country)]
CountryOrBlank = Annotated[str, AfterValidator(OrBlank(country))]
CountryCodes = Annotated[Words, AfterValidator(countries)]
Site = Annotated[str, AfterValidator(place)]
SiteOrBlank = Annotated[str, AfterValidator(OrBlank(place))]
Sites = Annotated[Words, AfterValidator(Each(place))]
Currency = Annotated[str, AfterValidator(currency)]
CurrencyOrBlank = Annotated[str, AfterValidator(OrBlank(currency))]
HsCode = Annotated[str, AfterValidator(OrBlank(hs_code))]
Step = Annotated[str, AfterValidator(step)]
Incoterm = Annotated[str, AfterValidator(OrBlank(incoterm))]
StagesInOrder = Annotated[tuple[Stage, ...], AfterValidator(_in_order)]
