"""The four forms: figures that commands show again, unknowns that stay unknown, and edits that `verify` finds."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from tests.building import OXIDE, case, catalog, chain, demand, maker, offer, source, stock
from tests.functional.forging import resum
from tests.functional.program import here

import friendshore
from friendshore.domain.case import StockSpec
from friendshore.domain.facts import Offer
from friendshore.plugins import Registry
from friendshore.recommend import CheckRequest
from friendshore.recommend.recheck import recheck
from friendshore.run import read_run
from friendshore_dossier.checks import FormCheck, _FormCheck
from friendshore_dossier.dossier import make_form
from friendshore_dossier.forms import FORM_NAMES, Form, FormFacts, FormName, value_at
from friendshore_dossier.magnets import STEPS, Lots

CASES = Path(__file__).parents[3] / "docs" / "cases"
Json = dict[str, Any]


def kept(folder: Path, case: Path, names: tuple[str, ...] = FORM_NAMES, *options: str) -> Path:
    """Return a new run with forms."""
    assert here("plan", case, "-q", "--out", folder, *options).returncode == 0
    for name in names:
        done = here("dossier", folder, "--form", name, "--keep", "-q")
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def small(first: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of the first case with a shortage, an analysis, and an order dossier. No test changes it."""
    folder = tmp_path_factory.mktemp("small") / "run"
    change = ("--change", "demand=radar, factor=4", "--change", "demand=lighting, shortage_price=200 USD/kg")
    return kept(folder, first, ("analysis", "orders"), *change)


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kept(tmp_path_factory.mktemp("worked") / "run", CASES / "us-2027")


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kept(tmp_path_factory.mktemp("declared") / "run", CASES / "declarations")


def form_of(run: Path, name: str) -> Form:
    return Form.model_validate_json((run / f"form-{name}.json").read_bytes())


def verified(run: Path, *options: object) -> tuple[int, list[Json], Json]:
    """Return the exit code, findings, and data of `verify`."""
    done = here("verify", run, "--json", *options)
    data = json.loads(done.stdout)
    return done.returncode, data["findings"], data


def traced(run: Path, name: str) -> list[str]:
    """Return the figures that no command shows, and the numbers in rows that aren't in a figure of the row."""

    @cache
    def shown(command: str) -> Json:
        name, *words = command.split(" ")
        if name == "plan":
            return dict(json.loads((run / "run.json").read_bytes()))
        return dict(json.loads(here(name, run, *words, "--json").stdout))

    rows = [row for section in form_of(run, name).sections for table in section.tables for row in table.rows]
    assert rows
    figures = [figure for row in rows for figure in row.figures]
    wrong = [str(each) for each in figures if value_at(shown(each.command), each.at) != each.value]
    for row in rows:
        numbers = {Decimal(str(f.value)) for f in row.figures if isinstance(f.value, int | float)} | {None, Decimal(0)}
        in_cells = {
            None if number is None else Decimal(str(number)) for cell in row.cells for number in (cell.kg, cell.money)
        }
        wrong += [f"{number} in {row.cells}" for number in in_cells - numbers]
    return wrong


@pytest.mark.parametrize("name", ["orders", pytest.param("analysis", marks=pytest.mark.deep(whole=True))])
def test_figures_are_what_commands_show(small: Path, name: str) -> None:
    """Each row has the figures of the commands that it names."""
    assert traced(small, name) == []


@pytest.mark.deep(whole=True)
def test_sources_fail_by_quantity_and_by_price(small: Path) -> None:
    """One need is larger than all sources, and the other one's price limit is below every price."""
    sections = {section.title: section for section in form_of(small, "analysis").sections}
    rows = [row for section in sections.values() for table in section.tables for row in table.rows]
    factors = {
        (row.cells[0].text.rpartition("(")[2].rstrip(")"), row.cells[1].text) for row in rows if len(row.cells) == 6
    }
    assert {
        ("guangxi-gallium", "not compliant"),
        ("quebec-gallium", "quantity"),
        ("guangxi-gallium", "price"),
    } <= factors
    reasons = " ".join(row.cells[2].text for row in rows if len(row.cells) == 6)
    assert re.search(r"Its price is USD 260/kg\. The plan buys it only below USD", reasons)


def test_a_run_with_forms_is_verified(small: Path) -> None:
    """Figures of further plans are listed as not vouched for."""
    code, findings, data = verified(small)
    assert (code, findings) == (0, [])
    assert any("of `why-not` in form-analysis.json" in line for line in data["not_vouched_for"]), data.keys()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda run: edited(run, "analysis", lambda data: data.update(summary="Every source is available.")),
        lambda run: edited(run, "orders", lambda data: data["sections"].pop()),
        lambda run: edited(run, "orders", lambda data: data["sections"][0]["tables"][0]["rows"][0]["cells"].pop()),
        lambda run: edited(run, "analysis", lambda data: data["solved"][0].update(command="")),
        lambda run: (run / "form-analysis.html").write_text("<p>No source exists.</p>", encoding="utf-8"),
        lambda run: (run / "form-analysis.json").write_text("{", encoding="utf-8"),
        lambda run: (run / "form-analysis.json").unlink(),
        lambda run: shutil.copy(run / "form-orders.json", run / "form-analysis.json"),
    ],
    ids=["claim", "missing page", "missing cell", "no command", "page", "damaged", "no data", "renamed"],
)
@pytest.mark.parametrize("has_new_hashes", [False, True])
def test_an_edited_form_is_found(
    small: Path, tmp_path: Path, spoil: Callable[[Path], object], has_new_hashes: bool
) -> None:
    """Even if the hashes of the run are made again."""
    run = Path(shutil.copytree(small, tmp_path / "run"))
    spoil(run)
    if has_new_hashes:
        resum(run)
    code, findings, _ = verified(run)
    assert code == 4
    assert {finding["code"] for finding in findings} <= {"FS602", "FS999"}


def edited(run: Path, name: str, change: Callable[[Json], object]) -> None:
    path = run / f"form-{name}.json"
    data = json.loads(path.read_bytes())
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


def test_an_unlisted_form_is_found(small: Path, tmp_path: Path) -> None:
    """An unsigned form can't hide beside a run."""
    run = Path(shutil.copytree(small, tmp_path / "run"))
    shutil.copy(run / "form-analysis.json", run / "form-magnets.json")
    code, findings, _ = verified(run)
    assert (code, {finding["code"] for finding in findings}) == (4, {"FS999"})


@pytest.mark.deep(whole=True)
def test_a_signed_run_signs_its_forms(small: Path, tmp_path: Path) -> None:
    """An edit with new hashes breaks the signature, and a signed run takes no further form."""
    run = Path(shutil.copytree(small, tmp_path / "run"))
    key, public = tmp_path / "key.pem", tmp_path / "key.pub"
    private = Ed25519PrivateKey.generate()
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert here("sign", run, "--key", key).returncode == 0
    assert verified(run, "--signed-by", public)[0] == 0
    refused = here("dossier", run, "--form", "orders", "--keep", "-q")
    assert (refused.returncode, "FS608" in refused.stderr) == (2, True)
    edited(run, "analysis", lambda data: data.update(summary="Every source is available."))
    resum(run)
    assert {finding["code"] for finding in verified(run, "--signed-by", public)[1]} == {"FS935", "FS999"}


@pytest.mark.deep(whole=True)
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--form", "tax"), "FS996"),
        (("--form", "orders", "--change", "demand=radar, factor=2"), "FS997"),
    ],
)
def test_bad_options_are_refused(small: Path, arguments: tuple[str, ...], code: str) -> None:
    """Before anything is planned or written."""
    done = here("dossier", small, *arguments)
    assert (done.returncode, code in done.stderr) == (2, True), done.stderr


def test_only_a_run_keeps_a_form(first: Path) -> None:
    done = here("dossier", first, "--form", "orders", "--keep", "-q")
    assert (done.returncode, "FS997" in done.stderr) == (2, True), done.stderr


@pytest.mark.deep(whole=True)
def test_a_case_and_its_run_give_the_same_form(first: Path, tmp_path: Path) -> None:
    """Both take the same plan."""
    run = kept(tmp_path / "run", first, ("orders",))
    of_case = json.loads(here("dossier", first, "--form", "orders", "--json").stdout)
    of_run = json.loads((run / "form-orders.json").read_bytes())
    assert {name: of_case[name] for name in of_run} == of_run


@pytest.mark.parametrize(
    ("at", "value"),
    [
        ("a.b", 1), ("c#", 2), ("c[1].d", "y"), ("c[id=x,d=z].id", "x"), ("a.missing?", None), ('e."x.y+z-1"', 3), ("n.anything[3]#", None),
    ],
)  # fmt: skip
def test_places_in_data(at: str, value: object) -> None:
    data = {"a": {"b": 1}, "c": [{"id": "x", "d": "z"}, {"id": "w", "d": "y"}], "n": None, "e": {"x.y+z-1": 3}}
    assert value_at(data, at) == value


@pytest.mark.parametrize("at", ["a.missing", "c[9]", "c[id=none].d", "a", "a..b!"])
def test_wrong_places_in_data(at: str) -> None:
    with pytest.raises(LookupError):
        value_at({"a": {"b": 1}, "c": []}, at)


def traced_lots(*offers: Offer, stocks: tuple[StockSpec, ...] = ()) -> dict[str, str]:
    """Return where a plan's metal of each offer was mined, in words. Metal is melted in Japan from oxide."""
    facts = case(demand("metal", "defense", 10), stocks=stocks, accept={"confidence": "assumed"})
    made = friendshore.plan(facts, catalogs=[catalog(*offers, maker("JP", 1))], registry=Registry.of())
    lots = Lots(FormFacts(made.run, {}, made.session.problem, list, lambda command, at: None))
    return {lot.offer: lots.trace(lot, STEPS[0]).in_words() for lot in lots.purchases if lot.material == "metal"}


@pytest.mark.parametrize(
    ("offers", "stocks", "mined"),
    [
        ((source("AU", 1, "oxide"),), (), "Australia"),
        ((source("AU", 1, "oxide", total=10), source("CL", 2, "oxide", total=10)), (), "Australia or Chile"),
        ((offer("au-oxide", "au", "oxide", 1, chain("AU?", *OXIDE)),), (), "unknown, possibly Australia"),
        ((offer("au-oxide", "au", "oxide", 1),), (), "unknown"),
        (
            (source("AU", 1, "oxide"),),
            (stock("oxide", 5, (), place="JP"),),
            "unknown, possibly Australia",
        ),
        ((source("AU", 1, "oxide"),), (stock("oxide", 5, chain("CL", *OXIDE), place="JP"),), "Australia or Chile"),
    ],
    ids=["one source", "two sources", "open list", "no record", "stock without records", "stock"],
)
def test_every_input_counts(offers: tuple[Offer, ...], stocks: tuple[StockSpec, ...], mined: str) -> None:
    """The metal has what all of its oxide has. Nothing that is open becomes known on the way."""
    assert traced_lots(*offers, stocks=stocks) == {"jp-melt": mined}


@pytest.mark.deep(whole=True)
def test_declared_magnets_are_known_and_undeclared_ones_are_asked_about(declared: Path) -> None:
    """Events name every step of the plan's magnets. The declaration of the other supplier proves nothing, so it becomes an inquiry."""
    magnets = form_of(declared, "magnets")
    origin = next(section for section in magnets.sections if section.title == "Origin").tables[0].rows
    assert [(row.cells[1].text, row.cells[2].text, row.unknown) for row in origin] == [
        ("Mined", "Australia", False),
        ("Refined to oxide", "Australia", False),
        ("Made into metal", "United Kingdom", False),
        ("Melted or alloyed", "United Kingdom", False),
        ("Sintered or bonded", "United States", False),
        ("Magnetized", "United States", False),
    ]
    inquiries = [
        row for section in form_of(declared, "analysis").sections for table in section.tables for row in table.rows
        if table.title == "Inquiries to make"
    ]  # fmt: skip
    assert [("trade-magnet" in row.cells[0].text, "AMRT" in row.cells[2].text, row.unknown) for row in inquiries] == [
        (True, True, True)
    ]
    digests = {row.cells[5].text for section in form_of(declared, "orders").sections for row in section.tables[2].rows}
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in digests)


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_the_worked_case_is_traced(worked: Path) -> None:
    """Each figure of the analysis of us-2027 is what its command prints. Nothing unknown has a country."""
    assert traced(worked, "analysis") == []
    rows = [row for section in form_of(worked, "magnets").sections for table in section.tables for row in table.rows]
    assert any(row.unknown for row in rows)
    assert all(row.cells[2].text.startswith("unknown") for row in rows if row.unknown and len(row.cells) == 4)


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_ask_asks_what_the_analysis_lacks(worked: Path) -> None:
    """Each inquiry of the form is about an offer or a plant that `ask` asks about too."""
    asked = json.loads(here("ask", worked, "--json").stdout)
    subjects = {unknown["subject"] for part in ("unknowns", "not_tried") for unknown in asked[part]}
    stored = read_run(worked)
    verified_plan = recheck(stored.facts, stored.run, Registry.discover(), None).verified
    assert verified_plan is not None
    offers = verified_plan.problem.merged.offers
    tables = [table for section in form_of(worked, "analysis").sections for table in section.tables]
    inquiries = [row for table in tables if table.title == "Inquiries to make" for row in table.rows]
    names = [row.cells[0].text.rpartition("(")[2].rstrip(")") for row in inquiries]
    assert names
    assert [name for name in names if not subjects & {name, offers[name].facility}] == []


def leaves(value: Any, at: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*at, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from leaves(item, (*at, i))
    else:
        yield at


def changed(value: Any, chance: random.Random) -> Any:
    """Return another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + chance.choice((1, -1, 1000, 0.001))
    return f"{value}{chance.choice(('.', ' not', '0'))}" if isinstance(value, str) else chance.choice((1.5, "x"))


def differences(request: CheckRequest, name: FormName, data: Json) -> bool:
    """Return True if the check finds an edit of a form's data."""
    try:
        form = Form.model_validate_json(json.dumps(data))
    except ValueError:
        return True  # it can't even be read
    return any(_FormCheck(request, name)._differences(form, data, f"form-{name}.json"))


def forged_form(request: CheckRequest, name: FormName, data: Json) -> Json:
    """Return the form that shows the figures of further plans in `data`, everywhere. The data as they are if none does."""
    answers = {(figure["command"], figure["at"]): figure["value"] for figure in data["solved"]}
    assert request.verified is not None
    facts = FormFacts.of_stored(request.stored, request.verified.problem, lambda command, at: answers[command, at])
    try:
        return make_form(name, facts).model_dump(mode="json")
    except (LookupError, ValueError, ArithmeticError):
        return data


@pytest.mark.parametrize(
    ("case", "names", "edits"),
    [
        ("small", ("analysis", "orders"), 40),
        pytest.param("worked", FORM_NAMES, 1000, marks=(pytest.mark.nightly, pytest.mark.timeout(900))),
    ],
)
def test_edits_are_found_or_listed(
    case: str, names: tuple[FormName, ...], edits: int, request: pytest.FixtureRequest
) -> None:
    """Each edit changes one value, or a figure of a further plan wherever it is shown.

    A figure of a further plan can't be refuted without that plan, so its question must be listed as not checked.
    """
    run: Path = request.getfixturevalue(case)
    stored, registry = read_run(run), Registry.discover()
    asked = CheckRequest(stored, recheck(stored.facts, stored.run, registry, None).verified, (), registry)
    answer = FormCheck().check(asked)
    assert answer.findings == ()
    chance, found, listed = random.Random(35), 0, 0
    for number in range(edits):
        name = names[number % len(names)]
        data = json.loads((run / f"form-{name}.json").read_bytes())
        if number % 3 == 0 and data["solved"]:
            edited_figure = chance.choice(data["solved"])
            edited_figure["value"] = changed(edited_figure["value"], chance)
            data = forged_form(asked, name, data)
        else:
            *way, last = chance.choice(list(leaves(data)))
            parent = data
            for step in way:
                parent = parent[step]
            parent[last] = changed(parent[last], chance)
            edited_figure = parent if way[:1] == ["solved"] and last == "value" else {}
        if differences(asked, name, data):
            found += 1
        elif edited_figure:
            question = edited_figure["command"].partition(" ")[0]
            listed += any(f"`{question}` in form-{name}.json" in line for line in answer.unvouched)
    assert found + listed == edits
    assert found
    assert listed
