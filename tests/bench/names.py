"""Accuracy of name comparison on the pairs of opensanctions/nomenklatura (`contrib/name_bench/cases.csv`, MIT), which the repository doesn't contain.

    uv run python -m tests.bench.names cases.csv [--errors tune]
    uv run python -m tests.bench.names --speed 10000 20000

The second measures the CPU seconds of searches with random names. A hash of the names assigns each pair to a half. Rules and thresholds are based on `tune` only.
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

ORGANIZATIONS = {"Company", "Organization", "LegalEntity"}


@dataclass(frozen=True)
class NamePair:
    """Two names, and whether they mean the same company."""

    schema: str
    first: str
    second: str
    same: bool

    @property
    def half(self) -> str:
        digest = hashlib.sha256(f"{self.first}|{self.second}".encode()).hexdigest()
        return "held" if int(digest, 16) % 2 else "tune"


def ours(first: str, second: str) -> float:
    """Return the plugin's score, without weights from a list."""
    return max((compare(a, b, Weights()).score for a in readings(first) for b in readings(second)), default=0.0)


def _fuzzy(scorer: Callable[..., float]) -> Callable[[str, str], float]:
    return lambda a, b: scorer(a, b, processor=utils.default_process) / 100


SCORERS: dict[str, Callable[[str, str], float]] = {
    "friendshore-screening": ours,
    **{
        scorer.__name__: _fuzzy(scorer)
        for scorer in (fuzz.WRatio, fuzz.token_set_ratio, fuzz.token_sort_ratio, fuzz.ratio)
    },
    "Jaro-Winkler": lambda a, b: JaroWinkler.similarity(a, b, processor=utils.default_process),
}


def figures(scored: Sequence[tuple[float, bool]], threshold: float) -> tuple[float, float, float]:
    """Return precision, recall, and F1 of the scores from a threshold on."""
    accepted = [same for score, same in scored if score >= threshold]
    hits, positives = sum(accepted), sum(same for _, same in scored)
    return hits / max(len(accepted), 1), hits / max(positives, 1), 2 * hits / max(len(accepted) + positives, 1)


def random_names(count: int, seed: int) -> list[str]:
    """Return random names of one or two distinctive words, an ordinary word, and a legal form."""
    rng = random.Random(seed)

    def word() -> str:
        return "".join(rng.choice("bcdfgklmnprst") + rng.choice("aeiou") for _ in range(rng.randint(2, 4)))

    words = [word() for _ in range(6000)]
    ordinary = ("metals", "trading", "international", "shipping", "technology", "industrial", "china", "bank")
    forms = ("Ltd", "LLC", "GmbH", "Co., Ltd.", "JSC", "")
    distinctive = (rng.sample(words, rng.randint(1, 2)) for _ in range(count))
    return [
        " ".join((*words_of_name, rng.choice(ordinary), rng.choice(forms))).strip() for words_of_name in distinctive
    ]


def speed(query_count: int, list_count: int) -> None:
    """Print the CPU seconds of reading a list and of queries, a third of which are list names with a typing error."""
    texts, queries = random_names(list_count, 1), random_names(query_count, 2)
    for n in range(0, query_count, 3):
        queries[n] = texts[n % list_count].replace("a", "o", 1)
    started = time.process_time()
    names = [parse_name(text) for text in texts]
    index = NameIndex(names, Weights.of(names))
    parsed_at = time.process_time()
    hits = sum(len(hits_of_name) for _, hits_of_name in index.find([parse_name(text) for text in queries], REVIEW))
    time_text = f"read in {parsed_at - started:.1f} s, looked up in {time.process_time() - parsed_at:.1f} s"
    sys.stdout.write(f"{query_count:,} names among {list_count:,}: {time_text}; {hits:,} to be looked at\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path, nargs="?")
    help_text = "names looked up, among how many"
    parser.add_argument("--speed", type=int, nargs=2, metavar=("ASKED", "LISTED"), help=help_text)
    parser.add_argument("--errors", default="", help="half whose errors to list")
    options = parser.parse_args()
    if options.speed:
        speed(*options.speed)
    if options.pairs is None:
        return
    with options.pairs.open(encoding="utf-8") as file:
        pairs = [NamePair(r["schema"], r["name1"], r["name2"], r["is_match"] == "true") for r in csv.DictReader(file)]
    companies = [pair for pair in pairs if pair.schema in ORGANIZATIONS]
    tune, held = ([pair for pair in companies if pair.half == half] for half in ("tune", "held"))
    parts = {"organizations, tune": tune, "organizations, held out": held, "organizations": companies, "all": pairs}
    for title, part in parts.items():
        sys.stdout.write(f"{title}: {len(part)} pairs, {sum(c.same for c in part)} of one name\n")
        sys.stdout.writelines(
            f"{line}\n" for name, scorer in SCORERS.items() for line in scorer_lines(name, scorer, part)
        )
    for pair in companies if options.errors else []:
        score = ours(pair.first, pair.second)
        if pair.half == options.errors and (score >= MATCH) != pair.same:
            band = "match" if score >= MATCH else "review" if score >= REVIEW else "none"
            sys.stdout.write(f"{'same' if pair.same else 'not '} {score:.2f} {band:6} {pair.first} | {pair.second}\n")


def scorer_lines(name: str, scorer: Callable[[str, str], float], part: Sequence[NamePair]) -> Iterator[str]:
    started = time.process_time()
    scored = [(scorer(c.first, c.second), c.same) for c in part]
    spent = (time.process_time() - started) / len(part) * 1e6
    _, best = max((figures(scored, t / 100)[2], t / 100) for t in range(30, 101))
    p, r, f = figures(scored, best)
    yield f"  {name:22} best F1 {f:.3f} (P {p:.3f}, R {r:.3f}) at {best:.2f}   {spent:6.1f} us a pair"
    for band, threshold in (("match", MATCH), ("review", REVIEW)) if scorer is ours else ():
        p, r, f = figures(scored, threshold)
        yield f"    {band} from {threshold:.2f}: F1 {f:.3f} (P {p:.3f}, R {r:.3f})"


if __name__ == "__main__":
    main()
