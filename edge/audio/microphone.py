"""An input device of this machine as a source, through PyAudio's callback mode."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

from edge.audio.block import SAMPLE_RATE, Block
from edge.audio.devices import (
    InputDevice,
    choose_device,
    devices_of,
    end_port_audio,
    is_port_audio_held,
    start_port_audio,
)
from edge.audio.drop_queue import DropQueue
from edge.audio.errors import AudioSettingsError, DeviceOpenError, DeviceStalledError
from edge.audio.pcm import decode_samples
from edge.audio.resample import Resampler
from edge.audio.settings import Channel
from edge.audio.wav_header import Encoding
from edge.quiet_stderr import quiet_stderr

_log = logging.getLogger(__name__)

MAX_CHANNELS = 8
"""A higher count is what ALSA's converting devices claim, not what a microphone has"""

STALL_S = 1.2
"""Seconds without a callback until the device counts as gone; reported within two, closing it included"""

_LOOK_S = 0.25
"""Seconds between checks that the stream is still alive"""

_LOG_EVERY_S = 60.0

_RELEASE_S = 0.4
"""Seconds that `close` waits for a driver that may hang"""

_REPLUG = "plug it in again and check that `arecord -l` lists it"


class MicrophoneSource:
    """Captures from an input device at its own rate; resampling and mixing happen in the consumer's thread.

    Args:
        device: Name of the device, or a part of it; None for the system's default.
        channel: Which channel to keep, or "mix". One or two channels are opened unless it is a higher one.
        buffer_s: Seconds of sound kept for a slow consumer; beyond that, the oldest is dropped, counted and
            logged.
        block_ms: Milliseconds of sound in a block.
        rate: Hertz to open the device at; None for the device's own.
    """

    def __init__(
        self,
        *,
        device: str | None = None,
        channel: Channel = "mix",
        buffer_s: float = 4.0,
        block_ms: int = 20,
        rate: int | None = None,
    ) -> None:
        self._wanted = device
        self._channel: Channel = channel
        self._buffer_s = buffer_s
        self._block_ms = block_ms
        self._rate = rate
        self.unhurried = False
        self._closed = threading.Event()
        self._opening_since: float | None = None
        self._lock = threading.RLock()
        self._port_audio: Any = None
        self._stream: Any = None
        self._queue: DropQueue | None = None
        self._opened_rate = SAMPLE_RATE
        self._overflows = 0
        self._logged_drops = 0
        self._next_log_s = float("-inf")

    @property
    def dropped_samples(self) -> int:
        """Samples, counted at 16 kHz, that were dropped because the consumer was slow."""
        dropped = self._queue.dropped_frames if self._queue is not None else 0
        return dropped * SAMPLE_RATE // self._opened_rate

    @property
    def opening_s(self) -> float:
        """Seconds for which the device has been opening; 0 if it is not being opened."""
        since = self._opening_since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def is_stuck(self) -> bool:
        """Whether, after `blocks`, a driver holds on: this process then finds no new device."""
        return is_port_audio_held()

    def blocks(self) -> Iterator[Block]:
        """The blocks that the device captures, until `close`; may be iterated once.

        Raises:
            PyAudioMissingError: PyAudio or PortAudio is not installed.
            NoInputDeviceError: the machine has no input device.
            UnknownDeviceError: no device has that name.
            AmbiguousDeviceError: several devices match that name.
            AudioSettingsError: the device has no such channel.
            DeviceOpenError: the device does not open.
            DeviceStalledError: the device delivered nothing for STALL_S seconds, or its stream ended.
        """
        try:
            self._opening_since = time.monotonic()
            try:
                opened = self._open()
            finally:
                self._opening_since = None
            if opened is None:
                return
            device, queue, resampler = opened
            while (chunk := self._next_chunk(device, queue)) is not None:
                self._log_drops(device)
                samples = decode_samples(chunk, Encoding.S16)
                block = resampler.push(samples.reshape(-1, resampler.channels))
                if block.size:
                    yield block
        finally:
            self.close()

    def close(self) -> None:
        """Ends `blocks()` and lets go of the device, from any thread; a second call does nothing.

        Never waits for a driver that hangs: a device that is still being opened is released afterwards.
        """
        self._closed.set()
        if self._queue is not None:
            self._queue.close()
        # Waiting for a hung driver would hang the caller too: after a timeout, it can still end the process.
        if not self._lock.acquire(timeout=_RELEASE_S):
            _log.warning("the input device is still being opened; it is released as soon as that ends")
            return
        try:
            # Again, for a queue that `_open` has created meanwhile.
            if self._queue is not None:
                self._queue.close()
            port_audio, self._port_audio = self._port_audio, None
            stream, self._stream = self._stream, None
        finally:
            self._lock.release()
        if port_audio is None:
            return
        release = threading.Thread(
            target=_release, args=(port_audio, stream), daemon=True, name="audio-release"
        )
        release.start()
        release.join(_RELEASE_S)
        if release.is_alive():
            _log.warning("the input device cannot be released; its driver hangs")

    def _open(self) -> tuple[InputDevice, DropQueue, Resampler] | None:
        with self._lock:
            if self._closed.is_set():
                return None
            self._port_audio = start_port_audio()
            device = choose_device(devices_of(self._port_audio), self._wanted)
            reasons = []
            for channels in _channel_counts(device, self._channel):
                rate = self._rate or device.rate
                queue = DropQueue(int(self._buffer_s * rate))
                try:
                    with quiet_stderr("PortAudio"):
                        self._stream = self._open_stream(device, queue, rate, channels)
                except (OSError, ValueError) as error:
                    reasons.append(f"{rate} Hz, {channels} channels: {error}")
                    continue
                self._queue, self._opened_rate = queue, rate
                if self._closed.is_set():
                    return None
                _log.info("listening to %s at %d Hz, %d channels", device.name, rate, channels)
                return device, queue, Resampler(rate, channels, self._channel)
        raise DeviceOpenError(
            f"the input device {device.name!r} does not open ({'; '.join(reasons)}); stop other programs "
            "that use it (fuser -v /dev/snd/*), or choose another device"
        )

    def _open_stream(self, device: InputDevice, queue: DropQueue, rate: int, channels: int) -> Any:
        import pyaudio  # noqa: PLC0415  # an extra; present, or `start_port_audio` would have raised

        def on_sound(chunk: bytes, n_frames: int, _times: object, status: int) -> tuple[None, int]:
            if status & pyaudio.paInputOverflow:
                self._overflows += 1
            queue.put(chunk, n_frames)
            return None, pyaudio.paContinue

        return self._port_audio.open(
            format=pyaudio.paInt16,
            channels=channels,
            rate=rate,
            input=True,
            input_device_index=device.index,
            frames_per_buffer=self._frames_in_block(rate),
            stream_callback=on_sound,
        )

    def _frames_in_block(self, rate: int) -> int:
        return max(1, rate * self._block_ms // 1000)

    def _next_chunk(self, device: InputDevice, queue: DropQueue) -> bytes | None:
        """The next chunk, or None once closed."""
        deadline = time.monotonic() + STALL_S
        while not queue.closed:
            chunk = queue.get(_LOOK_S, 2 * self._frames_in_block(self._opened_rate) if self.unhurried else 1)
            if chunk is not None:
                return chunk
            with self._lock:
                alive = self._stream is not None and self._stream.is_active()
            if queue.closed:
                return None
            if not alive:
                raise DeviceStalledError(f"the input device {device.name!r} has ended its stream; {_REPLUG}")
            if time.monotonic() > deadline:
                raise DeviceStalledError(
                    f"the input device {device.name!r} has delivered nothing for {STALL_S:g} s; {_REPLUG}"
                )
        return None

    def _log_drops(self, device: InputDevice) -> None:
        drops = self.dropped_samples + self._overflows
        now = time.monotonic()
        if drops == self._logged_drops or now < self._next_log_s:
            return
        self._logged_drops, self._next_log_s = drops, now + _LOG_EVERY_S
        _log.warning(
            "%s: %.2f s of sound dropped so far because it was not read in time, %d overflows in the driver",
            device.name,
            self.dropped_samples / SAMPLE_RATE,
            self._overflows,
        )


def _channel_counts(device: InputDevice, channel: Channel) -> list[int]:
    """Channel counts to try, best first: stereo, mono, then all channels of a microphone array."""
    needed = 1 if channel == "mix" else channel + 1
    if needed > device.channels:
        raise AudioSettingsError(
            f"there is no channel {channel}: {device.name!r} has {device.channels}, counted from 0"
        )
    counts = [count for count in (2, 1) if needed <= count <= device.channels]
    most = max(needed, min(device.channels, MAX_CHANNELS))
    return counts if most in counts else [*counts, most]


def _release(port_audio: Any, stream: Any) -> None:
    try:
        if stream is not None:
            stream.close()
    except OSError as error:
        _log.warning("the input device did not close cleanly: %s", error)
    finally:
        end_port_audio(port_audio)
