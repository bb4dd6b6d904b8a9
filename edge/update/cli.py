"""`affectd model`: install a signed model, list models, roll back, pin."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from edge.options import add_config, load

# Each command imports what it needs: `--help` on a small board must not wait for numpy.
# ruff: noqa: PLC0415

_TAKE_OVER = (
    "A running daemon switches to it on the MQTT command `reload`, or after `systemctl restart affectd`."
)


def add_model(commands: Any) -> None:
    """Add the command `model` and its actions."""
    model = commands.add_parser(
        "model",
        help="install a signed model, or go back to the previous one",
        description="Manage the models that were installed after affectd itself. Root and the user affectd "
        "manage those of the systemd service, in /var/lib/affectd/models; any other user manages their own, "
        "in ~/.local/state/affectd/models. $STATE_DIRECTORY/models overrides both.",
        epilog="example: sudo affectd model install https://models.example.org/kiosk-1.2.0.tflite",
    )
    actions = model.add_subparsers(required=True, metavar="ACTION")

    def add(name: str, act: Callable[[argparse.Namespace, Any], int], text: str) -> argparse.ArgumentParser:
        sentence = f"{text[0].upper()}{text[1:]}."
        parser: argparse.ArgumentParser = actions.add_parser(name, help=text, description=sentence)
        parser.add_argument("--json", action="store_true", help="print JSON")
        add_config(parser)
        parser.set_defaults(command=lambda args: act(args, load(args).config.model))
        return parser

    install = add(
        "install",
        _install,
        "fetch a model and the signature next to it (.sig), check both, and use the model",
    )
    install.add_argument("place", metavar="FILE|URL", help="a model file, or its http(s) URL")
    install.add_argument("--sha256", help="SHA-256 that the file must have")
    install.add_argument("--force", action="store_true", help="also accept a version that is not newer")
    add("list", _list, "list the models; * marks the one in force")
    add("rollback", _rollback, "go back to the previous model and remove the one in force")
    add("pin", _pin, "keep the model in force: no update replaces it")
    add("unpin", _unpin, "allow updates again")


def _store() -> Any:
    from edge.state_folder import mean_the_service
    from edge.update.in_force import device_store

    if not mean_the_service():
        print("using your own models; for those of the service: sudo affectd model …", file=sys.stderr)
    return device_store()


def _install(args: argparse.Namespace, settings: Any) -> int:
    import msgspec

    from edge.update.install import install

    if not args.json:
        print(f"fetching, checking and testing {args.place} …", file=sys.stderr)
    taken = install(args.place, settings, _store(), sha256=args.sha256, force=args.force)
    if args.json:
        print(json.dumps(msgspec.to_builtins(taken)))
        return 0
    model, tested = taken.model, taken.self_test
    print(f"{model.name} {model.version} is in force; signed by {model.signed_by}, SHA-256 {model.sha256}")
    print(f"self-test: {tested.window_ms:.2f} ms per window, same outputs as on the signing machine")
    print(_TAKE_OVER)
    return 0


def _list(args: argparse.Namespace, settings: Any) -> int:
    import msgspec

    from edge.inference.model import SHIPPED_MODEL
    from edge.inference.model_file import read_model_file
    from edge.update.install import shipped_version

    state = _store().read()
    card, _ = read_model_file(SHIPPED_MODEL)
    explicit = settings.path if settings.path != str(SHIPPED_MODEL) else None
    if args.json:
        shipped = {
            "name": card.name,
            "version": shipped_version(),
            "flatbuffer_sha256": card.flatbuffer_sha256,
        }
        print(json.dumps({**msgspec.to_builtins(state), "shipped": shipped, "configured_path": explicit}))
        return 0
    rows = [
        (model.version, model.name, model.sha256[:12], f"signed by {model.signed_by}, {model.at}")
        for model in reversed(state.models)
    ]
    rows.append((shipped_version(), card.name, "", "shipped with the program"))
    for number, row in enumerate(rows):
        mark = "*" if number == 0 and explicit is None else " "
        trial = ", on trial" if number == 0 and state.on_trial else ""
        print(f"{mark} {row[0]:<10} {row[1]:<16} {row[2]:<12} {row[3]}{trial}")
    if state.pinned:
        print("pinned: no update replaces it; `affectd model unpin` allows updates again")
    if state.given_up:
        print(f"given up: {state.given_up}")
    if explicit is not None:
        print(f"none of these is used: path in [model] names {explicit}")
    return 0


def _rollback(args: argparse.Namespace, _settings: Any) -> int:
    return _say(_store().go_back(), args.json, f"{{}} is in force again.\n{_TAKE_OVER}")


def _pin(args: argparse.Namespace, _settings: Any) -> int:
    return _say(_store().pin(True), args.json, "{} is pinned: no update replaces it.")


def _unpin(args: argparse.Namespace, _settings: Any) -> int:
    return _say(_store().pin(False), args.json, "{} may be replaced by updates.")


def _say(state: Any, as_json: bool, text: str) -> int:
    import msgspec

    if as_json:
        print(json.dumps(msgspec.to_builtins(state)))
        return 0
    model = state.models[-1] if state.models else None
    print(text.format(f"{model.name} {model.version}" if model else "The shipped model"))
    return 0
