"""Signatures of runs: Ed25519 over the bytes of `SHA256SUMS`, so that the holder of one key signs all files of a run.

`cryptography` is an extra (`pip install "friendshore-proof[sign]"`), imported only when a run is signed or a signature is checked.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from binascii import Error as NotBase64Error
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from friendshore.errors import Diagnostic, InputError
from friendshore.reading.textfile import read_bytes
from friendshore.run import SIGNATURE_FILE, SUMS_FILE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

HEAD = b"friendshore ed25519 "
"""Prefix of the base64 signature in its file."""
PASSWORD = "FRIENDSHORE_KEY_PASSWORD"
"""Environment variable with the password of a private key."""
_WANTED = "an Ed25519 key as PEM (`openssl genpkey -algorithm ed25519`) or of OpenSSH (`ssh-keygen -t ed25519`)"


def signer(key: Path) -> Callable[[bytes], bytes]:
    """Return a function that signs bytes with a private key (PEM or OpenSSH) and returns the content of the signature's file.

    Raises:
        InputError: If the key can't be read, or `cryptography` isn't installed.
    """
    private = _private(key)
    return lambda content: HEAD + b64encode(private.sign(content)) + b"\n"


def _mismatch(content: bytes, signature: bytes, public: Path) -> str:
    """Return the reason why a signature doesn't match content and key. Empty if it does."""
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
        fix = 'pip install "friendshore-proof[sign]"'
        raise InputError("signatures need cryptography, which is not installed", str(path), fix=fix) from error
    return serialization


def signature(folder: Path, signed_by: Path | None) -> tuple[str, list[Diagnostic]]:
    """Return the signature's state in words, and errors. `signed_by` is the expected signer's public key, if any.

    Raises:
        InputError: If the key can't be read, or `cryptography` isn't installed.
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
