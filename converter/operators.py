"""The operators of a TFLite flatbuffer, and their cost."""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple

from tensorflow.lite.python import schema_py_generated as schema


class Tensor(NamedTuple):
    """An input or output of an operator."""

    name: str
    """Empty once the flatbuffer is `stripped`"""

    type: int
    """A value of `schema.TensorType`"""

    shape: tuple[int, ...]


class Operator(NamedTuple):
    """One operator of a graph."""

    name: str
    """A name in `schema.BuiltinOperator`"""

    inputs: list[Tensor]
    outputs: list[Tensor]


def operators(flatbuffer: bytes) -> list[Operator]:
    """All operators of all subgraphs, in the order in which they run."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(flatbuffer, 0))
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    found = []
    for graph in model.subgraphs:
        tensors = [
            Tensor((t.name or b"").decode(), t.type, () if t.shape is None else tuple(map(int, t.shape)))
            for t in graph.tensors
        ]
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            found.append(
                Operator(
                    names[max(code.builtinCode, code.deprecatedBuiltinCode)],
                    [tensors[i] for i in operator.inputs if i >= 0],
                    [tensors[i] for i in operator.outputs if i >= 0],
                )
            )
    return found


def operator_counts(flatbuffer: bytes) -> dict[str, int]:
    """How often each operator occurs."""
    return dict(Counter(operator.name for operator in operators(flatbuffer)))


def multiply_accumulates(flatbuffer: bytes) -> int:
    """Multiply-accumulate operations of one inference: those of convolutions and matrix products."""
    return sum(_terms(operator) * math.prod(operator.outputs[0].shape) for operator in operators(flatbuffer))


def _terms(operator: Operator) -> int:
    """Number of products that are summed for one output value."""
    if operator.name == "CONV_2D":
        return math.prod(operator.inputs[1].shape[1:])
    if operator.name == "DEPTHWISE_CONV_2D":
        return math.prod(operator.inputs[1].shape[1:3])
    if operator.name in ("FULLY_CONNECTED", "BATCH_MATMUL"):
        return operator.inputs[0].shape[-1]
    return 0
