"""Files bent as bytes and as lines, whatever they hold, and folders bent as folders."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

from . import nasty


def bend_bytes(data: bytes, lot: Random) -> bytes:
    """The bytes of a file with one thing done to them."""
    return lot.choice(CHANGES)(data, lot)


def _flip(data: bytes, lot: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(lot.choice((1, 1, 1, 3, 20))):
        if changed:
            changed[lot.randrange(len(changed))] = lot.choice((lot.randrange(256), *b'"\n,;=[]{}#\r\0'))
    return bytes(changed)


def _cut(data: bytes, lot: Random) -> bytes:
    start = lot.randint(0, len(data))
    return data[:start] + data[min(len(data), start + lot.choice((1, 3, 20, 10**9))) :]


def _insert(data: bytes, lot: Random) -> bytes:
    start = lot.randint(0, len(data))
    return data[:start] + lot.choice((nasty.text(lot), nasty.quantity(lot))).encode() + data[start:]


def _lines(data: bytes, lot: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    here, there = lot.randrange(len(lines)), lot.randrange(len(lines))
    match lot.randrange(4):
        case 0:
            del lines[here]
        case 1:
            lines.insert(there, lines[here])
        case 2:
            lines[here], lines[there] = lines[there], lines[here]
        case _:
            lines[here] = b"\n"
    return b"".join(lines)


def _words(data: bytes, lot: Random) -> bytes:
    """One word written over another, both of the file."""
    words = data.replace(b",", b" ").replace(b'"', b" ").split()
    return data.replace(lot.choice(words), lot.choice(words), lot.choice((1, -1))) if words else data


def _encoding(data: bytes, lot: Random) -> bytes:
    text = data.decode("utf-8", "replace")
    return lot.choice((
        b"\xef\xbb\xbf" + data, text.encode("utf-16"), text.encode("utf-16-le"), text.encode("utf-32"),
        (text + "é").encode("latin-1", "replace"), data.replace(b"\n", b"\r\n"), data.replace(b"\n", b"\r"), data + b"\x00" * 100, b"",
        data + b"\xff\xfe", data * 2, data.replace(b",", b";"), data.replace(b",", b"\t"), data.rstrip(b"\n"),
    ))  # fmt: skip


def _deep(data: bytes, lot: Random) -> bytes:
    count = lot.choice((450, 3000, 20_000))
    if lot.random() < 0.4:  # within, where it is JSON or an inline table
        return data.replace(b": ", b": " + b"[" * count + b"]" * count + b", ", 1)
    return data + b"\n" + lot.choice((
        b"x = " + b"[" * count + b"]" * count, b"x = " + b"{a=" * count + b"1" + b"}" * count, b".".join([b"a"] * count) + b" = 1",
        b"[" + b".".join([b"a"] * count) + b"]", b"x = " + b"9" * count, b"x = 1e" + b"9" * 20,
    ))  # fmt: skip


CHANGES: tuple[Callable[[bytes, Random], bytes], ...] = (
    _flip, _flip, _cut, _insert, _insert, _lines, _lines, _lines, _words, _words, _words, _encoding, _deep,
)  # fmt: skip


def bend_folder(folder: Path, lot: Random) -> None:
    """Does one thing to a file or folder below a folder, as a file system allows it."""
    found = sorted(path for path in folder.rglob("*") if not path.is_symlink())
    if not found:
        return
    path = lot.choice(found)
    way, other = lot.randrange(9), lot.choice(found)
    if way == 0:
        name = lot.choice((path.name.upper(), path.name + ".bak", "x" * 200, "é\u0301 x", path.stem))
        path.rename(path.with_name(name))
    elif way == 1:
        (path if path.is_dir() else path.parent).joinpath("sub").symlink_to("..")
    elif way == 2:
        if path.is_file() and other.is_file():
            path.write_bytes(other.read_bytes())
    else:
        (shutil.rmtree if path.is_dir() else Path.unlink)(path)
        instead: tuple[Callable[[], object], ...] = (
            lambda: None, path.mkdir, lambda: path.symlink_to("nowhere"), lambda: path.symlink_to(path.name), lambda: os.mkfifo(path),
            lambda: path.write_bytes(b""),
        )  # fmt: skip
        instead[way - 3]()
