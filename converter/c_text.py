"""Formats values as C99: constants, arrays, strings and comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NUMBERS_PER_LINE = 6


def array(declared: str, values: Sequence[float] | NDArray[Any]) -> Iterator[str]:
    """An array of float32; `declared` is its name and size."""
    yield f"static const float {declared} = {{"
    yield from _rows([number(value) for value in values])
    yield "};\n"


def whole_array(declared: str, values: Sequence[int]) -> Iterator[str]:
    """An array of unsigned integers; `declared` is its name and size."""
    yield f"static const uint32_t {declared} = {{"
    yield from _rows([str(value) for value in values])
    yield "};\n"


def matrix(name: str, rows: NDArray[Any]) -> Iterator[str]:
    """A two-dimensional array of float32."""
    yield f"static const float {name}[{rows.shape[0]}][{rows.shape[1]}] = {{"
    for row in rows:
        yield "{"
        yield from _rows([number(value) for value in row])
        yield "},"
    yield "};\n"


def _rows(words: list[str]) -> Iterator[str]:
    for start in range(0, len(words), _NUMBERS_PER_LINE):
        yield ", ".join(words[start : start + _NUMBERS_PER_LINE]) + ","


def number(value: float) -> str:
    """A float constant with the nearest float32 value."""
    return _signed_text(f"{np.float32(value):.9e}f")


def signed(value: int) -> str:
    """An integer constant, in parentheses if negative, so that no operator before it can change it."""
    return _signed_text(str(value))


def _signed_text(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def string(text: str) -> str:
    """A C string; what is not plain ASCII becomes octal escapes, which a following digit cannot extend."""
    plain = "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in text.encode())
    return f'"{plain}"'


def in_comment(text: str) -> str:
    """The text as plain ASCII that cannot end a C comment."""
    return re.sub(r"\*/|[^ -~]", "?", text)
