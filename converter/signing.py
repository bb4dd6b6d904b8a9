"""Keys and signatures for models: `affectd-convert keygen` and `affectd-convert sign`.

Ed25519 (RFC 8032) in PEM files, so that OpenSSL, and whatever keeps keys for it, can do the same.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.audio.files import read_file
from edge.errors import AffectdError
from edge.frontend.mfcc import mfcc
from edge.inference.model import EmotionModel, ModelSettings
from edge.update.fetch import SUFFIX
from edge.update.release import Release, pack_release, quantise_windows, version_key

SPEECH = Path(__file__).parents[1] / "edge" / "demo_speech.ogg"
"""Synthetic, so that a signed model carries nobody's voice"""

_WINDOWS = 4


class SigningError(AffectdError):
    """Raised when a key cannot be made or used; the message says which, and what to do."""

    exit_code = 65


def make_key(path: Path, passphrase: str | None = None) -> Path:
    """Make a key pair: the private key at `path`, the public one beside it, whose path is given.

    Args:
        path: must not exist; ends with .pem.
        passphrase: encrypts the private key.

    Raises:
        SigningError: when the name does not suit, or a file is there already or cannot be written.
    """
    if path.suffix != ".pem":
        raise SigningError(f"{path}: name it with .pem at the end")
    public = path.with_suffix(".pub.pem")
    key = Ed25519PrivateKey.generate()
    protection = (
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption()
    )
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
    known = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for file, content, mode in ((path, secret, 0o600), (public, known, 0o644)):
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            raise SigningError(f"{file}: is there already; a key that is lost cannot be had again") from None
        except OSError as error:
            raise SigningError(f"{file}: cannot be written: {error.strerror}") from error
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
    return public


def is_encrypted(path: Path) -> bool:
    """Whether a private key needs a passphrase, as far as its file says so."""
    try:
        return b"ENCRYPTED" in path.read_bytes()
    except OSError:
        return False  # and reading it says why it cannot be read


def read_key(path: Path, passphrase: str | None = None) -> Ed25519PrivateKey:
    """The private key in a PEM file.

    Raises:
        SigningError: when there is none, or the passphrase does not open it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SigningError(
            f"{path}: cannot be read: {error.strerror}; `affectd-convert keygen` makes a key"
        ) from error
    try:
        key = serialization.load_pem_private_key(content, passphrase.encode() if passphrase else None)
    except TypeError:
        raise SigningError(
            f"{path}: is encrypted, or needs no passphrase; the passphrase comes from AFFECTD_KEY_PASSPHRASE"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise SigningError(f"{path}: is no private key in PEM, or the passphrase is another") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningError(f"{path}: is no Ed25519 key; `affectd-convert keygen` makes one")
    return key


def sign(model: Path, output: Path, key: Ed25519PrivateKey, version: str) -> Path:
    """Pack a version and a self-test into a model file and sign it; gives the path of the signature.

    Args:
        model: the model file.
        output: where the release goes; may be the same.
        key: whose public half the devices trust.
        version: numbers with dots; devices take only a newer one.

    Raises:
        ModelFileError: when it is no model file.
        UpdateError: when the version is none.
        OSError: when something cannot be written.
    """
    version_key(version)
    content = pack_release(model, make_release(model, version))
    signature = output.with_name(output.name + SUFFIX)
    for path, what in ((output, content), (signature, key.sign(content))):
        partial = path.with_name(path.name + ".partial")
        partial.write_bytes(what)
        partial.replace(path)
    return signature


def make_release(model: Path, version: str) -> Release:
    """A version, and windows of the bundled speech with the answers of the interpreter that is installed."""
    loaded = EmotionModel(ModelSettings(path=str(model)))
    windows = loaded.windows(mfcc(read_file(SPEECH), loaded.mfcc_config))
    chosen = windows[np.linspace(0, len(windows) - 1, min(_WINDOWS, len(windows))).round().astype(int)]
    kept = Release(
        version=version,
        shape=(len(chosen), chosen.shape[1], chosen.shape[2]),
        windows=quantise_windows(chosen),
        logits=((),) * len(chosen),
    )
    # The answers are to what the windows are after their rounding.
    logits = tuple(tuple(loaded.logits(window).tolist()) for window in kept.test_windows())
    return Release(version=version, shape=kept.shape, windows=kept.windows, logits=logits)
