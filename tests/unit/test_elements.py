"""What rules select materials by: elements, groups of them and forms, as a planner may write them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from friendshore.domain.elements import elements_in
from friendshore.domain.facts import Material
from friendshore.rules.base import Selector


@pytest.mark.parametrize(
    ("word", "meant"),
    [("w", "W"), ("tungsten", "W"), ("ND", "Nd"), ("Aluminum", "Al"), ("ndfeb", "NdFeB"), ("SMCO", "SmCo")],
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
