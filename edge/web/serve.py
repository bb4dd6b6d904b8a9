"""`affectd web`: checks what must be right before anything is served."""

from __future__ import annotations

import logging
import sys

from edge.config import Config
from edge.extras import how_to_add
from edge.web.errors import WebNotInstalledError


def serve(config: Config) -> int:
    """Serve the dashboard until a signal arrives; returns the exit code.

    Raises:
        WebSettingsError: when a password is required but missing, or cannot be read.
        WebNotInstalledError: when FastAPI or uvicorn is missing.
        AddressError: when it cannot listen on the address.
        InferenceError, MqttSettingsError: when the model, or a file of the MQTT settings, cannot be used.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s", stream=sys.stderr)
    password = config.web.password()
    try:
        from edge.web.server import run  # noqa: PLC0415  # needs an extra, and is slow to import
    except ImportError as error:
        raise WebNotInstalledError(
            f"the dashboard needs FastAPI and uvicorn ({error}); {how_to_add('web')}"
        ) from None
    return run(config, password)
