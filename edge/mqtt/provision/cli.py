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
        description="Make a CA, a certificate for the broker, and a password for each device, for a "
        "dashboard, a controller and Home Assistant, with Mosquitto's configuration and access list: a "
        "device writes only its own topics, only the controller and Home Assistant write commands. What "
        "FOLDER holds already stays as it is, so that a later run adds devices. FOLDER holds every secret: "
        "keep it off the network.",
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
        help="a device, may be given again; none makes the broker's files anew",
    )
    provision.add_argument(
        "--host",
        dest="hosts",
        action="append",
        default=[],
        help="name or address under which devices reach the broker, the usual one first; makes its "
        "certificate anew",
    )
    provision.add_argument("--base-topic", default="affectd", help="of the devices (default: %(default)s)")
    provision.add_argument(
        "--client-certificates",
        action="store_true",
        help="give each client a certificate too, and let nobody in without one, whatever the password",
    )
    provision.add_argument(
        "--days", type=int, default=3650, help="until new certificates expire (default: %(default)s)"
    )
    provision.set_defaults(command=_provision)


def _provision(args: argparse.Namespace) -> int:
    from edge.mqtt.provision.folder import provision

    names = provision(
        args.folder, args.places, args.hosts, args.base_topic, args.days, args.client_certificates
    )
    rows = [("broker", "the machine with Mosquitto")]
    rows += [(f"devices/{name}", f"the device {name}") for name in names]
    rows += [("users", "dashboard, controller, Home Assistant: a password for each")]
    rows += [("ca", "nobody: who has its key can let anybody in")]
    for name, whom in rows:
        print(f"{args.folder / name}: for {whom}")
    print("Where each file goes is in docs/security.md.")
    return 0
