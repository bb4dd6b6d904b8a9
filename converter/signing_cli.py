"""`affectd-convert keygen` and `affectd-convert sign`."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path

from edge.errors import AffectdError
from edge.extras import how_to_add

# --help must not wait for numpy.
# ruff: noqa: PLC0415

_VARIABLE = "AFFECTD_KEY_PASSPHRASE"


def add_signing(parser: Callable[[str], argparse.ArgumentParser], name: str) -> argparse.ArgumentParser:
    """The parser of one of the two commands.

    Args:
        parser: makes a parser from a program's name.
        name: `keygen` or `sign`.
    """
    made = parser(f"affectd-convert {name}")
    if name == "keygen":
        made.description = (
            "Make an Ed25519 key pair: KEY.pem signs models and stays with you, KEY.pub.pem goes into "
            "/etc/affectd/model-keys of each device."
        )
        made.add_argument("key", type=Path, metavar="KEY.pem")
        made.add_argument(
            "--passphrase", action="store_true", help=f"encrypt KEY.pem; taken from {_VARIABLE}, or asked for"
        )
        made.set_defaults(act=_keygen)
    else:
        made.description = (
            "Pack a version and a self-test into a model file, and write its signature beside it (.sig). "
            f"If the key is encrypted, its passphrase is taken from {_VARIABLE}, or asked for."
        )
        made.add_argument(
            "model", type=Path, metavar="MODEL", help="a model file, as affectd-convert makes it"
        )
        made.add_argument("--key", type=Path, required=True, help="private key, PEM")
        made.add_argument(
            "--version", required=True, help="numbers with dots, as in 1.2.0; devices accept only a newer one"
        )
        made.add_argument("-o", "--output", type=Path, help="file to write (default: MODEL itself)")
        made.set_defaults(act=_sign)
    return made


def run_signing(args: argparse.Namespace) -> int:
    """Run the command that a parser of `add_signing` has parsed; returns the exit code."""
    try:
        code: int = args.act(args)
    except ImportError as error:
        print(f"affectd-convert: {error}; {how_to_add('update')}", file=sys.stderr)
        return 69
    except AffectdError as error:
        print(f"affectd-convert: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"affectd-convert: {error}; see --output", file=sys.stderr)
        return 74
    return code


def _keygen(args: argparse.Namespace) -> int:
    from converter.signing import make_key

    public = make_key(args.key, _ask("New passphrase: ") if args.passphrase else None)
    print(f"{args.key}: the private key; keep it off the devices, and keep a copy in a safe place")
    print(f"{public}: the public key; copy it to /etc/affectd/model-keys/ on each device")
    return 0


def _sign(args: argparse.Namespace) -> int:
    from converter.signing import is_encrypted, read_key, sign

    key = read_key(args.key, _ask(f"Passphrase of {args.key}: ") if is_encrypted(args.key) else None)
    output = args.output or args.model
    signature = sign(args.model, output, key, args.version)
    print(f"{output}: version {args.version}, with its self-test")
    print(f"{signature}: its signature; keep the two files together")
    return 0


def _ask(prompt: str) -> str:
    return os.environ.get(_VARIABLE) or getpass.getpass(prompt)
