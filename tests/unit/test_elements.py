"""What rules select materials by: elements, groups of them and forms, as a planner may write them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from friendshore.domain.elements import elements_in
from friendshore.domain.facts import Material
from friendshore.rules.base import Selector


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("REE", "RE"),
        ("wolfram", "W"),
        ("w", "W"),
        ("tungsten", "W"),
        ("ND", "Nd"),
        ("Aluminum", "Al"),
        ("ndfeb", "NdFeB"),
        ("SMCO", "SmCo"),
    ],
)
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
    assert elements_in("NdFeB") == {"NdFeB", "Nd", "Fe", "B"}
    assert elements_in("Sm2Co17") == {"Sm2Co17", "Sm", "Co"}
    assert elements_in("Nd-Fe-B") == {"Nd-Fe-B", "Nd", "Fe", "B"}
    for word in (
        "NdFeB magnet",
        "Neodymium (Nd)",
        "Nd, Fe, B",
        "Nd+Fe+B",
        "Nd\u2013Fe\u2013B",
        "Nd\u2082Fe\u2081\u2084B",
        "NDFEB52",
        "\uff2ed",
    ):
        assert "Nd" in elements_in(word), word
    assert elements_in("tin in bars") == {"tin in bars", "Sn"}
    assert [elements_in(word) for word in ("REO", "PGM", "mixed")] == [{"REO"}, {"PGM"}, {"mixed"}]


@pytest.mark.parametrize(
    ("element", "form", "covered"),
    [
        ("Nd", "magnet", True),
        ("NdFeB", "magnet", True),
        ("NdPr", "Sintered magnets", True),
        ("Nd", "magnet-block", True),
        ("Nd", "oxide", False),
        ("Sm", "magnet", False),
        ("", "magnet", False),
    ],
)
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
