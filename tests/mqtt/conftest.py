"""Brokers for the tests of the MQTT room."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.brokers import Broker, make_broker
from support.loglines import Log

from edge.mqtt.settings import PASSWORD_VARIABLE

KINDS = ["mosquitto", "amqtt"]


@pytest.fixture(scope="session", autouse=True)
def importable_children() -> Iterator[None]:
    """Child processes import the code under test from the same place, installed or not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]), prepend=os.pathsep)
        patch.delenv(PASSWORD_VARIABLE, raising=False)
        yield


@pytest.fixture(scope="session", params=KINDS)
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that all tests share."""
    broker = make_broker(request.param, tmp_path_factory.mktemp("broker"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(params=KINDS)
def own_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A broker that the test may stop and start."""
    broker = make_broker(request.param, tmp_path)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def log() -> Iterator[Log]:
    handler = Log()
    logger = logging.getLogger("edge.mqtt.client")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)
