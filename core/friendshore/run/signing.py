"""Whether the files of a run are those that were written, and who signed them.

`SHA256SUMS` has the hash of every file of a run folder, so that what friendshore wrote is told from what others did. The format is that of coreutils:
`sha256sum -c SHA256SUMS` checks it. A signature is Ed25519 over its bytes, so that all files of a run are signed by the holder of one key.

`cryptography` is an extra of friendshore's (`pip install "friendshore[sign]"`) and is imported only when something is signed or a signature checked.
"""

from __future__ import annotations

import os
import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64Error
from collections.abc import Callable, Collection, Mapping
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Diagnostic, InputError
from ..reading.textfile import read_bytes
from .tables import FACTS_FILE, RUN_FILE, TABLES

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

CERTIFICATE_FILE = "certificate.json"
"""What proves the bound, if the run has one."""
SUMS_FILE = "SHA256SUMS"
SIGNATURE_FILE = "SHA256SUMS.sig"
"""A signature of `SHA256SUMS`, if the run is signed."""
FILES = (RUN_FILE, FACTS_FILE, *(table.file for table in TABLES), CERTIFICATE_FILE, SUMS_FILE, SIGNATURE_FILE)
"""All files that a run folder may hold."""
SIGNATURE_HEAD = b"friendshore "
"""How a signature that friendshore made begins: other tools call theirs by the same name."""

_LARGEST = 4_000_000_000
"""Bytes of a file of a run: more than the facts of the largest case take."""
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._-]+)")


def sums_text(contents: Mapping[str, bytes]) -> str:
    """The hashes of files, a line each, by name."""
    return "".join(f"{sha256(contents[name]).hexdigest()}  {name}\n" for name in sorted(contents))


def read_sums(folder: Path) -> dict[str, str] | None:
    """File -> hash, as the folder says; None: it says nothing, or nothing that friendshore would write.

    Raises:
        OSError: if it cannot be read.
    """
    path = folder / SUMS_FILE
    if not path.is_file():
        return None
    lines = [_LINE.fullmatch(line) for line in read_bytes(path).decode("utf-8", "replace").splitlines()]
    return {line[2]: line[1] for line in lines if line} if all(lines) else None


def changed(folder: Path, sums: Mapping[str, str]) -> list[str]:
    """Names in a folder of what is not the file that was written: added, or changed since.

    Raises:
        OSError: if a file cannot be read.
    """
    return sorted(entry.name for entry in folder.iterdir() if not _written(entry, sums))


def _written(entry: Path, sums: Mapping[str, str]) -> bool:
    """Whether an entry of a run folder is as friendshore wrote it."""
    if entry.is_symlink() or not entry.is_file():
        return False
    if entry.name == SUMS_FILE:
        return True
    if entry.name == SIGNATURE_FILE:
        return read_bytes(entry, len(SIGNATURE_HEAD)) == SIGNATURE_HEAD
    if entry.name not in sums or entry.stat().st_size > _LARGEST:
        return False
    with entry.open("rb") as stream:
        return sums[entry.name] == file_digest(stream, "sha256").hexdigest()


HEAD = b"friendshore ed25519 "
"""What stands before the signature, in base64, in its file."""
PASSWORD = "FRIENDSHORE_KEY_PASSWORD"
"""Variable of the environment that holds the password of a private key, if it has one."""
_WANTED = "an Ed25519 key as PEM (`openssl genpkey -algorithm ed25519`) or of OpenSSH (`ssh-keygen -t ed25519`)"


def signer(key: Path) -> Callable[[bytes], bytes]:
    """What signs with a private key, a PEM file or one of OpenSSH: from the bytes that are signed to the content of a signature's file.

    Raises:
        InputError: if it cannot be read or is no such key, or `cryptography` is not installed.
    """
    private = _private(key)
    return lambda content: HEAD + b64encode(private.sign(content)) + b"\n"


def _mismatch(content: bytes, signature: bytes, public: Path) -> str:
    """Why a signature is none of some content by the holder of a public key; empty: it is one."""
    key = _public(public)
    from cryptography.exceptions import InvalidSignature

    if not signature.startswith(HEAD):
        return "its signature is not one that friendshore makes"
    try:
        key.verify(b64decode(signature.removeprefix(HEAD).strip(), validate=True), content)
    except NotBase64Error:
        return "its signature cannot be read"
    except InvalidSignature:
        return "it is not signed by the holder of this key, or was changed since"
    return ""


def _private(path: Path) -> Ed25519PrivateKey:
    content = _read(path)
    serialization = _library(path)
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    read = serialization.load_ssh_private_key if b"OPENSSH" in content[:60] else serialization.load_pem_private_key
    password = os.environ.get(PASSWORD)
    try:
        key = read(content, password.encode() if password else None)
    except TypeError as error:
        fix = f"set {PASSWORD} where the key has a password, and only there"
        raise InputError("the password of the key is missing, or it has none", str(path), fix=fix) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(f"is no private key that can be read: {error}", str(path), expected=_WANTED) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError("is a private key of another kind", str(path), expected=_WANTED)
    return key


def _public(path: Path) -> Ed25519PublicKey:
    content = _read(path)
    serialization = _library(path)
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    read = serialization.load_ssh_public_key if content.startswith(b"ssh-") else serialization.load_pem_public_key
    try:
        key = read(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(f"is no public key that can be read: {error}", str(path), expected=_WANTED) from error
    if not isinstance(key, Ed25519PublicKey):
        raise InputError("is a public key of another kind", str(path), expected=_WANTED)
    return key


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise InputError("there is no such file of a key", str(path), fix="check the path")
        return read_bytes(path)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", str(path)) from error


def _library(path: Path) -> Any:
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError as error:
        fix = 'pip install "friendshore[sign]"'
        raise InputError("signatures need cryptography, which is not installed", str(path), fix=fix) from error
    return serialization


def other_files(folder: Path, told_of: Collection[str]) -> tuple[list[Diagnostic], list[str]]:
    """Files that are not those that were written, but for those that something is `told_of` already: findings; tables that were saved anew and
    say the same, and what is no file of a run.
    """
    sums = read_sums(folder)
    files = (RUN_FILE, FACTS_FILE, *(table.file for table in TABLES))
    if sums is None or not set(files) <= set(sums):
        message = (
            "does not name the files of a run with their hashes: nothing tells whether they are those that were written"
        )
        return [Diagnostic(message, str(folder / SUMS_FILE), fix="plan the case again")], []
    found: list[Diagnostic] = []
    saved: list[str] = []
    for name in changed(folder, sums):
        if name not in (*files, CERTIFICATE_FILE) or name in told_of:
            continue
        if name in (RUN_FILE, FACTS_FILE, CERTIFICATE_FILE):
            message = f"is not the file that was written: {SUMS_FILE} has another hash of it"
            found.append(Diagnostic(message, str(folder / name), expected=sums.get(name, "no such file")))
        else:
            saved.append(f"{name} was saved anew since it was written; its cells say the same")
    if CERTIFICATE_FILE in sums and not (folder / CERTIFICATE_FILE).exists():
        found.append(Diagnostic(f"is missing, and {SUMS_FILE} names it", str(folder / CERTIFICATE_FILE)))
    others = sorted({entry.name for entry in folder.iterdir()} - set(FILES))
    saved += [f"{name} lies in the folder, and is no file of a run: nothing of it was looked at" for name in others]
    return found, saved


def signature(folder: Path, signed_by: Path | None) -> tuple[str, list[Diagnostic]]:
    """What is known of who signed a run, and what failed verification; `signed_by` is the public key of who is said to have, None: nobody asks.

    Raises:
        InputError: if the key cannot be read, or what checks signatures is not installed.
    """
    path = folder / SIGNATURE_FILE
    there = path.is_file()
    if signed_by is None:
        asked = "there is one, and it was not checked: give --signed-by PUBLIC"
        return f"signature: {asked if there else 'none'}", []
    if not there:
        return "signature: none", [
            Diagnostic("the run is not signed", str(path), expected=f"signed by the key of {signed_by}")
        ]
    wrong = _mismatch(read_bytes(folder / SUMS_FILE), read_bytes(path), signed_by)
    if wrong:
        return "signature: not of this key", [
            Diagnostic(wrong, str(path), expected=f"signed by the key of {signed_by}")
        ]
    return f"signature: by the holder of the key of {signed_by}", []
