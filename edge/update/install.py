"""Installs a model on this device. If anything fails, the model in force stays."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import msgspec

from edge.inference.card import ModelCard
from edge.inference.errors import ModelFileError
from edge.inference.model import SHIPPED_MODEL, ModelSettings
from edge.inference.model_file import read_model_file
from edge.update.errors import UpdateError, UpdateSettingsError
from edge.update.fetch import Parcel, fetch
from edge.update.release import UNVERSIONED, Release, read_release, version_key
from edge.update.self_test import SelfTestResult, run_apart
from edge.update.signature import check_signature, trusted_keys
from edge.update.store import Installed, ModelStore


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A model that was installed."""

    model: Installed
    self_test: SelfTestResult


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """A model file that is signed, complete, and made for this program."""

    card: ModelCard
    release: Release
    sha256: str
    signed_by: str


def install(
    place: str,
    settings: ModelSettings,
    store: ModelStore,
    *,
    sha256: str | None = None,
    force: bool = False,
) -> Taken:
    """Fetch a model, run all checks on it, and put it in force.

    Args:
        place: a path or an http(s) URL; the signature is next to it, with `.sig` appended to the name.
        settings: of the device.
        store: receives the model.
        sha256: SHA-256 that the file must have, if given.
        force: also accept a version that is not newer.

    Raises:
        UpdateError: when the model is not accepted; the message says why.
    """
    check_settings(settings)
    folder = Path(settings.trusted_keys)
    trusted_keys(folder)  # raises before anything is fetched if no key is trusted
    _check_not_pinned(store)
    parcel = fetch(place)
    with tempfile.TemporaryDirectory(prefix="affectd-") as scratch:
        path = Path(scratch) / "model.tflite"
        try:
            admitted = admit(parcel, folder, path, sha256)
            _check_version(admitted, store, force=force)
        except UpdateError as error:
            raise type(error)(f"{place}: {error}") from error
        tested = run_apart(msgspec.structs.replace(settings, path=str(path)))
    if not tested.passed:
        raise UpdateError(f"{place}: fails its self-test on this device: {tested.reason}")
    _check_not_pinned(store)  # it may have been pinned meanwhile
    added = store.add(
        parcel.content,
        name=admitted.card.name,
        version=admitted.release.version,
        sha256=admitted.sha256,
        signed_by=admitted.signed_by,
    )
    return Taken(model=added, self_test=tested)


def check_settings(settings: ModelSettings) -> None:
    """Raise UpdateSettingsError when the configuration names a model, which would stay in force."""
    if settings.path != str(SHIPPED_MODEL):
        raise UpdateSettingsError(
            f"path in [model] names {settings.path}, so an installed model would not be used: remove it there"
        )


def admit(parcel: Parcel, keys: Path, path: Path, sha256: str | None = None) -> Admitted:
    """Check that a parcel is signed and is a model for this program, and write the model to `path`.

    No interpreter loads it here, and nothing reads it before hash and signature have been verified.

    Raises:
        UpdateError: when a check fails.
    """
    found = hashlib.sha256(parcel.content).hexdigest()
    if sha256 is not None and found != sha256.lower():
        raise UpdateError(f"its SHA-256 is {found}, but {sha256} was asked for")
    signed_by = check_signature(parcel.content, parcel.signature, keys)
    path.write_bytes(parcel.content)
    try:
        card, _ = read_model_file(path)
        release = read_release(path)
    except ModelFileError as error:
        raise UpdateError(str(error).removeprefix(f"{path}: ")) from error
    finally:
        path.chmod(0o644)
    if release is None:
        raise UpdateError("contains no version and no self-test: sign it with `affectd-convert sign`")
    return Admitted(card=card, release=release, sha256=found, signed_by=signed_by)


def _check_not_pinned(store: ModelStore) -> None:
    if store.read().pinned:
        raise UpdateError("the model in force is pinned; `affectd model unpin` allows updates again")


def _check_version(admitted: Admitted, store: ModelStore, *, force: bool) -> None:
    models = store.read().models
    present = models[-1].version if models else shipped_version()
    version = admitted.release.version
    if models and models[-1].sha256 == admitted.sha256:
        raise UpdateError(f"version {version} is in force already")
    if not force and version_key(version) <= version_key(present):
        raise UpdateError(
            f"is version {version}, and {present} is in force: only a newer one is accepted; on the device, "
            "`affectd model install --force` also accepts an older one"
        )


def shipped_version() -> str:
    """The version of the model that came with the program."""
    release = read_release(SHIPPED_MODEL)
    return release.version if release else UNVERSIONED
