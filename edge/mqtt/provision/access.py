"""Mosquitto's access control list: who may do what on the broker."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from edge.mqtt.home_assistant import HomeAssistantSettings, identifier
from edge.mqtt.topics import Topics


class Role(StrEnum):
    """A client that is not a device."""

    DASHBOARD = "dashboard"
    """Reads everything and changes nothing"""

    CONTROLLER = "controller"
    """Reads everything and sends commands"""

    HOME_ASSISTANT = "homeassistant"
    """A controller with topics of its own"""


def access_list(devices: Sequence[Topics]) -> str:
    """The list for these devices, each logging in under its own name, and for every role.

    A device writes its own topics, and reads its own commands and its description for Home Assistant; only
    the controller and Home Assistant write commands. Anything that no line grants is refused.
    """
    prefix = HomeAssistantSettings().discovery_prefix
    bases = dict.fromkeys(topics.base for topics in devices)
    reads = [f"topic read {base}/#" for base in bases]
    commands = [f"topic write {topics.command}/{name}" for topics in devices for name in ("+", "model/+")]
    blocks = [
        *(_device(topics, prefix) for topics in devices),
        [f"user {Role.DASHBOARD}", *reads],
        [f"user {Role.CONTROLLER}", *reads, *commands],
        [f"user {Role.HOME_ASSISTANT}", *reads, *commands, f"topic readwrite {prefix}/#"],
    ]
    return (
        "# Made by `affectd provision`. Anything that no line grants is refused.\n\n"
        + "\n\n".join("\n".join(block) for block in blocks)
        + "\n"
    )


_SAID = ("availability", "state", "turn", "health", "command/+/result", "command/model/+/result")


def _device(topics: Topics, prefix: str) -> list[str]:
    own = f"{topics.base}/{topics.device}"
    return [
        f"user {topics.device}",
        *(f"topic write {own}/{what}" for what in _SAID),
        f"topic read {topics.command}/#",
        f"topic readwrite {prefix}/device/{identifier(topics)}/config",
        f"topic read {prefix}/status",
    ]
