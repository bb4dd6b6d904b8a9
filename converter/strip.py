"""Removes the tensor names from a flatbuffer: only people read them, and they are a thirtieth of the file."""

from __future__ import annotations

import flatbuffers
from tensorflow.lite.tools import flatbuffer_utils

_ALIGNMENT = 16
"""Alignment of the weights in bytes: the schema asks for it (`force_align`), and kernels may rely on it"""


def stripped(flatbuffer: bytes) -> bytes:
    """The same model without tensor names."""
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(flatbuffer))
    flatbuffer_utils.strip_strings(model)
    # flatbuffer_utils can write the model too, but does not align the weights.
    builder = _AlignedBuilder(len(flatbuffer))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


class _AlignedBuilder(flatbuffers.Builder):  # type: ignore[misc]  # flatbuffers has no types
    def StartVector(self, elem_size: int, num_elems: int, alignment: int) -> int:  # noqa: N802  # its name there
        """Align vectors of bytes, which hold the weights."""
        start: int = super().StartVector(elem_size, num_elems, _ALIGNMENT if elem_size == 1 else alignment)
        return start
