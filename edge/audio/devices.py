"""Lists the input devices of this machine, and selects one by name."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge.audio.errors import (
    AmbiguousDeviceError,
    AudioError,
    NoInputDeviceError,
    PyAudioMissingError,
    UnknownDeviceError,
)
from edge.audio.hang import unless_hung
from edge.extras import how_to_add
from edge.quiet_stderr import quiet_stderr

_WAY_ROUND = (
    'or use the source "command" with, for example, "arecord -q -f S16_LE -r 16000 -c 1 -t raw", which '
    "needs no PyAudio"
)

# PortAudio's reference counting is not thread-safe: no two threads may start or end it at the same time.
_start_or_end = threading.Lock()

_held: list[Any] = []
"""PortAudios that have been started and not ended; changed only with that lock held"""

_START_S = 5.0
"""Seconds to wait for another thread that starts or ends PortAudio; if its driver hangs, it never finishes"""


@dataclass(frozen=True, slots=True)
class InputDevice:
    """One input device, as PortAudio describes it."""

    name: str
    """PortAudio's name; on ALSA it ends in an address such as (hw:1,0), which changes between boots"""

    rate: int
    """Hertz, the device's default"""

    channels: int
    """Maximum of input channels that it claims to have; ALSA's converting devices claim 128"""

    host_api: str
    """ALSA, JACK, Core Audio, ..."""

    is_default: bool

    index: int
    """PortAudio's number for it, valid only until PortAudio is started again"""

    @property
    def stable_name(self) -> str:
        """The name without its ALSA address, as it belongs in a configuration."""
        return re.sub(r"\s*\((?:plug)?hw:[^)]*\)$", "", self.name)

    def __str__(self) -> str:
        default = ", default" if self.is_default else ""
        return f"{self.name!r} ({self.rate} Hz, {self.channels} channels, {self.host_api}{default})"


def list_input_devices() -> list[InputDevice]:
    """Every device with at least one input channel; empty when there is none.

    Raises:
        PyAudioMissingError: PyAudio or PortAudio is not installed.
        DeviceHungError: the driver of a device hangs.
        AudioError: PortAudio does not start.
    """
    begun = time.monotonic()
    return unless_hung(_list, lambda: time.monotonic() - begun)


def _list() -> list[InputDevice]:
    port_audio = start_port_audio()
    try:
        return devices_of(port_audio)
    finally:
        end_port_audio(port_audio)


def start_port_audio() -> Any:
    """A started `pyaudio.PyAudio`, to be ended with `end_port_audio`.

    Raises:
        PyAudioMissingError: PyAudio or PortAudio is not installed.
        AudioError: PortAudio does not start.
    """
    try:
        import pyaudio  # noqa: PLC0415  # an extra, which the other sources do not need
    except ModuleNotFoundError:
        raise PyAudioMissingError(
            f"the microphone source needs PyAudio, which is not installed; {how_to_add('mic')} (without "
            f"install.sh, apt install python3-dev portaudio19-dev gcc first), {_WAY_ROUND}"
        ) from None
    except ImportError as error:
        raise PyAudioMissingError(
            f"PyAudio is installed but does not load ({error}); apt install libportaudio2, then "
            f"{sys.executable} -m pip install --force-reinstall PyAudio, {_WAY_ROUND}"
        ) from None
    if not _start_or_end.acquire(timeout=_START_S):
        raise AudioError("PortAudio hangs in the driver of another input device; restart the program")
    try:
        with quiet_stderr("PortAudio"):
            _held.append(pyaudio.PyAudio())
        return _held[-1]
    except OSError as error:
        raise AudioError(
            f"PortAudio does not start ({error}); check that `arecord -l` works, {_WAY_ROUND}"
        ) from None
    finally:
        _start_or_end.release()


def end_port_audio(port_audio: Any) -> None:
    """Ends a PortAudio that `start_port_audio` has started."""
    with _start_or_end:
        port_audio.terminate()
        _held.remove(port_audio)


def is_port_audio_held() -> bool:
    """Whether a PortAudio has not been ended: until then, another one sees no device that is plugged in."""
    return bool(_held)


def devices_of(port_audio: Any) -> list[InputDevice]:
    """The input devices of a started PortAudio."""
    try:
        default = port_audio.get_default_input_device_info()["index"]
    except OSError:
        default = None
    found = []
    for index in range(port_audio.get_device_count()):
        info = port_audio.get_device_info_by_index(index)
        if info["maxInputChannels"] < 1:
            continue
        host_api = port_audio.get_host_api_info_by_index(info["hostApi"])["name"]
        found.append(
            InputDevice(
                name=str(info["name"]),
                rate=round(info["defaultSampleRate"]),
                channels=int(info["maxInputChannels"]),
                host_api=str(host_api),
                is_default=index == default,
                index=index,
            )
        )
    return found


def choose_device(devices: Sequence[InputDevice], wanted: str | None) -> InputDevice:
    """Select a device by name.

    Args:
        devices: The devices present.
        wanted: The whole name, the stable name, or a part of the stable name, in that order of preference;
            case is ignored. None means the default device, or the first one if none is the default.

    Raises:
        NoInputDeviceError: there are no devices.
        UnknownDeviceError: no device matches.
        AmbiguousDeviceError: several match equally well.
    """
    if not devices:
        raise NoInputDeviceError(
            "there is no input device; plug in a microphone and check that `arecord -l` lists it; in a "
            "container, pass --device /dev/snd, and the user must be in the group audio"
        )
    if wanted is None:
        return next((device for device in devices if device.is_default), devices[0])
    key = wanted.strip().casefold()
    fits = (
        [device for device in devices if device.name.casefold() == key],
        [device for device in devices if device.stable_name.casefold() == key],
        [device for device in devices if key in device.stable_name.casefold()],
    )
    best = next((matches for matches in fits if matches), [])
    if len(best) == 1:
        return best[0]
    if not best:
        raise UnknownDeviceError(
            f"no input device is called {wanted!r} (present are: {_listing(devices)}); set device to one of "
            "these names, or to a part that is unique"
        )
    raise AmbiguousDeviceError(
        f"{wanted!r} matches {len(best)} input devices: {_listing(best)}; set device to a longer part of the "
        "name"
    )


def _listing(devices: Sequence[InputDevice]) -> str:
    return ", ".join(str(device) for device in devices)
