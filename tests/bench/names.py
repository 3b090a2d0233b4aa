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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz import fuzz, utils
from rapidfuzz.distance import JaroWinkler

from friendshore_screening.names import MATCH, REVIEW, NameIndex, Weights, compare, parse_name, readings

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


def _fuzzy(scorer: Callable[..., float]) -> Callable[[str, str], float]:
    return lambda a, b: scorer(a, b, processor=utils.default_process) / 100


SCORERS: dict[str, Callable[[str, str], float]] = {
    "friendshore-screening": ours,
    **{one.__name__: _fuzzy(one) for one in (fuzz.WRatio, fuzz.token_set_ratio, fuzz.token_sort_ratio, fuzz.ratio)},
    "Jaro-Winkler": lambda a, b: JaroWinkler.similarity(a, b, processor=utils.default_process),
}


def figures(scored: Sequence[tuple[float, bool]], threshold: float) -> tuple[float, float, float]:
    """Precision, recall and F1 of the scores from a threshold on."""
    told = [same for score, same in scored if score >= threshold]
    hits, real = sum(told), sum(same for _, same in scored)
    return hits / max(len(told), 1), hits / max(real, 1), 2 * hits / max(len(told) + real, 1)


def made_up(count: int, seed: int) -> list[str]:
    """Names of a company's own word or two, an ordinary word and a form, the same each time."""
    lot = random.Random(seed)

    def word() -> str:
        return "".join(lot.choice("bcdfgklmnprst") + lot.choice("aeiou") for _ in range(lot.randint(2, 4)))

    words = [word() for _ in range(6000)]
    plain = ("metals", "trading", "international", "shipping", "technology", "industrial", "china", "bank")
    forms = ("Ltd", "LLC", "GmbH", "Co., Ltd.", "JSC", "")
    own = (lot.sample(words, lot.randint(1, 2)) for _ in range(count))
    return [" ".join((*some, lot.choice(plain), lot.choice(forms))).strip() for some in own]


def speed(asked: int, listed: int) -> None:
    """Processor seconds for reading the names of a list, and for looking others up, a third of which are the list's with a slip."""
    texts, others = made_up(listed, 1), made_up(asked, 2)
    for n in range(0, asked, 3):
        others[n] = texts[n % listed].replace("a", "o", 1)
    begun = time.process_time()
    names = [parse_name(text) for text in texts]
    index = NameIndex(names, Weights.of(names))
    read = time.process_time()
    hits = sum(len(found) for _, found in index.find([parse_name(text) for text in others], REVIEW))
    took = f"read in {read - begun:.1f} s, looked up in {time.process_time() - read:.1f} s"
    sys.stdout.write(f"{asked:,} names among {listed:,}: {took}; {hits:,} to be looked at\n")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path, nargs="?")
    how = "names looked up, among how many"
    parser.add_argument("--speed", type=int, nargs=2, metavar=("ASKED", "LISTED"), help=how)
    parser.add_argument("--errors", default="", help="a half of which to list what was told wrongly")
    asked = parser.parse_args()
    if asked.speed:
        speed(*asked.speed)
    if asked.cases is None:
        return
    with asked.cases.open(encoding="utf-8") as file:
        cases = [Case(r["schema"], r["name1"], r["name2"], r["is_match"] == "true") for r in csv.DictReader(file)]
    companies = [case for case in cases if case.schema in ORGANISATIONS]
    tune, held = ([case for case in companies if case.half == half] for half in ("tune", "held"))
    parts = {"organisations, tune": tune, "organisations, held out": held, "organisations": companies, "all": cases}
    for title, part in parts.items():
        sys.stdout.write(f"{title}: {len(part)} pairs, {sum(c.same for c in part)} of one name\n")
        sys.stdout.writelines(f"{line}\n" for called, scorer in SCORERS.items() for line in told(called, scorer, part))
    for case in companies if asked.errors else []:
        score = ours(case.one, case.other)
        if case.half == asked.errors and (score >= MATCH) != case.same:
            band = "match" if score >= MATCH else "review" if score >= REVIEW else "none"
            sys.stdout.write(f"{'same' if case.same else 'not '} {score:.2f} {band:6} {case.one} | {case.other}\n")


def told(called: str, scorer: Callable[[str, str], float], part: Sequence[Case]) -> Iterator[str]:
    """The lines of one scorer."""
    begun = time.process_time()
    scored = [(scorer(c.one, c.other), c.same) for c in part]
    spent = (time.process_time() - begun) / len(part) * 1e6
    _, best = max((figures(scored, t / 100)[2], t / 100) for t in range(30, 101))
    p, r, f = figures(scored, best)
    yield f"  {called:22} best F1 {f:.3f} (P {p:.3f}, R {r:.3f}) at {best:.2f}   {spent:6.1f} us a pair"
    for band, threshold in (("match", MATCH), ("review", REVIEW)) if scorer is ours else ():
        p, r, f = figures(scored, threshold)
        yield f"    {band} from {threshold:.2f}: F1 {f:.3f} (P {p:.3f}, R {r:.3f})"


if __name__ == "__main__":
    main()
