"""Valid values: ranges of numbers, names, countries, and currencies. Each check raises UnreadableError for an invalid value."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator

from .base import Number, UnreadableError, Words, exact, is_in_range, out_of_range_error
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
    minimum: int | Decimal = 0
    maximum: int | None = None
    above: bool = False
    """True if `minimum` itself is excluded."""
    beyond: tuple[str, str] = ("", "")
    """Expected value and fix for a number above `maximum`, if other than for one below `minimum`."""
    unit: str = ""
    """Unit in records: `kg`, `money/kg`, `months`, and so on. Empty for a share or a bare number."""
    digits: int = 0
    """Maximum number of significant digits. 0 means no limit."""

    def __call__(self, number: Decimal) -> Decimal:
        if number < self.minimum or (self.above and number == self.minimum):
            raise UnreadableError(self.expected, code="FS013")
        if self.maximum is not None and number > self.maximum:
            raise UnreadableError(self.beyond[0] or self.expected, self.beyond[1], code="FS013")
        if not is_in_range(number):
            raise out_of_range_error()
        if self.digits and len(number.normalize().as_tuple().digits) > self.digits:
            expected = f"a number with at most {self.digits} significant digits"
            raise UnreadableError(expected, "round it", code="FS013")
        return number

    def integer(self, value: object) -> int:
        try:
            number = exact(value)
        except ValueError:
            raise UnreadableError(self.expected) from None
        if number != number.to_integral_value():
            raise UnreadableError(self.expected)
        return int(self(number))


_CHECK = "check the number and its unit"
NON_NEGATIVE = Range("a number, zero or more")
FRACTION = Range("a share from 0 to 1, like 65% or 0.65", 0, 1)
PART = Range("a share above 0 and up to 1, like 65%", 0, 1, above=True)
PREMIUM = Range("a share above -100%, like 25%", -1, above=True)
DISCOUNT = Range("a share from -100% to 100%, like 5% (below 0 is a surcharge)", -1, 1)
FACTOR = Range("zero or more, like 1.5 or 150%, and up to a million", 0, 1_000_000)
YEARLY_SHARE = replace(NON_NEGATIVE, unit="1/year")
MASS = Range("zero or more", 0, 10**12, beyond=(f"at most {10**12:,} kg", _CHECK), unit="kg")
"""Kilograms, up to a billion tonnes. With more, the 15 digits of a number can't represent grams."""
MASS_RATE = replace(MASS, unit="kg/year")
MONEY = Range("zero or more", 0, 10**11, beyond=(f"at most {10**11:,} of money", _CHECK), unit="money")
"""Money in one sum, or per kilogram. With more, the solver can't resolve the other costs."""
AMOUNT = Range(f"a number from -{10**12:,} to {10**12:,}", -(10**12), 10**12)
UNIT_PRICE = replace(MONEY, unit="money/kg")
SIGNED_PRICE = replace(UNIT_PRICE, expected=f"from -{10**11:,} to {10**11:,} of money per mass", minimum=-(10**11))
"""Below zero, the buyer is paid."""
YEARLY_PRICE = replace(MONEY, unit="money/kg/year")
MONTHS = Range("zero or more", 0, 1_200, beyond=("at most 1,200 months", _CHECK), unit="months")
PER_UNIT = Range(
    "kilograms per unit, above zero: a number, or a mass like `1.3 kg Dy2O3`",
    0,
    1_000_000,
    above=True,
    beyond=("at most 1,000,000 kg per unit", ""),
    unit="kg/unit",
)
RATE = Range(
    "a number above 0, from 1e-9 to 1e9",
    Decimal("1e-9"),
    10**9,
    beyond=("at most 1e9 units of one currency for one of the other", "check which currency is which"),
    unit="money/money",
)
RESOLUTION = Range(
    "a mass above zero, 0.000001 g or more, like `1 g`",
    Decimal("1e-9"),
    1_000_000,
    beyond=("at most 1,000 t", "write a finer resolution, like `1 g`"),
    unit="kg",
    digits=9,
)
"""Kilograms to which a plan is rounded. A finer one would need more digits than a decimal has."""
PERIODS = Range("a whole number from 1 to 1,200", 1, 1_200)
"""Up to a century of months."""
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
Periods = Annotated[int, BeforeValidator(PERIODS.integer)]
Lots = Annotated[int, BeforeValidator(LOTS.integer)]

_IDENT = re.compile(r"[A-Za-z0-9][\w.+-]*\Z")
_LABEL = re.compile(r"[A-Za-z0-9][\w.+/-]*(?:/\*)?\Z")
_HS = re.compile(r"[0-9]{2}(?:\.?[0-9]{2}){0,5}\Z")
_MEANINGS = {
    **dict.fromkeys(("defence", "military", "dod", "mod", "mil", "def"), "defense"),
    **dict.fromkeys(("civilian", "commercial", "civ"), "civil"),
}
LEGAL_END_USES = ("defense", "civil")
"""End uses that law names. The case declares its own."""
# Similarity from which a word is a misspelling of a legal end use, like `defens` and `civl`, but not `civic`.
_MISSPELLING = 0.85
# Similarity from which a word means an end use that a rule names, or a country.
_SIMILAR = 0.8
# Characters that don't make a word another one, as in `defence_`.
_PUNCTUATION = "-_.+/"
# A word without parts, unlike `defense-spares`.
_SINGLE_WORD = re.compile(r"[a-z]+\Z")


def ident(word: str) -> str:
    if not _IDENT.match(word):
        raise UnreadableError("a name of letters, digits, `-`, `_`, `.`, and `+`, without spaces")
    return _reject_lookalikes(word)


def _reject_lookalikes(word: str) -> str:
    reason = misleading(word)
    if reason:
        fix = f"`{word}` {reason}; type the name again"
        raise UnreadableError("a name of visible letters of one alphabet", fix, code="FS014")
    return word


def label(word: str) -> str:
    if not _LABEL.match(word):
        raise UnreadableError("a name of letters, digits, `-`, `_`, `.`, `+`, and `/`, without spaces")
    return _reject_lookalikes(word)


def end_use(word: str) -> str:
    """Return an end use. Reject words that resemble `defense` or `civil` but match no rule."""
    folded = _reject_lookalikes(word).casefold().strip(_PUNCTUATION)
    intended = _MEANINGS.get(folded) or (
        nearest(folded, LEGAL_END_USES, _MISSPELLING) if _SINGLE_WORD.match(folded) else folded
    )
    if intended != word and intended in LEGAL_END_USES:
        raise UnreadableError("defense, civil, or another word", f"did you mean `{intended}`?", code="FS017")
    return word


def intended_end_use(word: str, end_uses: Collection[str]) -> str | None:
    """Return the end use of rules that a word misspells or contains, as `defence-us` contains `defense`. None if there is none."""
    parts = re.split(r"[\W\d_]+", word.casefold())
    contained = (end_use for end_use in (_MEANINGS.get(part, part) for part in parts) if end_use in end_uses)
    return next(contained, None) or nearest(word, end_uses, _SIMILAR)


def _suggested_country(word: str) -> str:
    words = {**local_country_words(), **country_words()}
    match = nearest(without_accents(word), words, _SIMILAR)
    return "" if match is None else f"did you mean `{country_names()[words[match]]}`?"


def country(word: str) -> str:
    """Return the alpha-2 code of a country from its code or name."""
    if word in country_names():
        return word
    if word.upper() in GROUPS:
        fix = f"{word.upper()} is a group of countries; name one country, like DE"
        raise UnreadableError("one country", fix, code="FS016")
    try:
        return country_of(word)
    except ValueError as error:
        raise UnreadableError(str(error), _suggested_country(word), code="FS015") from None


def countries(words: Iterable[str]) -> frozenset[str]:
    """Return the alpha-2 codes of countries and of the members of groups."""
    names, codes = country_names(), set()
    for word in words:
        if word in names:
            codes.add(word)
            continue
        try:
            codes |= countries_of(word)
        except ValueError:
            expected = "countries by ISO 3166 code or English name, separated by `;`"
            fix = "separate countries by `;`, like `AU;JP`" if "," in word else _suggested_country(word)
            raise UnreadableError(expected, fix, code="FS015") from None
    return frozenset(codes)


def place(word: str) -> str:
    """Return the code of a country from its code or English name. Any other name is a site and is unchanged."""
    if word.upper() in GROUPS:
        fix = f"{word.upper()} is a group of countries; name one country, like DE"
        raise UnreadableError("a country or a site", fix, code="FS016")
    # Names in other languages aren't tried, because a site may have one of them.
    code = country_words().get(word.strip().casefold())
    if code is None and len(word) == 2:
        raise UnreadableError("a country by its ISO 3166 code, or the name of a facility's site", code="FS015")
    return word if code is None else code


def currency(code: str) -> str:
    if not is_currency(code):
        fix = did_you_mean(code, COMMON) or did_you_mean(code, currency_codes())
        raise UnreadableError("a currency by its ISO 4217 code, like USD", fix, code="FS015")
    return code


def hs_code(code: str) -> str:
    if not _HS.match(code):
        raise UnreadableError("an HS or tariff code, like 8112.92 or 2841.80.00")
    return code


def one_of(words: Mapping[str, T], prefix: str = "one of") -> Callable[[str], T]:
    """Return a parser for a fixed set of words. `prefix` precedes them in messages."""

    def parse(word: str) -> T:
        if word not in words:
            raise UnreadableError(f"{prefix} " + ", ".join(words), did_you_mean(word, words), code="FS003")
        return words[word]

    return parse


STEP_WORDS: Mapping[str, str] = {str(word): str(word) for word in (*Stage, *STEPS)}
INCOTERMS: Mapping[str, str] = {
    term: term for term in ("EXW", "FCA", "CPT", "CIP", "DAP", "DPU", "DDP", "FAS", "FOB", "CFR", "CIF")
}
step = one_of(STEP_WORDS)
incoterm = one_of(INCOTERMS)


@dataclass(frozen=True, slots=True)
class OrBlank:
    """Parser that accepts a blank."""

    parse: Callable[[str], str]

    def __call__(self, word: str) -> str:
        return self.parse(word) if word else word


@dataclass(frozen=True, slots=True)
class Each:
    """Parser of every word of a set."""

    parse: Callable[[str], str]

    def __call__(self, words: Iterable[str]) -> frozenset[str]:
        return frozenset(map(self.parse, words))


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
