"""Shared parts of the built-in kinds: covered materials, and how countries, parties, and amounts are written and named."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, ClassVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from ...domain.base import Number, UnreadableError, Words, exact
from ...domain.countries import GROUPS, countries_of, is_currency
from ...domain.facts import Material
from ...domain.quantities import (
    Mass,
    Money,
    UnitPrice,
    in_percent,
    is_number,
    looks_like_money,
    parse_mass,
    parse_money,
    parse_number,
    parse_share,
    parse_unit_price,
)
from ...domain.values import FACTOR, FRACTION, MASS, MONEY, Range, StagesInOrder, end_use
from ...errors import InputError
from ..base import Names, Rule, Selector


def _country_codes(value: object) -> object:
    if not isinstance(value, list | tuple | set | frozenset) or not all(isinstance(word, str) for word in value):
        return value  # pydantic rejects it
    codes: set[str] = set()
    for word in value:
        try:
            codes |= countries_of(word)
        except ValueError:
            raise ValueError(
                f"`{word}` is not an ISO 3166 country code, the English name of a country, or a known group"
            ) from None
    return frozenset(codes)


def as_pairs(value: object) -> object:
    """Convert a table to pairs sorted by name, which a frozen record can contain."""
    return tuple(sorted(value.items())) if isinstance(value, dict) else value


# Countries by ISO 3166 code or English name. A group such as `EU` stands for its members. Stored as alpha-2 codes.
Countries = Annotated[Words, BeforeValidator(_country_codes)]


Stages = StagesInOrder


def _spelled_end_uses(value: object) -> object:
    if not isinstance(value, list | tuple | set | frozenset) or not all(isinstance(word, str) for word in value):
        return value  # pydantic rejects it
    end_uses = set()
    for word in value:
        try:
            end_uses.add(end_use(word))
        except UnreadableError as error:
            raise ValueError(f"`{word}` is not an end use of demands: {error.fix}") from None
    return frozenset(end_uses)


def for_use(end_uses: Iterable[str]) -> str:
    names = listed(sorted(end_uses), "or")
    return f" for {names} use" if names else ""


# End uses, with the spelling that demands use: a rule for `defence` would apply to nothing.
EndUses = Annotated[Words, BeforeValidator(_spelled_end_uses), Names("end use")]


class Covering(Selector):
    """Materials that a rule covers: those of the selector, and those of any in `also`."""

    also: tuple[Selector, ...] = ()
    """More materials. With `also` alone, the selector itself selects nothing."""

    @property
    def _narrowed(self) -> bool:
        return bool(self.materials or self.elements or self.forms or self.tags or self.hs)

    @property
    def selects(self) -> bool:
        """True if it covers only some materials."""
        return self._narrowed or bool(self.also)

    def covers(self, material: Material) -> bool:
        # A rule that names no material covers all.
        if self._narrowed:
            return super().covers(material) or any(selector.covers(material) for selector in self.also)
        return not self.also or any(selector.covers(material) for selector in self.also)

    def subject(self) -> str:
        parts = [_selector_text(self)] if self._narrowed or not self.also else []
        return listed([*parts, *(_selector_text(selector) for selector in self.also)], "or")


def _selector_text(selector: Selector) -> str:
    words = []
    if selector.elements:
        words.append(listed(selector.elements, "or"))
    if selector.forms:
        words.append(listed(selector.forms, "or"))
    text = " ".join(words)
    if selector.tags:
        text = f"{text or 'material'} marked {listed(selector.tags)}"
    if selector.hs:
        text = f"{text or 'goods'} of HS {listed(selector.hs, 'or')}"
    if selector.materials:
        text = f"{listed(selector.materials, 'or')}{f' or {text}' if text else ''}"
    return text or "any material"


def listed(words: Iterable[str], last: str = "and") -> str:
    """Return words as part of a sentence: `a, b and c`."""
    names = list(words)
    return f"{', '.join(names[:-1])} {last} {names[-1]}" if len(names) > 1 else "".join(names)


def country_list(codes: Iterable[str], last: str = "and") -> str:
    """Return countries as part of a sentence. A group replaces its members if all are listed."""
    codes_left = set(codes)
    groups = [name for name, members in sorted(GROUPS.items()) if members <= codes_left]
    for name in groups:
        codes_left -= GROUPS[name]
    return listed([*(f"the {name}" for name in groups), *sorted(codes_left)], last)


def is_party(name: str, listed_names: Iterable[str]) -> bool:
    """Return True if `name`, or one of several names separated by `;`, is one of the listed parties, or starts with one. Case, accents, punctuation,
    a leading `The`, suffixes such as `Corp.` or a site, letters of other alphabets that look Latin, and invisible characters are ignored, so that
    spelling can't hide a listed party.
    """
    candidates = [_name_words(part) for part in name.split(";")]
    parties = [_name_words(listed_name) for listed_name in listed_names]
    return any(party and words[: len(party)] == party for party in parties for words in candidates)


# Lowercase letters that look like Latin ones, directly or as capitals.
_LOOKALIKES = str.maketrans(
    "\u0430\u0432\u0435\u0456\u0458\u043a\u043c\u043d\u043e\u0440\u0441\u0455\u0442\u0443\u0445\u04bb\u0501\u051b\u051d"  # Cyrillic
    "\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7"  # Greek
    "\u0131",
    "abeijkmhopcstyxhdqwabezhikmnoptyxi",
)
# A digit that replaces a letter: `n0rinco`.
_DIGIT_IN_WORD = re.compile(r"(?<=[a-z])[01345](?=[a-z])")
_DIGITS = str.maketrans("01345", "oleas")
_SMALL_CAPITAL = "LATIN LETTER SMALL CAPITAL "


@lru_cache(maxsize=16384)
def _name_words(name: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFKD", name).casefold()
    visible = (sign for sign in unicodedata.normalize("NFKD", plain) if unicodedata.category(sign) not in ("Mn", "Cf"))
    letters_of = ((unicodedata.name(sign, "").removeprefix(_SMALL_CAPITAL), sign) for sign in visible)
    lowercase = "".join(letter.lower() if len(letter) == 1 else sign for letter, sign in letters_of)
    latin = _DIGIT_IN_WORD.sub(lambda match: match[0].translate(_DIGITS), lowercase.translate(_LOOKALIKES))
    words = tuple(re.findall(r"[^\W_]+", latin.replace("&", " and ")))
    return words[1:] if words[:1] == ("the",) else words


def _check_parties(names: tuple[str, ...]) -> tuple[str, ...]:
    empty = [name for name in names if not _name_words(name)]
    if empty:
        raise ValueError(f"`{empty[0]}` contains no letter or digit, so it can't name a party")
    return names


# Companies and other parties, by name; see `is_party`.
Parties = Annotated[tuple[str, ...], AfterValidator(_check_parties)]


class InMoney(Rule):
    """A rule with amounts of money, as numbers in the case's currency or as text with a currency (`5000 USD`)."""

    currency: str = ""
    """Currency of its amounts (ISO 4217), if they name one. Empty means the case's; any other is rejected."""

    amounts: ClassVar[tuple[str, ...]] = ("penalty",)
    """Fields that contain money."""

    @model_validator(mode="before")
    @classmethod
    def _find_currency(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        named = [named_currency(data.get(field)) for field in cls.amounts]
        currencies = sorted({data.get("currency") or "", *named} - {""})
        if len(currencies) > 1:
            raise ValueError(f"its amounts are in several currencies: {' and '.join(map(str, currencies))}")
        return {**data, "currency": currencies[0]} if currencies else data

    @field_validator("currency")
    @classmethod
    def _check_currency(cls, code: str) -> str:
        if code and not is_currency(code):
            raise ValueError(f"`{code}` is not an ISO 4217 currency code, like USD")
        return code

    def in_currency(self, currency: str, exchange: Callable[[str], Decimal | None]) -> Rule:
        """Return the rule, or raise `InputError` if its amounts are in another currency."""
        if self.currency in ("", currency):
            return super().in_currency(currency, exchange)
        raise InputError(
            f"the amounts of rule `{self.id}` are in {self.currency}, but the case plans in {currency}",
            found=self.currency,
            expected=f"amounts in {currency}",
            fix=f"convert the amounts to {currency}",
            code="FS305",
        )


def named_currency(value: object) -> str:
    """Return the currency of an amount like `5000 USD` or `5 USD/kg`, or an empty string."""
    if not isinstance(value, str):
        return ""
    money = value.partition("/")[0].split()
    return money[-1][-3:] if money and looks_like_money(value.partition("/")[0]) else ""


Parsed = Decimal | Mass | Money | UnitPrice
Parse = Callable[[str], Parsed]


def _parsed_by(parse: Parse) -> BeforeValidator:
    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            amount = parse(value)
        except UnreadableError:
            raise
        except ValueError as error:
            raise ValueError(f"`{value}` is not {error}") from None
        if getattr(amount, "substance", None) is not None:
            raise ValueError(f"`{value}` names a substance, but a rule counts kilograms of the material's own basis")
        return amount if isinstance(amount, Decimal) else amount[0]

    return BeforeValidator(read)


def _number_or(parse: Parse) -> Parse:
    return lambda text: parse_number(text) if is_number(text) else parse(text)


def _at_most(limits: Range) -> AfterValidator:
    def check(amount: Decimal) -> Decimal:
        limits(abs(amount))
        return amount

    return AfterValidator(check)


# Kilograms of the material's basis, as a number or as text like `5 t`.
Kilograms = Annotated[Number, _parsed_by(parse_mass), Field(ge=0), _at_most(MASS)]
# A share that may exceed 100%, as a number or as text like `125%`.
Rate = Annotated[Number, _parsed_by(parse_share), _at_most(FACTOR)]
# Money, as a number in the case's currency or as text like `5000 USD`; see `InMoney`.
Amount = Annotated[Number, _parsed_by(_number_or(parse_money)), _at_most(MONEY)]
# Money per kilogram, as a number in the case's currency or as text like `5 USD/kg`; see `InMoney`.
PerKilogram = Annotated[Number, _parsed_by(_number_or(parse_unit_price)), _at_most(MONEY)]


def _check_fraction(value: object) -> object:
    """Reject a share outside of 0 to 1, with a fix if it was meant as a percentage."""
    share = parse_share(value) if isinstance(value, str) and is_number(value.strip().rstrip("%").strip()) else value
    if isinstance(share, int | float | Decimal) and not isinstance(share, bool):
        try:
            FRACTION(exact(share))
        except UnreadableError as error:
            raise UnreadableError(error.expected, in_percent(value)) from None
    return value


# A share from 0 to 1, as a number or as text like `65%`.
Share = Annotated[Number, _parsed_by(parse_share), Field(ge=0, le=1), BeforeValidator(_check_fraction)]


def _weights_in_json(weights: tuple[tuple[str, Decimal], ...]) -> dict[str, float]:
    return {name: float(weight) for name, weight in weights}


# Name -> weight of a kilogram, written as a table.
WeightTable = Annotated[
    tuple[tuple[str, Number], ...],
    BeforeValidator(as_pairs),
    PlainSerializer(_weights_in_json, return_type=dict[str, float], when_used="json"),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "number"}}),
]
