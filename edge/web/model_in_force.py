"""The model that analyses recordings: the one in force on this device, also after an update."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from edge.errors import AffectdError
from edge.inference.model import EmotionModel, ModelSettings
from edge.update.in_force import settings_in_force
from edge.update.store import ModelStore

_LOG = logging.getLogger(__name__)

_Identity = tuple[str, int, int] | None
"""Path, time of change in nanoseconds and inode of a model file; None if there is none"""


class ModelInForce:
    """Loads a model again when another one is in force, or its file was replaced.

    Args:
        settings: of the model, as in the configuration.
        store: the installed models.

    Raises:
        InferenceError: when the model in force cannot be used.
    """

    def __init__(self, settings: ModelSettings, store: ModelStore) -> None:
        self._settings = settings
        self._store = store
        self._lock = threading.Lock()
        chosen = settings_in_force(settings, store)
        self._identity = _identify(chosen)
        self._model = EmotionModel(chosen)

    def __call__(self) -> EmotionModel:
        """The model in force, or the last one if that cannot be used; from any thread. May take seconds."""
        with self._lock:
            chosen = settings_in_force(self._settings, self._store)
            identity = _identify(chosen)
            if identity != self._identity:
                self._identity = identity
                try:
                    self._model = EmotionModel(chosen)
                except AffectdError as error:
                    _LOG.warning("%s; recordings are still analysed with the model before it", error)
            return self._model


def _identify(settings: ModelSettings) -> _Identity:
    try:
        found = Path(settings.path).stat()
    except OSError:
        return None
    return settings.path, found.st_mtime_ns, found.st_ino
