"""A model file: a TFLite flatbuffer followed by a zip archive with its card, as TFLite packs metadata.

`zipfile` finds the card, and the interpreter ignores it. Everything is checked here before an interpreter
sees the bytes, because an interpreter can crash the process on a damaged flatbuffer.
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
"""Largest size of a model file, in bytes"""

_TFLITE_MAGIC = b"TFL3"
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ANEW = "copy it again, or choose another model"
_ARCHIVE_ERRORS = (zlib.error, struct.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
"""What zipfile raises on damaged bytes, apart from BadZipFile"""


def read_model_file(path: Path) -> tuple[ModelCard, bytes]:
    """The card and the flatbuffer of a model file.

    Raises:
        ModelMissingError: when there is no such file.
        ModelFileError: when it is not a TFLite model, has no card, or is not the one that its card describes.
    """
    try:
        kind = path.stat()
        # Reading a pipe would wait for a writer, and reading a device may never end.
        if not stat.S_ISREG(kind.st_mode):
            raise ModelFileError(f"{path}: is not a file; name a model file made by affectd-convert")
        if kind.st_size > FILE_LIMIT:
            raise ModelFileError(f"{path}: over {FILE_LIMIT >> 20} MiB; choose a model for a small device")
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
        raise ModelFileError(f"the archive after the model contains no {CARD_NAME}; {_ANEW}")
    card = decode_card(text)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        flatbuffer = content[: min(entry.header_offset for entry in archive.infolist())]
    if hashlib.sha256(flatbuffer).hexdigest() != card.flatbuffer_sha256:
        raise ModelFileError(f"the model is not the one that its card describes (SHA-256 differs); {_ANEW}")
    return card, flatbuffer


def read_entry(content: bytes, name: str) -> bytes | None:
    """An entry of the archive after a flatbuffer, by its name; None if the archive has no such entry.

    Raises:
        ModelFileError: when there is no archive, or it is damaged or a zip bomb.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if name not in archive.namelist():
                return None
            info = archive.getinfo(name)
            if info.file_size > _ENTRY_LIMIT:
                raise ModelFileError(f"{name} claims {info.file_size} bytes, which is too large; {_ANEW}")
            if info.compress_type not in _COMPRESSIONS:
                raise ModelFileError(f"{name} is compressed by an unusual method; {_ANEW}")
            with archive.open(info) as packed:
                return packed.read(_ENTRY_LIMIT)
    except zipfile.BadZipFile:
        raise ModelFileError(
            f"no card after the model: the file is cut short, or not made by affectd-convert; {_ANEW}"
        ) from None
    except _ARCHIVE_ERRORS as error:
        raise ModelFileError(f"{name} cannot be unpacked ({error}); {_ANEW}") from error


def pack_model(flatbuffer: bytes, card: ModelCard) -> bytes:
    """A model file from a flatbuffer and its card; sets the card's hash."""
    card = msgspec.structs.replace(card, flatbuffer_sha256=hashlib.sha256(flatbuffer).hexdigest())
    # The date is fixed, so that the same model and card give the same file.
    entry = zipfile.ZipInfo(CARD_NAME, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    packed = io.BytesIO(flatbuffer)
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(entry, encode_card(card))
    return packed.getvalue()
