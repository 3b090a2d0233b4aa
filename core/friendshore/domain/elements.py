"""What rules select materials by: chemical elements, groups of them, and words for what a material comes as."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator

from .base import UnreadableError

_TABLE = """H hydrogen He helium Li lithium Be beryllium B boron C carbon N nitrogen O oxygen F fluorine Ne neon Na sodium Mg magnesium Al aluminium
Al aluminum Si silicon P phosphorus S sulfur S sulphur Cl chlorine Ar argon K potassium Ca calcium Sc scandium Ti titanium V vanadium Cr chromium
Mn manganese Fe iron Co cobalt Ni nickel Cu copper Zn zinc Ga gallium Ge germanium As arsenic Se selenium Br bromine Kr krypton Rb rubidium
Sr strontium Y yttrium Zr zirconium Nb niobium Mo molybdenum Tc technetium Ru ruthenium Rh rhodium Pd palladium Ag silver Cd cadmium In indium
Sn tin Sb antimony Te tellurium I iodine Xe xenon Cs caesium Cs cesium Ba barium La lanthanum Ce cerium Pr praseodymium Nd neodymium Pm promethium
Sm samarium Eu europium Gd gadolinium Tb terbium Dy dysprosium Ho holmium Er erbium Tm thulium Yb ytterbium Lu lutetium Hf hafnium Ta tantalum
W tungsten Re rhenium Os osmium Ir iridium Pt platinum Au gold Hg mercury Tl thallium Pb lead Bi bismuth Po polonium At astatine Rn radon
Fr francium Ra radium Ac actinium Th thorium Pa protactinium U uranium Np neptunium Pu plutonium"""
_NAMES = _TABLE.split()
_SYMBOLS = frozenset(_NAMES[::2])
_GROUPS = ("NdFeB", "NdPr", "SmCo")
_MEANT = {
    **{name: symbol for symbol, name in zip(_NAMES[::2], _NAMES[1::2], strict=True)},
    **{word.casefold(): word for word in (*_SYMBOLS, *_GROUPS)},
}
"""What a word means, in small letters."""
_RARE_EARTHS = "RE"
"""All of them, and not rhenium."""
_GROUP = re.compile(r"(?:[A-Z][a-z]?[\d.]*[ /()-]*)+")
_PART = re.compile(r"[A-Z][a-z]?")


def element(word: str) -> str:
    """An element or a group; what means an element and is not its symbol, as `tungsten` and `nd` do, would escape every rule and is refused.

    Raises:
        UnreadableError: if it is such a word.
    """
    meant = _MEANT.get(word.casefold(), word)
    if word not in (meant, _RARE_EARTHS):
        raise UnreadableError("a symbol, or a group such as `NdPr`", f"did you mean `{meant}`?")
    return word


Element = Annotated[str, AfterValidator(element)]


@lru_cache(maxsize=4096)
def elements_in(word: str) -> frozenset[str]:
    """The word itself, and the elements of a group that is written by their symbols: `NdFeB` holds Nd, Fe and B, and `REO` none."""
    parts = frozenset(_PART.findall(word)) if _GROUP.fullmatch(word) else frozenset[str]()
    return frozenset({word}) | (parts if parts <= _SYMBOLS else frozenset[str]())


@lru_cache(maxsize=4096)
def form_words(form: str) -> frozenset[str]:
    """What a form is selected by: as it is written, and its words in small letters and the singular, so that `Sintered magnets` are magnets."""
    words = re.findall(r"[^\W_]+", form.casefold())
    return frozenset({form, *words, *(word.removesuffix("s") for word in words)})
