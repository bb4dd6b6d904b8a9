"""The daemon: wires the rooms together and supervises them."""

from __future__ import annotations

import logging
import queue
import signal
import threading
import time
from contextlib import ExitStack
from types import FrameType

from edge.announcer import Announcer
from edge.audio.sources import Source, open_source
from edge.config import Config
from edge.errors import AffectdError
from edge.inference.model import EmotionModel
from edge.inference.recognizer import Event, Recognizer, TurnResult
from edge.mqtt.broker import EmbeddedBroker
from edge.mqtt.client import Publisher
from edge.mqtt.durable_outbox import open_outbox
from edge.mqtt.messages import State

_LOG = logging.getLogger(__name__)

_EX_SOFTWARE, _EX_UNAVAILABLE = 70, 69
_LOOK_S = 0.5
_LOOK_DELIVERY_S = 0.05
_STOP_S = 1.2
"""What is left for the last messages of the two seconds in which a stopped daemon is gone"""
_PATIENCE_S = 5.0
"""How long the broker may take for each of the last turns of a file or pipe: nobody waits for a quick end"""


def run(config: Config) -> int:
    """Listen and publish until a signal comes or the source ends; gives the exit code.

    Raises:
        AudioSettingsError, InferenceError, MqttError: when something cannot even begin.
    """
    model = EmotionModel(config.model)
    source = open_source(config.audio)
    with ExitStack() as held:
        broker = held.enter_context(EmbeddedBroker(config.broker)) if config.broker.embedded else None
        publisher = Publisher(config.mqtt, open_outbox(config.outbox, config.mqtt.topics.device))
        # Until here a signal ends the process at once, as it does by default: nobody has heard of us yet.
        endings = _endings_by_signal()
        publisher.start()
        held.callback(publisher.stop, _STOP_S)
        listener = _Listener(config, model, source, publisher, endings)
        listener.start()
        _LOG.info(
            "listening to %s, publishing to %s as %s",
            config.audio.source.value,
            config.mqtt.address,
            config.mqtt.topics.turn,
        )
        while (ending := _next_ending(endings)) is None:
            if not publisher.alive:
                _LOG.critical(
                    "the MQTT or outbox thread has ended; so does this process, for its supervisor to restart"
                )
                return _EX_SOFTWARE
            if broker is not None and not broker.alive:
                _LOG.critical("the embedded broker has ended; this process ends too")
                return _EX_UNAVAILABLE
        source.close()
        listener.join(_LOOK_S)
        if ending != _SOURCE_ENDED:
            return 0
        return listener.exit_code or _deliver(publisher, endings)


def _deliver(publisher: Publisher, endings: _Endings) -> int:
    """The source is over: wait until its turns have arrived, a signal comes or the broker takes no more."""
    waiting, deadline = publisher.queued, time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if publisher.connected and not publisher.queued:
            return 0
        if _next_ending(endings, _LOOK_DELIVERY_S) is not None:
            break
        if publisher.queued < waiting:
            waiting, deadline = publisher.queued, time.monotonic() + _PATIENCE_S
    if not waiting:
        _LOG.error("the broker could not be told that the source has ended")
    return _EX_UNAVAILABLE


_SOURCE_ENDED = "the source has ended"
_Endings = queue.SimpleQueue[str]


def _endings_by_signal() -> _Endings:
    """A queue into which SIGTERM and SIGINT put their names.

    A simple queue may be put into from a signal handler at any moment; an event's lock could be held by
    the very thread that the handler interrupts.
    """
    endings: _Endings = queue.SimpleQueue()

    def ask(number: int, _frame: FrameType | None) -> None:
        endings.put(signal.Signals(number).name)

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return endings


def _next_ending(endings: _Endings, timeout_s: float = _LOOK_S) -> str | None:
    try:
        ending = endings.get(timeout=timeout_s)
    except queue.Empty:
        return None
    _LOG.info("%s: stopping", ending)
    return ending


class _Listener(threading.Thread):
    """The recognition thread: takes blocks from the source and publishes what they bring about."""

    def __init__(
        self,
        config: Config,
        model: EmotionModel,
        source: Source,
        publisher: Publisher,
        endings: _Endings,
    ) -> None:
        super().__init__(name="recognition", daemon=True)
        self._source = source
        self._publisher = publisher
        self._endings = endings
        self._recognizer = Recognizer(model, config.turns, config.gate)
        self._announcer = Announcer(model.card, model.mfcc_config.sample_rate)
        self.exit_code = 0

    def run(self) -> None:
        try:
            self._listen()
        except AffectdError as error:
            _LOG.critical("%s", error)
            self.exit_code = error.exit_code
        except Exception:  # noqa: BLE001
            # Never alive but deaf: whatever went wrong here ends the process.
            _LOG.critical("recognition has failed", exc_info=True)
            self.exit_code = _EX_SOFTWARE
        finally:
            self._endings.put(_SOURCE_ENDED)

    def _listen(self) -> None:
        self._publisher.publish_state(self._announcer.silent())
        for block in self._source.blocks():
            for event in self._recognizer.push(block):
                self._announce(event)
        for event in self._recognizer.flush():
            self._announce(event)

    def _announce(self, event: Event) -> None:
        if isinstance(event, TurnResult):
            answer = event.answer
            _LOG.info(
                "turn: %s, confidence %.2f, SNR %.0f dB", answer.emotion, answer.confidence, event.snr_db
            )
        for message in self._announcer.follow(event, self._recognizer.samples):
            if isinstance(message, State):
                self._publisher.publish_state(message)
            else:
                self._publisher.publish_turn(message)
