"""Names as people write them: countries, currencies, elements, forms, and suggestions for words that are not known."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

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
from friendshore.domain.elements import elements_in
from friendshore.domain.facts import Material
from friendshore.domain.suggest import did_you_mean, nearest
from friendshore.domain.values import CountryCodes, country, place
from friendshore.reading.kinds import CAPACITY, DATE, PER_UNIT, YES_NO, kind_of, plain
from friendshore.reading.tomlfile import read_toml
from friendshore.rules.base import Selector

# ---------------------------------------------------------------------------------------------- countries and currencies


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("AU", ["AU", "aus", "Australia"]), ("US", ["USA", "U.S.", "Estados Unidos"]), ("GB", ["UK"]), ("CD", ["DRC"]),
        ("KR", ["South Korea", "Korea, Republic of", "Cor\u00e9e du Sud"]), ("KP", ["DPRK"]), ("RU", ["Russia"]), ("TR", ["Turkey", "T\u00fcrkiye"]),
        ("VN", ["Vietnam"]), ("IR", ["Iran"]), ("TW", ["Taiwan"]), ("XK", ["XK", "Kosovo"]), ("DE", ["Deutschland"]), ("CN", ["\u4e2d\u56fd"]),
        ("AT", ["\u00d6sterreich", "O\u0308sterreich", "Osterreich"]),
    ],
)  # fmt: skip
def test_countries_by_any_common_name(code: str, names: list[str]) -> None:
    """Codes of two and three letters, ISO names, common names, and names in other languages mean the same country."""
    assert {name: country_of(name) for name in names} == dict.fromkeys(names, code)


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


SLIPS = {"Oesterreich": "Austria", "Deutchland": "Germany", "Chinna": "China"}


@pytest.mark.parametrize("text", SLIPS)
def test_a_slip_in_a_name_is_told_with_the_country_meant(text: str) -> None:
    """In English or in another language; the suggestion is the English name."""
    with pytest.raises(UnreadableError) as raised:
        country(text)
    assert raised.value.fix == f"did you mean `{SLIPS[text]}`?"


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


# ---------------------------------------------------------------------------------------------------- elements and forms


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("REE", "RE"), ("wolfram", "W"), ("w", "W"), ("tungsten", "W"), ("ND", "Nd"), ("Aluminum", "Al"), ("ndfeb", "NdFeB"),
        ("SMCO", "SmCo"),
    ],
)  # fmt: skip
def test_a_word_for_an_element_that_no_rule_would_know_is_refused(word: str, meant: str) -> None:
    """It would escape every rule about the element; what was meant is named."""
    with pytest.raises(ValidationError, match=f"did you mean `{meant}`"):
        Material(id="m", element=word)


@pytest.mark.parametrize("word", ["", "W", "Re", "RE", "REO", "NdPr", "NdFeB", "HREE", "PGM", "Co"])
def test_symbols_groups_and_words_of_ones_own_are_elements(word: str) -> None:
    """`RE` are the rare earths, and not rhenium."""
    assert Material(id="m", element=word).element == word


def test_a_group_holds_the_elements_that_it_is_written_by() -> None:
    """Where all its parts are symbols; else it holds nothing but itself."""
    words = {
        "NdFeB": "Nd Fe B", "Sm2Co17": "Sm Co", "Nd-Fe-B": "Nd Fe B", "tin in bars": "Sn", "REO": "", "PGM": "", "mixed": "",
    }  # fmt: skip
    for word, elements in words.items():
        assert elements_in(word) == {word, *elements.split()}
    for word in (
        "NdFeB magnet", "Neodymium (Nd)", "Nd, Fe, B", "Nd+Fe+B", "Nd\u2013Fe\u2013B", "Nd\u2082Fe\u2081\u2084B", "NDFEB52", "\uff2ed",
    ):  # fmt: skip
        assert "Nd" in elements_in(word), word


@pytest.mark.parametrize(
    ("element", "form", "covered"),
    [
        ("Nd", "magnet", True), ("NdFeB", "magnet", True), ("NdPr", "Sintered magnets", True), ("Nd", "magnet-block", True),
        ("Nd", "oxide", False), ("Sm", "magnet", False), ("", "magnet", False),
    ],
)  # fmt: skip
def test_a_selector_knows_groups_and_the_words_of_a_form(element: str, form: str, covered: bool) -> None:
    """Magnets that hold neodymium, however they are written."""
    assert Selector(elements=("Nd",), forms=("magnet",)).covers(Material(id="m", element=element, form=form)) == covered


@pytest.mark.parametrize("column", ["element", "form"])
def test_letters_of_two_alphabets_are_no_word_that_rules_go_by(column: str) -> None:
    """A Cyrillic letter, or a sign that nobody sees, would take the material out of every rule about it."""
    for word in ("m\u0430gnet", "mag\u200bnet"):
        with pytest.raises(ValidationError, match="visible letters of one alphabet"):
            Material.model_validate({"id": "m", column: word})


@pytest.mark.parametrize("tag", ["Contains-Nd", "contains_nd", "contains nd", "contains\u2011nd"])
def test_a_tag_is_known_however_its_words_are_set_apart(tag: str) -> None:
    """And whatever its case."""
    assert Selector(tags=("contains-nd",)).covers(Material(id="m", tags=frozenset({tag, "other"})))


@pytest.mark.parametrize("code", ["\uff18505.11", "\u0668\u0665", "085", "8505 11", "HS 85"])
def test_a_code_that_no_tariff_has_is_refused(code: str) -> None:
    """Of a material it would begin as no rule's does, of a rule as no material's does."""
    with pytest.raises(ValidationError):
        Material(id="m", hs=code)
    if code != "085":
        with pytest.raises(ValidationError):
            Selector(hs=(code,))


# ----------------------------------------------------------------------------------------------------------- suggestions


@pytest.mark.parametrize(
    ("word", "known", "suggested"),
    [
        ("gallium-metl", ["gallium-metal", "germanium-metal"], "gallium-metal"), ("AUSTRALIA", ["Australia"], "Australia"),
        ("zzz", ["gallium"], None), ("zzz", [], None),
    ],
)  # fmt: skip
def test_the_nearest_word_is_suggested(word: str, known: list[str], suggested: str | None) -> None:
    """A slip finds its word, whatever the case of its letters; a stranger finds none."""
    assert nearest(word, known) == suggested
    assert did_you_mean(word, known) == (f"did you mean `{suggested}`?" if suggested else "")


WORDS = st.text("abcd", min_size=1, max_size=4)


@given(st.lists(WORDS, min_size=1, unique=True), WORDS)
def test_a_suggestion_does_not_depend_on_order(known: list[str], word: str) -> None:
    """The same words in another order give the same suggestion."""
    assert nearest(word, known) == nearest(word, list(reversed(known)))


def test_a_suggestion_among_very_many_words_is_found() -> None:
    """Among a hundred thousand ids the search is narrowed, and still finds a slip at the end of a word."""
    known = {f"offer-{n}" for n in range(100_000)}
    assert nearest("offer-4711x", known) is not None


def test_lines_of_keys(tmp_path: Path) -> None:
    """Keys of tables, of repeated tables and of tables within them know their lines; others take the line around them."""
    text = 'a = 1\n[t]\nb = 2\n[[r]]\nc = 3\n[[r]]\n"c" = 4\n[r.sub]\nd = 5\ne = [\n  { f = 1 },\n  { f = 2 },\n]\n'
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    lines = {
        ("a",): 1, ("t", "b"): 3, ("r", 0, "c"): 5, ("r", 1, "c"): 7, ("r", 1, "sub", "d"): 9, ("r", 1, "sub", "e", 1, "f"): 12,
        ("t", "nothing"): 2, ("nothing",): None,
    }  # fmt: skip
    toml = read_toml(tmp_path / "x.toml", [])
    assert {keys: toml.line(keys) for keys in lines} == lines


def test_cells_of_every_kind() -> None:
    """Lists, unlimited capacity and plain numbers per unit are read in the forms the reference page lists."""
    assert kind_of(CountryCodes).read("CN; Japan;JP") == {"CN", "JP"}
    assert kind_of(CountryCodes).read(["EU"]) >= {"DE", "FR"}
    assert CAPACITY.read("Unlimited") == "unlimited"
    assert len({PER_UNIT.read(text).kg for text in ("1.2", "1.2 kg", "1200 g")}) == 1
    assert YES_NO.read("Yes") is YES_NO.read(True) is True


@pytest.mark.parametrize("text", ["20270101", "2027-1-1", "2027-02-30", "2027-W01-1", "01.02.2027", ""])
def test_dates_are_written_in_one_way(text: str) -> None:
    """Only year-month-day with dashes is a date, so that no day is mistaken for a month."""
    with pytest.raises(UnreadableError):
        DATE.read(text)


def test_plain_data_is_what_json_holds(tmp_path: Path) -> None:
    """Numbers and dates of a TOML file become what a JSON file would give back."""
    (tmp_path / "x.toml").write_text("a = 0.65\nb = [2027-01-01, { c = 1 }]\n", encoding="utf-8")
    toml = read_toml(tmp_path / "x.toml", [])
    assert plain(toml.data) == {"a": 0.65, "b": ["2027-01-01", {"c": 1}]}
