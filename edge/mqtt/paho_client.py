"""Makes a paho client from the settings, not yet connected."""

from __future__ import annotations

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge.mqtt import tls
from edge.mqtt.settings import MqttSettings, Protocol, Transport

_VERSIONS = {
    Protocol.AUTO: MQTTProtocolVersion.MQTTv5,
    Protocol.V3_1_1: MQTTProtocolVersion.MQTTv311,
    Protocol.V5: MQTTProtocolVersion.MQTTv5,
}

CONNECT_S = 5.0
"""Seconds that the network may take to establish a connection"""


def make_client(settings: MqttSettings, protocol: Protocol, client_id: str) -> Client:
    """A client with its id, transport, credentials and TLS set up.

    Args:
        settings: of the connection.
        protocol: version of MQTT; `AUTO` starts with MQTT 5.
        client_id: unique on the broker.

    Raises:
        MqttSettingsError: when the password or a TLS file cannot be used.
    """
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=_VERSIONS[protocol],
        transport="websockets" if settings.transport is Transport.WEBSOCKETS else "tcp",
    )
    client.connect_timeout = CONNECT_S
    if settings.transport is Transport.WEBSOCKETS:
        client.ws_set_options(path=settings.path)
    if settings.username is not None:
        client.username_pw_set(settings.username, settings.password())
    if settings.tls:
        client.tls_set_context(tls.make_context(settings))
    return client


def keepalive_s(settings: MqttSettings) -> int:
    """The keepalive with which paho and the broker both notice a dead network within 1.5 `keepalive_s`.

    paho pings after one interval without traffic, gives up after another, and checks once a second: two
    intervals and two seconds at worst. The broker gives up after one and a half intervals.
    """
    return max(1, int(0.75 * settings.keepalive_s) - 1)
