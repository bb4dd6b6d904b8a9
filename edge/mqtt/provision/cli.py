"""The command `affectd provision`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

# Each command imports what it needs: `--help` on a small board must not wait.
# ruff: noqa: PLC0415


def add_provision(commands: Any) -> None:
    """Add the command to those of `affectd`."""
    provision = commands.add_parser(
        "provision",
        help="make certificates, passwords and access list for a broker and its devices",
        description="Make a CA, a certificate for the broker, a password for each device and for dashboard, "
        "controller and Home Assistant, and Mosquitto's configuration and access list. A device may write "
        "only its own topics; only the controller and Home Assistant may write commands. Keys and passwords "
        "that are already in FOLDER stay as they are, so a later run can add devices. FOLDER holds every "
        "secret: keep it off the network.",
        epilog="example: affectd provision keys --host broker.lan --host 192.168.1.2 --device kitchen "
        "--device north/lab/pi-3",
    )
    provision.add_argument("folder", type=Path, metavar="FOLDER", help="where everything is kept")
    provision.add_argument(
        "--device",
        dest="places",
        action="append",
        default=[],
        metavar="[[SITE/]ROOM/]NAME",
        help="a new device; may be repeated; without one, only the broker's files are made again",
    )
    provision.add_argument(
        "--host",
        dest="hosts",
        action="append",
        default=[],
        help="name or address under which devices reach the broker; may be repeated, the usual one "
        "first; makes a new certificate for the broker",
    )
    provision.add_argument("--base-topic", default="affectd", help="of new devices (default: %(default)s)")
    provision.add_argument(
        "--client-certificates",
        action="store_true",
        help="also give each client a certificate, and require one in addition to the password",
    )
    provision.add_argument(
        "--days", type=int, default=3650, help="days until new certificates expire (default: %(default)s)"
    )
    provision.set_defaults(command=_provision)


def _provision(args: argparse.Namespace) -> int:
    from edge.mqtt.provision.folder import provision

    names = provision(
        args.folder, args.places, args.hosts, args.base_topic, args.days, args.client_certificates
    )
    rows = [("broker", "the machine with Mosquitto")]
    rows += [(f"devices/{name}", f"the device {name}") for name in names]
    rows += [("users", "dashboard, controller and Home Assistant, a password each")]
    rows += [("ca", "nobody else: anyone with its key can make valid certificates")]
    for name, whom in rows:
        print(f"{args.folder / name}: for {whom}")
    print("docs/security.md says where each file goes.")
    return 0
