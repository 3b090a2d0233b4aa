"""How well names of companies are told apart, on the pairs of opensanctions/nomenklatura (`contrib/name_bench/cases.csv`, MIT), which are not kept here.

    uv run python -m tests.bench.names cases.csv [--errors tune]

    uv run python -m tests.bench.names --speed 10000 20000

The second times made-up names looked up among others, in processor seconds. Pairs are halved by a hash of their names: rules and thresholds were set by looking at the one half, `tune`, alone.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import random
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz import fuzz, utils
from rapidfuzz.distance import JaroWinkler

from friendshore_screening.names.index import NameIndex
from friendshore_screening.names.normal import name, readings
from friendshore_screening.names.score import MATCH, REVIEW, Weights, compare

ORGANISATIONS = {"Company", "Organization", "LegalEntity"}


@dataclass(frozen=True)
class Case:
    """A pair of names, and whether they are held to be one's."""

    schema: str
    one: str
    other: str
    same: bool

    @property
    def half(self) -> str:
        """`tune` or `held`."""
        digest = hashlib.sha256(f"{self.one}|{self.other}".encode()).hexdigest()
        return "held" if int(digest, 16) % 2 else "tune"


def ours(one: str, other: str) -> float:
    """The score of this plugin, without a list to weigh words by."""
    return max((compare(a, b, Weights()).score for a in readings(one) for b in readings(other)), default=0.0)


SCORERS: dict[str, Callable[[str, str], float]] = {
    "friendshore-screening": ours,
    "WRatio": lambda a, b: fuzz.WRatio(a, b, processor=utils.default_process) / 100,
    "token_set_ratio": lambda a, b: fuzz.token_set_ratio(a, b, processor=utils.default_process) / 100,
    "token_sort_ratio": lambda a, b: fuzz.token_sort_ratio(a, b, processor=utils.default_process) / 100,
    "ratio": lambda a, b: fuzz.ratio(a, b, processor=utils.default_process) / 100,
    "Jaro-Winkler": lambda a, b: JaroWinkler.similarity(a, b, processor=utils.default_process),
}


def figures(scored: Iterable[tuple[float, bool]], threshold: float) -> tuple[float, float, float]:
    """Precision, recall and F1 of the scores from a threshold on."""
    listed = list(scored)
    hits = sum(1 for score, same in listed if score >= threshold and same)
    told = sum(1 for score, _ in listed if score >= threshold)
    real = sum(1 for _, same in listed if same)
    precision, recall = hits / max(told, 1), hits / max(real, 1)
    return precision, recall, 2 * hits / max(told + real, 1)


def tell(line: str) -> None:
    """A line of the table."""
    sys.stdout.write(f"{line}\n")


def made_up(count: int, seed: int) -> list[str]:
    """Names of a company's own word or two, an ordinary word and a form, the same each time."""
    lot = random.Random(seed)
    words = [
        "".join(lot.choice("bcdfgklmnprst") + lot.choice("aeiou") for _ in range(lot.randint(2, 4)))
        for _ in range(6000)
    ]
    plain = ("metals", "trading", "international", "shipping", "technology", "industrial", "china", "bank")
    forms = ("Ltd", "LLC", "GmbH", "Co., Ltd.", "JSC", "")
    return [
        " ".join((*lot.sample(words, lot.randint(1, 2)), lot.choice(plain), lot.choice(forms))).strip()
        for _ in range(count)
    ]


def speed(asked: int, listed: int) -> None:
    """Processor seconds for reading the names of a list, and for looking others up, a third of which are the list's with a slip."""
    texts = made_up(listed, 1)
    others = made_up(asked, 2)
    for n in range(0, asked, 3):
        others[n] = texts[n % listed].replace("a", "o", 1)
    begun = time.process_time()
    names = [name(text) for text in texts]
    index = NameIndex(names, Weights.of(names))
    read = time.process_time()
    hits = sum(len(found) for _, found in index.find([name(text) for text in others], REVIEW))
    done = time.process_time()
    tell(
        f"{asked:,} names among {listed:,}: read in {read - begun:.1f} s, looked up in {done - read:.1f} s; {hits:,} to be looked at"
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path, nargs="?")
    parser.add_argument(
        "--speed", type=int, nargs=2, metavar=("ASKED", "LISTED"), help="names looked up, among how many"
    )
    parser.add_argument("--errors", default="", help="a half of which to list what was told wrongly")
    asked = parser.parse_args()
    if asked.speed:
        speed(*asked.speed)
    if asked.cases is None:
        return
    with asked.cases.open(encoding="utf-8") as file:
        cases = [Case(r["schema"], r["name1"], r["name2"], r["is_match"] == "true") for r in csv.DictReader(file)]
    parts = {
        "organisations, tune": [c for c in cases if c.schema in ORGANISATIONS and c.half == "tune"],
        "organisations, held out": [c for c in cases if c.schema in ORGANISATIONS and c.half == "held"],
        "organisations": [c for c in cases if c.schema in ORGANISATIONS],
        "all": cases,
    }
    for title, part in parts.items():
        tell(f"{title}: {len(part)} pairs, {sum(c.same for c in part)} of one name")
        for called, scorer in SCORERS.items():
            begun = time.process_time()
            scored = [(scorer(c.one, c.other), c.same) for c in part]
            spent = (time.process_time() - begun) / len(part) * 1e6
            best = max((figures(scored, t / 100)[2], t / 100) for t in range(30, 101))
            p, r, f = figures(scored, best[1])
            tell(f"  {called:22} best F1 {f:.3f} (P {p:.3f}, R {r:.3f}) at {best[1]:.2f}   {spent:6.1f} us a pair")
            if called == "friendshore-screening":
                for band, threshold in (("match", MATCH), ("review", REVIEW)):
                    p, r, f = figures(scored, threshold)
                    tell(f"    {band} from {threshold:.2f}: F1 {f:.3f} (P {p:.3f}, R {r:.3f})")
    for case in parts["organisations"] if asked.errors else []:
        score = ours(case.one, case.other)
        if case.half == asked.errors and (score >= MATCH) != case.same:
            band = "match" if score >= MATCH else "review" if score >= REVIEW else "none"
            tell(f"{'same' if case.same else 'not '} {score:.2f} {band:6} {case.one} | {case.other}")


if __name__ == "__main__":
    main()
