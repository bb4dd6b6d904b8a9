"""Errors between the device and its broker, with the exit code of each."""

from __future__ import annotations

from edge.errors import AffectdError


class MqttError(AffectdError):
    """Raised when something around MQTT fails; the message says what is wrong, where, and what to do."""

    exit_code = 69
    """sysexits: service unavailable"""


class MqttSettingsError(MqttError, ValueError):
    """Raised when an MQTT setting is invalid, or a file that it names cannot be used."""

    exit_code = 78
    """sysexits: configuration"""


class BrokerError(MqttError):
    """Raised when the embedded broker does not start."""


class BrokerNotInstalledError(BrokerError):
    """Raised when the embedded broker is enabled but amqtt is not installed."""


class PortInUseError(BrokerError):
    """Raised when another program already listens on the address of the embedded broker."""
