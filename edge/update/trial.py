"""Loads the model that the daemon runs: the one installed last or, if it fails, the previous one."""

from __future__ import annotations

import logging
import statistics
from pathlib import Path

from edge.errors import AffectdError
from edge.health import TimedModel
from edge.inference.errors import RuntimeMissingError
from edge.inference.model import ModelSettings
from edge.update.errors import UpdateError
from edge.update.in_force import settings_in_force
from edge.update.release import read_release
from edge.update.self_test import slower_than_allowed
from edge.update.store import ModelStore

_LOG = logging.getLogger(__name__)

_STARTS = 3
"""Failed starts that a model on trial may have; if it crashes the process, this count is the only trace"""

_WINDOWS = 20
"""Inferences that are timed before a model has passed its trial"""


def load_model(settings: ModelSettings, store: ModelStore) -> TimedModel:
    """Load the model in force, going back to earlier ones for as long as it fails.

    A path in the settings other than that of the shipped model is used in any case: the user chose it.

    Raises:
        InferenceError: when the last model left cannot be used either.
    """
    while (chosen := settings_in_force(settings, store)) != settings:
        try:
            return _load_installed(chosen, store)
        except AffectdError as error:
            if isinstance(error, RuntimeMissingError):
                TimedModel(settings)  # if not even the shipped one runs, no model is at fault
            if not _give_up(store, str(error)):
                break
    return TimedModel(settings)


def _load_installed(settings: ModelSettings, store: ModelStore) -> TimedModel:
    on_trial = store.read().on_trial
    if on_trial and store.note_start() >= _STARTS:
        raise UpdateError(f"{settings.path}: {_STARTS} starts with it did not complete")
    model = TimedModel(settings)
    if on_trial:
        release = read_release(Path(settings.path))
        if release is not None:
            model.logits(release.test_windows()[0])
        store.note(on_trial=True)
    return model


def _give_up(store: ModelStore, why: str) -> bool:
    """Go back to the previous model; returns whether that could be stored."""
    _LOG.critical("the installed model is given up, the previous one takes over: %s", why)
    try:
        store.go_back(why)
    except UpdateError as error:
        _LOG.error("%s; going on with the shipped model until the next start", error)
        return False
    return True


class Trial:
    """Watches the first inferences of the model that was installed last."""

    def __init__(self, settings: ModelSettings, store: ModelStore) -> None:
        self._settings = settings
        self._store = store
        self._over = False

    def has_failed(self, model: TimedModel) -> bool:
        """Whether the model has just been given up because it is slower than the hop allows."""
        if self._over or len(model.window_ms) < _WINDOWS:
            return False
        self._over = True
        slow = slower_than_allowed(statistics.median(model.window_ms), self._settings)
        try:
            if not self._store.read().on_trial:
                return False
            if slow is None:
                self._store.note(on_trial=False)
        except UpdateError as error:
            _LOG.error("%s", error)
            return False
        return slow is not None and _give_up(self._store, slow)
