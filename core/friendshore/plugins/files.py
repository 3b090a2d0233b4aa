"""Every file of a plugin with its hash: code, data, manifest and compiled modules. What decides a result can be any of them."""

from __future__ import annotations

import hashlib
import json
import marshal
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path
from stat import S_ISREG

from ..errors import FriendshoreError
from .interface import OWN
from .manifest import PluginInfo, normal
from .packages import folders_of
from .registry import Registry

SHORT = 16
"""Digits kept of the hash of one file where a digest of them all stands beside it: enough to tell which one changed."""
_CACHE = "__pycache__"
"""What Python writes itself, from the source beside it."""
_HEAD = 16
"""Bytes before the code of a compiled module: magic number, flags, then time and size of its source, or its hash (PEP 552)."""
_HASHED, _CHECKED = 1, 2
"""Flags: it goes by the hash of its source; and that is compared."""
_WORD = 0xFFFFFFFF
_ABOUT = (".dist-info", ".egg-info")
"""Folders of metadata, which differ from one installer to the next."""


def kind_digest(registry: Registry, kind: str) -> str:
    """The digest over every file of the plugin that brings a kind of rule; empty: it is friendshore's own, or was given in memory.

    Raises:
        PluginError: if no plugin brings it, more than one does, or the one that does is broken or blocked.
    """
    owner = registry.owner(kind).partition(" ")[0]
    return digest_of(plugin_files(registry, owner)) if owner != OWN else ""


def plugin_files(registry: Registry, distribution: str) -> dict[str, str]:
    """The files of all plugins of a distribution, each with its SHA-256; nothing for what was given in memory."""
    found: dict[str, str] = {}
    for info in registry.plugins:
        if info.package and normal(info.distribution) == normal(distribution):
            found |= package_files(info)
    return dict(sorted(found.items()))


def package_files(info: PluginInfo) -> dict[str, str]:
    """Every file of a plugin by its path from the folder that its package lies in, with its SHA-256.

    All that lies in the folders of its package, and what its distribution has installed beside them: further packages, single
    modules, compiled ones. Of an editable installation nobody says what lies beside. Left out is what Python itself keeps in
    `__pycache__`, unless Python would run it in place of a source that it does not follow from.
    """
    found: dict[str, str] = {}
    for folder in _folders(info):
        for path in _within(folder, frozenset()):
            found[path.relative_to(folder.parent).as_posix()] = _hash(path)
    for name, path in _beside(info):
        if name not in found and path.exists():
            found[name] = _hash(path)
    for folder in _folders(info):
        for path in _within(folder, frozenset()):
            if path.suffix == ".py" and (other := _runs_instead(path)) is not None:
                found[f"{path.relative_to(folder.parent).parent.as_posix()}/{_CACHE}/{other.name}"] = _hash(other)
    return dict(sorted(found.items()))


def _runs_instead(source: Path) -> Path | None:
    """The compiled module that Python would run in place of a source, where it does not follow from that source; None: it would run the source."""
    compiled = Path(cache_from_source(str(source)))
    try:
        held, text, written = compiled.read_bytes(), source.read_bytes(), source.stat()
    except OSError:
        return None
    head, code = held[:_HEAD], held[_HEAD:]
    flags, stamp = int.from_bytes(head[4:8], "little"), head[8:]
    if flags & _HASHED:
        current = not flags & _CHECKED or stamp == source_hash(text)
    else:
        times = (int(written.st_mtime) & _WORD, written.st_size & _WORD)
        current = stamp == b"".join(one.to_bytes(4, "little") for one in times)
    if head[:4] != MAGIC_NUMBER or not current:
        return None  # of another Python, or older than the source: it is made anew
    return None if _follows(code, text, str(source)) else compiled


@lru_cache(maxsize=512)
def _follows(code: bytes, text: bytes, source: str) -> bool:
    """Whether compiled code is what a source comes to; kept by the content of both, since it takes longer than all else that is asked of files."""
    try:
        return bool(marshal.loads(code) == compile(text, source, "exec", dont_inherit=True))  # noqa: S302 - compared, never run
    except (EOFError, SyntaxError, TypeError, ValueError):
        return False


def digest_of(files: Mapping[str, str]) -> str:
    """One digest over the names and hashes of files; empty where there are none."""
    text = json.dumps(sorted(files.items()), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest() if files else ""


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What is new, gone or changed between two sets of hashes by name, in words; a hash may be the beginning of the other."""
    found = []
    for name in sorted({*before, *now}):
        if name not in before:
            found.append(f"{name} is new")
        elif name not in now:
            found.append(f"{name} is gone")
        elif not (before[name].startswith(now[name]) or now[name].startswith(before[name])):
            found.append(f"{name} changed")
    return found


def _folders(info: PluginInfo) -> list[Path]:
    """The folders of its package: the one of its manifest, and the others of a package that lies in several."""
    home = [Path(info.file).parent] if info.file else []
    try:
        others = folders_of(info.package)
    except FriendshoreError:  # a plugin's folder that is not installed
        others = []
    # One of the same name that is installed elsewhere is not what this one runs.
    return list(dict.fromkeys([*home, *others])) if not home or home[0] in others else home


def _within(folder: Path, above: frozenset[str]) -> Iterator[Path]:
    """All files below a folder, through links too; a link back to where it lies is followed once."""
    here = os.path.realpath(folder)
    if here in above:
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # what cannot be read cannot be run either
        return
    for path in entries:
        if path.is_dir():
            if path.name != _CACHE:
                yield from _within(path, above | {here})
        else:
            yield path


def _beside(info: PluginInfo) -> Iterator[tuple[str, Path]]:
    """What the distribution of an installed plugin says that it has installed, its metadata and programs left out."""
    try:
        found = distribution(info.distribution)
    except (PackageNotFoundError, ValueError):
        return
    home = Path(str(found.locate_file(info.package)))
    if not info.file or os.path.realpath(home) != os.path.realpath(Path(info.file).parent) or _editable(found):
        return
    for file in found.files or ():
        first = file.parts[0]
        if first not in ("..", "/") and not first.endswith(_ABOUT) and _CACHE not in file.parts:
            yield file.as_posix(), Path(str(found.locate_file(file)))


def _editable(found: Distribution) -> bool:
    """Whether a distribution is used from its source, so that only links to it were installed."""
    try:
        told = json.loads(found.read_text("direct_url.json") or "{}")
    except (ValueError, RecursionError):  # a file that pip did not write
        return False
    return isinstance(told, dict) and bool(dict(told.get("dir_info") or {}).get("editable"))


def _hash(path: Path) -> str:
    """SHA-256 of a file; of what is none, or cannot be read, a word that no hash is."""
    try:
        if not S_ISREG(path.stat().st_mode):
            return "no regular file"
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return "unreadable"
