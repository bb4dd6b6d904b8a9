"""Keys and signatures for models: `affectd-convert keygen` and `affectd-convert sign`.

Keys are Ed25519 (RFC 8032) in PEM files, so that OpenSSL, or a key store for it, can do the same.
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
"""Synthetic speech, so that a signed model contains nobody's voice"""

_WINDOWS = 4


class SigningError(AffectdError):
    """Raised when a key cannot be made or used; the message says which, and what to do."""

    exit_code = 65


def make_key(path: Path, passphrase: str | None = None) -> Path:
    """Make a key pair: the private key at `path`, the public key beside it; returns the public key's path.

    Args:
        path: must not exist; ends with .pem.
        passphrase: encrypts the private key.

    Raises:
        SigningError: when the name does not end with .pem, or a file exists already or cannot be written.
    """
    if path.suffix != ".pem":
        raise SigningError(f"{path}: the name must end with .pem")
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
            raise SigningError(f"{file}: exists already, and is not overwritten; name another file") from None
        except OSError as error:
            raise SigningError(f"{file}: cannot be written: {error.strerror}") from error
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
    return public


def is_encrypted(path: Path) -> bool:
    """Whether a private key needs a passphrase, as far as its file tells."""
    try:
        return b"ENCRYPTED" in path.read_bytes()
    except OSError:
        return False  # `read_key` then says why it cannot be read


def read_key(path: Path, passphrase: str | None = None) -> Ed25519PrivateKey:
    """The private key in a PEM file.

    Raises:
        SigningError: when there is no Ed25519 key in it, or the passphrase does not decrypt it.
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
            f"{path}: is encrypted and no passphrase was given, or the other way round; see "
            "AFFECTD_KEY_PASSPHRASE"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise SigningError(f"{path}: is not a private key in PEM, or the passphrase is wrong") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningError(f"{path}: is not an Ed25519 key; `affectd-convert keygen` makes one")
    return key


def sign(model: Path, output: Path, key: Ed25519PrivateKey, version: str) -> Path:
    """Pack a version and a self-test into a model file and sign it; returns the path of the signature.

    Args:
        model: the model file.
        output: the file to write; may be `model` itself.
        key: the private key to the public key that the devices trust.
        version: numbers with dots; devices accept only a newer one.

    Raises:
        ModelFileError: when `model` is not a model file.
        UpdateError: when the version is not valid.
        OSError: when a file cannot be written.
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
    """The version and a self-test: windows of the bundled speech, with the installed interpreter's logits."""
    loaded = EmotionModel(ModelSettings(path=str(model)))
    windows = loaded.windows(mfcc(read_file(SPEECH), loaded.mfcc_config))
    chosen = windows[np.linspace(0, len(windows) - 1, min(_WINDOWS, len(windows))).round().astype(int)]
    kept = Release(
        version=version,
        shape=(len(chosen), chosen.shape[1], chosen.shape[2]),
        windows=quantise_windows(chosen),
        logits=((),) * len(chosen),
    )
    # The logits belong to the windows as they are after rounding.
    logits = tuple(tuple(loaded.logits(window).tolist()) for window in kept.test_windows())
    return Release(version=version, shape=kept.shape, windows=kept.windows, logits=logits)
