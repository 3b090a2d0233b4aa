"""Former names of fields: old files are read and still refused when forged, and old attributes and JSON work for one version."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from friendshore.domain.plan import Plan
from friendshore.domain.renamed import (
    FORMER,
    RENAMED,
    VARIABLE,
    in_wanted_names,
    keys_in_wanted_names,
    with_current_names,
)
from friendshore.domain.run import Run
from friendshore.domain.written import record_in
from friendshore.errors import FriendshoreError
from friendshore.explain.results import QuestionResult
from friendshore.plugins import Registry
from friendshore.recommend import Recommendation, verdicts
from friendshore.recommend.verify_run import verify_run
from friendshore.run import FACTS_FILE, RUN_FILE, SUMS_FILE, TABLES, write_run
from friendshore.run.folder import FILES, sums_text

from ..building import ban, case, catalog, demand, metals, planned, schedule, source, stock, tier

ROOT = Path(__file__).parents[2]
LEVELS = ({"minimise": "shortage"}, {"minimise": "concentration"})
"""Keys of a case, which keep their names."""


def ranked() -> Recommendation:
    """A plan with levels, stock that a rule excludes, countries of concern, and a price schedule."""
    held = stock("metal", 5, ())
    wanted = (demand("metal", "civil", 60), demand("metal", "defense", 90))
    given = case(*wanted, stocks=(held,), objectives=LEVELS, concern={"countries": ["CN"]})
    facts = metals(schedule("au-metal", tier(0), tier(20, discount=0.1)), cn=60, au=70)
    return planned(given, facts, ban("refined", start=None))


def sealed(folder: Path) -> None:
    """Writes the hashes of the files as they are now."""
    files = [folder / name for name in FILES if name != SUMS_FILE and (folder / name).exists()]
    hashes = {file.name: sha256(file.read_bytes()).hexdigest() for file in files}
    (folder / SUMS_FILE).write_text(sums_text(hashes))


def edit(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run folder as 0.1 wrote it."""
    found, folder = ranked(), tmp_path / "run"
    write_run(folder, found.run, found.facts(), verdicts(found.plan))
    monkeypatch.setenv(VARIABLE, FORMER)
    edit(folder / FACTS_FILE, lambda facts: facts.update(plan=in_wanted_names(facts["plan"], Plan)))
    (folder / RUN_FILE).write_text(json.dumps(found.to_dict() | {"schema_version": 3}))
    monkeypatch.delenv(VARIABLE)
    for table in TABLES:
        former = {name: old for old, name in RENAMED.get(f"friendshore.{table.row.__name__}", {}).items()}
        head, _, rows = (folder / table.file).read_text().partition("\n")
        head = ",".join(former.get(name, name) for name in head.split(","))
        (folder / table.file).write_text(f"{head}\n{rows}")
    sealed(folder)
    return folder


def test_a_run_with_former_names_is_verified(old: Path) -> None:
    text = (old / RUN_FILE).read_text()
    assert '"bites"' in text
    assert '"requirement"' in text
    assert '"compliance_class"' not in text
    assert '"requirement"' in (old / FACTS_FILE).read_text()
    assert "requirement" in (old / "purchases.csv").read_text()
    checked = verify_run(old, Registry.of())
    assert (checked.findings, checked.verified) == ((), True)


def _forge(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        *steps, last = path.split(".")
        for step in steps:
            data = data[int(step) if step.isdigit() else step]  # type: ignore[call-overload]
        assert data.get(last) != value, path
        data[last] = value

    return change


FORGED = {
    "requirements.0.forbids": ["x"], "rules.0.bites": False, "rules.0.keeps_out": 7, "levels.0.least": 1, "levels.0.minimise": "spend",
    "dependence.0.is_cost": 3, "dependence.0.may_be_cost": 3, "purchases.0.requirement": "R9", "discounts.0.least": 1, "cash.0.on": "stock",
    "holdings.0.uses.1.bars": [], "deliveries.0.requirement": "R9",
}  # fmt: skip


@pytest.mark.parametrize("path", FORGED)
def test_a_forged_run_with_former_names_fails(old: Path, path: str) -> None:
    """Also if the forger writes the hashes again."""
    edit(old / RUN_FILE, _forge(path, FORGED[path]))
    sealed(old)
    assert verify_run(old, Registry.of()).findings


def test_forged_facts_and_tables_with_former_names_fail(old: Path) -> None:
    edit(old / FACTS_FILE, _forge("plan.purchases.0.requirement", "R9"))
    table = old / "deliveries.csv"
    table.write_text(table.read_text().replace("R1", "R9"))
    sealed(old)
    codes = {(Path(finding.file).name, finding.code) for finding in verify_run(old, Registry.of()).findings}
    assert ("deliveries.csv", "FS611") in codes
    assert len(codes) > 1


@pytest.mark.parametrize(
    ("file", "change"),
    [
        (RUN_FILE, _forge("rules.0.applies", True)),
        (RUN_FILE, _forge("planned_on", "2026-11-30")),
        (FACTS_FILE, _forge("plan.purchases.0.compliance_class", "R1")),
        (RUN_FILE, _forge("schema_version", 4)),
        (RUN_FILE, _forge("schema_version", 2)),
        (RUN_FILE, _forge("schema_version", "3")),
    ],
)
def test_mixed_names_are_refused(old: Path, file: str, change: Callable[[dict[str, Any]], None]) -> None:
    """A field with both names, and former names in a run of the current version."""
    edit(old / file, change)
    sealed(old)
    with pytest.raises(FriendshoreError):
        assert verify_run(old, Registry.of()).verified


def test_both_columns_of_a_table_are_refused(old: Path) -> None:
    table = old / "purchases.csv"
    head, _, rows = table.read_text().partition("\n")
    doubled = [f"{head},compliance_class", *(f"{row},R9" for row in rows.splitlines())]
    table.write_text("\n".join(doubled) + "\n")
    sealed(old)
    with pytest.raises(FriendshoreError):
        assert verify_run(old, Registry.of()).verified


def test_a_former_attribute_works_with_a_warning() -> None:
    run = planned(case(demand("metal", "civil", 10)), catalog(source("AU", 5))).run
    with pytest.warns(DeprecationWarning, match="`requirement` is now `compliance_class`"):
        assert run.purchases[0].requirement == "R1"  # type: ignore[attr-defined]
    with pytest.warns(DeprecationWarning, match="`made` is now `planned_on`"):
        assert run.made == run.planned_on  # type: ignore[attr-defined]
    for name in ("requirement", "no_such_field", "_private"):
        with pytest.raises(AttributeError):
            getattr(run, name)


def test_json_has_the_former_names_if_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = ranked()
    new = found.to_dict()
    monkeypatch.setenv(VARIABLE, FORMER)
    former = found.to_dict()
    assert former != new
    assert with_current_names(former, Run) == new
    assert former["levels"][0]["minimise"] == "shortage"
    assert "bites" in former["rules"][0]
    write_run(tmp_path / "run", found.run, found.facts(), verdicts(found.plan))
    assert '"bites"' not in (tmp_path / "run" / RUN_FILE).read_text(), "run folders have the current names"
    assert verify_run(tmp_path / "run", Registry.of()).verified


def test_json_that_is_no_record_has_the_former_names_if_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids stay as they are, also one that looks like a field."""
    new = {"programs": [{"program": "a", "short_kg": {"program": 1.0}}], "spent": {"by_program": [], "stock": 0.0}}
    assert keys_in_wanted_names(new, "programmes") == new
    monkeypatch.setenv(VARIABLE, FORMER)
    former = {
        "programmes": [{"programme": "a", "short_kg": {"program": 1.0}}],
        "spent": {"by_programme": [], "stock": 0.0},
    }
    assert keys_in_wanted_names(new, "programmes") == former


def records() -> Iterator[type[BaseModel]]:
    """Run, Plan, and all records of answers."""
    for package in [ROOT / "core" / "friendshore", *(path.parent for path in ROOT.glob("plugins/*/src/*/__init__.py"))]:
        for module in pkgutil.walk_packages([str(package)], f"{package.name}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    waiting: list[type[BaseModel]] = [Run, Plan, *QuestionResult.__subclasses__()]
    seen = set[type[BaseModel]]()
    while waiting:
        record = waiting.pop()
        if record in seen:
            continue
        seen.add(record)
        yield record
        inner = (record_in(field.annotation) for field in record.model_fields.values())
        waiting += [each for each in inner if each is not None]


def test_the_table_names_fields_that_exist_and_none_that_do() -> None:
    """Translation is one to one, and every record with JSON is found by its package and name."""
    named = {f"{record.__module__.partition('.')[0]}.{record.__name__}": record for record in records()}
    for key, names in RENAMED.items():
        assert len(set(names.values())) == len(names), key
        assert not set(names) & set(names.values()), key
        if key in named:
            assert set(names.values()) <= set(named[key].model_fields), key
            assert not set(names) & set(named[key].model_fields), key


def test_no_renamed_record_is_in_a_mapping_or_a_union() -> None:
    """Translation follows fields and lists."""
    for record in records():
        for name, field in record.model_fields.items():
            inner = list(_records_in(field.annotation))
            if any(f"{each.__module__.partition('.')[0]}.{each.__name__}" in RENAMED for each in inner):
                assert (len(inner), "dict" in str(field.annotation)) == (1, False), (record, name)


def _records_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _records_in(argument)
