"""Countries and currencies by code and by the names people use."""

from __future__ import annotations

import subprocess
import sys

import pytest

from friendshore.domain.countries import (
    COMMON,
    GROUPS,
    countries_of,
    country_names,
    country_of,
    is_country,
    is_currency,
)


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
    ],
)
def test_countries_by_any_common_name(text: str, code: str) -> None:
    """Codes of two and three letters, ISO names and common names mean the same country."""
    assert country_of(text) == code


@pytest.mark.parametrize("text", ["Korea", "Congo", "EU", "Atlantis", "", "ZZ"])
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
