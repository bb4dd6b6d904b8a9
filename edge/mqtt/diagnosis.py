"""Why there is no connection to the broker, in words that say what to do."""

from __future__ import annotations

import socket
import ssl

from paho.mqtt.reasoncodes import ReasonCode

from edge.mqtt.settings import PASSWORD_VARIABLE, MqttSettings

_UNSUPPORTED_VERSION = {1, 132}
_CLIENT_ID_REFUSED = {2, 133}
_UNAVAILABLE = {3, 136, 137}
_CREDENTIALS_REFUSED = {4, 5, 134, 135}
_KEEPALIVE_TIMEOUT = 141
_TAKEN_OVER = 142


def of_error(error: BaseException | None, settings: MqttSettings) -> str:
    """Why the network or TLS let us down."""
    match error:
        case socket.gaierror():
            why = f"the name {settings.host!r} is not known ({error.strerror}); check host, network and DNS"
        case ssl.SSLCertVerificationError():
            why = (
                f"the broker's certificate is not trusted ({error.verify_message}); check ca_file, "
                "that host is the name in the certificate, and the clock of this device"
            )
        case ssl.SSLError():
            why = (
                f"TLS failed ({error.reason or error}); check that port {settings.port} expects TLS "
                "and that the broker accepts cert_file"
            )
        case ConnectionRefusedError():
            why = "nothing listens there; start the broker, or check host and port"
        case ConnectionResetError() if settings.tls:
            why = f"it hung up in the TLS handshake; check that port {settings.port} expects TLS"
        case TimeoutError():
            why = "no answer; check host, and that no firewall stands between"
        case OSError():
            why = f"{error.strerror or error}; check the network, host and port"
        case _:
            why = "the reason is not known; check host and port"
    return why


def of_refusal(reason: ReasonCode, settings: MqttSettings) -> str:
    """Why the broker refused the connection."""
    who = "an anonymous client" if settings.username is None else f"username {settings.username!r}"
    if reason.value in _CREDENTIALS_REFUSED:
        return (
            f"the broker refuses {who} ({reason}); check username, and the password in "
            f"password_file or {PASSWORD_VARIABLE}"
        )
    if reason.value in _UNSUPPORTED_VERSION:
        return f"the broker does not speak MQTT {settings.protocol} ({reason}); choose the other protocol"
    if reason.value in _CLIENT_ID_REFUSED:
        return f"the broker refuses the client id {settings.client_id!r} ({reason}); choose another client_id"
    if reason.value in _UNAVAILABLE:
        return f"the broker is busy or not ready ({reason})"
    return f"the broker refuses the connection ({reason}); its log says why"


def of_loss(reason: ReasonCode, settings: MqttSettings) -> str:
    """Why an established connection ended."""
    if reason.value == _TAKEN_OVER:
        return of_clash(settings)
    if reason.value == _KEEPALIVE_TIMEOUT:
        return f"the broker fell silent for {settings.keepalive_s} s; check the network"
    return (
        "the connection was lost; if that happens again and again, "
        f"check that no other client uses the client id {settings.client_id!r}"
    )


def of_clash(settings: MqttSettings) -> str:
    """Why a broker throws us out that has just let us in."""
    return (
        f"another client with the client id {settings.client_id!r} seems to take the connection over, "
        f"perhaps a second affectd with the device name {settings.device!r}; give each its own"
    )


def of_silence(settings: MqttSettings) -> str:
    """Why a connection ended before the broker had answered."""
    how = "over TLS, and whether the broker asks for a cert_file" if settings.tls else "without TLS"
    return (
        "it took the connection and ended it without an answer; "
        f"check that port {settings.port} speaks MQTT {settings.protocol} {how}"
    )
