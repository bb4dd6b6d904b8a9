"""Explains why there is no connection to the broker or a message is refused, and what to do about it."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from typing import NamedTuple

from paho.mqtt.client import WebsocketConnectionError
from paho.mqtt.reasoncodes import ReasonCode

from edge.mqtt.settings import PASSWORD_VARIABLE, MqttSettings, Protocol

UNSUPPORTED_VERSION = {1, 132}
_CLIENT_ID_REFUSED = {2, 133}
_UNAVAILABLE = {3, 136, 137}
_CREDENTIALS_REFUSED = {4, 5, 134, 135}
_DENIED = {128, 135}
_KEEPALIVE_TIMEOUT = 141
_TAKEN_OVER = 142

# X509_V_ERR_… of OpenSSL, see its manual page X509_STORE_CTX_get_error.
_NOT_YET_VALID, _EXPIRED = 9, 10
_UNKNOWN_ISSUER = {2, 18, 19, 20, 21}
_OTHER_NAME = {62, 64}

_OURS_REFUSED = ("CERTIFICATE", "UNKNOWN_CA", "HANDSHAKE_FAILURE", "ACCESS_DENIED")
"""Parts of the names of alerts that the broker sends about our certificate, or the lack of one"""


class Diagnosis(NamedTuple):
    """What is wrong, and what to do."""

    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.cause}; {self.remedy}"


def of_error(error: BaseException | None, settings: MqttSettings) -> Diagnosis:
    """Why the network, TLS or the WebSocket failed."""
    match error:
        case socket.gaierror():
            why = (
                f"the host name {settings.host!r} cannot be resolved ({error.strerror})",
                "check host, network and DNS",
            )
        case ssl.SSLCertVerificationError():
            why = _of_certificate(error, settings)
        case ssl.SSLError():
            why = _of_tls(error, settings)
        case WebsocketConnectionError():
            why = (
                f"the server does not speak MQTT over WebSockets at {settings.path} ({error})",
                f'check path and that port {settings.port} is for WebSockets, or set transport = "tcp"',
            )
        case ConnectionRefusedError():
            why = ("nothing listens there", "start the broker, or check host and port")
        case ConnectionResetError() if settings.tls:
            why = (
                "the server reset the connection during the TLS handshake",
                f"check that port {settings.port} expects TLS",
            )
        case TimeoutError():
            why = ("no answer", "check host, and that no firewall is in the way")
        case OSError():
            why = (str(error.strerror or error), "check the network, host and port")
        case _:
            why = ("the reason is unknown", "check host and port")
    return Diagnosis(*why)


def _of_certificate(error: ssl.SSLCertVerificationError, settings: MqttSettings) -> Diagnosis:
    today = f"the clock of this device ({datetime.now(UTC):%Y-%m-%d %H:%M} UTC)"
    if error.verify_code == _EXPIRED:
        return Diagnosis("the broker's certificate has expired", f"renew it on the broker, or check {today}")
    if error.verify_code == _NOT_YET_VALID:
        return Diagnosis("the broker's certificate is not valid yet", f"check {today} and that of the broker")
    if error.verify_code in _OTHER_NAME:
        return Diagnosis(
            f"the broker's certificate is for another name than {settings.host!r} ({error.verify_message})",
            "set host to a name in the certificate, or issue a certificate for this name",
        )
    if error.verify_code in _UNKNOWN_ISSUER:
        trusted = "unset (the system's CAs)" if settings.ca_file is None else settings.ca_file
        return Diagnosis(
            f"the broker's certificate is not from a CA that is trusted here ({error.verify_message})",
            f"check ca_file, now {trusted}: it must be the certificate of the broker's CA",
        )
    return Diagnosis(
        f"the broker's certificate is not trusted ({error.verify_message})", "check ca_file and the broker"
    )


def _of_tls(error: ssl.SSLError, settings: MqttSettings) -> Diagnosis:
    reason, ours = error.reason or str(error), settings.cert_file
    if "ALERT" in reason and any(word in reason for word in _OURS_REFUSED):
        if ours is None:
            return Diagnosis(
                f"the broker asks for a certificate, and none is set ({reason})", "set cert_file and key_file"
            )
        return Diagnosis(
            f"the broker does not accept our certificate ({reason})",
            f"check that cert_file {ours} has not expired and is from a CA that the broker trusts",
        )
    return Diagnosis(
        f"TLS failed ({reason})",
        f"check that port {settings.port} expects TLS and that the broker accepts cert_file",
    )


def of_refusal(reason: ReasonCode, settings: MqttSettings) -> Diagnosis:
    """Why the broker refused the connection."""
    if reason.value in _CREDENTIALS_REFUSED:
        return Diagnosis(
            f"the broker refuses {_who(settings)} ({reason})",
            f"check username, and the password in password_file or {PASSWORD_VARIABLE}",
        )
    if reason.value in UNSUPPORTED_VERSION:
        return Diagnosis(
            f"the broker does not speak MQTT {settings.protocol} ({reason})", 'set protocol = "auto"'
        )
    if reason.value in _CLIENT_ID_REFUSED:
        return Diagnosis(
            f"the broker refuses the client id {settings.client_id!r} ({reason})", "choose another client_id"
        )
    if reason.value in _UNAVAILABLE:
        return Diagnosis(f"the broker is busy or not ready ({reason})", "wait, or see the broker's log")
    return Diagnosis(f"the broker refuses the connection ({reason})", "see the broker's log")


def of_loss(reason: ReasonCode, settings: MqttSettings) -> Diagnosis:
    """Why an established connection ended."""
    if reason.value == _TAKEN_OVER:
        return of_clash(settings)
    if reason.value == _KEEPALIVE_TIMEOUT:
        return Diagnosis(
            f"the connection timed out (keepalive_s is {settings.keepalive_s})", "check the network"
        )
    return Diagnosis(
        "the connection was lost",
        f"if this keeps happening, check that no other client uses the client id {settings.client_id!r}",
    )


def of_clash(settings: MqttSettings) -> Diagnosis:
    """Why a broker disconnects us soon after it has accepted the connection."""
    return Diagnosis(
        f"another client with the client id {settings.client_id!r} seems to take the connection over, "
        f"perhaps a second affectd with the device name {settings.device!r}",
        "give each its own device name or client_id",
    )


def of_silence(settings: MqttSettings, reason: ReasonCode | None = None) -> Diagnosis:
    """Why a connection ended before the broker had answered; the reason is not always known."""
    how = "over TLS, and whether the broker asks for a cert_file" if settings.tls else "without TLS"
    version = "" if settings.protocol is Protocol.AUTO else f" {settings.protocol}"
    remedy = f"check that port {settings.port} speaks MQTT{version} {how}"
    if reason is not None and reason.value == _KEEPALIVE_TIMEOUT:
        return Diagnosis("connections are accepted but not answered", f"check the network, and {remedy}")
    return Diagnosis("the connection was accepted, but ended without an answer", remedy)


def of_denial(topic: str, reason: object, settings: MqttSettings, deed: str = "write") -> Diagnosis:
    """Why a message or a subscription was refused."""
    if isinstance(reason, ReasonCode) and reason.value not in _DENIED:
        return Diagnosis(f"the broker refuses {topic} ({reason})", "see the broker's log")
    return Diagnosis(
        f"{_who(settings)} may not {deed} {topic} ({reason})", "check the broker's access control list"
    )


def _who(settings: MqttSettings) -> str:
    return "an anonymous client" if settings.username is None else f"username {settings.username!r}"
