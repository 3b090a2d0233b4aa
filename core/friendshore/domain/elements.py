"""Criteria by which rules select materials: elements, groups of elements, forms, and tags."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator

from .base import UnreadableError
from .suggest import misleading

_TABLE = """H hydrogen He helium Li lithium Be beryllium B boron C carbon N nitrogen O oxygen F fluorine Ne neon Na sodium Mg magnesium Al aluminium
Al aluminum Si silicon P phosphorus S sulphur S sulfur Cl chlorine Ar argon K potassium Ca calcium Sc scandium Ti titanium V vanadium Cr chromium
Mn manganese Fe iron Co cobalt Ni nickel Cu copper Zn zinc Ga gallium Ge germanium As arsenic Se selenium Br bromine Kr krypton Rb rubidium
Sr strontium Y yttrium Zr zirconium Nb niobium Mo molybdenum Tc technetium Ru ruthenium Rh rhodium Pd palladium Ag silver Cd cadmium In indium
Sn tin Sb antimony Te tellurium I iodine Xe xenon Cs caesium Cs cesium Ba barium La lanthanum Ce cerium Pr praseodymium Nd neodymium Pm promethium
Sm samarium Eu europium Gd gadolinium Tb terbium Dy dysprosium Ho holmium Er erbium Tm thulium Yb ytterbium Lu lutetium Hf hafnium Ta tantalum
W tungsten Re rhenium Os osmium Ir iridium Pt platinum Au gold Hg mercury Tl thallium Pb lead Bi bismuth Po polonium At astatine Rn radon
Fr francium Ra radium Ac actinium Th thorium Pa protactinium U uranium Np neptunium Pu plutonium"""
_NAMES = _TABLE.split()
_SYMBOLS = frozenset(_NAMES[::2])
ELEMENT_SYMBOLS = {name: symbol for symbol, name in dict(zip(_NAMES[::2], _NAMES[1::2], strict=True)).items()}
"""Symbols of elements by their American lowercase names."""
_GROUPS = ("NdFeB", "NdPr", "SmCo")
_MEANT = {
    **{name: symbol for symbol, name in zip(_NAMES[::2], _NAMES[1::2], strict=True)},
    **{word.casefold(): word for word in (*_SYMBOLS, *_GROUPS)},
    "wolfram": "W", "columbium": "Nb", "didymium": "NdPr",
}  # fmt: skip
"""Lowercase word -> meaning."""
_RARE_EARTHS = "RE"
"""All rare earths, not rhenium."""
_MEANT_RARE_EARTHS = frozenset({"ree", "rees", "rare earth", "rare earths", "rare-earth", "rare-earths"})
_GROUP = re.compile(r"(?:[A-Z][a-z]?[\d.]*[ /()-]*)+")
_PART = re.compile(r"[A-Z][a-z]?")


def element(word: str) -> str:
    """Return an element or a group. Words like `tungsten` and `nd` that mean an element but aren't its symbol are rejected, as no rule would match them.

    Raises:
        UnreadableError: If it is such a word.
    """
    folded = word.casefold()
    meant = _RARE_EARTHS if folded in _MEANT_RARE_EARTHS else _MEANT.get(folded, word)
    if word not in (meant, _RARE_EARTHS):
        raise UnreadableError("a symbol, or a group such as `NdPr`", f"did you mean `{meant}`?")
    return _plain(word)


def _plain(word: str) -> str:
    """Reject a word with lookalike characters, as no rule would match it."""
    why = misleading(unicodedata.normalize("NFKC", word))
    if why:
        raise UnreadableError("visible letters of one alphabet", f"`{word}` {why}: type it again")
    return word


Element = Annotated[str, AfterValidator(element)]
Form = Annotated[str, AfterValidator(_plain)]
"""Form of a material, in words."""


@lru_cache(maxsize=4096)
def elements_in(word: str) -> frozenset[str]:
    """Return the word and the elements in it: `NdFeB`, `Nd2Fe14B`, and `NdFeB magnet` contain Nd, Fe, and B; `REO` contains none."""
    return symbols_in(word) | {word}


@lru_cache(maxsize=4096)
def symbols_in(word: str) -> frozenset[str]:
    """Return the elements that a word names, by symbol, group, or name."""
    found: set[str] = set()
    for part in re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", word)):
        # `tin in bars` holds no indium: of small letters only a name counts.
        named = part != _RARE_EARTHS and (len(part) > 2 or not part.islower())
        meant = _MEANT.get(part.casefold().rstrip("0123456789"), part) if named else part
        symbols = frozenset(_PART.findall(meant)) if _GROUP.fullmatch(meant) else frozenset[str]()
        found |= symbols if symbols <= _SYMBOLS else set()
    return frozenset(found)


@lru_cache(maxsize=4096)
def form_words(form: str) -> frozenset[str]:
    """Return the words that select a form: as written, and in lowercase singular, so that `Sintered magnets` are magnets."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", form).casefold())
    return frozenset({form, *words, *(word.removesuffix("s") for word in words)})


@lru_cache(maxsize=4096)
def tag_words(tags: frozenset[str]) -> frozenset[str]:
    """Return tags in normalized form: `Contains_Nd` is `contains-nd`."""
    return frozenset("-".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", tag).casefold())) for tag in tags)
