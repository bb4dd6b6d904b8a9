"""A program's standard output as a source: arecord, parec, sox, ffmpeg, ssh to another machine."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shlex
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence

from edge.audio.block import Block
from edge.audio.errors import (
    AudioSettingsError,
    CommandFailedError,
    CommandNotFoundError,
    CommandStalledError,
)
from edge.audio.pcm import PcmStream
from edge.audio.settings import Channel
from edge.audio.stoppable_reader import StoppableReader

_log = logging.getLogger(__name__)

_LAST_LINES = 5
"""Lines of stderr that an error message includes"""

_FAREWELL_S = 1.0
"""Seconds that a program has between closing its output and ending"""

_FIRST_S = 15.0
"""Seconds that a program may take until its first sound: ssh has to connect, or a model to load"""

_STALL_S = 1.5
"""Seconds without a byte after which a program that has written sound counts as hung"""

_TERMINATE_S = 0.3
"""Seconds that a program has between SIGTERM and SIGKILL"""


class CommandSource:
    """Runs a program and reads 16-bit little-endian PCM, or WAV, from its standard output.

    Args:
        command: Program and arguments, or one string that is split into words as a shell would. No shell
            runs; for a pipeline, write `["sh", "-c", "one | other"]`.
        rate: Hertz of raw PCM.
        channels: Interleaved channels of raw PCM.
        channel: Which channel to keep, or "mix".
        buffer_s: Seconds of raw PCM that the pipe holds for a slow consumer before the program has to wait.
        block_ms: Milliseconds of sound in a block, at most.

    Raises:
        AudioSettingsError: the command is empty, its quotes do not match, or it has a pipe in it.
    """

    def __init__(
        self,
        command: str | Sequence[str],
        *,
        rate: int = 16_000,
        channels: int = 1,
        channel: Channel = "mix",
        buffer_s: float = 4.0,
        block_ms: int = 20,
    ) -> None:
        self._argv = _split(command)
        self._name = shlex.join(self._argv)
        self._pipe_bytes = int(2 * rate * channels * buffer_s)
        self._stream = PcmStream(
            f"the command `{self._name}`", rate=rate, channels=channels, channel=channel, block_ms=block_ms
        )
        self.unhurried = False
        self._reader = StoppableReader()
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._stderr_rest = b""

    def blocks(self) -> Iterator[Block]:
        """The blocks that the program writes, once, until it ends.

        Raises:
            CommandNotFoundError: there is no such program, or it may not be run.
            CommandFailedError: it ended with an error; the message has the last lines of its stderr.
            CommandStalledError: it still runs but writes nothing any more.
            EmptyAudioError: it ended without an error but wrote no sound.
            AudioFormatError: it writes FLAC, MP3 or another format that needs a decoder.
            DamagedAudioError: its WAV header is invalid.
            AudioSettingsError: the sound has no such channel.
        """
        try:
            process = self._start()
            if process is None or process.stdout is None or process.stderr is None:
                return
            out, err = process.stdout.fileno(), process.stderr.fileno()
            open_ends = {out, err}
            patience_s, deadline = _FIRST_S, time.monotonic() + _FIRST_S
            while out in open_ends:
                n_bytes, gather_s = self._stream.to_ask_for(self.unhurried)
                chunk = self._reader.read(open_ends, n_bytes, max(0.0, deadline - time.monotonic()), gather_s)
                if chunk is None:
                    if self._reader.stopped:
                        return
                    raise CommandStalledError(self._stalled(patience_s))
                descriptor, data = chunk
                if not data:
                    open_ends.remove(descriptor)
                elif descriptor == err:
                    self._note(data)
                else:
                    yield from self._stream.push(data)
                    # Counted from here: while the consumer was busy, the program could not write.
                    patience_s, deadline = _STALL_S, time.monotonic() + _STALL_S
            self._check_exit(process, err if err in open_ends else None)
            yield from self._stream.finish()
        finally:
            self.close()

    def close(self) -> None:
        """Ends `blocks()` and the program, from any thread; a second call does nothing."""
        self._reader.stop()
        with self._lock:
            process, self._process = self._process, None
            if process is not None:
                _end(process)

    def _start(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._reader.stopped:
                return None
            try:
                # A new session, so that close() reaches the program's children and Ctrl-C only us.
                self._process = subprocess.Popen(
                    self._argv,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    bufsize=0,
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                reason = error.strerror if isinstance(error, OSError) else str(error)
                raise CommandNotFoundError(
                    f"the command `{self._name}` cannot be run: {reason}; install {self._argv[0]} or correct "
                    "the command"
                ) from None
            if self._process.stdout is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
                # The kernel may cap it; the pipe then holds less than buffer_s.
                with contextlib.suppress(OSError):
                    fcntl.fcntl(self._process.stdout, fcntl.F_SETPIPE_SZ, self._pipe_bytes)
            return self._process

    def _stalled(self, patience_s: float) -> str:
        said = f" (it said: {' | '.join(self._last_lines)})" if self._last_lines else ""
        return (
            f"the command `{self._name}` has written nothing for {patience_s:g} s{said}; run it on its own "
            "to see what it waits for"
        )

    def _note(self, data: bytes) -> None:
        *lines, self._stderr_rest = (self._stderr_rest + data).split(b"\n")
        self._stderr_rest = self._stderr_rest[-4096:]
        for raw in lines:
            line = raw.decode(errors="replace").strip()
            if line:
                self._last_lines.append(line)
                _log.debug("%s: %s", self._argv[0], line)

    def _check_exit(self, process: subprocess.Popen[bytes], err: int | None) -> None:
        """Raises CommandFailedError if the program, whose output has ended, exits with an error."""
        deadline = time.monotonic() + _FAREWELL_S
        while err is not None and (left_s := deadline - time.monotonic()) > 0.0:
            chunk = self._reader.read([err], 4096, left_s)
            if chunk is None or not chunk[1]:
                break
            self._note(chunk[1])
        self._note(b"\n")
        try:
            status = process.wait(_FAREWELL_S)
        except subprocess.TimeoutExpired:
            return  # close() ends it; its sound was complete
        if self._reader.stopped or status == 0:
            return
        how = f"with status {status}" if status > 0 else f"by {_signal_name(-status)}"
        said = f" (it said: {' | '.join(self._last_lines)})" if self._last_lines else " and said nothing"
        raise CommandFailedError(
            f"the command `{self._name}` ended {how}{said}; run it on its own to see what it needs"
        )


def _split(command: str | Sequence[str]) -> list[str]:
    try:
        argv = shlex.split(command) if isinstance(command, str) else list(command)
    except ValueError as error:
        raise AudioSettingsError(f"command {command!r} cannot be split into words: {error}") from None
    if not argv or not argv[0]:
        raise AudioSettingsError("command is empty; name the program that writes the sound, e.g. arecord")
    if isinstance(command, str) and "|" in argv:
        raise AudioSettingsError(
            f'command {command!r} has a pipe, but no shell runs it; write ["sh", "-c", "one | other"]'
        )
    return argv


def _end(process: subprocess.Popen[bytes]) -> None:
    for signum in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signum)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_TERMINATE_S)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _signal_name(signum: int) -> str:
    try:
        return signal.Signals(signum).name
    except ValueError:
        return f"signal {signum}"
