"""Cases that try to leave their folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from friendshore.case.confined import check_confined, check_posted, fingerprint, root_of
from friendshore.cli.cases import write_starter
from friendshore.errors import InputError


@pytest.fixture
def case(tmp_path: Path) -> Path:
    write_starter(tmp_path / "case")
    (tmp_path / "secret.csv").write_text("id,material\nsecret,gallium\n")
    return tmp_path / "case"


def codes(error: InputError) -> set[str]:
    return {problem.code for problem in error.problems}


def confined(case: Path, *roots: Path) -> None:
    check_confined(case, (root_of(case), *roots))


def replaced(case: Path, old: str, new: str) -> None:
    file = case / "case.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_case_in_its_folder_is_accepted(case: Path) -> None:
    confined(case)
    confined(case / "case.toml")
    assert fingerprint(case, [root_of(case)]) == fingerprint(case, [root_of(case)])


@pytest.mark.parametrize(
    "line",
    [
        'demand = "../secret.csv"',
        'demand = "/etc/passwd"',
        'demand = "..\\\\secret.csv"',
        'demand = "reader:/etc/passwd"',
        'demand = "reader:../secret.csv"',
        'packs = ["./x/../../other"]',
        "packs = ['\\\\server\\share']",
        'packs = ["//server/share"]',
    ],
)
def test_a_path_that_leaves_the_folder_is_refused_with_its_key(case: Path, line: str) -> None:
    text = (case / "case.toml").read_text()
    lines = [kept for kept in text.splitlines() if not kept.startswith(line.split(" ", maxsplit=1)[0])]
    (case / "case.toml").write_text("\n".join(lines).replace("[use]", f"[use]\n{line}", 1))
    with pytest.raises(InputError) as refused:
        confined(case)
    assert codes(refused.value) == {"FS928"}
    assert refused.value.problems[0].column == f"use.{line.split(' ', maxsplit=1)[0]}"


def test_a_setting_of_a_plugin_that_leaves_the_folder_is_refused(case: Path) -> None:
    with (case / "case.toml").open("a") as file:
        file.write('\n[plugin.friendshore-screening]\nlists = [{ file = "/etc/passwd" }]\n')
    with pytest.raises(InputError) as refused:
        confined(case)
    assert [problem.column for problem in refused.value.problems] == ["plugin.friendshore-screening.lists.file"]


def test_a_catalog_beside_the_case_cannot_name_a_place_elsewhere(case: Path) -> None:
    (case / "mine").mkdir()
    (case / "mine" / "catalog.toml").write_text('schema = 1\nname = "mine"\nrequires = ["../../other"]\n')
    with pytest.raises(InputError) as refused:
        confined(case)
    assert refused.value.problems[0].file.endswith("catalog.toml")


def test_a_folder_of_another_given_case_may_be_named(case: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    replaced(case, "catalogs = [", 'catalogs = ["../shared", ')
    with pytest.raises(InputError):
        confined(case)
    shared = (tmp_path / "shared").resolve()
    assert check_confined(case, (root_of(case), shared)) == {shared}


@pytest.mark.parametrize("name", ["link.csv", ".hidden", "folder"])
def test_a_link_out_of_the_folder_is_refused(case: Path, tmp_path: Path, name: str) -> None:
    (case / name).symlink_to(tmp_path if name == "folder" else tmp_path / "secret.csv")
    with pytest.raises(InputError) as refused:
        fingerprint(case, [root_of(case)])
    assert codes(refused.value) == {"FS928"}
    assert refused.value.problems[0].file.endswith(name)


def test_a_changed_file_changes_the_fingerprint(case: Path) -> None:
    before = fingerprint(case, [root_of(case)])
    replaced(case, "[use]", "[use] # changed")
    assert fingerprint(case, [root_of(case)]) != before


POSTED: list[tuple[Any, str]] = [
    ({"use": {"catalogs": ["./here"]}}, "use.catalogs"),
    ({"use": {"catalogs": ["world", "/etc"]}}, "use.catalogs"),
    ({"use": {"packs": ["../packs"]}}, "use.packs"),
    ({"use": {"demand": "demand.csv"}}, "use.demand"),
    ({"use": {"demand": "acme:orders"}}, "use.demand"),
    ({"use": {"catalogs": ["acme:/etc/passwd"]}}, "use.catalogs"),
    ({"plugin": {"acme": {"list": "/etc/passwd"}}}, "plugin.acme.list"),
    ({"plugin": {"acme": {"deep": [{"list": "a/../../b"}]}}}, "plugin.acme.deep.list"),
    ({"stock": [{"id": "C:\\x"}]}, "stock.id"),
]


@pytest.mark.parametrize(("case", "column"), POSTED)
def test_a_posted_case_can_name_no_file(case: Any, column: str) -> None:
    with pytest.raises(InputError) as refused:
        check_posted(case)
    assert [(problem.code, problem.column) for problem in refused.value.problems] == [("FS928", column)]


def test_a_posted_case_may_name_what_is_installed_and_addresses_of_the_web() -> None:
    check_posted({"use": {"catalogs": ["usgs-2026", "world"]}, "demand": [{"why": "https://example.com/a and/or b"}]})


def test_a_link_to_nothing_within_the_folder_is_left_to_its_reader(case: Path) -> None:
    (case / "link.csv").symlink_to(case / "nothing.csv")
    assert fingerprint(case, [root_of(case)])
