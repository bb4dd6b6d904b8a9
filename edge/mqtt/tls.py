"""The TLS context of the connection, made from the settings."""

from __future__ import annotations

import ssl

from edge.mqtt.errors import MqttSettingsError
from edge.mqtt.settings import MqttSettings


def make_context(settings: MqttSettings) -> ssl.SSLContext:
    """A context that checks the broker's certificate and host name.

    Raises:
        MqttSettingsError: when one of the files cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.cert_file is not None:
            # Without a password here, OpenSSL would prompt for a passphrase on the terminal, where nobody is.
            context.load_cert_chain(settings.cert_file, settings.key_file, password="")
    except (OSError, ValueError) as error:
        named = (
            ("ca_file", settings.ca_file),
            ("cert_file", settings.cert_file),
            ("key_file", settings.key_file),
        )
        files = ", ".join(f"{field} {path}" for field, path in named if path is not None)
        raise MqttSettingsError(f"TLS: {error}; check that these are readable PEM files: {files}") from None
    return context
