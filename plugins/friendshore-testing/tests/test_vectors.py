"""Every worked example of every rule pack, one test each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from friendshore.catalog import load_catalog
from friendshore.domain.facts import Material
from friendshore.errors import InputError
from friendshore.plugins import Registry
from friendshore.rules.base import PhaseStatus, Rule
from friendshore.rules.kinds import Exclude
from friendshore.rules.pack import RulePack, read_pack
from friendshore_testing.vectors import VECTORS_FILE, Vector, answered, failures, read_vectors

ROOT = Path(__file__).parents[3]
FOLDERS = {
    folder.name: folder for folder in sorted(ROOT.glob("plugins/*/src/*/packs/*")) if (folder / VECTORS_FILE).exists()
}


@cache
def vectors_of(name: str) -> Sequence[Vector]:
    """The examples of a pack."""
    return read_vectors(FOLDERS[name]).vector


@cache
def pack_of(name: str) -> tuple[RulePack, tuple[Rule, ...]]:
    """A pack and its rules, without anything that is installed."""
    pack = read_pack(FOLDERS[name])
    return pack, Registry.of().pack_rules(pack)


@cache
def materials_of(name: str) -> Mapping[str, Material]:
    """The materials of the bundled catalog, and those that the vectors add."""
    bundled = load_catalog(ROOT / "catalogs" / "friendshore_catalogs" / "materials").materials
    added = read_vectors(FOLDERS[name]).material
    both = {material.id for material in bundled} & {material.id for material in added}
    assert not both, f"{name} redefines {both}: its vectors would no longer test the catalog's materials"
    return {material.id: material for material in (*bundled, *added)}


@pytest.mark.parametrize("name", FOLDERS)
def test_vectors(name: str) -> None:
    """The rules say of each example what the law says of it."""
    pack, rules = pack_of(name)
    found = {vector.id: failures(vector, rules, materials_of(name), pack.bills) for vector in vectors_of(name)}
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_there_are_enough_of_them() -> None:
    """All packs that judge or charge have examples, each with an id of its own."""
    assert {"us-10usc4872", "us-specialty-metals", "cn-export-controls", "us-tariffs"} <= set(FOLDERS)
    assert sum(map(len, map(vectors_of, FOLDERS))) >= 60
    assert all(len({vector.id for vector in vectors_of(name)}) == len(vectors_of(name)) for name in FOLDERS)


@pytest.mark.parametrize("name", FOLDERS)
def test_every_rule_of_a_pack_with_examples_can_be_looked_up(name: str) -> None:
    """It has a sentence, a citation, and a source."""
    rules = pack_of(name)[1]
    assert [rule.id for rule in rules if not (rule.sentence().endswith(".") and rule.citation and rule.source)] == []


@pytest.mark.parametrize("name", FOLDERS)
def test_no_suspension_outlasts_its_last_day(name: str) -> None:
    """From the next day on, the rule has another status."""
    for rule in pack_of(name)[1]:
        days = {phase.start: phase.status for phase in rule.phases}
        for phase in rule.phases:
            if phase.status is PhaseStatus.SUSPENDED:
                assert phase.end, rule.id
                assert days[phase.end + timedelta(days=1)] is not PhaseStatus.SUSPENDED, rule.id


def vector_with(**fields: object) -> Vector:
    """Return a Japanese magnet of Chinese oxide, delivered for defense in 2027."""
    chain = {"mined": "AU", "refined": "CN", "separated": "MY", "melted": "JP", "produced": "JP"}
    offer = {"country": "JP", "chain": chain}
    table = {"id": "v", "use": {"material": "ndfeb-magnet"}, "offer": offer, "delivered": "2027-01-15"}
    return Vector.model_validate({**table, "expect": "fail", **fields})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"expect": "pass"}, "expected verdict pass, got fail"),
        ({"stage": "mined"}, "expected stage mined, got refined"),
        ({"country": "RU"}, "expected country RU"),
        ({"by": "us-4872-smco"}, "expected rule us-4872-smco, got us-4872-ndfeb-2027"),
        ({"clause": "Ann. 46"}, "expected clause Ann. 46"),
        ({"license": True}, "expected license True, got False"),
        ({"duty": 1}, "expected duty 1, got 0"),
    ],
)
def test_a_wrong_expectation_is_told(fields: dict[str, object], words: str) -> None:
    """With what the rules say."""
    pack, rules = pack_of("us-10usc4872")
    (failure,) = failures(vector_with(**fields), rules, materials_of("us-10usc4872"), pack.bills)
    assert words in failure


@pytest.mark.parametrize("fields", [{"rule": "nowhere"}, {"enable": ["nowhere"]}, {"use": {"material": "nowhere"}}])
def test_a_vector_that_names_nothing_is_an_error(fields: dict[str, object]) -> None:
    """It would test nothing."""
    pack, rules = pack_of("us-10usc4872")
    with pytest.raises(InputError, match="nowhere"):
        answered(vector_with(**fields), rules, materials_of("us-10usc4872"), pack.bills)


def test_mistakes_in_a_vector_file_are_told_at_once(tmp_path: Path) -> None:
    """A wrong key and a missing one."""
    text = 'schema = 1\n[[vector]]\nid = "a"\nuse = { material = "m" }\noffer = { county = "JP" }\n'
    (tmp_path / VECTORS_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_vectors(tmp_path)
    assert {"FS001", "FS002"} <= {problem.code for problem in caught.value.problems}


@pytest.mark.parametrize(("parent", "expected"), [("Example Holding", "fail"), ("Example Group", "pass"), ("", "pass")])
def test_a_vector_can_state_who_owns_the_operator(parent: str, expected: str) -> None:
    """For rules about parent companies."""
    rule = Exclude(id="owner", citation="house rule 1", parents=("Example Holding",))
    offer = {"country": "CA", "operator": "Example Metals", "parent": parent, "chain": {"mined": "CA", "refined": "CA"}}
    vector = vector_with(use={"material": "gallium-metal-4n"}, offer=offer, expect=expected)
    assert failures(vector, [rule], materials_of(next(iter(FOLDERS)))) == []
