"""A flatbuffer without the names of its tensors, which only people read: a thirtieth of the file."""

from __future__ import annotations

import flatbuffers
from tensorflow.lite.tools import flatbuffer_utils

_ALIGNMENT = 16
"""Bytes at a multiple of which the schema wants the weights (`force_align`), and kernels may count on it"""


def stripped(flatbuffer: bytes) -> bytes:
    """The same model, nameless."""
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(flatbuffer))
    flatbuffer_utils.strip_strings(model)
    # That module can write it too, but leaves weights wherever they come to lie.
    builder = _AlignedBuilder(len(flatbuffer))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


class _AlignedBuilder(flatbuffers.Builder):  # type: ignore[misc]  # flatbuffers has no types
    def StartVector(self, elem_size: int, num_elems: int, alignment: int) -> int:  # noqa: N802  # its name there
        """Vectors of bytes are weights."""
        start: int = super().StartVector(elem_size, num_elems, _ALIGNMENT if elem_size == 1 else alignment)
        return start
