"""Random configurations, signals and cuts."""

import itertools

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from edge.frontend.mfcc import FrontendConfigError, MfccConfig
from edge.frontend.mfcc_config import DctNorm, Log, MelScale, MelShape, Spectrum, Window
from edge.frontend.tables import mel_filterbank


def noise(n, seed, scale=0.1):
    """White noise with a tone, so that neither silence nor one lucky bin decides."""
    random = np.random.default_rng(seed)
    tone = np.sin(2 * np.pi * random.uniform(0.01, 0.4) * np.arange(n))
    return scale * (random.standard_normal(n) + tone)


def usable(config):
    """The configuration, unless one of its filters covers no bin: that is another test's matter."""
    try:
        mel_filterbank(config)
    except FrontendConfigError:
        assume(False)
    return config


@st.composite
def configs(draw):
    sample_rate = draw(st.sampled_from([8_000, 16_000, 22_050]))
    n_fft = draw(st.integers(8, 600))
    frame_length = draw(st.integers(1, n_fft))
    n_mels = draw(st.integers(1, 20))
    fmin = draw(st.floats(0.0, 0.4)) * sample_rate
    fmax = fmin + draw(st.floats(0.05, 1.0)) * (sample_rate / 2 - fmin)
    return usable(
        MfccConfig(
            sample_rate=sample_rate,
            frame_length=frame_length,
            hop_length=draw(st.integers(max(1, frame_length // 5), frame_length)),
            n_fft=n_fft,
            lead=draw(st.integers(0, frame_length - 1)),
            preemphasis=draw(st.sampled_from([0.0, 0.95, 0.97])),
            window=draw(st.sampled_from(Window)),
            periodic=draw(st.booleans()),
            spectrum=draw(st.sampled_from(Spectrum)),
            n_mels=min(n_mels, n_fft),
            fmin=fmin,
            fmax=min(fmax, sample_rate / 2),
            mel_scale=draw(st.sampled_from(MelScale)),
            mel_shape=draw(st.sampled_from(MelShape)),
            mel_area_norm=draw(st.booleans()),
            log=draw(st.sampled_from(Log)),
            log_floor=draw(st.sampled_from([1e-30, 1e-6])),
            log_offset=draw(st.sampled_from([0.0, 1e-6])),
            n_mfcc=draw(st.integers(1, min(n_mels, n_fft))),
            dct_norm=draw(st.sampled_from(DctNorm)),
            lifter=draw(st.sampled_from([0, 22])),
            energy=draw(st.booleans()),
            delta_orders=draw(st.integers(0, 2)),
            delta_width=draw(st.integers(1, 3)),
        )
    )


@st.composite
def signals(draw, least=0, most=4_000):
    """Float32 or int16 noise."""
    samples = noise(draw(st.integers(least, most)), draw(st.integers(0, 2**32 - 1)))
    if draw(st.booleans()):
        return samples.astype(np.float32)
    return np.clip(samples * 32_768, -32_768, 32_767).astype(np.int16)


cuts = st.lists(st.integers(0, 900), min_size=1, max_size=12).filter(any) | st.just([1])
"""Sizes of blocks, to be repeated until the signal ends"""


def cut(signal, sizes):
    start = 0
    for size in itertools.cycle(sizes):
        if start >= signal.size:
            return
        yield signal[start : start + size]
        start += size
