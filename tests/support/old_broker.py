"""A broker from before MQTT 5: a relay to Mosquitto that refuses the newer version as the standard says."""

from __future__ import annotations

import socket

from .brokers import Wire

_REFUSED = b"\x20\x02\x00\x01"
"""CONNACK of MQTT 3.1.1: unacceptable protocol level (3.2.2.3 there)"""


class OldBroker(Wire):
    """Relays whoever speaks 3.1.1."""

    def __init__(self, target_port: int) -> None:
        super().__init__(target_port)
        self.refused = 0

    def _takes(self, client: socket.socket) -> bool:
        # The first packet: type, length of one or two bytes, the text MQTT with its length, the level.
        head = client.recv(64, socket.MSG_PEEK)
        level = head[head.index(b"\x00\x04MQTT") + 6]
        if level == 4:
            return True
        self.refused += 1
        client.sendall(_REFUSED)
        client.close()
        return False
