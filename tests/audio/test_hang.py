"""Work with a driver that may hang, here a thread that waits for ever."""

import signal
import threading
import time

import pytest

from edge.audio.errors import DeviceHungError, NoInputDeviceError
from edge.audio.hang import unless_hung


def test_unless_hung_when_the_driver_works_then_its_result_or_its_error_comes_back():
    def fail() -> None:
        raise NoInputDeviceError("no microphone")

    assert unless_hung(lambda: 7, lambda: 0.0) == 7
    with pytest.raises(NoInputDeviceError, match="no microphone"):
        unless_hung(fail, lambda: 0.0)


def test_unless_hung_when_the_device_never_opens_then_the_caller_goes_on_without_it():
    begun, let_go = time.monotonic(), threading.Event()
    with pytest.raises(DeviceHungError, match="plug it in again"):
        unless_hung(let_go.wait, lambda: time.monotonic() - begun, limit_s=0.2)
    let_go.set()


def test_unless_hung_when_ctrl_c_interrupts_the_wait_then_the_work_is_ended():
    let_go = threading.Event()

    def work() -> None:
        signal.raise_signal(signal.SIGINT)
        let_go.wait()

    with pytest.raises(KeyboardInterrupt):
        unless_hung(work, lambda: 0.0, cancel=let_go.set)
    assert let_go.is_set()
