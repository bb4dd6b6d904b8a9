"""From a finished training run to a model file with its card and a parity report."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np

from converter.calibration import usual
from converter.operators import multiply_accumulates, operator_counts
from converter.parity import ParityReport, compare
from converter.quantize import QuantizeError, Windows, quantize
from edge.errors import AffectdError
from edge.inference.card import ModelCard, decode_card
from edge.inference.errors import ModelFileError
from edge.inference.model import EmotionModel, ModelSettings
from edge.inference.model_file import pack_model

NamedClip = tuple[str, Windows, int]
"""Name, frames (n, n_features), and the index of the true label"""


class RunFolderError(AffectdError, ValueError):
    """Raised when a folder does not hold a finished training run; the message names what is missing."""

    exit_code = 65


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a conversion, as written to the report."""

    file_bytes: int
    parameters: int
    macs: int
    """Multiply-accumulate operations of one inference"""

    operators: dict[str, int]
    calibration_windows: int
    parity: ParityReport


class _Run(msgspec.Struct):
    """The part of `run.json` that says whose clips the comparison uses."""

    validation_speakers: tuple[str, ...]


class _Result(msgspec.Struct):
    """The part of an evaluation result that goes into a card."""

    protocol: str
    form: str
    seeds: list[int]
    folds: list[Any]
    int8: dict[str, Any] | None = None
    """None for a baseline that is not a network"""


def convert(run: Path, output: Path, results: Path | None = None) -> Conversion:
    """Quantise the network of a run folder, pack its card in, and compare float and int8 on clips of the run.

    The clips are those of its validation speakers or, if it has none, some of its training clips.

    Args:
        run: folder of a finished training run.
        output: the model file.
        results: folder of evaluation results of the same recipe, whose figures go into the card.

    Raises:
        RunFolderError: when a file is missing from the folder, or a file of it or a result is damaged.
        QuantizeError: when the network cannot be made fully integer.
    """
    network, card, seen, clips = read_run(run)
    held_out = clips_held_out(run)
    windows = usual(network, seen)
    if results is not None:
        card = msgspec.structs.replace(card, metrics=_metrics(results))
    flatbuffer = quantize(network, windows)
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_name(output.name + ".partial")
    try:
        partial.write_bytes(pack_model(flatbuffer, card))
        report = compare(network, EmotionModel(ModelSettings(path=str(partial))), clips, held_out)
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
    return Conversion(
        file_bytes=output.stat().st_size,
        parameters=int(network.count_params()),
        macs=multiply_accumulates(flatbuffer),
        operators=operator_counts(flatbuffer),
        calibration_windows=len(windows),
        parity=report,
    )


def read_run(run: Path) -> tuple[keras.Model, ModelCard, Windows, list[NamedClip]]:
    """The network of a finished run, its card, the calibration windows, and the clips for the comparison.

    Raises:
        RunFolderError: when a file is missing from the folder, or damaged.
    """
    if run.is_file():
        raise RunFolderError(f"{run}: is a file; name a run's folder, or add --c-array HEADER")
    if not run.is_dir():
        error = RunFolderError(f"{run}: no such folder; name the one of a finished `affectd-train fit`")
        error.exit_code = 66
        raise error
    for name in ("run.json", "network.keras", "card.json", "calibration.npz", "comparison.npz"):
        if not (run / name).is_file():
            raise RunFolderError(f"{run}: no {name}; name the folder of a finished `affectd-train fit`")
    # Keras would report such a file as not found.
    if not zipfile.is_zipfile(run / "network.keras"):
        raise RunFolderError(f"{run / 'network.keras'}: is damaged (not a Keras archive); train it again")
    try:
        network = keras.models.load_model(run / "network.keras", compile=False)
        card = decode_card((run / "card.json").read_bytes())
        with np.load(run / "calibration.npz") as kept:
            windows = kept["windows"]
        return network, card, windows, _comparison_clips(run / "comparison.npz")
    except (ModelFileError, ValueError, OSError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise RunFolderError(f"{run}: is damaged ({error}); train it again") from error


def clips_held_out(run: Path) -> bool:
    """Whether the clips for the comparison were held out of training.

    Raises:
        RunFolderError: when `run.json`, which says so for older runs, is damaged.
    """
    with np.load(run / "comparison.npz") as kept:
        if "held_out" in kept:
            return bool(kept["held_out"])
    # Older runs do not have this entry.
    file = run / "run.json"
    try:
        return bool(msgspec.json.decode(file.read_bytes(), type=_Run).validation_speakers)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RunFolderError(f"{file}: is damaged ({error}); train it again") from error


def _metrics(results: Path) -> dict[str, Any]:
    """The int8 figures of every result that has them, by protocol and form."""
    read = [_result(file) for file in sorted(results.glob("P*.json"))]
    found = {f"{r.protocol}-{r.form}": {**r.int8, "seeds": r.seeds, "folds": r.folds} for r in read if r.int8}
    if not found:
        raise RunFolderError(
            f"{results}: no result with int8 figures in it, such as P8-joint.json; see --results"
        )
    return found


def _result(file: Path) -> _Result:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Result)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RunFolderError(f"{file}: is damaged ({error}); evaluate it again") from error


def _comparison_clips(path: Path) -> list[NamedClip]:
    with np.load(path) as kept:
        frames = np.split(kept["frames"], np.cumsum(kept["lengths"])[:-1])
        return list(zip(kept["clips"].tolist(), frames, kept["truth"].tolist(), strict=True))


__all__ = ["Conversion", "QuantizeError", "RunFolderError", "convert"]
