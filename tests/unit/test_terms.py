"""What limit rules may count: every term says what it points at, and is read by the program and by the verifier, each by itself."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pytest

from friendshore.rules import terms
from friendshore.rules.base import Facts, Rule
from friendshore.rules.kinds.limits import Budget, Cover, MaxChurn, MaxSuppliers, StockLevel
from friendshore.rules.rows import Row
from friendshore.testing.asking import Asking
from friendshore.testing.worlds import worlds

CORE = Path(__file__).parents[2] / "core"
READERS = {
    "program": CORE / "friendshore/program/term_columns.py",
    "verifier": CORE / "friendshore/verify/term_values.py",
}
NEW = '''
@dataclass(frozen=True, slots=True, eq=False)
class ReturnedTerm(_OfDemands):
    """Kilograms sent back."""

    unit: ClassVar[Unit] = "kg"


Term = (
    ReturnedTerm
'''


@pytest.mark.parametrize("term", get_args(terms.Term), ids=lambda term: term.__name__)
def test_a_term_names_the_tables_that_its_fields_point_into(term: type) -> None:
    """Every field but the factors holds positions in the table of its name; what else asks for them finds them there."""
    pointing = [f.name for f in fields(term) if f.name not in ("weight", "times", "at_least", "parts", "for_uses")]
    assert pointing == list(getattr(term, "tables", ()))
    assert set(pointing) <= set(get_args(terms.Table))


@pytest.mark.parametrize("reader", READERS)
def test_every_term_is_read_by_program_and_verifier(reader: str) -> None:
    """Each has a case for every term, one for one, and ends where the type checker says that there is no other."""
    (matched,) = (node for node in ast.walk(ast.parse(READERS[reader].read_text())) if isinstance(node, ast.Match))
    *cases, last = matched.cases
    named = [ast.unparse(case.pattern) for case in cases]
    assert sorted(named) == sorted(f"terms.{term.__name__}()" for term in get_args(terms.Term))
    assert ast.unparse(last) == "case _:\n    assert_never(term)"


def test_program_and_verifier_read_terms_by_themselves() -> None:
    """Neither module imports anything of the other's package."""
    for name, other in (("program", "verify"), ("verifier", "program")):
        imports = [n for n in ast.walk(ast.parse(READERS[name].read_text())) if isinstance(n, ast.ImportFrom)]
        assert not [n for n in imports if (n.module or "").split(".")[0] == other]


@pytest.mark.deep
def test_a_term_that_is_read_nowhere_does_not_pass_the_type_checker(tmp_path: Path) -> None:
    """With one more class among the terms, mypy names both readers, and nothing else."""
    shutil.copytree(CORE, tmp_path / "core", ignore=shutil.ignore_patterns("__pycache__"))
    file = tmp_path / "core/friendshore/rules/terms.py"
    text = file.read_text()
    assert "\nTerm = (\n    BoughtTerm" in text
    file.write_text(text.replace("\nTerm = (\n    BoughtTerm", f"{NEW}    | BoughtTerm"))
    config, known = CORE.parent / "pyproject.toml", CORE.parent / ".mypy_cache"
    if known.is_dir():  # what the type checker knows of all the other files is as true of their copies
        shutil.copytree(known, tmp_path / "cache")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        str(config),
        "--cache-dir",
        str(tmp_path / "cache"),
        "core",
    ]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    wrong = [line for line in run.stdout.splitlines() if ": error:" in line]
    assert sorted(line.partition(":")[0] for line in wrong) == [
        "core/friendshore/program/term_columns.py",
        "core/friendshore/verify/term_values.py",
    ], run.stdout
    assert all("assert_never" in line and "ReturnedTerm" in line for line in wrong)


class Everything(Rule):
    """It counts what no built-in kind counts."""

    kind: Literal["everything"] = "everything"

    def rows(self, facts: Facts) -> Iterable[Row]:
        """What is delivered and what is short."""
        periods = range(facts.horizon.count)
        for name, term in (("delivered", facts.delivered(_one, periods)), ("short", facts.short(_one, periods))):
            yield Row(name, (term,), at_least=Decimal(0), sentence="It is no less than nothing.")


def _one(_: object) -> int:
    return 1


def test_made_up_cases_of_the_kit_have_something_of_every_term() -> None:
    """Where a rule is tried there are stock, orders placed, onboarding, tiers, take-or-pay, terms of trade and runs of two goods."""
    given: list[tuple[type[Rule], dict[str, object]]] = [
        (Budget, {"amount": 1}), (Cover, {"days": 30}), (MaxChurn, {"share": "0.5"}), (StockLevel, {"at_most": 5}),
        (MaxSuppliers, {"count": 1}), (Everything, {}),
    ]  # fmt: skip
    rules = [kind.model_validate({"id": kind.__name__, **words}) for kind, words in given]
    found: set[type] = set()
    lots: set[int] = set()
    for world in worlds(rules, count=6):
        for rule in rules:
            asking = Asking(rule, world)
            lots.add(len(asking.problem.lots))
            found |= {type(t) for made in asking.rows() for t in made.asked if not t.is_empty}
    assert found == set(get_args(terms.Term))
    assert 2 in lots


def bought(*weights: float, times: float = 1.0) -> terms.BoughtTerm:
    """What is bought of the first moves."""
    return terms.BoughtTerm(np.arange(len(weights)), np.array(weights), times)


class TestLacking:
    """What is lacking is convex: it may be kept small, and is made of what is linear."""

    def test_of_a_count_is_refused(self) -> None:
        """Nothing lacks of what is used or not."""
        used = terms.UsedTerm(np.arange(1), np.ones(1))
        with pytest.raises(ValueError, match="not of what is used or lacking"):
            terms.lacking((Decimal(1), used))

    def test_is_never_asked_to_be_large(self) -> None:
        """A row with a least is refused, and one whose most is of its negative."""
        missing = terms.lacking((Decimal(1), bought(1.0)))
        with pytest.raises(ValueError, match="never asked for"):
            Row("x", (missing,), at_least=Decimal(1))
        with pytest.raises(ValueError, match="never asked for"):
            Row("x", (terms.LackingTerm(missing.parts, -1.0),), at_most=Decimal(1))

    def test_is_counted_in_what_its_parts_are(self) -> None:
        """Kilograms that are lacking are kilograms, money is money."""
        spent = terms.SpentTerm(np.arange(1), np.ones(1))
        assert terms.lacking((Decimal(1), bought(1.0))).unit == "kg"
        assert terms.lacking((Decimal(1), spent)).unit == "money"
