"""Plugins outside the workspace, valid or with one change, and the findings of `plugins check`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from .case_books import friendshore

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "2.1"
dependencies = ["friendshore>=0.1,<0.2"]

[project.entry-points.friendshore]
acme = "{package}"
"""
TABLES = {
    "catalog.toml": 'schema = 1\nname = "acme-tin"\ntitle = "Tin"\nlicense = "CC0-1.0"\nas_of = 2026-11-01\n',
    "sources.csv": "id,reference,date,confidence,states\nquote,a quote of Acme,2026-10-01,verified,mined;refined\n"
    "list,a list,2026-09-01,computed,smelting\n",
    "materials.csv": "id,name,element,form,basis,content,stages,source\n"
    "tin,Tin,Sn,metal,gross,1,mined;refined,quote\n"
    "tin-oxide,Tin oxide,Sn,oxide,gross,0.79,mined;refined,quote\n",
    "facilities.csv": "id,name,operator,country\nsmelter,Smelter,Acme,AU\nworks,Works,Beta,JP\n",
    "capacity.csv": "facility,from,per_year,status,source\nsmelter,2020-01-01,100 t/year,operating,quote\nworks,2020-01-01,9 t/year,operating,list\n",
    "prices.csv": "id,material,date,price,source\ntin-lme,tin,2026-10-01,33000 USD/t,quote\ntin-lme,tin,2026-09-01,31 USD/kg,quote\n",
    "offers.csv": "id,facility,material,price,price_source,benchmark,max_order,source\n"
    "tin-au,smelter,tin,30 USD/kg,quote,,5 t,quote\n"
    "oxide-au,smelter,tin-oxide,26 USD/kg,quote,,,quote\n"
    "tin-jp,works,tin,,,tin-lme,,list\n",
    "recipe.csv": "offer,role,material,per_unit,source\ntin-jp,input,tin-oxide,1.3,list\n",
    "chain.csv": "offer,stage,countries,complete,source\ntin-au,mined,AU,yes,quote\ntin-au,refined,AU,yes,quote\n"
    "oxide-au,mined,AU,yes,quote\noxide-au,refined,,no,quote\ntin-jp,smelting,JP,yes,list\n",
}
"""A valid catalog of three offers. One has another as input; one has a benchmark, one an unknown stage."""
RULE = '''
from decimal import Decimal
from itertools import count
from typing import Literal

from friendshore.hookspecs import hookimpl
from friendshore.rules.base import Rule
from friendshore.rules.rows import Row

numbers = count()


class House(Rule):
    """No more than so much is bought in a period."""

    kind: Literal["house"] = "house"
    title: str = "No more than 60 kg are bought in a period."
    most: Decimal = Decimal(60)

    def rows(self, facts):
        for label, periods in facts.spans("period"):
            bought = facts.bought(lambda offer, place: 1, periods)
            yield Row(label, (bought,), at_most=self.most, sentence=f"No more than {self.most} kg in {label}.")


@hookimpl
def friendshore_rules():
    return [House]
'''
COUNTS = "lambda offer, place: 1"


def source(folder: Path, files: Mapping[str, str], manifest: str, code: str = "") -> Path:
    """Write the source project of a plugin."""
    name = f"acme-{folder.name}"
    package = folder / "src" / name.replace("-", "_")
    texts = {
        "__init__.py": code,
        "friendshore.toml": manifest,
        **{f"catalog/{file}": text for file, text in files.items()},
    }
    (folder / "src").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PROJECT.format(name=name, package=package.name))
    for path, text in texts.items():
        (package / path).parent.mkdir(parents=True, exist_ok=True)
        (package / path).write_text(text)
    return folder


def catalog_plugin(folder: Path, **tables: tuple[str, str]) -> Path:
    """Write a plugin with a catalog. Each named table has a text replaced."""
    files = dict(TABLES)
    for table, (old, new) in tables.items():
        assert old in files[f"{table}.csv"]
        files[f"{table}.csv"] = files[f"{table}.csv"].replace(old, new)
    return source(folder, files, 'api = 1\ncatalogs = ["catalog"]\n')


def rule_plugin(folder: Path, old: str = "", new: str = "", api: int = 1) -> Path:
    """Write a plugin with a rule kind. Its code has a text replaced."""
    assert old in RULE
    return source(folder, {}, f'api = {api}\nkinds = ["house"]\n', RULE.replace(old, new) if old else RULE)


def checked(folder: Path) -> tuple[int, dict[str, str]]:
    """Return the exit code of `plugins check` and the findings of each failed check."""
    done = friendshore("plugins", "check", folder, "--json")
    answer: dict[str, Any] = json.loads(done.stdout)
    mistakes = [check for check in answer["checks"] if check["result"] == "mistake"]
    assert answer["ok"] is not bool(mistakes)
    return done.exit_code, {check["check"]: json.dumps(check["problems"]) for check in mistakes}


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Remove imported plugins after each test."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith("acme_"):
            del sys.modules[name]
