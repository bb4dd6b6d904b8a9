"""A model file: a TFLite flatbuffer with its card packed behind it as a zip, TFLite's own way.

`zipfile` finds the card and the interpreter ignores it. Everything is checked here, before an interpreter
sees the bytes: interpreters can crash the process on a damaged flatbuffer.
"""

from __future__ import annotations

import hashlib
import io
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import msgspec

from edge.inference.card import ModelCard, decode_card, encode_card
from edge.inference.errors import ModelFileError, ModelMissingError

CARD_NAME = "card.json"
_ENTRY_LIMIT = 1 << 20
FILE_LIMIT = 64 << 20
"""Bytes of a model file, at most"""

_TFLITE_MAGIC = b"TFL3"
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ANEW = "copy it anew, or choose another model"
_ARCHIVE_ERRORS = (zlib.error, struct.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
"""What zipfile raises on damaged bytes, beside BadZipFile"""


def read_model_file(path: Path) -> tuple[ModelCard, bytes]:
    """The card and the flatbuffer of a model file.

    Raises:
        ModelMissingError: when there is no such file.
        ModelFileError: when it is no TFLite model, has no card, or is not the model that its card describes.
    """
    try:
        kind = path.stat()
        # A pipe would wait for a writer, and a device may never end.
        if not stat.S_ISREG(kind.st_mode):
            raise ModelFileError(f"{path}: is not a file; name a model file made by affectd-convert")
        if kind.st_size > FILE_LIMIT:
            raise ModelFileError(f"{path}: over {FILE_LIMIT >> 20} MiB; this is no model for a small device")
        content = path.read_bytes()
    except FileNotFoundError:
        raise ModelMissingError(f"{path}: no such model file; see `[model] path` or --model") from None
    except OSError as error:
        raise ModelFileError(
            f"{path}: cannot be read: {error.strerror}; see `[model] path` or --model"
        ) from error
    try:
        return _unpack(content)
    except ModelFileError as error:
        raise type(error)(f"{path}: {error}") from error


def _unpack(content: bytes) -> tuple[ModelCard, bytes]:
    if content[4:8] != _TFLITE_MAGIC:
        raise ModelFileError("not a TFLite model; name one made by affectd-convert")
    text = read_entry(content, CARD_NAME)
    if text is None:
        raise ModelFileError(f"the archive behind the model holds no {CARD_NAME}; {_ANEW}")
    card = decode_card(text)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        flatbuffer = content[: min(entry.header_offset for entry in archive.infolist())]
    if hashlib.sha256(flatbuffer).hexdigest() != card.flatbuffer_sha256:
        raise ModelFileError(f"the model is not the one that its card describes (SHA-256 differs); {_ANEW}")
    return card, flatbuffer


def read_entry(content: bytes, name: str) -> bytes | None:
    """What is packed behind a flatbuffer under a name; None where the archive holds no such thing.

    Raises:
        ModelFileError: when there is no archive, or it is damaged or a bomb.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if name not in archive.namelist():
                return None
            info = archive.getinfo(name)
            if info.file_size > _ENTRY_LIMIT:
                raise ModelFileError(f"{name} claims {info.file_size} bytes; {_ANEW}")
            if info.compress_type not in _COMPRESSIONS:
                raise ModelFileError(f"{name} is packed in an unusual way; {_ANEW}")
            with archive.open(info) as packed:
                return packed.read(_ENTRY_LIMIT)
    except zipfile.BadZipFile:
        raise ModelFileError(
            f"no card behind the model: it is cut short, or it was not made by affectd-convert; {_ANEW}"
        ) from None
    except _ARCHIVE_ERRORS as error:
        raise ModelFileError(f"{name} cannot be unpacked ({error}); {_ANEW}") from error


def pack_model(flatbuffer: bytes, card: ModelCard) -> bytes:
    """A model file from a flatbuffer and its card; sets the card's hash."""
    card = msgspec.structs.replace(card, flatbuffer_sha256=hashlib.sha256(flatbuffer).hexdigest())
    # A fixed date, so that the same model and card give the same file.
    entry = zipfile.ZipInfo(CARD_NAME, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    packed = io.BytesIO(flatbuffer)
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(entry, encode_card(card))
    return packed.getvalue()
