"""Slips that planners make: each is reported once, where it is, with the fix."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from friendshore.case import load_case, parse_changes
from friendshore.catalog import load_catalog
from friendshore.errors import Diagnostic, InputError
from friendshore.plugins import Registry
from friendshore.problem.changes import scenario_changes
from friendshore.recommend import gather
from friendshore.recommend.check import check

from .program import call, here
from .test_review import edit, folder

__all__ = ["folder"]

CASE, OFFERS, CAPACITY = "case.toml", "catalog/offers.csv", "catalog/capacity.csv"
ORDER = '[[order]]\noffer = "quebec-gallium"\nquantity = "1 t"\narrives = {}'
DATA = Path(__file__).parents[1] / "data"
LIMIT = '[[rule]]\nkind = "max-share"\nid = "limit"\nby = "supplier"\nshare = {}'

SLIPS = {
    "a century and a half": (CASE, "periods = 6 ", "periods = 500 ", "case.periods", "plan at most 400 quarters"),
    "a misspelt key": (CASE, "periods = 6", "perods = 6", "case.perods", "did you mean `periods`?"),
    "a misspelt column": (CAPACITY, "facility,", "facilty,", "facilty", "did you mean `facility`?"),
    "a decimal comma": (CASE, '"4 USD/kg"', '"4,50 USD/kg"', "assume.freight", "write 4.50 (with a point"),
    "a comma without quotes": (OFFERS, "540 USD/kg", "540,50 USD/kg", "", "write 540.50 USD/kg (with a point"),
    "a sign of a currency": (OFFERS, "540 USD/kg", "540 $/kg", "price", "write USD instead of $"),
    "a percentage as a number": (CASE, '"8%"', "8", "case.discount", 'write "8%"'),
    "another day": (CASE, "start = 2026-10-01", "start = 01.10.2026", "", "like start = 2027-01-31"),
    "an end use with a sign": (CASE, 'end_use = "civil"', 'end_use = "defence_"', "demand[2].end_use", "did you mean `defense`?"),
    "no quotes": (CASE, '"1 quarter"', "1 quarter", "", 'lead_time = "1 quarter"'),
    "a quote that is not closed": (CASE, '"first-case"', '"first-case', "", "add the quote at the end of the text"),
    "a capacity of each product": (
        CAPACITY, "kwinana,2027-07-01", "quebec,,5 t/year,operating,invented\nkwinana,2027-07-01", "facility", "`max_per_year` of its offer",
    ),
    "an order that has arrived": (CASE, "", ORDER.format("2026-09-01"), "order[1].arrives", "as [[stock]]"),
    "an order after the end": (CASE, "", ORDER.format("2036-09-01"), "order[1].arrives", "plan more `periods`"),
    "a share in percent": (CASE, "", LIMIT.format('"70"'), "share", 'write "70%"'),
    "a share of 70": (CASE, "", LIMIT.format("70"), "share", 'write "70%"'),
}  # fmt: skip


def line_of(folder: Path, one: Diagnostic, file: str = CASE) -> str:
    """Return the line that a diagnostic names."""
    assert one.row is not None
    return (folder / file).read_text(encoding="utf-8").splitlines()[one.row - 1]


@pytest.mark.parametrize(("file", "old", "new", "column", "fix"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_the_only_mistake_and_comes_with_its_fix(
    folder: Path, file: str, old: str, new: str, column: str, fix: str
) -> None:
    """File, line, and key or column, and what to write."""
    edit(folder, (old, new), file=file)
    (one,) = check(folder, Registry.of()).errors
    assert (one.file, one.column) == (str(folder / file), column)
    assert new.splitlines()[0 if file == CAPACITY else -1] in line_of(folder, one, file)
    assert fix in one.fix
    check_fixes(all_problems, folder)


def test_what_follows_from_a_misspelled_column_is_not_reported(folder: Path) -> None:
    """The column is optional, or its suggestion less similar."""
    table = folder / OFFERS
    text = table.read_text(encoding="utf-8")
    for wrong, right in (("materiel", "material"), ("facilities", "facility")):
        table.write_text(text.replace(right, wrong, 1), encoding="utf-8")
        (one,) = check(folder, Registry.of()).errors
        assert (one.code, one.fix) == ("FS001", f"did you mean `{right}`?")


@pytest.mark.parametrize(
    ("head", "row", "code"),
    [
        ("curency,to,from,rate,source", "CHF,USD,2026-01-01,1.15,invented", "FS001"),
        ("currency,to,from,rate,source", "CHF,USD,2026-01-01,abc,invented", "FS011"),
        ("currency,to,from,rate,source", "CHF,USD,2026-01-01,1,15,invented", "FS060"),
    ],
)
def test_a_rate_with_a_mistake_is_not_a_missing_one(folder: Path, head: str, row: str, code: str) -> None:
    """Only the mistake is reported."""
    edit(folder, ("700 USD/kg", "700 CHF/kg"), file=OFFERS)
    (folder / "catalog/rates.csv").write_text(f"{head}\n{row}\n", encoding="utf-8")
    (one,) = check(folder, Registry.of()).errors
    assert one.code == code


@pytest.mark.parametrize("other", ["", "\n[[demand]]\nmaterial = 5\n"], ids=["alone", "beside another mistake"])
def test_a_missing_rate_is_one_problem_that_names_all_who_need_it(folder: Path, other: str) -> None:
    """Another mistake doesn't hide it."""
    edit(folder, *((f"{price} USD/kg", f"{price} CHF/kg") for price in (700, 260, 540)), file=OFFERS)
    edit(folder, ("", other))
    (one,) = [one for one in check(folder, Registry.of()).errors if "exchange rate" in one.message]
    assert (one.file, one.column, one.found) == (str(folder / OFFERS), "price", "an amount in CHF")
    assert type(one) is Diagnostic  # reports show all fields
    assert all(name in one.message for name in ("quebec-gallium", "guangxi-gallium", "kwinana-gallium"))


@pytest.mark.parametrize(
    ("change", "fix"),
    [
        ("remove=quebec-galium", "`quebec-gallium`"),
        ("remove=Alumina", "`Example Alumina`"),
        ("capacity=quebc, factor=2", "`quebec`"),
        ("capacity=offer:quebec, factor=2", "`offer:quebec-gallium`"),
        ("price=gallium, factor=2", "`gallium-4n`"),
        ("demand=radr, factor=2", "`radar`"),
        ("stock=gallium, quantity=1 t, countries=US", "`gallium-4n`"),
        ("remove=nobody-of-that-name", ""),
    ],
)
def test_a_change_that_names_nothing_suggests_what_it_may_mean(folder: Path, change: str, fix: str) -> None:
    """The suggestion is a similar name, or one that contains it."""
    inputs = gather(load_case(folder), Registry.of()).inputs
    with pytest.raises(InputError) as caught:
        inputs.after(parse_changes([change]))
    assert caught.value.problems[0].fix == (f"did you mean {fix}?" if fix else "")


@pytest.mark.parametrize("name", ["no-canda", "canada"])
def test_an_unknown_scenario_suggests_one_like_it(folder: Path, name: str) -> None:
    """Without scenarios, the fix is the option for changes."""
    case = load_case(folder)
    with pytest.raises(InputError) as caught:
        scenario_changes(case, [name])
    assert caught.value.problems[0].fix == "did you mean `no-canada`?"
    with pytest.raises(InputError, match="--change"):
        scenario_changes(case.but(scenarios=()), [name])


def test_an_option_of_another_command_suggests_what_it_is_called_here(folder: Path) -> None:
    """`--out` names what is written, in every command."""
    done = call(["calendar", str(folder), "--output", "page.html"], os.environ)
    assert (done.returncode, "--out" in done.stderr) == (2, True)


def test_the_former_option_for_a_page_works_and_says_so(folder: Path, tmp_path: Path) -> None:
    """`--html FILE` writes the page for one more version, with a note."""
    done = call(["calendar", str(folder), "--quiet", "--html", str(tmp_path / "page")], os.environ)
    assert (done.returncode, "--out FILE.html" in done.stderr) == (0, True)
    assert (tmp_path / "page").read_text("utf-8").startswith("<!doctype html>")


def test_the_former_option_for_a_page_and_out_write_each_its_own_format(folder: Path, tmp_path: Path) -> None:
    """`--out x.md` stays Markdown."""
    page, text = tmp_path / "page", tmp_path / "page.md"
    done = call(["calendar", str(folder), "--quiet", "--html", str(page), "--out", str(text)], os.environ)
    assert done.returncode == 0
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert text.read_text("utf-8").startswith("# ")


@pytest.mark.parametrize("table", ["offers", "sources", "facilities", "materials"])
def test_a_table_under_another_name_is_the_only_mistake(folder: Path, table: str) -> None:
    """Tables and the case may refer to records of the missing table."""
    edit(folder, ("", ORDER.format("2026-12-01")))
    (folder / f"catalog/{table}.csv").rename(folder / f"catalog/{table} list.csv")
    (one,) = check(folder, Registry.of()).errors
    assert (one.file, one.fix) == (str(folder / f"catalog/{table} list.csv"), f"did you mean `{table}.csv`?")


def test_an_offer_with_an_open_order_that_cannot_be_bought_is_pointed_out_first(folder: Path) -> None:
    """A blank price would make the plan buy from another supplier."""
    edit(folder, ("", ORDER.format("2026-12-01")))
    edit(folder, ("700 USD/kg,invented", ","), file=OFFERS)
    first, *_ = check(folder, Registry.of()).suggestions
    assert (first.file, first.column) == (str(folder / CASE), "order.offer")
    assert line_of(folder, first) == 'offer = "quebec-gallium"'
    assert "price" in first.message


@pytest.mark.parametrize(("share", "fix"), [('"0.7%"', "write `70%` if you mean 0.7"), ('"7%"', ""), ("0.007", "")])
def test_a_share_of_less_than_a_percent_is_pointed_out(folder: Path, share: str, fix: str) -> None:
    """`0.7%` usually means 70%."""
    edit(folder, ("", LIMIT.format(share)))
    found = [one for one in check(folder, Registry.of()).suggestions if "less than one percent" in one.message]
    assert [(one.column, one.fix.partition(";")[0]) for one in found] == ([("rule.share", fix)] if fix else [])


@pytest.mark.parametrize(
    ("line", "column", "fix"),
    [
        ('materials = ["galium-4n"]', "rule.materials", "did you mean `gallium-4n`?"),
        ('elements = ["Gaa"]', "rule.elements", "did you mean `Ga`?"),
        ('facilities = ["quebc"]', "rule.facilities", "did you mean `quebec`?"),
    ],
)
def test_a_bad_field_of_a_rule_hides_no_unknown_name(folder: Path, line: str, column: str, fix: str) -> None:
    """Both are reported at once, each at its line."""
    edit(folder, ("", f"{LIMIT.format('70')}\n{line}"))
    found = {one.column: one for one in check(folder, Registry.of()).errors}
    assert set(found) == {"share", column}
    assert (found[column].fix, line_of(folder, found[column])) == (fix, line)


WAFERS = """
[[demand]]
id = "wafers"
material = "gallium-oxide"
end_use = "civil"
per_year = "{}"
shortage_price = "900 USD/kg"
why = "invented"
"""


@pytest.mark.parametrize(
    ("basis", "quantity", "asked", "doubtful"),
    [
        ("", "300 kg", 1, 0),
        ("Ga2O3", "300 kg Ga2O3", 0, 0),
        ("gross", "300 kg", 0, 0),
        ("Ga", "300 kg", 0, 1),
        ("Ga", "300 kg Ga2O3", 0, 0),
        ("Ga", "300 kg Ga", 0, 0),
    ],
)
def test_a_blank_basis_and_a_demand_in_plain_kilograms_are_asked_about(
    folder: Path, tmp_path: Path, basis: str, quantity: str, asked: int, doubtful: int
) -> None:
    """A stated basis and a named substance are accepted as they are."""
    for name, text in (
        ("catalog/materials.csv", f"gallium-oxide,Gallium oxide,Ga,oxide,,{basis},,,,invented\n"),
        ("catalog/factors.csv", "element,compound,kg_per_kg,source\nGa,Ga2O3,0.7439,invented\n"),
        ("case.toml", WAFERS.format(quantity)),
    ):
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(text)
    found = check(folder, Registry.of()).suggestions
    blank = [(one.column, one.expected) for one in found if "has no basis" in one.message]
    assert blank == [("basis", "`Ga`, `Ga2O3`, `gross`")] * asked
    plain = [one for one in found if one.code == "FS656"]
    assert [one.found for one in plain] == ["`wafers`"] * doubtful
    assert all("count as Ga, of which 1 kg is 1.344 kg of Ga2O3" in one.message for one in plain)
    told = json.loads(here("catalogs", "convert", folder / "catalog", tmp_path / "new", "--json").stdout)
    assert [one["column"] for one in told["doubts"]] == ["basis"] * asked


# ---------------------------------------------------------------------------------------------------------------- followed

HIDDEN = {"FS027", "FS202"}
"""Codes of further mistakes in the bad files that only a readable cell reveals: a second price, and a second quantity."""


def followed(line: str, one: Diagnostic) -> str | None:
    """Return a line as its fix says. None if the fix doesn't state what to write, or to delete the line."""
    found, key = one.found.strip("`[]"), one.column.rpartition(".")[2]
    if match := re.match(r"did you mean `([^`]+)`\?", one.fix):
        words = [key] if one.code == "FS001" else [found, *re.split(r"[\s;,\"`/]+", found)]
        wrong = max(words, key=lambda word: SequenceMatcher(None, word.casefold(), match[1].casefold()).ratio())
        return re.sub(rf"(?<![\w-]){re.escape(wrong)}(?![\w-])", match[1], line, count=1)
    if match := re.match(r'write ("[^"]+")(?:$|,)', one.fix):
        return line.replace(found or line.partition("= ")[2], match[1], 1)
    if match := re.match(r"write ([\d.]+)\b.* \(with a point", one.fix):
        return re.sub(r"\d[\d.,]*(?=\s)", match[1], line, count=1)
    if match := re.match(r"write (\w+) instead of (\S+)$", one.fix):
        return line.replace(match[2], match[1], 1)
    if match := re.search(r"name one country, like (\w+)$", one.fix):
        return line.replace(found, match[1], 1)
    return "" if one.fix == "delete it" or one.fix.startswith("leave it blank") else None


def followed_in(lines: list[str], one: Diagnostic) -> str | None:
    """Return the line of a diagnostic as its fix says, changed only in its cell if the file is a table."""
    assert one.row is not None
    head, cells = lines[0].split(","), lines[one.row - 1].split(",")
    if one.column not in head or len(cells) != len(head):
        return followed(lines[one.row - 1], one)
    position = head.index(one.column)
    cell = followed(cells[position], one)
    return None if cell is None else ",".join([*cells[:position], cell, *cells[position + 1 :]])


def case_problems(folder: Path) -> list[Diagnostic]:
    return problems_of(load_case, folder)


def catalog_problems(folder: Path) -> list[Diagnostic]:
    return problems_of(load_catalog, folder)


def problems_of(read: Callable[[Path], object], folder: Path) -> list[Diagnostic]:
    try:
        read(folder)
    except InputError as error:
        return list(error.problems)
    return []


def all_problems(folder: Path) -> list[Diagnostic]:
    """Return the errors of a case with everything that it names."""
    return list(check(folder, Registry.of()).errors)


def check_fixes(problems_in: Callable[[Path], list[Diagnostic]], folder: Path) -> int:
    """Follow each fix alone. The diagnostic goes, and none takes its place. Return how many fixes can be followed."""
    count = 0
    for one in problems_in(folder):
        lines = Path(one.file).read_text(encoding="utf-8").splitlines() if one.row else []
        line = followed_in(lines, one) if one.row else None
        if one.row is None or line is None:
            continue
        count += 1
        assert line != lines[one.row - 1], one
        fixed = [*lines[: one.row - 1], line, *lines[one.row :], ""]
        Path(one.file).write_text("\n".join(fixed), encoding="utf-8")
        place = (one.file, one.row, one.column)
        assert [p for p in problems_in(folder) if (p.file, p.row, p.column) == place and p.code not in HIDDEN] == [], (
            one
        )
        Path(one.file).write_text("\n".join([*lines, ""]), encoding="utf-8")
    return count


@pytest.mark.parametrize(("problems_in", "name"), [(case_problems, "bad-case"), (catalog_problems, "bad-catalog")])
def test_every_fix_in_the_bad_files_is_accepted(
    problems_in: Callable[[Path], list[Diagnostic]], name: str, tmp_path: Path
) -> None:
    """Each is followed alone, if it says what to write."""
    assert check_fixes(problems_in, Path(shutil.copytree(DATA / name, tmp_path / "bad"))) >= 15


@pytest.mark.deep
@pytest.mark.parametrize(
    ("problems_in", "name"), [(all_problems, ""), (case_problems, "good-case"), (catalog_problems, "good-catalog")]
)
def test_every_fix_of_a_misspelled_word_is_accepted(
    problems_in: Callable[[Path], list[Diagnostic]], name: str, folder: Path, tmp_path: Path
) -> None:
    """Two letters are swapped in every word of valid files, one at a time."""
    good = Path(shutil.copytree(DATA / name, tmp_path / "good")) if name else folder
    count = 0
    for file in sorted(path for path in good.rglob("*") if path.suffix in (".csv", ".toml")):
        text = file.read_text(encoding="utf-8")
        for word in re.finditer(r"[a-z-]{5,}", text):
            at = word.start() + 2
            file.write_text(text[:at] + text[at + 1] + text[at] + text[at + 2 :], encoding="utf-8")
            count += check_fixes(problems_in, good)
        file.write_text(text, encoding="utf-8")
    assert count >= 30
