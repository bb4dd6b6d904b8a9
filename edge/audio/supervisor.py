"""Supervises a source: failures are reported, and the source is opened again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from enum import StrEnum

import numpy as np

from edge.audio.block import SAMPLE_RATE, Block
from edge.audio.errors import (
    AmbiguousDeviceError,
    AudioError,
    CommandFailedError,
    CommandStalledError,
    DeviceOpenError,
    DeviceStalledError,
    EmptyAudioError,
    NoInputDeviceError,
    SourceLostError,
    UnknownDeviceError,
)
from edge.audio.offset import OffsetRemover
from edge.audio.patience import Patience
from edge.audio.settings import AudioSettings, SourceKind
from edge.audio.sources import Source, open_source, opening_s

_log = logging.getLogger(__name__)

ZEROS_S = 1.5
"""Seconds of digital silence after which a live source counts as broken: no room is that quiet"""

_LONGEST_WITH_ZEROS_S = 3600.0
"""Longest wait before a source of digital silence is opened anew: a switch at the device may be off for days,
and gives sound again without that, while each start of PortAudio leaves memory behind"""

_FRESH_S = 6 * 3600.0
"""Seconds without sound after which a process that keeps trying ends all the same: each start of PortAudio
leaves memory behind, 12 kB and more (PortAudio 19.6 with ALSA 1.2.8)"""

_PASSING = (
    AmbiguousDeviceError,
    CommandFailedError,
    CommandStalledError,
    DeviceOpenError,
    DeviceStalledError,
    EmptyAudioError,
    NoInputDeviceError,
    UnknownDeviceError,
)
"""Errors that may pass, when a device is plugged in again or another program releases it"""


class Condition(StrEnum):
    """The condition of a source."""

    OK = "ok"
    """It gives sound"""

    ZEROS = "zeros"
    """It gives only digital silence: switched off at the device, or broken"""

    SILENT = "silent"
    """It is open but gives nothing"""

    LOST = "lost"
    """It does not open: unplugged, busy, or failing"""

    MUTED = "muted"
    """It is closed on request"""


OnChange = Callable[[Condition, str], None]
"""Takes the new condition and the problem in words; called in the thread that iterates over the blocks"""


class SupervisedSource:
    """The source that the settings describe, opened again whenever it fails.

    A failure before the source has ever given sound is a mistake in the setup and is raised at once, unless
    `keep_trying` is set. A file and standard input cannot be opened again: they end with their error, and
    muting discards their sound.

    Args:
        settings: of the source.
        on_change: called at each change of the condition, but not for an error that `blocks()` raises.
        open_: makes a source from the settings.
        first_retry_s: wait before the first attempt; it doubles from attempt to attempt, up to 30 s.
        muted: whether the source stays closed until `mute(False)`.
        keep_trying: whether to go on for hours after an error that may pass, even at the first opening.

    Raises:
        AudioSettingsError: the settings describe no source.
    """

    def __init__(
        self,
        settings: AudioSettings,
        on_change: OnChange | None = None,
        *,
        open_: Callable[[AudioSettings], Source] = open_source,
        first_retry_s: float = 0.5,
        muted: bool = False,
        keep_trying: bool = False,
    ) -> None:
        self._settings = settings
        self._open = open_
        self.on_change: OnChange = on_change or (lambda _condition, _why: None)
        self._live = settings.source in {SourceKind.MICROPHONE, SourceKind.COMMAND}
        self._gain = np.float32(10.0 ** (settings.gain_db / 20.0))
        self._keep_trying = keep_trying
        self._limit_s = max(_FRESH_S, settings.reopen_s) if keep_trying else settings.reopen_s
        self._patience = Patience(first_retry_s, self._limit_s)
        self._patience_with_zeros = Patience(first_retry_s, self._limit_s, _LONGEST_WITH_ZEROS_S)
        self._state = threading.Condition(threading.RLock())
        self._closed = False
        self._muted = muted
        self._interrupted = False
        # The constructor opens nothing, but raises at once if the settings are invalid.
        self._source: Source = open_(settings)
        self._fresh = True
        self._proven = muted
        self._zeros = 0
        self._offset = OffsetRemover()
        self._dropped = 0
        self.condition: Condition | None = None
        """None until the first block, the first failure or `muted`"""
        self.why = ""
        """The problem in words; empty if there is none"""
        self.reopened = 0
        """How often the source has been reopened since the start"""

    @property
    def dropped_samples(self) -> int:
        """Samples, counted at 16 kHz, dropped since the start because the consumer was slow."""
        return self._dropped + int(getattr(self._source, "dropped_samples", 0))

    @property
    def opening_s(self) -> float:
        """Seconds that a driver has been taking to open the device; 0 when none is being opened."""
        return opening_s(self._source)

    @property
    def muted(self) -> bool:
        """Whether the source is muted, or about to be."""
        return self._muted

    @property
    def unhurried(self) -> bool:
        """Whether longer blocks, which come later, are acceptable; to be set by the blocks' consumer."""
        return self._source.unhurried

    @unhurried.setter
    def unhurried(self, unhurried: bool) -> None:
        self._source.unhurried = unhurried

    def mute(self, muted: bool) -> None:
        """Close the device, or open it again; from any thread."""
        with self._state:
            if muted == self._muted:
                return
            self._muted = muted
            self._interrupted = self._interrupted or (muted and self._live)
            source = self._source
            self._state.notify_all()
        if muted and self._live:
            source.close()

    def close(self) -> None:
        """Ends `blocks()` and releases everything, from any thread; a second call does nothing."""
        with self._state:
            self._closed = True
            source = self._source
            self._state.notify_all()
        source.close()

    def blocks(self) -> Iterator[Block]:
        """The blocks of the source, for as long as it lives, without lasting digital silence.

        Raises:
            SourceLostError: it could not be opened again for `reopen_s` seconds; with `keep_trying`, for six
                hours, unless a driver holds on to the old device.
            AudioError: it failed before it ever gave sound (not with `keep_trying`), or with an error that
                does not pass. `condition` and `why` tell of it too.
        """
        try:
            while self._ready():
                try:
                    yield from self._heard()
                except _PASSING as error:
                    if self._closed:
                        return
                    if not self._interrupted:
                        self._lose(error)
                else:
                    if not self._interrupted:
                        return
        except AudioError as error:
            self.condition, self.why = Condition.LOST, str(error)
            raise
        finally:
            self.close()

    def _ready(self) -> bool:
        """Wait until there is something to open, and open it; False once closed."""
        with self._state:
            while self._muted and self._live and not self._closed:
                self._tell(Condition.MUTED, "muted")
                self._proven = True
                self._state.wait()
                self._patience.restart()
                self._patience_with_zeros.restart()
            if self._closed:
                return False
            self._interrupted = False
            if not self._fresh:
                self._dropped = self.dropped_samples
                fresh = self._open(self._settings)
                fresh.unhurried = self.unhurried
                self._source = fresh
                self.reopened += self.condition is not Condition.MUTED
            self._fresh = False
            return True

    def _heard(self) -> Iterator[Block]:
        self._zeros = 0
        self._offset = OffsetRemover()
        for block in self._source.blocks():
            if not self._live:
                self._tell(Condition.MUTED if self._muted else Condition.OK)
                if not self._muted:
                    yield self._amplified(block)
            elif block.any():
                self._zeros = 0
                self._proven = True
                self._patience.heard(block.size / SAMPLE_RATE)
                self._patience_with_zeros.heard(block.size / SAMPLE_RATE)
                self._tell(Condition.OK)
                yield self._amplified(block)
            else:
                self._zeros += block.size
                if self._zeros > ZEROS_S * SAMPLE_RATE:
                    if self._zeros_are_too_many():
                        return
                elif self.condition in {None, Condition.OK, Condition.MUTED}:
                    self._tell(Condition.OK)
                    yield block

    def _amplified(self, block: Block) -> Block:
        if self._settings.source is SourceKind.MICROPHONE:
            block = self._offset.push(block)
        if self._gain == 1.0:
            return block
        louder: Block = np.clip(block * self._gain, np.float32(-1.0), np.float32(1.0))
        return louder

    def _zeros_are_too_many(self) -> bool:
        """Report digital silence; returns whether it is time to reopen the source."""
        self._proven = True
        self._patience.heard(0.0)
        self._tell(Condition.ZEROS, "nothing but digital silence: switched off at the device, or broken")
        # A switch on the device would give zeros again: reopened without end, but at growing intervals.
        least = SAMPLE_RATE * (ZEROS_S + self._patience_with_zeros.wait_s)
        if not self._settings.reopens_on_zeros or self._zeros < least:
            return False
        self._patience_with_zeros.tried()
        with self._state:
            self._interrupted = True
        self._source.close()
        return True

    def _lose(self, error: AudioError) -> None:
        """Report the error and wait before the next attempt; raises if there should be none."""
        if not (self._live and (self._proven or self._keep_trying)):
            raise error
        stalled = isinstance(error, DeviceStalledError | CommandStalledError)
        self._tell(Condition.SILENT if stalled else Condition.LOST, str(error))
        lost_s = self._patience.lost()
        is_stuck = getattr(self._source, "is_stuck", False)
        if lost_s > (self._settings.reopen_s if is_stuck else self._limit_s):
            raise SourceLostError(f"no sound for {lost_s:.0f} s, so this process ends: {error}") from error
        with self._state:
            self._state.wait_for(lambda: self._closed or self._muted, self._patience.wait_s)
        self._patience.tried()

    def _tell(self, condition: Condition, why: str = "") -> None:
        if why and why != self.why and condition is not Condition.MUTED:
            _log.warning("no sound: %s", why)
        before, self.condition, self.why = self.condition, condition, why
        if condition is not before:
            if condition is Condition.OK and before is not None:
                _log.info("there is sound again")
            self.on_change(condition, why)
