"""Consistent forgeries: facts are bent, everything else follows from them as friendshore makes it follow. Each is found, or `verify` names
what it rests on as not vouched for; with the case given, each is found.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from friendshore.errors import InputError
from friendshore.plugins import Registry
from friendshore.recommend import verify_run

from .forging import Bend, Facts, catalog_of, forge, record_of, redigest, resum, rule_of, write_original

BAN, TARIFF, OFFER = "us-4872-tungsten-2027", "us-mfn-tungsten-powder", "cn-tungsten-powder"
CASE, OWN, HOUSE = "the case tungsten itself", "catalog own", "pack house"


@dataclass(frozen=True)
class Forgery:
    """One way to bend the facts."""

    name: str
    bend: Bend
    says: str
    """What a finding, or a line of what is not vouched for, must speak of."""
    found: bool = True
    """Whether it is found without the case; else it is named as not vouched for."""
    planned: str = ""
    """Scenario that the honest run was planned with."""


def drop_rule(name: str) -> Bend:
    """Takes a rule out of the facts."""
    return lambda facts: facts["rules"].remove(rule_of(facts, name))


def drop_pack(facts: Facts, name: str) -> None:
    """Takes a pack out of everything but the case."""
    facts["rules"] = [rule for rule in facts["rules"] if rule.get("pack") != name]
    facts["packs"] = [pack for pack in facts["packs"] if pack["id"] != name]
    facts["plugins"] = [one for one in facts["plugins"] if (one["kind"], one["name"]) != ("pack", name)]
    del facts["named"][f"pack {name}"]


def drop_pack_from_the_case_too(facts: Facts) -> None:
    """As if the case had never used it."""
    drop_pack(facts, "us-10usc4872")
    facts["case"]["packs"].remove("us-10usc4872")
    facts["case"]["scenarios"] = []


def in_rule(name: str, **update: Any) -> Bend:
    """Gives fields of a rule other values."""
    return lambda facts: rule_of(facts, name)["data"].update(update)


def in_record(catalog: str, table: str, name: str, **update: Any) -> Bend:
    """Gives fields of a record of a catalog other values."""
    return lambda facts: record_of(facts, catalog, table, name).update(update)


def in_case(**update: Any) -> Bend:
    """Gives fields of the case other values."""
    return lambda facts: facts["case"].update(update)


def in_demand(**update: Any) -> Bend:
    """Gives fields of the first demand other values."""
    return lambda facts: facts["case"]["demands"][0].update(update)


def then(*bends: Bend) -> Bend:
    """One after the other."""

    def all_of(facts: Facts) -> None:
        for bend in bends:
            bend(facts)

    return all_of


def used(kind: str, name: str, **update: Any) -> Bend:
    """Bends what is told of a catalog or pack, wherever it is told."""

    def bend(facts: Facts) -> None:
        next(one for one in facts["plugins"] if (one["kind"], one["name"]) == (kind, name)).update(update)
        held = catalog_of(facts, name) if kind == "catalog" else next(p for p in facts["packs"] if p["id"] == name)
        held.update(update)

    return bend


def proved_american(facts: Facts) -> None:
    """A Chinese chain becomes an American one."""
    offer = record_of(facts, "usgs-2026", "offers", OFFER)
    for entry in offer["chain"]:
        entry.update(countries=["US"], complete=True)


def capacity(facility: str, catalog: str) -> Bend:
    """A thousand times the capacity."""

    def bend(facts: Facts) -> None:
        record_of(facts, catalog, "facilities", facility)["capacity"][0]["per_year"] *= 1000

    return bend


def cheap(facts: Facts) -> None:
    """A tenth of the price."""
    record_of(facts, "usgs-2026", "offers", OFFER)["price"]["amount"] /= 10


def benchmarks(facts: Facts) -> None:
    """A tenth of every benchmark, and of its range."""
    for row in catalog_of(facts, "usgs-2026")["prices"]:
        for field in ("amount", "low", "high"):
            if row.get(field) is not None:
                row[field] /= 10


def evidence(facts: Facts) -> None:
    """All sources become verified ones."""
    for source in catalog_of(facts, "usgs-2026")["sources"]:
        source["confidence"] = "verified"


def strike_offer(facts: Facts) -> None:
    """The cheapest offer is not there."""
    catalog = catalog_of(facts, "usgs-2026")
    catalog["offers"] = [offer for offer in catalog["offers"] if offer["id"] != OFFER]


def new_offer(facts: Facts) -> None:
    """An installed catalog has an offer that nobody ever read there."""
    catalog = catalog_of(facts, "usgs-2026")
    offer = {**record_of(facts, "usgs-2026", "offers", OFFER), "id": "us-tungsten-powder"}
    offer["chain"] = [{**entry, "countries": ["US"], "complete": True} for entry in offer["chain"]]
    catalog["offers"].append(offer)


def move_to_own(facts: Facts) -> None:
    """An offer is relabelled to the catalog beside the case, with another chain."""
    facility, source = {"id": "us-plant", "country": "US", "source": "own:invented"}, "own:invented"
    offer = {
        **record_of(facts, "usgs-2026", "offers", OFFER),
        "facility": "us-plant",
        "catalog": "own",
        "source": source,
    }
    offer["chain"] = [
        {"stage": e["stage"], "countries": ["US"], "complete": True, "source": source} for e in offer["chain"]
    ]
    offer["price"] = {**offer["price"], "source": source}
    facility["capacity"] = [{"per_year": 1e6, "status": "operating", "source": source}]  # type: ignore[assignment]
    strike_offer(facts)
    catalog_of(facts, "own")["facilities"].append(facility)
    catalog_of(facts, "own")["offers"].append(offer)


def beside_the_case(facts: Facts) -> None:
    """An installed catalog passes for a folder of the planner's own."""
    facts["named"]["usgs-2026"] = "./usgs"
    facts["case"]["catalogs"] = ["./usgs", "./own"]
    used("catalog", "usgs-2026", distribution="")(facts)


def in_memory(facts: Facts) -> None:
    """An installed catalog passes for one that a program made."""
    del facts["named"]["usgs-2026"]
    used("catalog", "usgs-2026", distribution="")(facts)


def not_here(facts: Facts) -> None:
    """It passes for a catalog of a plugin that nobody has."""
    for offer in catalog_of(facts, "usgs-2026")["offers"]:
        offer["catalog"] = "usgs-2027"
    facts["named"]["usgs-2027"] = facts["case"]["catalogs"][0] = "usgs-2027"
    del facts["named"]["usgs-2026"]
    used("catalog", "usgs-2026", distribution="friendshore-usgs 2.0")(facts)
    next(one for one in facts["plugins"] if one["name"] == "usgs-2026")["name"] = "usgs-2027"
    catalog_of(facts, "usgs-2026")["name"] = "usgs-2027"


def own_chain(facts: Facts) -> None:
    """Portugal's powder becomes Australia's."""
    for entry in record_of(facts, "own", "offers", "vale-powder")["chain"]:
        entry["countries"] = ["AU"]


def relabelled_rule(facts: Facts) -> None:
    """A rule of a pack passes for one of the case, and is softened."""
    del rule_of(facts, BAN)["pack"]
    rule_of(facts, BAN)["data"]["phases"] = [{"from": "2040-01-01"}]


def claimed_rule(facts: Facts) -> None:
    """A rule of the case passes for law."""
    rule_of(facts, "not-all-from-one")["pack"] = "us-10usc4872"


def change(facts: Facts, **stated: Any) -> None:
    """Applies a further change."""
    facts.setdefault("applied", {}).setdefault("changes", []).append(stated)


def frozen(facts: Facts) -> None:
    """A shortage costs next to nothing."""
    for demand in facts["case"]["demands"]:
        del demand["shortage_price"]
    facts["case"]["frozen"] = {"shortage": {"penetrators": 1.0, "tools": 1.0}}


def bill(facts: Facts) -> None:
    """A bill of a pack changes nothing any more."""
    pack = next(p for p in facts["packs"] if p["id"] == "us-10usc4872")
    pack["bills"][0]["change"] = []


def pack_scenario(facts: Facts) -> None:
    """The scenario that a pack brings enables nothing of note."""
    pack = next(p for p in facts["packs"] if p["id"] == "cn-export-controls")
    pack["scenarios"][0]["change"] = pack["scenarios"][0]["change"][:1]


def relaxed(facts: Facts) -> None:
    """The scenario that was applied says something else than the case says."""
    facts["case"]["scenarios"][0]["change"] = [{"disable": BAN}, {"disable": "us-4872-tungsten"}]


def unscenario(facts: Facts) -> None:
    """The scenario's change becomes the case's own law: the label is gone, its effect stays."""
    facts["applied"] = {}
    for name in (BAN, "us-4872-tungsten", "house-ban"):
        rule_of(facts, name)["data"]["phases"] = []


LATER = [{"from": "2040-01-01"}]
FORGERIES = [
    Forgery("a ban of a pack begins in 2040", in_rule(BAN, phases=LATER), f"rule `{BAN}`"),
    Forgery("the scenario's effect without its label", unscenario, f"rule `{BAN}`", planned="relaxed"),
    Forgery("offers relabelled to the catalog beside the case, digests anew", then(move_to_own, redigest), OWN, found=False),
    Forgery("capacity × 1000", capacity("cn-tungsten", "usgs-2026"), "facility cn-tungsten"),
    Forgery("a rule of the case is missing", drop_rule("not-all-from-one"), CASE, found=False),
    Forgery("a ban is made pending", in_rule(BAN, phases=[{"status": "pending"}]), f"rule `{BAN}`"),
    Forgery("a ban is made unknown", in_rule(BAN, phases=[{"status": "unknown"}]), f"rule `{BAN}`"),
    Forgery("a ban has no phase", in_rule(BAN, phases=[]), f"rule `{BAN}`"),
    Forgery("a ban leaves China out", in_rule(BAN, countries=["IR", "KP", "RU"]), f"rule `{BAN}`"),
    Forgery("a ban leaves a stage out", in_rule(BAN, stages=["mined"]), f"rule `{BAN}`"),
    Forgery("a ban is for civil use", in_rule(BAN, end_uses=["civil"]), f"rule `{BAN}`"),
    Forgery("a rule of a pack is missing", drop_rule(BAN), f"rule `{BAN}`"),
    Forgery("a pack is missing", lambda facts: drop_pack(facts, "us-10usc4872"), "us-10usc4872"),
    Forgery("a pack is missing, and the case does not name it", drop_pack_from_the_case_too, CASE, found=False),
    Forgery("a rule of a pack passes for one of the case", relabelled_rule, f"rule `{BAN}`"),
    Forgery("a rule of the case passes for law", claimed_rule, "rule `not-all-from-one`"),
    Forgery("tariffs from 2040", in_rule(TARIFF, phases=LATER), f"rule `{TARIFF}`"),
    Forgery("a tariff is nothing", in_rule(TARIFF, rate=0), f"rule `{TARIFF}`"),
    Forgery("a bill changes nothing", bill, "bill us-p-1803"),
    Forgery("a pack's scenario is weaker", pack_scenario, "scenario cn-suspensions-lapse"),
    Forgery("a pack passes for fresher", used("pack", "us-10usc4872", as_of="2026-11-28"), "pack us-10usc4872"),
    Forgery(
        "a pack has another digest", then(in_rule(BAN, phases=LATER), used("pack", "us-10usc4872", digest="0" * 64)),
        "pack us-10usc4872", found=False,
    ),
    Forgery(
        "a pack has another digest and version",
        then(in_rule(BAN, phases=LATER), used("pack", "us-10usc4872", digest="0" * 64, distribution="friendshore-us-defense 9.9")),
        "pack us-10usc4872", found=False,
    ),
    Forgery("prices / 10", cheap, f"offer {OFFER}"),
    Forgery("benchmarks / 10", benchmarks, "price "),
    Forgery("lead time struck", in_record("usgs-2026", "offers", OFFER, lead_time=0), f"offer {OFFER}"),
    Forgery("a lane is made up", in_record("usgs-2026", "offers", OFFER, lanes=[{"to": "US", "freight": 0, "currency": "USD"}]), f"offer {OFFER}"),
    Forgery("evidence raised", evidence, "source "),
    Forgery("a chain proved American", proved_american, f"offer {OFFER}"),
    Forgery("a plant lies in another country", in_record("usgs-2026", "facilities", "cn-tungsten", country="US", place="US"), "facility cn-tungsten"),
    Forgery("an offer is made up", new_offer, "offer us-tungsten-powder"),
    Forgery("an offer is left out", strike_offer, f"offer {OFFER}"),
    Forgery("a customs code that nothing is due on", in_record("materials", "materials", "tungsten-powder", hs="9999.99"), "material tungsten-powder"),
    Forgery("a tag that rules look for is gone", in_record("materials", "materials", "tungsten-powder", tags=[]), "material tungsten-powder"),
    Forgery("terms of trade made up", lambda f: catalog_of(f, "usgs-2026").update(terms=[
        {"of": "offer", "id": OFFER, "most": 1000.0, "per": "year", "source": "usgs-2026:mcs-2026"}]), "terms of"),
    Forgery("a catalog passes for fresher", used("catalog", "usgs-2026", as_of="2026-11-28"), "usgs-2026"),
    Forgery("capacity × 1000, digests anew", then(capacity("cn-tungsten", "usgs-2026"), redigest), "catalog usgs-2026", found=False),
    Forgery("prices / 10, digests anew", then(cheap, redigest), "catalog usgs-2026", found=False),
    Forgery("a chain proved American, beside the case", then(proved_american, beside_the_case, redigest), "catalog usgs-2026", found=False),
    Forgery("a chain proved American, in memory", then(proved_american, in_memory, redigest), "catalog usgs-2026", found=False),
    Forgery("a chain proved American, of a plugin not here", then(not_here, redigest), "catalog usgs-2027", found=False),
    Forgery("a chain of the own catalog", own_chain, OWN),
    Forgery("a chain of the own catalog, digests anew", then(own_chain, redigest), OWN, found=False),
    Forgery("capacity of the own catalog × 1000, digests anew", then(capacity("hill", "own"), redigest), OWN, found=False),
    Forgery("a rule of the own pack from 2040", in_rule("house-ban", phases=LATER), HOUSE, found=False),
    Forgery("a rule of the own pack is missing", drop_rule("house-ban"), HOUSE, found=False),
    Forgery("half the demand", in_demand(per_year=5000.0), CASE, found=False),
    Forgery("a demand that is not for defence", in_demand(end_use="civil"), CASE, found=False),
    Forgery("a shortage costs nothing", in_demand(shortage_price=1.0), CASE, found=False),
    Forgery("what is not proved passes", in_case(accept={"confidence": "assumed", "unproven": True}), CASE, found=False),
    Forgery("all statuses count", in_case(accept={"confidence": "assumed", "rule_status": ["pending"]}), CASE, found=False),
    Forgery("prices of shortages frozen", frozen, CASE, found=False),
    Forgery("a stock made up", lambda f: f["case"]["stocks"][0].update(quantity=5000.0), CASE, found=False),
    Forgery("a scenario says something else", relaxed, CASE, found=False, planned="relaxed"),
    Forgery("a change that no scenario holds", lambda f: change(f, disable=BAN), "no scenario holds: disable", found=False),
    Forgery("a waiver made up", in_case(waivers=[{"rule": BAN, "quantity": 5000.0, "from": "2027-01-01", "until": "2028-12-31"}]), CASE, found=False),
]  # fmt: skip


@pytest.fixture(scope="module")
def registry() -> Registry:
    """What is installed."""
    return Registry.discover()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Callable[[str], Path]:
    """An honest run under each scenario; made once."""
    made: dict[str, Path] = {}

    def under(scenario: str) -> Path:
        if scenario not in made:
            made[scenario] = write_original(tmp_path_factory.mktemp("original"), registry, scenario)
        return made[scenario]

    return under


DEFAULT = 4
CASES = [
    pytest.param(one, id=one.name, marks=[] if number < DEFAULT else [pytest.mark.deep(whole=True)])
    for number, one in enumerate(FORGERIES)
]


@pytest.mark.parametrize("forgery", CASES)
def test_a_forgery_is_found_or_named(
    original: Callable[[str], Path], registry: Registry, tmp_path: Path, forgery: Forgery
) -> None:
    """No consistent forgery passes as verified without a word; with the case, each is found."""
    honest = original(forgery.planned)
    forged = forge(honest, tmp_path / "run", forgery.bend, registry)
    alone = verify_run(forged, registry)
    assert bool(alone.findings) == forgery.found, alone.findings
    told = [finding.message for finding in alone.findings] if forgery.found else alone.unvouched
    assert any(forgery.says in text for text in told), told
    if not forgery.found:
        beside = verify_run(forged, registry, honest.parent / "case")
        assert beside.findings or any(forgery.says in text for text in beside.unvouched)


def test_an_honest_run_is_vouched_for(original: Callable[[str], Path], registry: Registry) -> None:
    """Alone, what stands beside the case is named; with the case everything is vouched for."""
    alone = verify_run(original(""), registry)
    assert (alone.findings, alone.differs, len(alone.unvouched)) == ((), (), 3)
    assert verify_run(original(""), registry, original("").parent / "case").unvouched == ()


def test_facts_of_another_format_are_refused(
    original: Callable[[str], Path], registry: Registry, tmp_path: Path
) -> None:
    """Facts that nothing could be compared with are no facts of a run, whatever hashes and signature lie beside them."""
    run = forge(original(""), tmp_path / "run", lambda facts: None, registry)
    facts = json.loads((run / "facts.json").read_text(encoding="utf-8"))
    for told in (1, None):
        bent = {
            key: value for key, value in facts.items() if key not in ("format", "named", "packs", "plugins", "applied")
        }
        (run / "facts.json").write_text(
            json.dumps(bent | ({"format": told} if told else {}) | {"digests": {}}), encoding="utf-8"
        )
        resum(run)
        with pytest.raises(InputError, match="plan the case again"):
            verify_run(run, registry)


def test_a_key_that_stands_twice_is_refused(
    original: Callable[[str], Path], registry: Registry, tmp_path: Path
) -> None:
    """Who opens the file sees the first, a reader the last."""
    run = forge(original(""), tmp_path / "run", lambda facts: None, registry)
    text = (run / "run.json").read_text(encoding="utf-8")
    (run / "run.json").write_text('{"objective": 1, "status": "infeasible",' + text.lstrip()[1:], encoding="utf-8")
    resum(run)
    with pytest.raises(InputError, match="a key stands twice") as refused:
        verify_run(run, registry)
    assert [problem.column for problem in refused.value.problems] == ["objective", "status"]


@pytest.mark.parametrize("file", ["facts.json", "run.json"])
def test_half_of_a_character_is_refused(
    original: Callable[[str], Path], registry: Registry, tmp_path: Path, file: str
) -> None:
    """JSON can escape it, and nothing can write or hash it."""
    run = forge(original(""), tmp_path / "run", lambda facts: None, registry)
    text = (run / file).read_text(encoding="utf-8")
    (run / file).write_text(text.replace("Hill works", r"Hill \ud800 works", 1), encoding="utf-8")
    resum(run)
    with pytest.raises(InputError, match="half of a character"):
        verify_run(run, registry)


def test_what_was_applied_is_told(original: Callable[[str], Path], registry: Registry) -> None:
    """A scenario of the case is vouched for with it, and named with every change that it makes."""
    found = verify_run(original("relaxed"), registry, original("relaxed").parent / "case")
    assert found.applied == ("scenario relaxed", "disable us-4872-tungsten", f"disable {BAN}", "disable house-ban")
    assert (found.findings, found.unvouched) == ((), ())


def test_a_scenario_erased_from_the_run_is_found(
    original: Callable[[str], Path], registry: Registry, tmp_path: Path
) -> None:
    """The label of what was applied follows from the facts: erased in one place it is missed, erased in both another plan is due."""
    run = forge(original("relaxed"), tmp_path / "run", lambda facts: None, registry)
    told = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert told["scenario"] == ["relaxed"]
    assert told["changes"][0] == "disable us-4872-tungsten"
    (run / "run.json").write_text(json.dumps({**told, "scenario": [], "changes": []}), encoding="utf-8")
    assert any("`scenario`" in finding.message for finding in verify_run(run, registry).findings)
    facts = json.loads((run / "facts.json").read_text(encoding="utf-8"))
    del facts["applied"]
    (run / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    assert any(BAN in finding.message for finding in verify_run(run, registry).findings)
