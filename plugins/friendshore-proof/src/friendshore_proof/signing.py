"""Ed25519 signatures of runs, over the bytes of `SHA256SUMS`."""

# The signature covers all files of a run, since the sums do. `cryptography` is an extra (`pip install "friendshore-proof[sign]"`), imported only when a
# run is signed or a signature is checked.

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
_NEW_KEY = "create one with `openssl genpkey -algorithm ed25519 -out key.pem`"
_OTHER_KEY = "ask the signer for the public part of an Ed25519 key"
_EXPECTED_KEY = (
    "an Ed25519 key in PEM format (`openssl genpkey -algorithm ed25519`) or OpenSSH format (`ssh-keygen -t ed25519`)"
)


def signer(key: Path) -> Callable[[bytes], bytes]:
    """Return a function that signs bytes with a private key (PEM or OpenSSH). Raises InputError if the key or `cryptography` is missing."""
    private = _private(key)
    return lambda content: HEAD + b64encode(private.sign(content)) + b"\n"


def _mismatch_reason(content: bytes, signature: bytes, public: Path) -> str:
    """Return the reason why a signature doesn't match content and key. Empty if it does."""
    key = _public(public)
    from cryptography.exceptions import InvalidSignature

    if not signature.startswith(HEAD):
        return "its signature doesn't have friendshore's format"
    try:
        key.verify(b64decode(signature.removeprefix(HEAD).strip(), validate=True), content)
    except NotBase64Error:
        return "its signature is unreadable"
    except InvalidSignature:
        return "the run wasn't signed with this key, or has changed since"
    return ""


def _private(path: Path) -> Ed25519PrivateKey:
    content = _read(path)
    serialization = _library(path)
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    load = serialization.load_ssh_private_key if b"OPENSSH" in content[:60] else serialization.load_pem_private_key
    password = os.environ.get(PASSWORD)
    try:
        key = load(content, password.encode() if password else None)
    except TypeError as error:
        fix = f"set {PASSWORD} if the key has a password, and unset it if not"
        raise InputError(
            "the key's password is missing, or the key has none", str(path), fix=fix, code="FS930"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(
            f"isn't a readable private key: {error}", str(path), expected=_EXPECTED_KEY, fix=_NEW_KEY, code="FS931"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError("isn't an Ed25519 private key", str(path), expected=_EXPECTED_KEY, fix=_NEW_KEY, code="FS931")
    return key


def _public(path: Path) -> Ed25519PublicKey:
    content = _read(path)
    serialization = _library(path)
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    load = serialization.load_ssh_public_key if content.startswith(b"ssh-") else serialization.load_pem_public_key
    try:
        key = load(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(
            f"isn't a readable public key: {error}", str(path), expected=_EXPECTED_KEY, fix=_OTHER_KEY, code="FS931"
        ) from error
    if not isinstance(key, Ed25519PublicKey):
        raise InputError("isn't an Ed25519 public key", str(path), expected=_EXPECTED_KEY, fix=_OTHER_KEY, code="FS931")
    return key


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise InputError("key file not found", str(path), fix="check the path", code="FS932")
        return read_bytes(path)
    except OSError as error:
        raise InputError(
            f"key file can't be read: {error.strerror or error}", str(path), fix="check its permissions", code="FS932"
        ) from error


def _library(path: Path) -> Any:
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError as error:
        fix = 'run `pip install "friendshore-proof[sign]"`'
        raise InputError(
            "signatures need the package cryptography, which isn't installed", str(path), fix=fix, code="FS933"
        ) from error
    return serialization


def signature(folder: Path, signed_by: Path | None) -> tuple[str, list[Diagnostic]]:
    """Return the signature's state in words, and errors. `signed_by` is the expected signer's public key, if any."""
    path = folder / SIGNATURE_FILE
    is_signed = path.is_file()
    if signed_by is None:
        unchecked = "present, but not checked (add --signed-by PUBLIC)"
        return f"signature: {unchecked if is_signed else 'none'}", []
    if not is_signed:
        return "signature: none", [
            Diagnostic(
                "the run isn't signed",
                str(path),
                expected=f"a signature by the key of {signed_by}",
                fix="ask the sender to sign it with `friendshore sign`",
                code="FS934",
            )
        ]
    mismatch = _mismatch_reason(read_bytes(folder / SUMS_FILE), read_bytes(path), signed_by)
    if mismatch:
        return "signature: not by this key", [
            Diagnostic(
                mismatch,
                str(path),
                expected=f"a signature by the key of {signed_by}",
                fix="ask the sender for the original run and the right key",
                code="FS935",
            )
        ]
    return f"signature: by the holder of the key of {signed_by}", []
