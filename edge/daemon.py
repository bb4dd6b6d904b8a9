"""The daemon: wires the packages together and supervises them."""

from __future__ import annotations

import logging
import queue
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType

from edge import __version__
from edge.audio.hang import OPEN_S
from edge.audio.settings import AudioSettings
from edge.audio.supervisor import SupervisedSource
from edge.config import Config
from edge.controls import RESTART, Controls
from edge.health import HealthReporter, TimedModel
from edge.listener import SOURCE_ENDED, Endings, Listener
from edge.mqtt.broker import EmbeddedBroker
from edge.mqtt.client import Publisher
from edge.mqtt.commands import CommandDesk
from edge.mqtt.durable_outbox import open_outbox
from edge.mqtt.home_assistant import Discovery
from edge.mute import MuteMemory
from edge.state_folder import state_folder
from edge.update.in_force import device_store
from edge.update.trial import load_model
from edge.watchdog import Watchdog

_LOG = logging.getLogger(__name__)

_EX_SOFTWARE, _EX_UNAVAILABLE, _EX_TEMPFAIL = 70, 69, 75
_LOOK_S = 0.5
_LOOK_DELIVERY_S = 0.05
_STOP_S = 1.2
"""Seconds for sending the last messages: a stopped daemon has to be gone within two"""
_PATIENCE_S = 5.0
"""Seconds the broker may take for each of a file's or pipe's last turns: there is no hurry to end then"""


def run(config: Config, reload: Callable[[], Config] | None = None) -> int:
    """Listen and publish until a signal arrives or the source ends; returns the exit code.

    Args:
        config: the configuration in force.
        reload: reads the configuration again; None stands for using `config` again.

    Raises:
        AudioSettingsError, InferenceError, MqttError: when a part of the daemon cannot be set up.
    """
    store = device_store()
    model = load_model(config.model, store)
    memory = MuteMemory(state_folder(), config.mqtt.topics.device)
    watchdog = Watchdog()
    source = _source(config.audio, memory, watchdog)
    with ExitStack() as held:
        broker = held.enter_context(EmbeddedBroker(config.broker)) if config.broker.embedded else None
        publisher = Publisher(config.mqtt, open_outbox(config.outbox, config.mqtt.topics.device))
        # Up to here, signals end the process at once, as is their default: nothing has been published yet.
        endings = _endings_by_signal()
        listener = Listener(config, model, source, publisher, endings)
        health = HealthReporter(publisher, source, listener)
        discovery = _announce_to_home_assistant(config, model, publisher)
        controls = Controls(
            config, reload or (lambda: config), listener, source, memory, health, endings, store, discovery
        )
        held.callback(controls.updater.stop)
        desk = CommandDesk(config.mqtt.topics, controls.execute, publisher.answer)
        publisher.listen(desk.patterns, desk.receive)
        publisher.start()
        held.callback(publisher.stop, _STOP_S)
        listener.start()
        watchdog.ready()
        held.callback(watchdog.stopping)
        if source.muted:
            _LOG.warning("muted: not listening until a message arrives on command/unmute")
        _LOG.info(
            "listening to %s, publishing to %s as %s",
            config.audio.source.value,
            config.mqtt.address,
            config.mqtt.topics.turn,
        )
        while (ending := _next_ending(endings)) is None:
            watchdog.feed()
            if listener.is_settled:
                health.tick()
            listener.look()
            controls.watch_trial()
            controls.enroller.look()
            code = _beyond_help(publisher, source, broker)
            if code is None and listener.busy_s() > watchdog.patience_s:
                code = _hung(watchdog.patience_s)
            if code is not None:
                return code
        source.close()
        listener.join(_LOOK_S)
        if ending == RESTART:
            return _EX_TEMPFAIL
        if ending != SOURCE_ENDED:
            return 0
        if listener.exit_code:
            health.tick()
        return listener.exit_code or _deliver(publisher, endings)


def _source(settings: AudioSettings, memory: MuteMemory, watchdog: Watchdog) -> SupervisedSource:
    keep_trying = watchdog.is_listening if settings.keep_trying is None else settings.keep_trying
    return SupervisedSource(settings, muted=settings.start_muted or memory.muted, keep_trying=keep_trying)


def _beyond_help(publisher: Publisher, source: SupervisedSource, broker: EmbeddedBroker | None) -> int | None:
    """The exit code, if only a new process can help; None while all is well."""
    if not publisher.alive:
        _LOG.critical(
            "the MQTT or outbox thread has ended; this process ends too, so that its supervisor restarts it"
        )
        return _EX_SOFTWARE
    if source.opening_s > OPEN_S:
        _LOG.critical(
            "the driver has been opening the microphone for %.0f s, and hangs: this process ends, so that "
            "its supervisor restarts it; if that does not help, unplug the microphone and plug it in again",
            OPEN_S,
        )
        return _EX_UNAVAILABLE
    if broker is not None and not broker.alive:
        _LOG.critical("the embedded broker has ended; this process ends too")
        return _EX_UNAVAILABLE
    return None


def _hung(patience_s: float) -> int:
    """The exit code. Not left to systemd, which would wait for as long again, from the last feeding on."""
    _LOG.critical(
        "recognition has been busy with one block of sound for %.0f s, and hangs: this process ends, so that "
        "its supervisor restarts it",
        patience_s,
    )
    return _EX_SOFTWARE


def _announce_to_home_assistant(config: Config, model: TimedModel, publisher: Publisher) -> Discovery:
    card, topics = model.card, config.mqtt.topics
    discovery = Discovery(
        config.home_assistant,
        topics,
        card.labels,
        card.name,
        __version__,
        publisher.publish_latest,
        config.mqtt.room,
    )
    publisher.listen(discovery.patterns, discovery.receive)
    discovery.announce()
    return discovery


def _deliver(publisher: Publisher, endings: Endings) -> int:
    """After the source has ended, wait until its turns are delivered, a signal comes or the broker stalls."""
    waiting, deadline = publisher.queued, time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if publisher.connected and not publisher.queued:
            return 0
        if _next_ending(endings, _LOOK_DELIVERY_S) is not None:
            break
        if publisher.queued < waiting:
            waiting, deadline = publisher.queued, time.monotonic() + _PATIENCE_S
    if not waiting:
        _LOG.error("could not tell the broker that the source has ended")
    return _EX_UNAVAILABLE


def _endings_by_signal() -> Endings:
    """A queue into which SIGTERM and SIGINT put their names.

    A signal handler may put into a SimpleQueue at any moment; the lock of a threading.Event could be held by
    the very thread that the handler interrupts.
    """
    endings: Endings = queue.SimpleQueue()

    def ask(number: int, _frame: FrameType | None) -> None:
        endings.put(signal.Signals(number).name)

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return endings


def _next_ending(endings: Endings, timeout_s: float = _LOOK_S) -> str | None:
    try:
        ending = endings.get(timeout=timeout_s)
    except queue.Empty:
        return None
    _LOG.info("%s: stopping", ending)
    return ending
