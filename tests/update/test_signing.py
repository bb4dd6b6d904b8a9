"""Keys and signatures as `affectd-convert` makes them, and as OpenSSL sees them."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
import zipfile

import pytest
from support.missing import needs_cryptography
from support.programs import environment

from edge.inference.errors import ModelFileError
from edge.inference.model import SHIPPED_MODEL
from edge.inference.model_file import read_model_file
from edge.update.errors import UpdateError
from edge.update.release import read_release, version_key
from edge.update.signature import check_signature

pytestmark = needs_cryptography


def convert(*arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "converter.cli", *map(str, arguments)],
        capture_output=True, text=True, timeout=120, check=False, env=environment(env),
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_keygen_when_run_then_the_private_key_is_for_its_owner_alone(tmp_path) -> None:
    done = convert("keygen", tmp_path / "maker.pem")

    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE((tmp_path / "maker.pem").stat().st_mode) == 0o600
    assert "keep it off the devices" in done.stdout
    again = convert("keygen", tmp_path / "maker.pem")
    assert again.returncode == 65
    assert "exists already" in again.stderr


def test_sign_when_run_then_the_model_is_the_same_with_a_version_and_a_signature(tmp_path) -> None:
    convert("keygen", tmp_path / "maker.pem")
    out = tmp_path / "out.tflite"
    done = convert("sign", SHIPPED_MODEL, "--key", tmp_path / "maker.pem", "--version", "1.2", "-o", out)

    assert done.returncode == 0, done.stderr
    assert read_model_file(out) == read_model_file(SHIPPED_MODEL)
    release = read_release(out)
    assert release is not None
    assert (release.version, len(release.logits)) == ("1.2", release.shape[0])
    (tmp_path / "maker.pem").rename(tmp_path / "private")
    signature = (tmp_path / "out.tflite.sig").read_bytes()
    assert check_signature(out.read_bytes(), signature, tmp_path) == "maker.pub.pem"
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None


def test_sign_when_done_twice_then_the_same_bytes(tmp_path) -> None:
    convert("keygen", tmp_path / "maker.pem")
    path = tmp_path / "model.tflite"
    shutil.copy(SHIPPED_MODEL, path)
    arguments = ("sign", path, "--key", tmp_path / "maker.pem", "--version", "1.0")
    convert(*arguments)
    first = path.read_bytes()

    assert convert(*arguments).returncode == 0
    assert path.read_bytes() == first


def test_sign_when_the_key_has_a_passphrase_then_it_is_needed(tmp_path) -> None:
    key, path = tmp_path / "maker.pem", tmp_path / "model.tflite"
    shutil.copy(SHIPPED_MODEL, path)
    assert convert("keygen", key, "--passphrase", AFFECTD_KEY_PASSPHRASE="horse").returncode == 0
    assert b"ENCRYPTED" in key.read_bytes()
    arguments = ("sign", path, "--key", key, "--version", "1.0")

    assert convert(*arguments, AFFECTD_KEY_PASSPHRASE="donkey").returncode == 65
    assert convert(*arguments, AFFECTD_KEY_PASSPHRASE="horse").returncode == 0


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_signature_when_openssl_made_it_then_it_holds_and_the_other_way_round(tmp_path, trusted, release):
    def openssl(*arguments: object) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    key, public = tmp_path / "k.pem", tmp_path / "keys" / "k.pem"
    public.parent.mkdir()
    openssl("genpkey", "-algorithm", "ed25519", "-out", key)
    openssl("pkey", "-in", key, "-pubout", "-out", public)
    openssl("pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", release, "-out", tmp_path / "sig")
    assert check_signature(release.read_bytes(), (tmp_path / "sig").read_bytes(), public.parent) == "k.pem"

    ours = release.with_name(release.name + ".sig")
    openssl("pkeyutl", "-verify", "-pubin", "-inkey", trusted / "maker.pem", "-rawin", "-in", release,
            "-sigfile", ours)  # fmt: skip


def test_sign_when_it_is_no_model_or_no_version_then_one_line(tmp_path) -> None:
    convert("keygen", tmp_path / "maker.pem")
    path = tmp_path / "model.tflite"
    path.write_bytes(b"no model")
    for version, words in (("1.0", "not a TFLite model"), ("newest", "is not a version")):
        done = convert("sign", path, "--key", tmp_path / "maker.pem", "--version", version)
        assert done.returncode == 65
        assert words in done.stderr.splitlines()[-1]
    assert path.read_bytes() == b"no model"
    with pytest.raises(ModelFileError):
        read_model_file(path)


@pytest.mark.parametrize(
    ("older", "newer"), [("1.9", "1.10"), ("0", "0.0.1"), ("1.2.3", "1.2.4"), ("1", "1.0.0.1"), ("9", "10")]
)
def test_version_when_compared_then_by_its_numbers(older, newer) -> None:
    assert version_key(older) < version_key(newer)
    assert version_key("1.0") == version_key("1")


@pytest.mark.parametrize("version", ["", "v1", "1.", ".1", "1..2", "1.2.3.4.5", "1.0rc1", "²", "1" * 10])
def test_version_when_it_is_none_then_refused(version) -> None:
    with pytest.raises(UpdateError, match="is not a version"):
        version_key(version)
