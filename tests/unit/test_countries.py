"""Countries and currencies by code and by the names people use."""

from __future__ import annotations

import subprocess
import sys

import pytest

from friendshore.domain.base import UnreadableError
from friendshore.domain.countries import (
    COMMON,
    GROUPS,
    countries_of,
    country_names,
    country_of,
    country_words,
    is_country,
    is_currency,
    local_country_words,
)
from friendshore.domain.values import country, place


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("AU", "AU"),
        ("aus", "AU"),
        ("Australia", "AU"),
        ("USA", "US"),
        ("U.S.", "US"),
        ("UK", "GB"),
        ("South Korea", "KR"),
        ("Korea, Republic of", "KR"),
        ("DPRK", "KP"),
        ("Russia", "RU"),
        ("DRC", "CD"),
        ("Turkey", "TR"),
        ("T\u00fcrkiye", "TR"),
        ("Vietnam", "VN"),
        ("Iran", "IR"),
        ("Taiwan", "TW"),
        ("XK", "XK"),
        ("Kosovo", "XK"),
        ("\u00d6sterreich", "AT"),
        ("O\u0308sterreich", "AT"),
        ("Osterreich", "AT"),
        ("Deutschland", "DE"),
        ("Cor\u00e9e du Sud", "KR"),
        ("Estados Unidos", "US"),
        ("\u4e2d\u56fd", "CN"),
    ],
)
def test_countries_by_any_common_name(text: str, code: str) -> None:
    """Codes of two and three letters, ISO names, common names, and names in other languages mean the same country."""
    assert country_of(text) == code


@pytest.mark.parametrize("text", ["Korea", "Congo", "Kongo", "EU", "Atlantis", "", "ZZ"])
def test_what_is_no_country_is_refused(text: str) -> None:
    """An ambiguous name, a group and an invention are not guessed at."""
    with pytest.raises(ValueError, match="country"):
        country_of(text)


def test_a_group_stands_for_its_members() -> None:
    """The EU is not a country; in a list of countries it is its twenty-seven members and the seven parts of them that have codes of their own."""
    assert countries_of("EU") == GROUPS["EU"]
    assert len(GROUPS["EU"]) == 27 + 7
    assert {"AX", "GF", "GP", "MF", "MQ", "RE", "YT"} < GROUPS["EU"]
    assert GROUPS["EU"].isdisjoint({"GL", "NC", "PF", "PM", "AW"})  # of members, and not of the Union
    assert not is_country("EU")
    assert all(is_country(code) for code in GROUPS["EU"])
    assert countries_of("Japan") == {"JP"}


def test_a_name_in_another_language_never_overrides_an_english_one() -> None:
    """A word that is an English name or a code means that country in all languages."""
    both = country_words().keys() & local_country_words().keys()
    assert both
    assert all(country_words()[word] == local_country_words()[word] for word in both)


@pytest.mark.parametrize(
    ("text", "meant"), [("Oesterreich", "Austria"), ("Deutchland", "Germany"), ("Chinna", "China")]
)
def test_a_slip_in_a_name_is_told_with_the_country_meant(text: str, meant: str) -> None:
    """In English or in another language; the suggestion is the English name."""
    with pytest.raises(UnreadableError) as raised:
        country(text)
    assert raised.value.fix == f"did you mean `{meant}`?"


def test_a_place_may_be_called_like_a_country_in_another_language() -> None:
    """Only English names and codes make a place a country: a site may be called `Deutschland`."""
    assert [place(word) for word in ("Deutschland", "Germany", "DE")] == ["Deutschland", "DE", "DE"]


def test_every_name_leads_back_to_its_code() -> None:
    """The name that is shown for a country is one that is understood."""
    assert all(country_of(name) == code for code, name in country_names().items())


def test_currencies() -> None:
    """ISO 4217 codes are known, anything else is not."""
    assert all(map(is_currency, COMMON))
    assert not is_currency("USX")


@pytest.mark.deep
def test_the_code_lists_are_not_imported_before_they_are_needed() -> None:
    """Importing the readers does not import pycountry, so that `--help` stays quick."""
    code = "import sys, friendshore.catalog, friendshore.case; sys.exit('pycountry' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
