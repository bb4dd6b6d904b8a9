"""Decides which model this device uses: the one named in the configuration, else the one installed last."""

from __future__ import annotations

import logging

import msgspec

from edge.inference.model import SHIPPED_MODEL, ModelSettings
from edge.state_folder import state_folder
from edge.update.errors import UpdateError
from edge.update.store import ModelStore

_LOG = logging.getLogger(__name__)


def device_store() -> ModelStore:
    """The models that were installed on this device."""
    return ModelStore(state_folder() / "models")


def settings_in_force(settings: ModelSettings, store: ModelStore) -> ModelSettings:
    """The settings, with the path of the model installed last unless they name a model themselves."""
    if settings.path != str(SHIPPED_MODEL):
        return settings
    try:
        models = store.read().models
    except UpdateError as error:
        _LOG.error("%s; going on with the shipped model", error)
        return settings
    return msgspec.structs.replace(settings, path=str(store.path_of(models[-1]))) if models else settings
