"""Declarations as facts: what each proves, and which files are refused."""

from __future__ import annotations

import re
import shutil
import zipfile
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import pytest
from openpyxl import Workbook, load_workbook  # noqa: TID253 - damaged workbooks are what it makes
from tests.building import ban, built, case, demand, refused
from typer.testing import CliRunner

from friendshore.catalog.folder import read_draft, read_head
from friendshore.catalog.known import known_from
from friendshore.catalog.tables import tables_at
from friendshore.cli import app
from friendshore.domain.case import Accept
from friendshore.domain.evidence import Confidence
from friendshore.domain.facts import Catalog, ChainEntry
from friendshore.errors import Diagnostic, InputError
from friendshore.explain.eligibility import exclusions
from friendshore.plugins import Registry
from friendshore_dossier.declarations import DeclaredCatalog
from friendshore_dossier.templates import TEMPLATES, country_in

from .workbooks import AMRT, CMRT, EMRT, EMRT2, Form, Listed, suppliers

HEAD = "document,offers,metal,product,stages,confirmed,confirmation,sha256\n"
VERSIONS = [*(("CMRT", v) for v in CMRT), *(("EMRT", v) for v in (*EMRT, *EMRT2)), *(("AMRT", v) for v in AMRT)]
METAL = {"CMRT": "tungsten", "EMRT": "cobalt", "AMRT": "rare earth elements"}
MATERIAL = {"CMRT": "apt", "EMRT": "cobalt", "AMRT": "oxide"}
COVERED = {"CHINA", "RUSSIAN FEDERATION"}


def read(folder: Path) -> Catalog:
    """Return the catalog of a folder with its declarations, as a case would get it."""
    problems: list[Diagnostic] = []
    tables = tables_at(DeclaredCatalog(folder).read(), problems, Registry.discover().fact_columns)
    head = read_head(tables, problems)
    draft = read_draft(tables, head.keys, "", known_from(()), problems)
    assert not problems
    return draft.catalog


def declared(
    tmp_path: Path, form: Form, metal: str = "tungsten", product: str = "APT-100", more: str = ",,,"
) -> Catalog:
    """Return the catalog with one form linked to its offer."""
    link = f"{HEAD}acme.xlsx,acme-apt,{metal},{product},{more}\n"
    folder = suppliers(tmp_path / "suppliers", link, material=MATERIAL[form.family])
    form.save(folder / "acme.xlsx")
    return read(folder)


def chain(catalog: Catalog, stage: str, offer: str = "acme-apt") -> ChainEntry | None:
    (entries,) = (o.chain for o in catalog.offers if o.id == offer)
    return next((entry for entry in entries if entry.stage == stage), None)


def results(catalog: Catalog) -> dict[str, str]:
    """Return the result of a ban on refining in China and Russia for each offer."""
    needs = case(
        *(demand(material, "defense", 1) for material in MATERIAL.values()), accept=Accept(confidence=Confidence.QUOTED)
    )
    problem = built(needs, catalog, ban("refined", countries="CN/RU", start=None))
    excluded = {item.arc.chained.offer.id: item.verdict.result.value for item in exclusions(problem)}
    return {offer.id: excluded.get(offer.id, "pass") for offer in catalog.offers}


def by_hand(form: Form, product: str, confirmed: bool) -> str:
    """Return the result that a compliance officer would write down."""
    is_closed = (
        form.scope.startswith("B") and product in form.products and form.used == "Yes" and form.responses in ("100%", 1)
    )
    if form.family == "AMRT":  # it doesn't ask whether the list is complete
        is_closed = is_closed and confirmed
    else:
        is_closed = is_closed and form.identified == form.reported == "Yes"
    own = [s for s in form.smelters if s.metal.casefold() == METAL[form.family]]
    is_closed = is_closed and bool(own) and all(not s.lookup and s.country != "Unknown" for s in own)
    covered = [s.country in COVERED for s in own]
    return "unproven" if not is_closed or any(covered) and not all(covered) else "fail" if all(covered) else "pass"


def drawn(random: Random) -> tuple[Form, str, bool]:
    """Return a random form, the product that it is about, and whether a letter confirms its list."""
    family, version = random.choice(VERSIONS)
    metal, other = METAL[family].title(), {"CMRT": "Tin", "EMRT": "Mica", "AMRT": "Silver"}[family]
    pool = random.choice(
        (["CHINA"], ["AUSTRIA", "JAPAN", "KOREA, REPUBLIC OF"], ["CHINA", "AUSTRIA", "VIET NAM", "BRAZIL"])
    )
    smelters = [Listed(metal, f"Works {n}", random.choice(pool)) for n in range(random.randint(1, 4))]
    smelters.append(Listed(other, "Other works", "CHINA"))
    if random.random() < 0.15:
        name = random.choice(("Smelter not yet identified", "Smelter not listed"))
        smelters.append(Listed(metal, "Some works", random.choice(("AUSTRIA", "Unknown")), lookup=name))
    if random.random() < 0.1:
        smelters[0] = replace(smelters[0], country="Unknown")
    random.shuffle(smelters)
    often = lambda word, *others: word if random.random() < 0.9 else random.choice(others)  # noqa: E731
    form = Form(
        family,
        version,
        scope=often("B. Product (or List of Products)", "A. Company", "C. User defined"),
        used=often("Yes", "Unknown", ""),
        responses=often("100%", "Greater than 90%", "None", ""),
        identified=often("Yes", "No", "Unknown", ""),
        reported=often("Yes", "No", ""),
        smelters=smelters,
        answered=(metal,),
        language=random.choice(("en", "zh", "de")),
    )
    return form, often("APT-100", ""), random.random() < 0.7


@pytest.mark.parametrize("count", [8, pytest.param(200, marks=pytest.mark.deep)])
def test_each_verdict_is_the_one_of_a_rule_written_by_hand(tmp_path: Path, count: int) -> None:
    random, links, offers, expected = Random(count), HEAD, "", {"acme-apt": "unproven"}
    folder = suppliers(tmp_path / "suppliers", "")
    for number in range(count):
        form, product, is_confirmed = drawn(random)
        form.save(folder / f"d{number}.xlsx")
        has_country = any(s.metal.casefold() == METAL[form.family] and s.country != "Unknown" for s in form.smelters)
        is_confirmed = is_confirmed and has_country
        letter = "refined,letter of 2026" if is_confirmed else ","
        links += f"d{number}.xlsx,offer-{number},{METAL[form.family]},{product},refined,{letter},\n"
        offers += f"offer-{number},plant,{MATERIAL[form.family]},40 USD/kg,quote\n"
        expected[f"offer-{number}"] = by_hand(form, product, is_confirmed)
    suppliers(folder, links, offers=offers)
    found = results(read(folder))
    assert found == expected
    assert count < 200 or {"pass", "fail", "unproven"} == set(found.values())


@pytest.mark.parametrize(("family", "version"), VERSIONS)
def test_every_version_is_read_completely(tmp_path: Path, family: str, version: str) -> None:
    metal = METAL[family]
    smelter = Listed(metal.title(), "Works", "JAPAN", "CID000042", mine_country="PORTUGAL")
    catalog = declared(tmp_path, Form(family, version, smelters=[smelter]), metal)
    refined, mined = chain(catalog, "refined"), chain(catalog, "mined")
    assert refined is not None
    assert refined.countries == {"JP"}
    assert refined.complete == (family != "AMRT")
    assert mined is not None
    assert mined.countries == {"PT"}
    assert not mined.complete
    (source,) = (source for source in catalog.sources if source.id == refined.source)
    assert f"{family} {version} of Example Metals: acme.xlsx, Smelter List!" in source.reference
    assert source.date is not None
    assert source.date.isoformat() == "2026-05-31"
    assert [f.country for f in catalog.facilities if f.id == "cid000042"] == ["JP"]


def test_the_versions_of_the_test_are_those_of_the_reader() -> None:
    assert sorted((t.family, v) for t in TEMPLATES for v in t.versions) == sorted(VERSIONS)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("KOREA, REPUBLIC OF", "KR"),
        ("KOREA (DEMOCRATIC PEOPLE'S REPUBLIC OF)", "KP"),
        ("BOLIVIA (PLURINATIONAL STATE OF)", "BO"),
        ("CONGO, DEMOCRATIC REPUBLIC OF THE", "CD"),
        ("COCOS (KEELING) ISLANDS", "CC"),
        ("WESTERN SAHARA *", "EH"),
        ("TAIWAN, PROVINCE OF CHINA", "TW"),
        ("CONGO", None),  # two countries
        ("UNKNOWN", None),
    ],
)
def test_countries_are_read_as_the_forms_name_them(text: str, code: str | None) -> None:
    assert country_in(text) == code


def test_a_letter_closes_what_the_form_does_not_ask_and_nothing_else(tmp_path: Path) -> None:
    smelters = [Listed(mine_country="Portugal; Spain")]
    more = ",mined,letter of 2026-06-01,"
    mined = chain(declared(tmp_path / "b", Form(smelters=smelters), more=more), "mined")
    assert mined is not None
    assert mined.complete
    assert mined.countries == {"PT", "ES"}
    for name, form in {
        "company": Form(smelters=smelters, scope="A. Company"),
        "asked": Form(smelters=smelters, identified="No"),
        "blank": Form(smelters=[*smelters, Listed(name="Other", mine_country="")]),
        "free text": Form(smelters=[Listed(mine_country="Portugal; various")]),
    }.items():
        mined = chain(declared(tmp_path / name, form, more=more), "mined")
        assert mined is not None, name
        assert not mined.complete, name


def test_mines_come_from_the_mine_list_too(tmp_path: Path) -> None:
    form = Form(
        "EMRT", "2.1", smelters=[Listed("Cobalt", "Works", "FINLAND")], mines=[("Cobalt", "Works", "Pit", "CHINA")]
    )
    mined = chain(declared(tmp_path / "one", form, "cobalt", more=",mined,letter,"), "mined")
    assert mined is not None
    assert mined.complete
    assert mined.countries == {"CN"}
    form = replace(form, mines=[*form.mines, ("Cobalt", "Another", "Pit", "CANADA")])
    mined = chain(declared(tmp_path / "two", form, "cobalt", more=",mined,letter,"), "mined")
    assert mined is not None
    assert not mined.complete
    assert mined.countries == {"CN", "CA"}


def test_recycled_feed_counts_only_if_all_of_it_is_stated(tmp_path: Path) -> None:
    scrap = Listed(recycled="Yes", mine_country="recycled")
    entry = chain(declared(tmp_path / "all", Form(smelters=[scrap], all_recycled="Yes")), "refined")
    assert entry is not None
    assert entry.recycled
    for name, form in {
        "one": Form(smelters=[scrap, Listed(name="Other", recycled="No")], all_recycled="Yes"),
        "answer": Form(smelters=[scrap], all_recycled="No"),
        "company": Form(smelters=[scrap], all_recycled="Yes", scope="A. Company"),
    }.items():
        entry = chain(declared(tmp_path / name, form), "refined")
        assert entry is not None, name
        assert not entry.recycled, name


def test_a_form_computed_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    """Excel saves formulas with an empty text as their value, and merges and hides cells of the form."""
    form = Form()
    folder = suppliers(tmp_path / "suppliers", f"{HEAD}acme.xlsx,acme-apt,tungsten,APT-100,,,,\n")
    book = form.book()
    about, smelters = book["Declaration"], book["Smelter List"]
    for row in range(8, 160):
        about.merge_cells(f"E{row}:F{row}")
    smelters.row_dimensions[5].hidden = True
    for row in range(6, 60):
        smelters[f"B{row}"] = '=IF(LEN(A6)=0,"",1)'
    book.save(folder / "raw.xlsx")
    with zipfile.ZipFile(folder / "raw.xlsx") as old, zipfile.ZipFile(folder / "acme.xlsx", "w") as new:
        for name in old.namelist():
            new.writestr(name, re.sub(rb'(<c r="B\d+")([^>]*><f>)', rb'\1 t="str"\2', old.read(name)))
    (folder / "raw.xlsx").unlink()
    entry = chain(read(folder), "refined")
    assert entry is not None
    assert entry.countries == {"AT"}


BROKEN: dict[str, tuple[Form, str, str, str]] = {
    # name: form, code, sheet, cell
    "newer version": (Form(version="6.6"), "FS991", "Declaration", "J3"),
    "older version": (Form("AMRT", "1.1"), "FS991", "Declaration", "J3"),
    "other family": (Form(edits={("Declaration", "D2"): "A form of ours"}), "FS991", "Declaration", "D2"),
    "no version": (Form(edits={("Declaration", "J3"): None}), "FS991", "Declaration", "J3"),
    "scope": (Form(scope="whatever"), "FS993", "Declaration", "D9"),
    "no company": (Form(company=""), "FS993", "Declaration", "D8"),
    "date": (Form(date="soon"), "FS993", "Declaration", "D22"),
    "no day": (Form(date="2026-13-45"), "FS993", "Declaration", "D22"),
    "answer": (Form(identified="Perhaps"), "FS993", "Declaration", "D65"),
    "metal": (Form(smelters=[Listed("Cobalt")], answered=["Tungsten"]), "FS993", "Smelter List", "B5"),
    "no metal": (Form(smelters=[Listed("")], answered=["Tungsten"]), "FS993", "Smelter List", "B5"),
    "country": (Form(smelters=[Listed(country="Atlantis")]), "FS993", "Smelter List", "E5"),
    "country and code": (Form(smelters=[Listed(country="AUSTRIA", code="CN")]), "FS993", "Smelter List", "E5"),
    "recycled": (Form(smelters=[Listed(recycled="a bit")]), "FS993", "Smelter List", "P5"),
    "two ids": (Form(smelters=[Listed(id="CID000001")], edits={("Smelter List", "F5"): "CID000002"}), "FS993", "Smelter List", "F5"),
    "error in a cell": (Form(edits={("Smelter List", "E5"): "=NA()"}), "FS074", "Smelter List", "E5"),
    "list moved up": (Form(edits={("Smelter List", "B4"): "Tungsten"}), "FS992", "Smelter List", "B4"),
    "list moved far up": (Form(edits={("Smelter List", "B3"): "Tungsten"}), "FS992", "Smelter List", "B4"),
    "answers moved": (Form(edits={("Declaration", "D61"): "Yes"}), "FS992", "Declaration", "D61"),
    "translated answer": (Form(identified="Ja"), "FS993", "Declaration", "D65"),
    "list of an own metal moved up": (Form("AMRT", "1.3", smelters=[Listed("Unobtainium")], edits={("Declaration", "B31"): "Unobtainium", ("Smelter List", "B4"): "Unobtainium"}), "FS992", "Smelter List", "B4"),
    "metals reordered": (Form(edits={("Declaration", "B26"): "Gold(*)"}), "FS992", "Declaration", "B26"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_damaged_form_is_refused_with_sheet_and_cell(tmp_path: Path, name: str) -> None:
    form, code, sheet, cell = BROKEN[name]
    problems = refused(declared, tmp_path, form)
    assert (code, cell) in {(problem.code, problem.column) for problem in problems}
    assert all(problem.file.endswith(f"acme.xlsx, sheet {sheet}") for problem in problems if problem.column == cell)


@pytest.mark.parametrize(
    "change", ["insert above list", "insert above answers", "swap columns", "insert column", "rename sheet"]
)
def test_a_form_with_moved_cells_is_refused(tmp_path: Path, change: str) -> None:
    folder = suppliers(tmp_path / "suppliers", f"{HEAD}acme.xlsx,acme-apt,tungsten,APT-100,,,,\n")
    book = Form(smelters=[Listed(country="CHINA"), Listed(name="Other")]).book()
    about, smelters = book["Declaration"], book["Smelter List"]
    if change == "insert above list":
        smelters.insert_rows(2)
    elif change == "insert above answers":
        about.insert_rows(20)
    elif change == "swap columns":
        for row in (5, 6):
            smelters[f"B{row}"].value, smelters[f"E{row}"].value = smelters[f"E{row}"].value, smelters[f"B{row}"].value
    elif change == "insert column":
        smelters.insert_cols(2)
    else:
        smelters.title = "Smelters"
    book.save(folder / "acme.xlsx")
    codes = {problem.code for problem in refused(read, folder)}
    assert codes <= {"FS992", "FS993"}


def test_sheets_in_another_order_change_nothing(tmp_path: Path) -> None:
    folder = suppliers(tmp_path / "suppliers", f"{HEAD}acme.xlsx,acme-apt,tungsten,APT-100,,,,\n")
    book = Form().book()
    for sheet in book.worksheets:
        book.move_sheet(sheet, -5)
    book.create_sheet("Checker", 0)
    book.save(folder / "acme.xlsx")
    assert results(read(folder)) == {"acme-apt": "pass"}


@pytest.mark.parametrize("share", [0, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    folder = suppliers(tmp_path / "suppliers", f"{HEAD}acme.xlsx,acme-apt,tungsten,APT-100,,,,\n")
    path = Form().save(folder / "acme.xlsx")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert {problem.code for problem in refused(read, folder)} <= {"FS071", "FS050"}


def test_hostile_names_are_inert(tmp_path: Path) -> None:
    hostile = [
        "+HYPERLINK(1)",
        "@SUM(1)",
        "\x1b[31mred\u202e",
        "<script>alert(1)</script>",
        "a\nb;c,d",
        "../../etc/passwd",
        "x" * 5000,
    ]
    names = [name.replace("\x1b", "\u200b") for name in hostile]  # a workbook can't contain an escape
    smelters = [Listed(name=name, id=f"CID{number:06}") for number, name in enumerate(names)]
    catalog = declared(tmp_path, Form(smelters=smelters, company=names[1]))
    texts = [*(s.reference + s.note for s in catalog.sources), *(f.name for f in catalog.facilities)]
    assert not [text for text in texts if {"\u202e", "\u200b", "\n"} & set(text)]
    assert sum(facility.id.startswith("cid") for facility in catalog.facilities) == len(names)


LINKS: dict[str, tuple[str, str, str]] = {
    # name: row, code, column
    "no offer": ("acme.xlsx,nobody,tungsten,APT-100,,,,", "FS994", "offers"),
    "no file": ("other.xlsx,acme-apt,tungsten,APT-100,,,,", "FS994", "document"),
    "file elsewhere": ("../acme.xlsx,acme-apt,tungsten,APT-100,,,,", "FS994", "document"),
    "other metal": ("acme.xlsx,acme-apt,cobalt,APT-100,,,,", "FS994", "metal"),
    "metal of another offer": ("acme.xlsx,acme-apt,tin,APT-100,,,,", "FS994", "metal"),
    "long name": (f"{'x' * 5000}.xlsx,acme-apt,tungsten,APT-100,,,,", "FS994", "document"),
    "no metal": ("acme.xlsx,acme-apt,,APT-100,,,,", "FS994", "metal"),
    "other product": ("acme.xlsx,acme-apt,tungsten,APT-7,,,,", "FS994", "product"),
    "no stage": ("acme.xlsx,acme-apt,tungsten,APT-100,fried,,,", "FS003", "stages"),
    "no letter": ("acme.xlsx,acme-apt,tungsten,APT-100,,refined,,", "FS994", "confirmation"),
    "nothing to confirm": ("acme.xlsx,acme-apt,tungsten,APT-100,,mined,letter,", "FS994", "confirmed"),
    "another edition": ("acme.xlsx,acme-apt,tungsten,APT-100,,,,00ff", "FS994", "sha256"),
}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_that_the_document_does_not_support_is_refused(tmp_path: Path, name: str) -> None:
    row, code, column = LINKS[name]
    folder = suppliers(tmp_path / "suppliers", f"{HEAD}{row}\n")
    form = Form(answered=["Tungsten", "Tin"])
    form.save(folder / "acme.xlsx")
    form.save(tmp_path / "acme.xlsx")
    (problem,) = (p for p in refused(read, folder) if p.code != "FS101")
    assert (problem.code, problem.column, problem.row) == (code, column, 2)


def test_a_document_that_no_row_names_is_refused(tmp_path: Path) -> None:
    folder = suppliers(tmp_path / "suppliers", f"{HEAD}acme.xlsx,acme-apt,tungsten,APT-100,,,,\n")
    Form().save(folder / "acme.xlsx")
    Form(smelters=[Listed(country="CHINA")]).save(folder / "forgotten.xlsx")
    assert [problem.code for problem in refused(read, folder)] == ["FS101"]


def test_problems_of_all_documents_are_reported_at_once(tmp_path: Path) -> None:
    folder = suppliers(tmp_path / "suppliers", f"{HEAD}a.xlsx,acme-apt,tungsten,,,,,\nb.xlsx,acme-apt,tungsten,,,,,\n")
    Form(scope="", company="").save(folder / "a.xlsx")
    Form(version="9.9").save(folder / "b.xlsx")
    assert [p.code for p in refused(read, folder)] == ["FS993", "FS993", "FS991"]


def test_two_documents_about_a_stage_are_united(tmp_path: Path) -> None:
    rows = "a.xlsx,acme-apt,tungsten,APT-100,,,,\nb.xlsx,acme-apt,tungsten,APT-100,,,,\n"
    folder = suppliers(tmp_path / "suppliers", HEAD + rows)
    Form().save(folder / "a.xlsx")
    Form(smelters=[Listed(country="CHINA")]).save(folder / "b.xlsx")
    catalog = read(folder)
    entry = chain(catalog, "refined")
    assert entry is not None
    assert entry.countries == {"AT", "CN"}
    assert entry.complete
    assert results(catalog) == {"acme-apt": "unproven"}
    Form(scope="A. Company").save(folder / "b.xlsx")
    entry = chain(read(folder), "refined")
    assert entry is not None
    assert entry.countries == {"AT"}
    assert not entry.complete


def test_contradictions_are_refused(tmp_path: Path) -> None:
    rows = "a.xlsx,acme-apt,tungsten,APT-100,,,,\nb.xlsx,acme-apt,tungsten,APT-100,,,,\n"
    folder = suppliers(tmp_path / "suppliers", HEAD + rows, chain="acme-apt,refining,AT,yes,quote\n")
    Form(smelters=[Listed(id="CID000007")]).save(folder / "a.xlsx")
    Form(smelters=[Listed(id="CID000007", country="JAPAN")]).save(folder / "b.xlsx")
    assert [(p.code, p.column) for p in refused(read, folder)] == [("FS995", "stages"), ("FS995", "document")]


def damaged(book: Workbook, random: Random) -> str:
    """Damage a workbook at random, and return how. Data rows of the lists stay, since a shorter list is another declaration."""
    sheet = random.choice(book.worksheets)
    row, column = random.randint(1, 75), random.randint(1, 20)
    kind = random.choice(("insert rows", "delete row", "insert columns", "delete column", "overwrite", "clear", "swap"))
    if kind == "insert rows":
        sheet.insert_rows(row, random.randint(1, 3))
    elif kind == "delete row":
        row = row if sheet.title == "Declaration" else random.randint(1, 4)
        sheet.delete_rows(row)
    elif kind == "insert columns":
        sheet.insert_cols(column)
    elif kind == "delete column":
        sheet.delete_cols(column)
    elif kind == "swap":
        first, second = sheet.cell(5, column), sheet.cell(5, random.randint(1, 20))
        first.value, second.value = second.value, first.value
    else:
        filled = [cell for cells in sheet.iter_rows() for cell in cells if cell.value is not None]
        cell = random.choice(filled)
        cell.value = None if kind == "clear" else random.choice(("?", "Yes", "No", "100%", 7, "=1/0", "x" * 500))
        return f"{kind} {sheet.title}!{cell.coordinate}"
    return f"{kind} {sheet.title}!{row}, {column}"


@pytest.mark.parametrize("count", [12, pytest.param(200, marks=pytest.mark.deep)])
def test_no_damage_proves_anything(tmp_path: Path, count: int) -> None:
    """A form about smelters in China and Austria proves nothing, and no damage makes it compliant."""
    random, folder = (
        Random(count),
        suppliers(tmp_path / "suppliers", f"{HEAD}acme.xlsx,acme-apt,tungsten,APT-100,,,,\n"),
    )
    read_anyway = 0
    for _ in range(count):
        book = Form(smelters=[Listed(country="CHINA"), Listed(name="Other")]).book()
        how = [damaged(book, random) for _ in range(random.randint(1, 2))]
        book.save(folder / "acme.xlsx")
        with suppress(InputError):
            assert results(read(folder)) != {"acme-apt": "pass"}, how
            read_anyway += 1
    assert 0 < read_anyway < count


@pytest.mark.deep
def test_a_case_with_declarations_is_planned_and_verified_against_its_documents(tmp_path: Path) -> None:
    case_folder, run = tmp_path / "case", tmp_path / "run"
    shutil.copytree(Path(__file__).parents[3] / "docs/cases/declarations", case_folder)
    friendshore = partial(CliRunner().invoke, app)
    assert friendshore(["plan", str(case_folder), "--out", str(run)]).exit_code == 0
    assert friendshore(["verify", str(run), "--case", str(case_folder)]).exit_code == 0
    document = case_folder / "suppliers/alpine-cmrt.xlsx"
    book = load_workbook(document)
    book["Smelter List"]["E6"] = "CHINA"
    book.save(document)
    assert friendshore(["verify", str(run), "--case", str(case_folder)]).exit_code != 0
    output = friendshore(["why-not", str(case_folder), "alpine-powder"]).output
    assert "origin not proved" in output
