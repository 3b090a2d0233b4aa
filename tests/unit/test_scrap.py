"""Scrap: where it was collected is not where its metal was mined, whoever asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from friendshore.case import load_case
from friendshore.catalog import read_catalog
from friendshore.domain.facts import ChainEntry, Feed
from friendshore.rules.kinds.limits import MaxShare, MinShare
from friendshore.rules.kinds.origin_ban import OriginBan

from ..building import (
    METAL,
    SOURCE,
    ban,
    bought,
    case,
    catalog,
    chain,
    demand,
    facility,
    planned,
    refused,
    rule,
    short,
    source,
)

SCRAP = (
    ChainEntry(stage="collection", countries=frozenset({"JP"}), complete=True, source=SOURCE),
    *chain("JP", *(stage for stage in METAL if stage != "mined")),
)
"""Collected and worked again in Japan."""


def facts() -> Any:
    """Japanese metal from scrap at 10, Australian metal from a mine at 50."""
    return catalog(facility("jp", "JP"), facility("au", "AU"), source("JP", 10, chain=SCRAP), source("AU", 50))


def test_collection_is_of_scrap() -> None:
    """The step alone says that the feed is recycled; primary feed of it is refused."""
    assert ChainEntry(stage="collection").feed is Feed.RECYCLED
    assert ChainEntry(stage="mining").feed is Feed.PRIMARY
    with pytest.raises(ValueError, match="no primary feed"):
        ChainEntry(stage="collection", feed=Feed.PRIMARY)


@pytest.mark.parametrize("stage", ["mined", "refined"])
def test_scrap_does_not_prove_where_its_metal_was_mined_or_refined(stage: str) -> None:
    """Scrap collected and refined again in Japan passes no ban on Chinese metal; for civil use it is bought."""
    found = planned(case(demand("metal", "defense", 10)), facts(), ban(stage, start=None))
    assert bought(found) == {"au-metal": 10}
    (row,) = found.run.unproven
    assert (row.offer, row.stage) == ("jp-metal", stage)
    assert "made from recycled material" in row.reason
    assert bought(planned(case(demand("metal", "civil", 10)), facts(), ban(stage, start=None))) == {"jp-metal": 10}


def test_what_is_done_to_scrap_in_a_barred_country_is_barred() -> None:
    """Refined again in China it was refined there, whatever it was before."""
    entries = tuple(e.model_copy(update={"countries": frozenset({"CN"})}) if e.stage == "refined" else e for e in SCRAP)
    given = catalog(facility("jp", "JP"), source("JP", 10, chain=entries))
    found = planned(case(demand("metal", "defense", 10)), given, ban("refined", start=None))
    assert short(found) == {"metal-defense": 10}
    assert [row.stage for row in found.run.blocked] == ["refined"]


def test_a_rule_may_say_which_stages_scrap_went_through() -> None:
    """Where only melting is asked and scrap is melted again, the last melting counts unless the rule says otherwise."""
    given, wanted = catalog(facility("jp", "JP"), source("JP", 10, chain=SCRAP)), case(demand("metal", "defense", 10))
    words: dict[str, Any] = {"id": "ban", "stages": ["melted"], "countries": ["CN"], "end_uses": ["defense"]}
    assert bought(planned(wanted, given, rule(OriginBan, **words))) == {"jp-metal": 10}
    assert short(planned(wanted, given, rule(OriginBan, **words, scrap=["melted"]))) == {"metal-defense": 10}


def test_scrap_counts_for_no_mine() -> None:
    """A floor on Japanese mines is not met by Japanese scrap, and a cap on any mine counts what may come from there."""
    wanted = case(demand("metal", "civil", 10))
    floor = rule(MinShare, id="floor", countries=["JP"], stage="mined", share="50 %", of="purchases")
    assert bought(planned(wanted, facts(), floor)) == {}
    cap = rule(MaxShare, id="cap", countries=["CN"], stage="mined", share="40 %", of="purchases")
    assert bought(planned(wanted, facts(), cap)) == {"jp-metal": 4, "au-metal": 6}


def test_a_lone_step_counts_for_no_country() -> None:
    """Ore concentrated in Japan may come from any mine: it meets no floor on Japanese mines, and a cap on any mine counts it."""
    concentrated = chain("JP", "concentration", *(stage for stage in METAL if stage != "mined"))
    offers = catalog(facility("jp", "JP"), facility("au", "AU"), source("JP", 10, chain=concentrated), source("AU", 50))
    wanted = case(demand("metal", "civil", 10))
    floor = rule(MinShare, id="floor", countries=["JP"], stage="mined", share="50 %", of="purchases")
    assert bought(planned(wanted, offers, floor)) == {}
    cap = rule(MaxShare, id="cap", countries=["CN"], stage="mined", share="40 %", of="purchases")
    assert bought(planned(wanted, offers, cap)) == {"jp-metal": 4, "au-metal": 6}


def test_a_floor_on_recycled_feed_counts_where_scrap_was_collected() -> None:
    """That is what such a floor asks: Japanese scrap meets a Japanese one, and no German one."""
    wanted, words = case(demand("metal", "civil", 10)), {"stage": "mined", "feed": "recycled", "of": "purchases"}
    dear = catalog(facility("jp", "JP"), facility("au", "AU"), source("JP", 80, chain=SCRAP), source("AU", 50))
    for country, expected in (("JP", {"jp-metal": 4, "au-metal": 6}), ("DE", {})):
        floor = rule(MinShare, id="floor", countries=[country], share="40 %", **words)
        assert bought(planned(wanted, dear, floor)) == expected


def test_scrap_still_counts_where_it_is_refined_again() -> None:
    """Refining is done in Japan, whatever the feed."""
    floor = rule(MinShare, id="floor", countries=["JP"], stage="refined", share="50 %", of="purchases")
    assert bought(planned(case(demand("metal", "civil", 10)), facts(), floor)) == {"jp-metal": 10}


CHAIN = "offer,stage,countries,complete,feed,source\nscrap,collection,JP,yes,{feed},paper\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A catalog of one offer, of which only the chain is missing."""
    (tmp_path / "catalog.toml").write_text(
        'schema = 1\nname = "mine"\ntitle = "Mine"\nas_of = 2026-01-01\nlicence = "CC0-1.0"\n', encoding="utf-8"
    )
    tables = {
        "sources": "id,reference,date,confidence\npaper,A paper,2026-01-01,verified\n",
        "materials": "id,element,form,basis,content,stages,source\nmetal,Ga,metal,Ga,1,mined;refined,paper\n",
        "facilities": "id,country,source\nplant,JP,paper\n",
        "offers": "id,facility,material,price,source\nscrap,plant,metal,1 USD/kg,paper\n",
    }
    for name, table in tables.items():
        (tmp_path / f"{name}.csv").write_text(table, encoding="utf-8")
    return tmp_path


def test_a_blank_feed_of_collection_is_recycled(folder: Path) -> None:
    """Nobody need say twice that it is scrap."""
    (folder / "chain.csv").write_text(CHAIN.format(feed=""), encoding="utf-8")
    (offer,) = read_catalog(folder).offers
    assert [entry.feed for entry in offer.chain] == [Feed.RECYCLED]


def test_primary_feed_of_collection_is_refused_in_files(folder: Path, tmp_path: Path) -> None:
    """With row and column, in the catalog and in the case alike."""
    (folder / "chain.csv").write_text(CHAIN.format(feed="primary"), encoding="utf-8")
    (problem,) = refused(read_catalog, folder)
    assert (problem.row, problem.column, problem.found) == (2, "feed", "`primary`")
    assert problem.expected == "recycled, or blank"
    (tmp_path / "case.toml").write_text(
        'schema = 1\n[case]\nname = "c"\nstart = 2027-01-01\nperiods = 1\nperiod = "year"\ncurrency = "USD"\nplace = "US"\n'
        '[use]\ncatalogs = ["./mine"]\n[[demand]]\nmaterial = "metal"\nend_use = "civil"\nper_year = "1 t"\n'
        '[[stock]]\nmaterial = "metal"\nquantity = "1 t"\nchain = [{ stage = "collection", countries = ["JP"], feed = "primary" }]\n',
        encoding="utf-8",
    )
    (problem,) = refused(load_case, tmp_path / "case.toml")
    assert problem.column.endswith("feed")
    assert "no primary feed" in problem.message
