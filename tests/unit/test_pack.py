"""Rule packs: reading `pack.toml`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from friendshore.case import load_case
from friendshore.errors import InputError
from friendshore.plugins import Registry
from friendshore.problem.inputs import Applied
from friendshore.recommend import gather
from friendshore.rules.base import PhaseStatus
from friendshore.rules.pack import RulePack, read_pack

from ..building import refused
from . import tin_case

HEAD = """\
schema = 1
id = "law"
title = "A law"
authority = "A parliament"
as_of = 2026-11-01
license = "public domain"
"""
RULES = """
[[rule]]
kind = "origin-ban"
id = "ban"
citation = "section 1"
countries = ["CN"]
stages = ["mined"]
phases = [{ from = 2027-01-01 }, { until = 2026-12-31, status = "suspended", note = "stayed" }]

[[rule]]
kind = "tariff"
id = "duty"
citation = "section 2"
rate = 0.25
"""
BILL = """
[[bill]]
id = "bill-1"
title = "A bill"
citation = "H.R. 1"
change = [{ enable = "ban" }, { move = "ban", from = 2026-01-01 }]
"""


def pack(folder: Path, text: str) -> Path:
    """A folder with this `pack.toml`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pack.toml").write_text(text, encoding="utf-8")
    return folder


def problems(folder: Path, text: str = "") -> list[str]:
    """What is wrong with a pack, one line each, in order."""
    return [str(p) for p in refused(read_pack, pack(folder, text) if text else folder)]


def test_pack_is_read_with_rules_and_bills(tmp_path: Path) -> None:
    """Everything that a pack says is there, and a registry makes its rules."""
    read = read_pack(pack(tmp_path / "law", HEAD + RULES + BILL))
    assert (read.id, read.authority, read.as_of) == ("law", "A parliament", date(2026, 11, 1))
    assert [rule["id"] for rule in read.rules] == ["ban", "duty"]
    assert read.lines == (8, 16)
    assert read.bills[0].status is PhaseStatus.PENDING
    assert [change.subject for change in read.bills[0].change] == ["enable", "move"]
    ban = Registry.of().rule(read.rules[0])
    assert [phase.status for phase in ban.phases] == [PhaseStatus.ENACTED, PhaseStatus.SUSPENDED]


def test_every_mistake_of_a_pack_is_reported_at_once(tmp_path: Path) -> None:
    """Head, rules and bills are all checked, and each mistake has its line."""
    text = HEAD.replace("authority", "autority").replace('title = "A law"\n', "")
    text += '\n[[rule]]\nkind = "origin-ban"\nid = "ban"\n\n[[rule]]\nid = ""\ncitation = 4\n'
    text += '\n[[bill]]\nid = "b"\nchange = [{ enable = "x", disable = "y" }, { moove = "x" }]\n'
    said = problems(tmp_path, text)
    for part in (
        "[autority]: FS001", "did you mean `authority`?", "[title]: FS002", "did you mean `move`?",
        ":7 [citation]: FS002 rule ban", ":11 [kind]: FS002 rule 2", ":11 [id]: FS002 rule 2", ":11 [citation]: FS002 rule 2", "found 4",
        ":15 [bill[1].title]: FS002", ":17 [bill[1].change[1]]",
    ):  # fmt: skip
        assert any(part in line for line in said), part


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # Rules and bills share one space of names, for `enable` may name either.
        pytest.param(HEAD + RULES + BILL.replace("bill-1", "duty"),
            ":22 [id]: FS308 two entries have the id `duty`, the first on line 16", id="same id"),
        pytest.param('schema = 1\nid = "law"\ntitle = \n', ":3: FS056", id="syntax"),
        pytest.param("", "FS307 the folder isn't a rule pack", id="no pack"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_line(tmp_path: Path, text: str, said: str) -> None:
    """And its fix."""
    (problem,) = problems(tmp_path, text)
    assert said in problem


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A wrong path and a folder of something else are different mistakes."""
    assert "FS307 the folder doesn't exist" in problems(tmp_path / "nowhere")[0]


def test_wrong_encoding_is_reported(tmp_path: Path) -> None:
    """A file saved in an old encoding is said to be that, not to be full of odd letters."""
    pack(tmp_path, HEAD)
    (tmp_path / "pack.toml").write_bytes(HEAD.replace("A law", "Ein Gesetz über").encode("latin-1"))
    assert "FS052" in problems(tmp_path)[0]


def test_digest_is_of_the_content(tmp_path: Path) -> None:
    """Comments, layout and the order of rules change nothing; any fact does, and scenarios do."""
    whole = HEAD + RULES + BILL
    first, second = ("[[rule]]" + part for part in RULES.split("[[rule]]")[1:])
    same = [whole, f"{HEAD}# a comment\n{second}\n\n{first}{BILL}"]
    others = [
        whole.replace("0.25", "0.26"), whole.replace("2027-01-01", "2027-01-02"), whole + STORY, whole + STORY.replace("goes", "stays"),
    ]  # fmt: skip
    digests = [read_pack(pack(tmp_path / str(n), text)).digest for n, text in enumerate(same + others)]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 5


def test_pack_may_be_made_in_memory() -> None:
    """A pack needs no folder; its id stands where a file would."""
    assert RulePack(id="law", title="A law", as_of=date(2026, 11, 1)).file == "law"


@pytest.mark.parametrize(
    ("phases", "said"),
    [
        ([{"from": "2027-01-01", "until": "2026-01-01"}], "before it begins on 2027-01-01"),
        ([{"until": "2027-01-01"}, {"from": "2027-01-01"}], "phases overlap"),
        ([{}, {"status": "pending"}], "phases overlap"),
    ],
    ids=["reversed", "overlapping", "two without dates"],
)
def test_phases_follow_one_another(phases: list[dict[str, str]], said: str) -> None:
    """A rule is in one phase at a time, or nobody could say what its status is on a day."""
    with pytest.raises(InputError, match=said):
        Registry.of().rule({"kind": "tariff", "id": "r", "rate": 0.1, "phases": phases}, "pack.toml", 4)


STORY = """
[[scenario]]
name = "all-at-once"
title = "The bill passes and the duty goes"
change = [{ enable = "bill-1" }, { disable = "duty" }]
"""
NEEDS = tin_case.CASE.replace('catalogs = ["./ours"]', 'packs = ["./law"]')


def test_a_pack_brings_scenarios_to_the_cases_that_use_it(tmp_path: Path) -> None:
    """They are asked for by name as the case's own; a name that both use is refused, naming both."""
    pack(tmp_path / "law", HEAD + RULES + BILL + STORY)
    (tmp_path / "case.toml").write_text(NEEDS)
    gathered = gather(load_case(tmp_path), Registry.of())
    assert [scenario.name for scenario in gathered.case.scenarios] == ["all-at-once"]
    changed = {rule.id: rule for rule in gathered.inputs.apply(Applied(scenario=("all-at-once",))).rules}
    assert changed["duty"].phases == ()
    assert changed["ban"].phases[0].status is PhaseStatus.SUSPENDED
    (tmp_path / "case.toml").write_text(NEEDS + '[[scenario]]\nname = "all-at-once"\nchange = [{ disable = "ban" }]\n')
    with pytest.raises(InputError, match="by the case and by rule pack law"):
        gather(load_case(tmp_path), Registry.of())


def test_mistakes_in_a_scenario_of_a_pack_have_their_line(tmp_path: Path) -> None:
    """Read with the same care as rules and bills."""
    told = problems(tmp_path, HEAD + STORY + STORY + '[[scenario]]\nname = "x"\nchange = [{ price = "a" }]\n')
    assert any("FS308" in line and "`all-at-once`" in line and "line 8" in line for line in told)
    assert any("FS026" in line for line in told)
