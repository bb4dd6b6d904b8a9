from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

import edge
from edge.frontend.vad import SILENCE_DB, EnergyGate, GateSettings, HopLevels, speech_span

HOP = 160
HOP_S = 0.01
DEMO = Path(edge.__file__).parent / "demo_speech.ogg"

levels_db = st.lists(st.floats(SILENCE_DB, 0.0), max_size=300)


@pytest.fixture(scope="module")
def speech():
    samples, _ = soundfile.read(DEMO, dtype="float32")
    return samples


def noise(seconds, db, seed=0):
    rng = np.random.default_rng(seed)
    return (10 ** (db / 20) * rng.standard_normal(round(seconds * 16_000))).astype(np.float32)


def at_level(samples, db):
    """The samples, with their loudest 10 ms at this level."""
    loudest = HopLevels(HOP).push(samples).max()
    return (samples * 10 ** ((db - loudest) / 20)).astype(np.float32)


def gated(samples, **gate):
    return EnergyGate(GateSettings(**gate), HOP_S).push(HopLevels(HOP).push(samples))


def longest_run(mask):
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return max(edges[1::2] - edges[::2], default=0)


@settings(deadline=None)
@given(st.lists(st.integers(0, 16_000), max_size=12), st.integers(0, 5))
def test_hop_levels_when_cut_anywhere_then_same_levels_to_the_last_bit(cuts, seed):
    samples = noise(1.0, -30, seed)
    levels = HopLevels(HOP)
    parts = [levels.push(part) for part in np.split(samples, sorted(cuts))]

    np.testing.assert_array_equal(np.concatenate(parts), HopLevels(HOP).push(samples))


def test_hop_levels_when_samples_come_one_by_one_then_same_levels():
    samples = noise(0.1, -30)
    levels = HopLevels(HOP)

    parts = [levels.push(samples[i : i + 1]) for i in range(samples.size)]

    np.testing.assert_array_equal(np.concatenate(parts), HopLevels(HOP).push(samples))


@pytest.mark.parametrize("db", [-80.0, -40.0, -6.0])
def test_hop_levels_when_sine_then_its_power(db):
    sine = np.sqrt(2) * 10 ** (db / 20) * np.sin(2 * np.pi * 1_000 * np.arange(16_000) / 16_000)

    np.testing.assert_allclose(HopLevels(HOP).push(sine), db, atol=0.01)


def test_hop_levels_when_digital_silence_then_lowest_level_and_never_nan():
    np.testing.assert_array_equal(HopLevels(HOP).push(np.zeros(1_600, np.float32)), SILENCE_DB)


def test_hop_levels_when_int16_then_same_as_its_floats():
    whole = (noise(0.5, -30) * 32_768).astype(np.int16)

    np.testing.assert_array_equal(
        HopLevels(HOP).push(whole), HopLevels(HOP).push(whole.astype(np.float32) / 32_768)
    )


def test_hop_levels_when_reset_then_the_unfinished_hop_is_forgotten():
    levels = HopLevels(HOP)
    levels.push(np.ones(HOP - 1, np.float32))
    levels.reset()

    assert levels.push(np.zeros(HOP - 1, np.float32)).size == 0


@settings(deadline=None)
@given(levels_db, st.lists(st.integers(0, 300), max_size=8))
def test_gate_when_cut_anywhere_then_same_decisions(levels, cuts):
    gate = EnergyGate(GateSettings(), HOP_S)
    parts = [
        gate.push(part) for part in np.split(np.array(levels), sorted(min(c, len(levels)) for c in cuts))
    ]

    np.testing.assert_array_equal(
        np.concatenate(parts), EnergyGate(GateSettings(), HOP_S).push(np.array(levels))
    )


@settings(deadline=None)
@given(levels_db, st.floats(0.01, 2.0), st.integers(1, 20))
def test_gate_when_any_levels_then_floor_is_the_quietest_of_late(levels, floor_s, smoothing):
    gate = EnergyGate(GateSettings(floor_s=floor_s, smoothing_hops=smoothing), HOP_S)
    hops = max(1, round(floor_s / HOP_S))
    smooth = []
    for i, level in enumerate(levels):
        gate.step(level)
        recent = np.array(levels[max(0, i + 1 - smoothing) : i + 1])
        smooth.append(10 * np.log10(np.mean(10 ** (recent / 10))))
        expected = min(smooth[-hops:])
        assert np.isfinite(gate.floor_db)
        if i >= 30:
            assert gate.floor_db == pytest.approx(expected, abs=1e-6)
        else:
            assert gate.floor_db <= expected + 1e-6


@settings(deadline=None)
@given(levels_db)
def test_gate_when_reset_then_as_new(levels):
    used = EnergyGate(GateSettings(), HOP_S)
    used.push(np.full(400, -20.0))
    used.reset()

    np.testing.assert_array_equal(
        used.push(np.array(levels)), EnergyGate(GateSettings(), HOP_S).push(np.array(levels))
    )


def test_gate_when_digital_silence_then_no_speech():
    assert not gated(np.zeros(160_000, np.float32)).any()


@pytest.mark.parametrize("db", [-70, -50, -30, -10])
def test_gate_when_noise_is_constant_then_no_speech_once_its_floor_is_known(db):
    speech = gated(noise(60, db))

    assert not speech[40:].any()
    if db < -62:
        assert not speech.any()


@pytest.mark.parametrize(("noise_db", "speech_db"), [(-90, -45), (-70, -25), (-50, -20), (-40, -10)])
def test_gate_when_speech_over_noise_then_found_and_the_pauses_left_out(speech, noise_db, speech_db):
    part = at_level(speech[: 12 * 16_000], speech_db)
    clean = gated(part)
    room = noise(3, noise_db)

    found = gated(np.concatenate([room, part + noise(12, noise_db, 1)]))[300:]

    # Over noise, the soft ends of words are lost, and nothing is invented.
    assert clean.any()
    assert found.any()
    assert (found & clean).sum() >= 0.6 * clean.sum()
    assert (found & ~clean).sum() <= 0.02 * clean.size


def test_gate_when_speech_from_the_first_sample_then_found_at_once(speech):
    onset = int(np.argmax(np.abs(speech) > 0.05))
    found = gated(speech[onset : onset + 16_000])

    assert found[:5].any()
    assert found[:50].mean() > 0.5


def test_gate_when_the_room_gets_louder_then_floor_follows_within_its_time():
    room = np.concatenate([noise(5, -70), noise(10, -40, 1)])
    found = gated(room)

    assert found[500:780].all(), "until then it could as well be speech"
    assert not found[500 + 310 :].any()


def test_gate_when_the_room_gets_quieter_then_floor_follows_at_once(speech):
    quiet = at_level(speech[: 4 * 16_000], -35)
    loud_then_quiet = np.concatenate([noise(5, -30), noise(0.2, -75, 1), quiet])

    assert gated(loud_then_quiet)[520:].sum() >= 0.9 * gated(quiet).sum()


def test_gate_when_sound_is_a_steady_hum_with_speech_then_hum_alone_is_none(speech):
    time = np.arange(20 * 16_000) / 16_000
    hum = (0.02 * np.sin(2 * np.pi * 50 * time)).astype(np.float32)
    with_speech = hum.copy()
    with_speech[10 * 16_000 : 16 * 16_000] += at_level(speech[: 6 * 16_000], -10)

    assert not gated(hum)[50:].any()
    assert gated(with_speech)[1_000:1_600].mean() > 0.3
    assert not gated(with_speech)[1_620:].any()


def test_gate_when_a_click_then_a_few_hops_only():
    samples = noise(5, -70)
    samples[40_000:40_010] = 0.9

    assert longest_run(gated(samples)) <= GateSettings().smoothing_hops + 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("margin_db", 0.0),
        ("margin_db", float("nan")),
        ("least_db", 1.0),
        ("least_db", -120.0),
        ("floor_s", 0.0),
        ("floor_s", float("inf")),
        ("smoothing_hops", 0),
        ("smoothing_hops", -3),
    ],
)
def test_gate_settings_when_they_make_no_sense_then_refused_by_name(field, value):
    with pytest.raises(ValueError, match=field):
        GateSettings(**{field: value})


@given(st.lists(st.booleans(), max_size=80), st.integers(0, 20))
def test_speech_span_when_any_hops_then_first_to_last_speech_with_margin(hops, margin):
    span = speech_span(np.array(hops, np.bool_), margin)

    if not any(hops):
        assert span is None
        return
    first, last = hops.index(True), len(hops) - 1 - hops[::-1].index(True)
    assert span == (max(0, first - margin), min(len(hops), last + 1 + margin))
