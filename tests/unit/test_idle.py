"""What `check` says of rules, dates and words that do nothing, or that are not what they look like."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from friendshore.plugins import Registry
from friendshore.problem.given import end_uses
from friendshore.recommend.check import Checked, check

from ..building import ban, case, demand

STOCK = Path(__file__).parents[2] / "docs" / "cases" / "small" / "stock"

Told = Callable[[str, str, str], Checked]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """What is said of the case about stock after an edit of a file."""
    folder = Path(shutil.copytree(STOCK, tmp_path / "stock"))

    def tell(file: str, old: str, new: str) -> Checked:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        return check(folder, Registry.of())

    return tell


def suggested(found: Checked, *words: str) -> bool:
    """Whether one suggestion holds all the words."""
    assert not found.errors, found.errors
    return sum(all(word in str(told) for word in words) for told in found.suggestions) == 1


USE = 'end_use = "defense"'


@pytest.mark.parametrize("word", ["defens", "defnse", "DoD", "civl", "dеfense", "defense\u200b", "Defence"])
def test_an_end_use_that_would_escape_every_rule_is_a_mistake(word: str, told: Told) -> None:
    """A ban on goods for defence does not look at goods for `defens`: the plan would be called compliant."""
    (error,) = told("case.toml", USE, f'end_use = "{word}"').errors
    assert error.column == "demand[2].end_use"
    assert "did you mean" in error.fix or "type the name again" in error.fix


def test_an_end_use_of_its_own_is_no_mistake(told: Told) -> None:
    """`civic` is no slip of `civil`, nor is what has a part of its own; that no rule for defence looks at it is told."""
    assert suggested(told("case.toml", USE, 'end_use = "civic"'), "no rule names the end use `civic`")


@pytest.mark.parametrize("word", ["defense-spares", "defence-us", "us_DoD"])
def test_an_end_use_that_is_a_part_of_one_that_a_rule_names_is_told_and_not_taken_by_the_strict(
    word: str, told: Told, tmp_path: Path
) -> None:
    """A ban on goods for defence does not look at goods for `defense-spares`; a rule that names these makes them a use of its own."""
    found = told("case.toml", USE, f'end_use = "{word}"')
    assert suggested(found, f"no rule names the end use `{word}`", "case.toml:29", "did you mean `defense`?")
    (error,) = check(tmp_path / "stock", Registry.of(), strict=True).errors
    assert (error.found, error.row) == (word, 29)
    told("case.toml", 'end_uses = ["defense"]', f'end_uses = ["defense", "{word}"]')
    assert not check(tmp_path / "stock", Registry.of(), strict=True).errors


def test_an_end_use_nearly_named_by_a_rule_is_told() -> None:
    """The rule is for turbines, the demand for a turbine: the rule does not look at it."""
    rule = ban("mined", end_uses=["turbines"])
    (found,) = end_uses(case(demand("metal", "turbine", 10)), [rule])
    assert found.fix.startswith("did you mean `turbines`?")
    (other,) = end_uses(case(demand("metal", "lamps", 10)), [rule])
    assert not other.fix


def test_a_pack_that_is_called_as_an_installed_one_is_told(tmp_path: Path) -> None:
    """A plan by the case's own `us-10usc4872` names that law, and may hold nothing of it: here a rule that never holds."""
    folder = Path(shutil.copytree(STOCK, tmp_path / "stock"))
    (folder / "law").mkdir()
    text = 'schema = 1\nid = "us-10usc4872"\ntitle = "Mine"\nas_of = 2026-01-01\n'
    text += '[[rule]]\nkind = "exclude"\nid = "empty"\ncountries = ["CN"]\nsource = "x"\ncitation = "x"\nphases = []\n'
    (folder / "law" / "pack.toml").write_text(text, encoding="utf-8")
    case = folder / "case.toml"
    case.write_text(case.read_text(encoding="utf-8").replace("[use]", '[use]\npacks = ["./law"]', 1), encoding="utf-8")
    found = check(folder, Registry.of(packs={"us-10usc4872": folder / "law"}))
    assert suggested(found, "`us-10usc4872` is that of the case", "given in memory brings")
    assert suggested(found, "rule `empty` of us-10usc4872 has no phase", str(folder / "law" / "pack.toml"))


def test_a_ban_from_another_century_is_told(told: Told) -> None:
    """2207 for 2027: the ban never holds, and nothing else says so."""
    found = told("case.toml", "phases = [{ from = 2027-01-01 }]", "phases = [{ from = 2207-01-01 }]")
    assert suggested(found, "rule `by-order` holds on no day of the plan", "2207-01-01")
    assert suggested(found, "2207-01-01 is far from the plan", "check the year")


def test_an_offer_from_another_century_is_told(told: Told) -> None:
    """Dates of catalogs as well as those of rules."""
    found = told(
        "catalog/offers.csv",
        "price_source,source\nriver-antimony,river-smelter,antimony,10 USD/kg,invented,invented\n"
        "hill-antimony,hill-smelter,antimony,30 USD/kg,invented,invented",
        "price_source,source,until\nriver-antimony,river-smelter,antimony,10 USD/kg,invented,invented,9999-12-31\n"
        "hill-antimony,hill-smelter,antimony,30 USD/kg,invented,invented,2207-12-30",
    )
    assert suggested(found, "2207-12-31 is far from the plan")
    assert not any("9999" in str(told) for told in found.suggestions)


@pytest.mark.parametrize(
    ("listed", "slips"), [("Hil Metals", True), ("HILL METALS Ltd.", True), ("hill metals", False), ("Norinco", False)]
)
def test_a_company_that_is_nearly_kept_out_is_told(listed: str, slips: bool, told: Told) -> None:
    """Who is kept out by a name with a slip is bought from; a list may name many whom the case does not know."""
    rule = f'[[rule]]\nkind = "exclude"\nid = "out"\nsuppliers = ["{listed}"]\n\n[[scenario]]'
    found = told("case.toml", "[[scenario]]", rule)
    assert suggested(found, "rule `out` keeps out", "did you mean `Hill Metals`?") is slips


def test_a_ban_on_a_stage_that_no_material_has_is_told(told: Told) -> None:
    """Antimony is mined and refined: a ban on where it was separated keeps out nothing."""
    found = told("case.toml", 'stages = ["mined"]', 'stages = ["separated"]')
    assert suggested(found, "rule `by-order` bars nothing", "separated")


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("catalog/facilities.csv", "Hill Metals", "Hill Metals\u200b", "nobody sees (U+200B, zero width space)"),
        ("catalog/facilities.csv", "Hill Metals", "Нill Metals", "`Н` is U+041D, cyrillic capital letter en"),
    ],
)
def test_a_word_that_is_not_what_it_looks_like_is_told(file: str, old: str, new: str, says: str, told: Told) -> None:
    """A limit that names Hill Metals, or a rule on antimony, does not mean it."""
    assert suggested(told(file, old, new), says)


def test_a_name_in_one_alphabet_is_what_it_looks_like(told: Told) -> None:
    """Accents, and names in another alphabet altogether, are no tricks."""
    found = told("catalog/facilities.csv", "Hill smelter,Hill Metals", "Завод на холме,Société Générale")
    assert not found.errors
    assert not any("looks" in str(told) or "alphabets" in str(told) for told in found.suggestions)


@pytest.mark.parametrize("name", ["river-antimonу", "river\u200bantimony", "river-antimony\u202e"])
def test_an_id_that_is_not_what_it_looks_like_is_a_mistake(name: str, told: Told) -> None:
    """Two ids that look alike are two offers."""
    assert any(
        "type the name again" in e.fix or "a name of letters" in e.expected
        for e in told("catalog/offers.csv", "river-antimony", name).errors
    )


def test_an_offer_that_states_a_quantity_counts_without_a_capacity(told: Told) -> None:
    """Who sells 12 t from stock has said what is available; another offer of the facility is a lead. The page says so."""
    told("catalog/capacity.csv", "hill-smelter,,20 t/year,operating,,invented\n", "")
    found = told(
        "catalog/offers.csv",
        "price_source,source\nriver-antimony,river-smelter,antimony,10 USD/kg,invented,invented\n"
        "hill-antimony,hill-smelter,antimony,30 USD/kg,invented,invented",
        "price_source,source,total\nriver-antimony,river-smelter,antimony,10 USD/kg,invented,invented,\n"
        "hill-antimony,hill-smelter,antimony,30 USD/kg,invented,invented,12 t\nhill-more,hill-smelter,antimony,30 USD/kg,invented,invented,",
    )
    assert suggested(found, "`hill-smelter` has no capacity", "these count up to that")
    assert suggested(found, "`hill-more`", "is a lead", "nobody published its capacity")
    assert not any("`hill-antimony`" in str(told) and "lead" in str(told) for told in found.suggestions)


DUTY = '[[rule]]\nkind = "tariff"\nid = "us"\nterritory = ["US"]\nhs = ["{}"]\nrate = "5 %"\n\n[[scenario]]'
IN_MATERIALS = (
    "id,name,element,form,basis,content,stages,source",
    "Antimony metal,Sb,metal,gross,1,mined;refined,invented",
)


@pytest.mark.parametrize(("own", "named", "words"), [
    ("", "8110.10", ("it has no tariff line (`hs`)", "give its line in `hs` of materials.csv")),
    ("8110.10", "2617.10", ("no rule in use names its tariff line, 8110.10", "check the line")),
])  # fmt: skip
def test_goods_that_enter_without_a_duty_are_suggested(
    own: str, named: str, words: tuple[str, ...], told: Told
) -> None:
    """Antimony enters the United States. The only duty is for a line that it doesn't have."""
    head, row = IN_MATERIALS
    told("catalog/materials.csv", head, f"{head},hs")
    told("catalog/materials.csv", row, f"{row},{own}")
    assert suggested(told("case.toml", "[[scenario]]", DUTY.format(named)), "antimony: ", *words)


def test_goods_with_a_duty_are_not_suggested(told: Told) -> None:
    """A duty for the line of the goods, for a country of no offer, is still a duty; so is none where no rule charges any."""
    head, row = IN_MATERIALS
    told("catalog/materials.csv", head, f"{head},hs")
    assert not suggested(told("catalog/materials.csv", row, f"{row},8110.10"), "tariff line")
    stated = DUTY.format("8110").replace("rate", 'origins = ["KR"]\nrate')
    assert not suggested(told("case.toml", "[[scenario]]", stated), "tariff line")


def test_a_place_that_is_a_country_in_another_language_is_suggested_in_english(told: Told) -> None:
    """Also where another mistake keeps the case from being put together."""
    (error,) = told("case.toml", 'place = "US"', 'place = "Österreich"').errors
    both = told("catalog/facilities.csv", "Hill Metals,AU", "Hill Metals,Atlantis").errors
    assert [error.fix, *(e.fix for e in both if e.column == "case.place")] == ["did you mean `Austria`?"] * 2
