"""The figures of docs/frontend.md: an utterance on its way through the front end, and each stage's cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.frontend import ROOT, speech
from edge.frontend.mfcc import MfccConfig, log_mel, mfcc
from edge.frontend.tables import analysis_window

FIGURES = ROOT / "docs" / "figures"
SECONDS = 2.5
DECIBELS = 10.0 / np.log(10.0)


def draw_stages(path: Path) -> None:
    """Waveform, power spectrum, mel energies and MFCC of the first words of the bundled speech."""
    config = MfccConfig()
    signal = speech(SECONDS)
    n_frames = config.frames_in(signal.size)
    end = n_frames * config.hop_length / config.sample_rate
    frames = np.lib.stride_tricks.sliding_window_view(signal, config.frame_length)[:: config.hop_length]
    power = np.abs(np.fft.rfft(frames * analysis_window(config), config.n_fft)) ** 2
    spectrum = 10.0 * np.log10(np.maximum(power, config.log_floor))
    bands = log_mel(signal, config) * DECIBELS
    cepstra = mfcc(signal, config)

    figure, axes = plt.subplots(
        4, 1, figsize=(9, 10), sharex=True, layout="constrained", height_ratios=[1, 1.6, 1.6, 1.6]
    )
    axes[0].plot(np.arange(signal.size) / config.sample_rate, signal, linewidth=0.4, color="black")
    axes[0].set(title="Waveform: 16,000 samples per second", ylabel="full scale = 1", xlim=(0.0, end))
    _image(figure, axes[1], spectrum, (0.0, end, 0.0, config.sample_rate / 2_000), "dB")
    axes[1].set(
        title=f"Power spectrum: {config.n_fft // 2 + 1} bins, every 10 ms over 25 ms",
        ylabel="frequency (kHz)",
    )
    _image(figure, axes[2], bands, (0.0, end, 0.5, config.n_mels + 0.5), "dB")
    axes[2].set(title=f"Mel energies: {config.n_mels} filters", ylabel="filter")
    shown = cepstra[:, 1:]
    limit = float(np.percentile(np.abs(shown), 99.5))
    _image(
        figure,
        axes[3],
        shown,
        (0.0, end, 0.5, config.n_mfcc - 0.5),
        "value",
        cmap="RdBu_r",
        vmin=-limit,
        vmax=limit,
    )
    axes[3].set(
        title="MFCC: C1 to C39 (C0, the overall level, is left out of the picture)",
        ylabel="coefficient",
        xlabel="time (s)",
    )
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _image(
    figure: Figure, axes: Axes, rows: Any, extent: tuple[float, float, float, float], unit: str, **style: Any
) -> None:
    style.setdefault("cmap", "magma")
    image = axes.imshow(
        rows.T, origin="lower", aspect="auto", extent=extent, interpolation="nearest", **style
    )
    figure.colorbar(image, ax=axes, label=unit, pad=0.01)


def draw_costs(result: dict[str, Any], path: Path) -> None:
    """The time of each stage beside its floor, from the benchmark's JSON."""
    stages = result["stages"]["stages"]
    names = list(stages)
    positions = np.arange(len(names))
    figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
    took = [stages[name]["took"] for name in names]
    axes.barh(positions - 0.2, took, 0.4, label="takes", color="tab:blue")
    axes.barh(
        positions + 0.2, [stages[name]["floor"] for name in names], 0.4, label="floor", color="tab:orange"
    )
    for position, value in zip(positions, took, strict=True):
        axes.text(value, position - 0.2, f" {value:.0f}", va="center", fontsize=8)
    axes.set_yticks(positions, names)
    axes.invert_yaxis()
    axes.set(
        xlabel=f"microseconds for 3 s of audio, one core, NumPy {result['machine']['packages']['numpy']}",
        title="Cost of each stage",
    )
    axes.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)
