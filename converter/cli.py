"""`affectd-convert`: a training run in, an int8 model file for the device out."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from converter.signing_cli import add_signing, run_signing
from edge.errors import AffectdError
from edge.quiet_stderr import quiet_stderr

if TYPE_CHECKING:
    from converter.convert import Conversion

# TensorFlow's own log lines would bury what the user is meant to read.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

_EX_USAGE, _EX_IOERR = 64, 74


class _Parser(argparse.ArgumentParser):
    """An argument parser whose usage errors end with the exit code of sysexits."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(_EX_USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] in {"keygen", "sign"}:
        return run_signing(add_signing(_Parser, argv[0]).parse_args(argv[1:]))
    args = _parser().parse_args(argv)
    if args.c_array and args.run.is_file():
        return _export(args.run, args.c_array)
    return _convert(args)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="affectd-convert",
        description="Convert a training run to a fully quantised int8 TFLite model with its card packed in, "
        "and compare it with the float network on clips of the run. These are the clips of its validation "
        "speakers. If it has none, they are training clips, on which only the agreement is meaningful.",
        epilog="example: affectd-convert runs/shipped --output my-model.tflite · For signed updates, see "
        "affectd-convert keygen --help and affectd-convert sign --help.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a finished `affectd-train fit`")
    parser.add_argument("-o", "--output", type=Path, help="model file to write (default: RUN/model.tflite)")
    parser.add_argument(
        "--report", type=Path, help="JSON file for the comparison report (default: beside the model)"
    )
    parser.add_argument(
        "--c-array",
        type=Path,
        metavar="HEADER",
        help="also write model, card and the front end's tables as a C99 header; RUN may then be a model "
        "file, which is only read",
    )
    parser.add_argument(
        "--results",
        type=Path,
        help="folder of `affectd-train evaluate` results, whose int8 figures are written into the card",
    )
    return parser


def _convert(args: argparse.Namespace) -> int:
    """Write the model file of a run and its report, and print a summary; returns the exit code."""
    import msgspec  # noqa: PLC0415  # --help must not wait for TensorFlow

    with quiet_stderr("tensorflow"):
        from converter.convert import convert  # noqa: PLC0415

    output = args.output or args.run / "model.tflite"
    try:
        made = convert(args.run, output, args.results)
        report = args.report or output.with_suffix(".parity.json")
        report.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1))
    except AffectdError as error:
        return _fail(str(error), error.exit_code)
    except OSError as error:
        return _fail(f"{error}; see --output, --report and --results", _EX_IOERR)
    _say(output, made)
    print(f"report: {report}")
    return _export(output, args.c_array) if args.c_array else 0


def _say(output: Path, made: Conversion) -> None:
    parity = made.parity
    size = f"{made.file_bytes / 1000:.0f} kB, {made.parameters:,} parameters, {made.macs / 1e6:.1f} M MAC"
    print(f"{output}: {size}")
    print(f"operators, all integer: {', '.join(f'{n} {name}' for name, n in made.operators.items())}")
    agree = f"float and int8 agree on {parity.agreement:.1%} of {parity.clips}"
    if parity.held_out:
        scores = f"UAR {parity.uar_float:.1%} float, {parity.uar_int8:.1%} int8, in {parity.runtime}"
        print(f"{agree} validation clips ({scores})")
    else:
        print(f"{agree} clips, in {parity.runtime} (training clips: only the agreement counts)")
    for clip in parity.worst:
        print(f"  differs by {clip.difference:.3f}: {clip.clip} ({clip.float_answer} -> {clip.int8_answer})")


def _export(model: Path, header: Path) -> int:
    """Write the C header of a model file; returns the exit code."""
    from converter.c_array import write_c_array  # noqa: PLC0415  # --help must not wait for numpy

    try:
        size = write_c_array(model, header)
    except AffectdError as error:
        return _fail(str(error), error.exit_code)
    except OSError as error:
        return _fail(f"{error}; see --c-array", _EX_IOERR)
    print(f"{header}: {size / 1000:.0f} kB of C99")
    return 0


def _fail(message: str, code: int) -> int:
    print(f"affectd-convert: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
