"""Carries out each MQTT command on the running daemon."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import msgspec

from edge import __version__
from edge.audio.supervisor import SupervisedSource
from edge.config import Config
from edge.health import HealthReporter, TimedModel
from edge.listener import Endings, Listener
from edge.mqtt.commands import (
    Command,
    CommandRefusedError,
    EnrolCommand,
    ModelUpdateCommand,
    SensitivityCommand,
    ThresholdCommand,
)
from edge.mqtt.home_assistant import Discovery
from edge.mute import MuteMemory
from edge.state_folder import state_folder
from edge.tuning import Tuning, TuningFile
from edge.update.store import ModelStore
from edge.update.trial import Trial, load_model
from edge.update.updater import Updater
from edge.voice.enroller import Enroller
from edge.voice.file import device_voice

_LOG = logging.getLogger(__name__)

RESTART = "a command requests a restart"
_MARGIN_MAX_DB = 60.0
_RELOADED = ("gate", "turns", "voice", "model", "log")
"""Tables that `reload` applies to a running daemon; all others need a restart"""


class Controls:
    """Carries out commands. All are quick, and all are called from the MQTT network thread.

    Args:
        config: the configuration in force.
        reload: reads the configuration again; raises `ConfigError` if it cannot be used.
        listener: the recognition.
        source: the sound source, which `mute` closes.
        memory: remembers across restarts whether the device is muted.
        health: reports after each change.
        endings: queue into which a request to restart is put.
        store: the installed models.
        discovery: describes the device anew when its model changes.
    """

    def __init__(
        self,
        config: Config,
        reload: Callable[[], Config],
        listener: Listener,
        source: SupervisedSource,
        memory: MuteMemory,
        health: HealthReporter,
        endings: Endings,
        store: ModelStore,
        discovery: Discovery,
    ) -> None:
        self._config = config
        self._read_config = reload
        self._listener = listener
        self._source = source
        self._memory = memory
        self._health = health
        self._endings = endings
        self._store = store
        self._discovery = discovery
        self._trial = Trial(config.model, store)
        self._tuning_file = TuningFile(state_folder(), config.mqtt.topics.device)
        self._tuning = self._tuning_file.read()
        self._apply_tuning()
        self.updater = Updater(store, self._use_installed)
        self.enroller = Enroller(device_voice(config.mqtt.topics.device), listener)
        self._acts: dict[str, Callable[[Any], dict[str, Any] | Future[dict[str, Any]]]] = {
            "mute": lambda command: self._mute(command.value),
            "unmute": lambda _: self._mute(False),
            "sensitivity": self._set_sensitivity,
            "threshold": self._set_threshold,
            "enrol": self._enrol,
            "forget": self._forget,
            "reload": self._reload,
            "identify": self._identify,
            "restart": self._restart,
            "health": lambda _: dict(msgspec.to_builtins(self._health.publish())),
            "model/info": self._describe_model,
            "model/update": self._update_model,
        }

    def execute(self, name: str, command: Command) -> dict[str, Any] | Future[dict[str, Any]]:
        """Carry out a command of `edge.mqtt.commands.KINDS` and return the answer, or a future of it.

        Raises:
            AffectdError: when it cannot be carried out; nothing has been changed then.
        """
        act = self._acts.get(name)
        if act is None:
            raise CommandRefusedError(f"this affectd does not support the command {name}")
        return act(command)

    def _mute(self, muted: bool) -> dict[str, Any]:
        remembered = self._memory.remember(muted)
        self._source.mute(muted)
        self._health.publish()
        return {"muted": muted, "remembered": remembered}

    def _set_sensitivity(self, command: SensitivityCommand) -> dict[str, Any]:
        margin_db = self._margin_db(command.value)
        if margin_db is None:
            configured = self._config.gate.margin_db
            raise CommandRefusedError(
                f"value is {command.value:g}: with margin_db configured as {configured:g}, it must be at "
                f"least {configured - _MARGIN_MAX_DB:g} and below {configured:g}"
            )
        remembered = self._tune(msgspec.structs.replace(self._tuning, sensitivity_db=command.value))
        self._health.publish()
        return {"sensitivity": command.value, "margin_db": margin_db, "remembered": remembered}

    def _margin_db(self, sensitivity_db: float) -> float | None:
        """Decibels above the noise floor that then count as speech; None if that is out of range."""
        margin_db = self._config.gate.margin_db - sensitivity_db
        return margin_db if 0.0 < margin_db <= _MARGIN_MAX_DB else None

    def _set_threshold(self, command: ThresholdCommand) -> dict[str, Any]:
        remembered = self._tune(msgspec.structs.replace(self._tuning, threshold=command.value))
        return {"uncertain_below": command.value, "remembered": remembered}

    def _tune(self, tuning: Tuning) -> bool:
        """Apply this tuning and store it; returns whether it will survive a restart."""
        self._tuning = tuning
        self._apply_tuning()
        return self._tuning_file.write(tuning)

    def _apply_tuning(self) -> None:
        tuning, listener = self._tuning, self._listener
        if tuning.threshold is not None:
            listener.model.uncertain_below = tuning.threshold
        if tuning.sensitivity_db is None:
            return
        margin_db = self._margin_db(tuning.sensitivity_db)
        if margin_db is None:
            configured = self._config.gate.margin_db
            _LOG.warning(
                "sensitivity %g dB, set by a command, is out of range for margin_db %g: ignored",
                tuning.sensitivity_db,
                configured,
            )
            return
        listener.set_margin(margin_db)
        listener.sensitivity_db = tuning.sensitivity_db

    def _enrol(self, command: EnrolCommand) -> Future[dict[str, Any]]:
        if self._source.muted:
            raise CommandRefusedError("the device is muted; unmute first")
        answer = self.enroller.start(command.value, self._config.gate)
        answer.add_done_callback(lambda _: self._health.publish())
        return answer

    def _forget(self, _: Command) -> dict[str, Any]:
        forgotten = self.enroller.forget()
        self._health.publish()
        return {"was_enrolled": forgotten}

    def _restart(self, _: Command) -> dict[str, Any]:
        self._endings.put(RESTART)
        return {"message": "affectd ends now; systemd, or another supervisor, starts it again"}

    def _reload(self, _: Command) -> dict[str, Any]:
        config = self._read_config()
        model = load_model(config.model, self._store)
        changed = [
            table
            for table in config.__struct_fields__
            if getattr(config, table) != getattr(self._config, table)
        ]
        self._switch_to(model, config)
        self._tune(Tuning())
        self.enroller.restore()
        self._trial = Trial(config.model, self._store)
        logging.getLogger().setLevel(config.log.level.upper())
        self._config = msgspec.structs.replace(
            self._config, **{table: getattr(config, table) for table in _RELOADED}
        )
        return {
            "changed": [table for table in changed if table in _RELOADED],
            "needs_restart": [table for table in changed if table not in _RELOADED],
        }

    def _update_model(self, command: ModelUpdateCommand) -> Future[dict[str, Any]]:
        return self.updater.start(command.value, command.sha256, self._config.model)

    def _use_installed(self) -> None:
        """Switch to the model that is in force now."""
        model = load_model(self._config.model, self._store)
        self._trial = Trial(self._config.model, self._store)
        self._switch_to(model, self._config)
        self._apply_tuning()

    def _switch_to(self, model: TimedModel, config: Config) -> None:
        # Announced first: Home Assistant would ignore a state with a label that it does not know.
        self._discovery.change_model(model.card.labels, model.card.name)
        self._listener.replace(model, config.gate, config.turns, config.voice)

    def watch_trial(self) -> None:
        """Give up the model installed last if it proves too slow; to be called periodically."""
        if self._trial.has_failed(self._listener.model):
            self._use_installed()

    def _identify(self, _: Command) -> dict[str, Any]:
        _LOG.warning("identify: a command asks which device this is; it is %s", self._config.mqtt.device)
        return {
            "device": self._config.mqtt.device,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "version": __version__,
            "source": self._config.audio.source.value,
        }

    def _describe_model(self, _: Command) -> dict[str, Any]:
        model = self._listener.model
        card = model.card
        return {
            "name": card.name,
            "sha256": card.flatbuffer_sha256,
            "labels": list(card.labels),
            "uncertain_below": model.uncertain_below,
            "runtime": str(model.runtime),
            "licence": card.licence,
        }
