"""Rooms to test speech in, by the image-source method, with a given reverberation time."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.extras import how_to_add
from training.errors import WorkbenchError
from training.noise import SAMPLE_RATE, Signal

_SIZE_M = (5.0, 4.0, 2.8)
_PLACES = 6
"""Pairs of positions of mouth and microphone"""

_TOLERANCE = 0.02
"""Relative tolerance of the reverberation time"""


class RoomError(WorkbenchError):
    """Raised when rooms cannot be computed here; the message says what to install."""

    exit_code = 69


@cache
def responses(rt60_s: float) -> tuple[Signal, ...]:
    """Impulse responses of one room with mouth and microphone in different positions, shape (n,) each.

    They are made with the image-source method (Allen and Berkley, 1979) of pyroomacoustics. Sabine's formula
    misses the reverberation time of such rooms by up to a third, so the walls' absorption is found by
    bisection on the measured decay.

    Args:
        rt60_s: time in which the sound decays by 60 dB, measured over the first 30 dB.

    Raises:
        RoomError: when pyroomacoustics is not installed.
    """
    rng = np.random.default_rng(0)
    margin = 0.5
    room = np.array(_SIZE_M) - 2 * margin
    places = [(margin + room * rng.random(3), margin + room * rng.random(3)) for _ in range(_PLACES)]
    low, high = 0.02, 0.95
    while True:
        absorption = (low + high) / 2
        first = _response(absorption, *places[0], rt60_s)
        found = _rooms().experimental.measure_rt60(first, SAMPLE_RATE, decay_db=30)
        if abs(found / rt60_s - 1) < _TOLERANCE or high - low < 1e-4:
            break
        low, high = (absorption, high) if found > rt60_s else (low, absorption)
    return tuple(_response(absorption, mouth, microphone, rt60_s) for mouth, microphone in places)


def _response(
    absorption: float, mouth: NDArray[np.float64], microphone: NDArray[np.float64], rt60_s: float
) -> Signal:
    """From the direct sound on, with unit energy, cut when it has decayed by 60 dB."""
    pra = _rooms()
    # As many reflections as fit into that time between the closest pair of walls.
    order = int(np.ceil(rt60_s * 343.0 / min(_SIZE_M)))
    room = pra.ShoeBox(_SIZE_M, fs=SAMPLE_RATE, materials=pra.Material(absorption), max_order=order)
    room.add_source(mouth)
    room.add_microphone(microphone)
    room.compute_rir()
    response = np.asarray(room.rir[0][0])
    start = int(np.argmax(np.abs(response) > 0.1 * np.abs(response).max()))
    response = response[start : start + int(rt60_s * SAMPLE_RATE)]
    return np.asarray(response / np.sqrt(np.sum(np.square(response))), np.float32)


def _rooms() -> Any:
    try:
        import pyroomacoustics  # noqa: PLC0415  # slow to import, and only tests in rooms need it
    except ImportError as error:
        raise RoomError(f"pyroomacoustics is not installed ({error}); {how_to_add('training')}") from error
    return pyroomacoustics


def in_room(speech: Signal, response: Signal) -> Signal:
    """Speech (n,) as it sounds in a room, at about its own level, with the room's tail after it."""
    from scipy.signal import fftconvolve  # noqa: PLC0415  # as above

    heard = np.asarray(fftconvolve(speech, response), np.float32)
    return np.asarray(heard / max(1.0, float(np.abs(heard).max())), np.float32)
