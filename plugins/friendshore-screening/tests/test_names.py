"""Names of companies: read alike, told apart, and found among many."""

from __future__ import annotations

from csv import DictReader
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.property.settings import examples

from friendshore_screening.names import REVIEW, Band, Bands, NameIndex, Weights, compare, parse_name, readings

EDITIONS = files("friendshore_screening") / "editions"


def score(one: str, other: str) -> float:
    """The best score of what two texts may mean."""
    return max((compare(a, b, Weights()).score for a in readings(one) for b in readings(other)), default=0.0)


ALIKE = [
    ("GUANGZHOU HAIGE COMM GRP", "Guangzhou Haige Communications Group Incorporated Company"),
    ("CNOOC ENERGY TECH & SRVCES LTD", "CNOOC Energy Technology and Services Limited"),
    ("LUKOIL OIL COMP", "LUKOIL OIL COMPANY"),
    ("A-B-C Company", "ABC Co."),
    ("OOO Example Metall", "Example Metall LLC"),
    ("PT Aneka Tambang", "Aneka Tambang Tbk"),
    ("Муромский завод", "Muromskiy Zavod JSC"),
    ("GoodWill Trading Ltd", "Good Will Trading Limited"),
    ("Exampel Tungsten Co., Ltd.", "Example Tungsten Company Limited"),
    ("Al Kaida", "Al-Qa'ida/Islamic Army"),
    ("厦门钨业股份有限公司", "厦门钨业"),
    ("Forty-Fourth Works of Ruritania", "44th Works of Ruritania"),
    (
        "\u0415\u0445\u0430m\u0440l\u0435 G\u0430llium",
        "Example Gallium",
    ),  # letters of Cyrillic that look like Latin ones
    ("Ex4mple G4llium W0rks", "Example Gallium Works"),
    ("N0rinco", "Norinco"),
]
"""Abbreviations, forms behind and in front, other scripts and slips of the pen make no other company."""
APART = [
    ("Northern", "SMIC Northern Integrated Circuit Manufacturing (Beijing) Corporation"),
    ("Standard Lithium", "Standard Chartered Bank"),
    ("CORP", "Acme Corp"),
    ("China Minerals", "China National Minerals Resources Trading Group"),
    ("ООО БАЙ", "ООО БАЙКАЛ"),
    ("CBA Company", "ABC Company"),
    ("Example Tungsten Powder Co., Ltd.", "Specimen Molybdenum Powder Co., Ltd."),
    ("National Bank Trading", "International Trading Company"),
    ("", "Acme"),
    ("...", "..."),
]
"""However many ordinary words two names share, it takes a word of the company's own, or all."""
DOUBTFUL = [
    ("Example Metals AG", "Example Metals LLC"),
    ("Banco Example S.A.", "Banco Example México S.A."),
    ("Example Works 12", "Example Works 14"),
    ("Example", "Example Shipyard"),
]
"""Another legal form, a branch in a country, another number of a series, a name cut short: somebody has to look."""


@pytest.mark.parametrize(
    ("one", "other", "band"),
    [
        (*pair, band)
        for band, pairs in ((Band.MATCH, ALIKE), (Band.REVIEW, DOUBTFUL), (Band.NONE, APART))
        for pair in pairs
    ],
)
def test_how_far_two_names_are_alike(one: str, other: str, band: Band) -> None:
    """In the band that a reader puts them in."""
    assert Bands().of(score(one, other)) is band, score(one, other)


def test_what_agreed_is_told() -> None:
    """A comparison names the words that agree, those left over, and forms that contradict each other."""
    comparison = compare(parse_name("Exampel Steel AG"), parse_name("Example Steel Ruritania LLC"), Weights())
    assert {(pair.words, pair.other) for pair in comparison.agreed} == {("exampel", "example"), ("steel", "steel")}
    assert (comparison.lacking, comparison.others, comparison.forms) == ((), ("ruritania",), ("ag", "llc"))


def test_frequent_words_of_a_list_say_little() -> None:
    """A word that a list holds in every fortieth name counts as an ordinary one."""
    listed = [parse_name(f"Zhejiang Firm{'abcdefghij'[n % 10]}{'klmnopqrst'[n // 10 % 10]}{n}") for n in range(100)]
    listed += [parse_name(f"Other{n} Thing{n}") for n in range(1900)]
    weights = Weights.of(listed)
    assert weights.weigh("zhejiang") < 0.6 < Weights().weigh("zhejiang")
    assert compare(parse_name("Zhejiang"), parse_name("Zhejiang Alpha Beta"), weights).score == 0
    assert compare(parse_name("Zhejiang"), parse_name("Zhejiang Alpha Beta"), Weights()).score > 0


RARE_EARTH = "Rare Earth Magnesium Technology Group Holdings, Ltd."


@pytest.mark.parametrize(
    ("asked", "band"),
    [
        ("Rare Earth Magnesium Technology Group", Band.MATCH),
        ("Rare Earth Magnesium Technology Group Holdings International", Band.MATCH),
        ("China Cargo", Band.REVIEW),
        ("Rare Earth Magnesium Technology Group Hong Kong", Band.NONE),  # a branch
        ("Rare Earth Magnesium Trading Group", Band.NONE),  # another word in the place of one of its own
        ("International Trading", Band.NONE),  # as many others are called
        ("Magnesium", Band.NONE),
    ],
)
def test_a_name_of_ordinary_words_is_found_without_its_last_one(asked: str, band: Band) -> None:
    """Common words may be rare in a list. The words that agree identify one name, or many."""
    others = (
        f"{word}{n} International Trading Group" for n in range(40) for word in ("Alba", "Vero", "Kirun", "Dosta")
    )
    texts = [RARE_EARTH, "China Cargo Airlines Co., Ltd.", *others, *(f"China Works {n}" for n in range(100))]
    listed = [parse_name(text) for text in texts]
    ((_, hits),) = NameIndex(listed, Weights.of(listed)).find([parse_name(asked)], REVIEW)
    assert Bands().of(max((hit.comparison.score for hit in hits), default=0.0)) is band


def test_listed_names_are_found_without_their_last_word() -> None:
    """Of both lists that come with the plugin, 298 of 308 names of three words or more."""
    found = asked = 0
    for file in ("us-1260h-2026-06-08.csv", "us-uflpa-2026-08-03.csv"):
        listed = [
            parse_name(row["name"])
            for row in DictReader(EDITIONS.joinpath(file).read_text(encoding="utf-8").splitlines())
        ]
        index = NameIndex(listed, Weights.of(listed))
        cut = [(at, parse_name(" ".join(one.words[:-1]))) for at, one in enumerate(listed) if len(one.words) >= 3]
        for (at, _), (_, hits) in zip(cut, index.find([one for _, one in cut], REVIEW), strict=True):
            found += any(listed[hit.position] == listed[at] for hit in hits)
        asked += len(cut)
    assert asked == 308
    assert found >= 298


_WORDS = "acme acmee akme bank banc china chine 12 ii steel steels st eel goodwill good will techn technology tech al ruritanian ruritanain co ltd ao qaida kaida"
_texts = st.lists(st.sampled_from(_WORDS.split()), min_size=1, max_size=4).map(" ".join)


@examples(40, least=40)
@given(st.lists(_texts, min_size=1, max_size=8), st.lists(_texts, min_size=1, max_size=12), st.booleans())
def test_nothing_is_missed(asked: list[str], listed: list[str], all_that_is: bool) -> None:
    """Looking names up among many finds what comparing each with each finds, and no score depends on who is asked about whom."""
    mine, theirs = [parse_name(one) for one in asked], [parse_name(one) for one in listed]
    least = 0.0 if all_that_is else REVIEW
    for weights in (Weights(), Weights.of(theirs)):
        for at, hits in NameIndex(theirs, weights).find(mine, least):
            scores = {n: compare(mine[at], other, weights).score for n, other in enumerate(theirs)}
            expected = {n: found for n, found in scores.items() if found >= least and found > 0}
            assert {hit.position: hit.comparison.score for hit in hits} == expected
            for n, found in scores.items():
                assert compare(theirs[n], mine[at], weights).score == found
                assert 0 <= found <= 1
            ranked = [hit.comparison.score for hit in hits]
            assert ranked == sorted(ranked, reverse=True)


@examples(50, least=50)
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_a_name(one: str, other: str) -> None:
    """Whatever stands in a list or a catalog is read, and compared."""
    for a in readings(one):
        for b in readings(other):
            assert 0 <= compare(a, b, Weights()).score <= 1
    assert all(compare(a, a, Weights()).score == 1 for a in readings(one))


def test_a_name_of_a_million_letters() -> None:
    """Takes no longer than a long name does."""
    long = "ab " * 400_000 + "(also known as " * 1000
    (hits,) = (found for _, found in NameIndex(list(readings(long)), Weights()).find([parse_name(long)], REVIEW))
    assert hits[0].comparison.score == 1
