"""Files of a run that are not those that were written, and signatures: right, wrong, missing and not asked about."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from tests.functional.forging import friendshore, resum

from friendshore.run.folder import SIGNATURE_FILE, SUMS_FILE


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a signed run, and with keys as OpenSSL and OpenSSH write them."""
    folder = tmp_path_factory.mktemp("signed")
    for name in ("mine", "other"):
        key = Ed25519PrivateKey.generate()
        for form, private, public in (
            ("pem", (Encoding.PEM, PrivateFormat.PKCS8), (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)),
            ("ssh", (Encoding.PEM, PrivateFormat.OpenSSH), (Encoding.OpenSSH, PublicFormat.OpenSSH)),
        ):
            (folder / f"{name}.{form}").write_bytes(key.private_bytes(*private, NoEncryption()))
            (folder / f"{name}.{form}.pub").write_bytes(key.public_key().public_bytes(*public))
    friendshore("init", "--start", "2026-10-01", folder / "case")
    assert friendshore("plan", folder / "case", "-q", "--out", folder / "run", "--sign", folder / "mine.pem")[0] == 0
    return folder


@pytest.fixture
def run(signed: Path, tmp_path: Path) -> Path:
    """Return a copy of the run."""
    return Path(shutil.copytree(signed / "run", tmp_path / "run"))


@pytest.mark.parametrize(
    ("key", "code", "said"),
    [
        ("mine.pem.pub", 0, "by the holder of the key of"),
        ("mine.ssh.pub", 0, "by the holder of the key of"),
        ("other.pem.pub", 4, "FS935"),
        ("run/run.json", 2, "FS931"),
        ("", 0, "not checked (add --signed-by"),
    ],
)
def test_a_signature_is_checked_against_a_key(signed: Path, run: Path, key: str, code: int, said: str) -> None:
    """In either form. Without a key it is reported as unchecked."""
    found, told = friendshore("verify", run, *(("--signed-by", signed / key) if key else ()))
    assert (found, said in told) == (code, True), told


def test_an_edit_with_all_hashes_anew_breaks_the_signature(signed: Path, run: Path) -> None:
    """One blank more is found by its hash; with new hashes, by the signature alone. Such a run isn't signed."""
    with (run / "facts.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    code, told = friendshore("verify", run)
    assert (code, "FS602" in told) == (4, True)
    assert friendshore("verify", run, "--signed-by", signed / "mine.pem.pub")[0] == 4
    assert friendshore("sign", run, "--key", signed / "mine.pem")[0] == 4
    resum(run)
    assert friendshore("verify", run)[0] == 0
    assert friendshore("verify", run, "--signed-by", signed / "mine.ssh.pub")[0] == 4


def test_a_missing_signature_or_missing_hashes_are_found(signed: Path, run: Path) -> None:
    """A run always has hashes, and a signature if one is asked for."""
    (run / SIGNATURE_FILE).unlink()
    code, told = friendshore("verify", run, "--signed-by", signed / "mine.pem.pub")
    assert (code, "FS934" in told) == (4, True)
    assert "Signature: none" in friendshore("verify", run)[1]
    (run / SUMS_FILE).unlink()
    assert friendshore("verify", run)[0] == 4


def test_a_table_saved_by_a_spreadsheet_is_noted(run: Path) -> None:
    """Other bytes with the same cells are no finding."""
    path = run / "purchases.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    code, told = friendshore("verify", run)
    assert (code, "purchases.csv was saved again" in told) == (0, True)


def test_a_file_that_is_none_of_a_run_is_named(signed: Path, run: Path) -> None:
    """Nobody signed a page beside the run."""
    (run / "report.md").write_text("All vouched for", encoding="utf-8")
    code, told = friendshore("verify", run, "--signed-by", signed / "mine.pem.pub")
    assert (code, "report.md isn't a file of a run" in told) == (0, True)


def test_a_run_that_does_not_hold_is_not_signed(signed: Path, run: Path) -> None:
    """A run can be signed again by another; one that was edited is refused, and its report vouches for nothing."""
    assert friendshore("sign", run, "--key", signed / "other.ssh")[0] == 0
    assert friendshore("verify", run, "--signed-by", signed / "other.pem.pub")[0] == 0
    text = (run / "run.json").read_text(encoding="utf-8")
    (run / "run.json").write_text(text.replace('"objective": 3', '"objective": 1'), encoding="utf-8")
    assert friendshore("sign", run, "--key", signed / "other.ssh")[0] == 4
    code, page = friendshore("report", run)
    assert (code, "This run failed verification. Don't rely on it." in page, "optimal" in page) == (4, True, False)
    code, page = friendshore("report", run, "--no-verify")
    assert (code, "**Not verified** when this page was made" in page) == (0, True)
    assert friendshore("plan", signed / "case", "--sign", signed / "mine.pem")[0] == 2


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_hashes_are_checked_by_common_tools(run: Path) -> None:
    """`sha256sum -c` reads them."""
    done = subprocess.run(["sha256sum", "-c", "--quiet", SUMS_FILE], cwd=run, check=False, timeout=60)
    assert done.returncode == 0
