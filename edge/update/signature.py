"""Checks who signed a model: Ed25519 signatures (RFC 8032), against the public keys that are trusted.

A signature is the 64 bytes that `affectd-convert sign` or `openssl pkeyutl -sign -rawin` makes for a model
file; a key is a PEM file such as `openssl pkey -pubout` writes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge.extras import how_to_add
from edge.update.errors import UpdateError, UpdateSettingsError, UpdateUnavailableError

SIGNATURE_BYTES = 64


def check_signature(content: bytes, signature: bytes, folder: Path) -> str:
    """Check that one of the keys in a folder has signed a model file; returns the key's name.

    Args:
        content: the model file.
        signature: its detached signature.
        folder: holds the trusted public keys as `*.pem`.

    Raises:
        UpdateError: when it is not a signature, or not that of a trusted key.
        UpdateSettingsError: when no key is trusted, or a key cannot be read.
        UpdateUnavailableError: when the library is not installed.
    """
    if len(signature) != SIGNATURE_BYTES:
        raise UpdateError(
            f"the signature has {len(signature)} bytes, not {SIGNATURE_BYTES}: sign the model with "
            "`affectd-convert sign`"
        )
    keys = trusted_keys(folder)
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  # comes with an extra

    for name, key in keys.items():
        try:
            key.verify(signature, content)
        except InvalidSignature:
            continue
        return name
    raise UpdateError(
        f"no trusted key has signed this file: it is damaged, or signed by somebody else. Trusted keys: "
        f"{', '.join(keys)} in {folder}"
    )


def trusted_keys(folder: Path) -> dict[str, Any]:
    """The public keys in a folder, by file name.

    Raises:
        UpdateSettingsError: when there is none, or one cannot be read.
        UpdateUnavailableError: when the library is not installed.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".pem")
    except FileNotFoundError:
        files = []
    except OSError as error:
        raise UpdateSettingsError(
            f"{folder}: cannot be read: {error.strerror}; see trusted_keys in [model]"
        ) from error
    if not files:
        raise UpdateSettingsError(
            f"{folder}: no trusted key, so no model is accepted. Put the public key (.pem) of your signing "
            "key there, or name another folder as trusted_keys in [model]; see docs/updates.md"
        )
    return {path.name: _read_key(path) for path in files}


def _read_key(path: Path) -> Any:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415
    except ImportError as error:
        raise UpdateUnavailableError(
            f"signatures cannot be checked ({error}); {how_to_add('update')}"
        ) from error
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise UpdateSettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, UnsupportedAlgorithm):
        raise UpdateSettingsError(
            f"{path}: is not a public key in PEM; `affectd-convert keygen` makes one, or remove the file"
        ) from None
    if not isinstance(key, Ed25519PublicKey):
        raise UpdateSettingsError(f"{path}: is not an Ed25519 key; `affectd-convert keygen` makes one")
    return key
