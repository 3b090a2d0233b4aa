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
_NAME_BY_SYMBOL = {symbol: name for name, symbol in ELEMENT_SYMBOLS.items()}
_GROUPS = ("NdFeB", "NdPr", "SmCo")
_MEANINGS = {
    **{name: symbol for symbol, name in zip(_NAMES[::2], _NAMES[1::2], strict=True)},
    **{word.casefold(): word for word in (*_SYMBOLS, *_GROUPS)},
    "wolfram": "W", "columbium": "Nb", "didymium": "NdPr",
}  # fmt: skip
_RARE_EARTHS = "RE"  # not rhenium
_RARE_EARTH_WORDS = frozenset({"ree", "rees", "rare earth", "rare earths", "rare-earth", "rare-earths"})
_GROUP = re.compile(r"(?:[A-Z][a-z]?[\d.]*[ /()-]*)+")
_PART = re.compile(r"[A-Z][a-z]?")


def element(word: str) -> str:
    """Return an element or a group. Reject words like `tungsten` and `nd`, which mean an element but match no rule."""
    folded = word.casefold()
    symbol = _RARE_EARTHS if folded in _RARE_EARTH_WORDS else _MEANINGS.get(folded, word)
    if word not in (symbol, _RARE_EARTHS):
        raise UnreadableError("a symbol, or a group such as `NdPr`", f"did you mean `{symbol}`?", code="FS017")
    return _reject_lookalikes(word)


def element_name(symbol: str) -> str:
    """Return the American name of an element, or the word itself if it is a group."""
    return _NAME_BY_SYMBOL.get(symbol, symbol)


def _reject_lookalikes(word: str) -> str:
    reason = misleading(unicodedata.normalize("NFKC", word))
    if reason:
        raise UnreadableError("visible letters of one alphabet", f"`{word}` {reason}; type it again", code="FS014")
    return word


Element = Annotated[str, AfterValidator(element)]
Form = Annotated[str, AfterValidator(_reject_lookalikes)]


@lru_cache(maxsize=4096)
def elements_in(word: str) -> frozenset[str]:
    """Return the word and the elements in it: `NdFeB`, `Nd2Fe14B`, and `NdFeB magnet` contain Nd, Fe, and B; `REO` contains none."""
    return symbols_in(word) | {word}


@lru_cache(maxsize=4096)
def symbols_in(word: str) -> frozenset[str]:
    elements: set[str] = set()
    for part in re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", word)):
        # Two lowercase letters aren't a symbol: `tin in bars` contains no indium.
        is_name = part != _RARE_EARTHS and (len(part) > 2 or not part.islower())
        formula = _MEANINGS.get(part.casefold().rstrip("0123456789"), part) if is_name else part
        symbols = frozenset(_PART.findall(formula)) if _GROUP.fullmatch(formula) else frozenset[str]()
        elements |= symbols if symbols <= _SYMBOLS else set()
    return frozenset(elements)


# Elements by the industry's form in which suppliers declare the smelters and mines of a product.
_DECLARATIONS = {
    "AMRT": symbols_in("ScYLaCePrNdSmEuGdTbDyHoErTmYbLu"),
    "CMRT": symbols_in("AuSnTaW"),
    "EMRT": symbols_in("CCoCuLiNi"),
}


def declaration_form(element: str) -> str:
    """Return the form in which suppliers declare the smelters and mines of an element: CMRT, EMRT, or AMRT. Empty if there is none."""
    if element == _RARE_EARTHS:
        return "AMRT"
    symbols = symbols_in(element)
    return next((form for form, declared in _DECLARATIONS.items() if symbols & declared), "")


@lru_cache(maxsize=4096)
def form_words(form: str) -> frozenset[str]:
    """Return the words that select a form: as written, and in lowercase singular, so that `Sintered magnets` are magnets."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", form).casefold())
    return frozenset({form, *words, *(word.removesuffix("s") for word in words)})


@lru_cache(maxsize=4096)
def tag_words(tags: frozenset[str]) -> frozenset[str]:
    return frozenset("-".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", tag).casefold())) for tag in tags)
