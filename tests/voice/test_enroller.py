"""An enrolment and the recognition's thread, which may end it at any moment."""

from __future__ import annotations

import queue

import pytest

from edge.audio.settings import AudioSettings, SourceKind
from edge.audio.supervisor import SupervisedSource
from edge.config import Config
from edge.frontend.vad import GateSettings
from edge.health import TimedModel
from edge.inference.model import ModelSettings
from edge.listener import SOURCE_ENDED, Listener
from edge.mqtt.client import Publisher
from edge.mqtt.settings import MqttSettings
from edge.voice.enroller import Enroller
from edge.voice.errors import EnrolmentError
from edge.voice.file import VoiceFile


class Abrupt(Listener):
    """Its sound ends in the very moment in which an enrolment begins to hear it."""

    @property
    def overhearing(self):
        return self._overhearing

    @overhearing.setter
    def overhearing(self, given):
        self._overhearing = given
        if given is not None:
            self._stop_overhearing(SOURCE_ENDED)


def begin(kind, folder):
    """A listener over no sound at all, and who enrols its voices."""
    source = SupervisedSource(AudioSettings(source=SourceKind.COMMAND, command=["true"]))
    publisher = Publisher(MqttSettings(device="pi"))
    listener = kind(Config(), TimedModel(ModelSettings()), source, publisher, queue.SimpleQueue())
    return listener, Enroller(VoiceFile(folder, "pi"), listener)


def test_enrol_when_the_sound_ends_in_that_moment_then_the_answer_says_so_and_the_next_may_begin(tmp_path):
    _, enroller = begin(Abrupt, tmp_path)

    for _ in range(2):
        with pytest.raises(EnrolmentError, match=SOURCE_ENDED):
            enroller.start(10.0, GateSettings()).result(timeout=1)


def test_enrol_when_the_sound_has_ended_already_then_the_answer_says_so(tmp_path):
    listener, enroller = begin(Listener, tmp_path)
    listener.run()

    with pytest.raises(EnrolmentError, match=SOURCE_ENDED):
        enroller.start(10.0, GateSettings()).result(timeout=1)


def test_enrol_when_the_sound_ends_later_then_the_answer_says_so(tmp_path):
    listener, enroller = begin(Listener, tmp_path)
    answer = enroller.start(10.0, GateSettings())
    assert not answer.done()
    listener.run()

    with pytest.raises(EnrolmentError, match=SOURCE_ENDED):
        answer.result(timeout=1)
