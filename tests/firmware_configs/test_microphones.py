"""The ALSA files: ALSA itself reads them and records through them, with a file in place of the card."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "firmware_configs" / "microphones"
ALSA = Path("/usr/share/alsa/alsa.conf")
RATE = 16_000

CARDS = {
    "usb": ("S16_LE", 1),
    "inmp441": ("S32_LE", 2),
    "respeaker-2mic": ("S16_LE", 2),
    "respeaker-4mic": ("S32_LE", 4),
}
"""What each card delivers: format and channels"""

pytestmark = pytest.mark.skipif(
    shutil.which("arecord") is None or not ALSA.exists(), reason="alsa-utils is not installed"
)


def record(name: str, amplitude: float, folder: Path) -> np.ndarray:
    """Half a second through `mic`, mono at 16 kHz, of a 300 Hz tone that the card hears in every channel."""
    form, channels = CARDS[name]
    kind, full = (np.int16, 2**15) if form == "S16_LE" else (np.int32, 2**31)
    tone = amplitude * np.sin(2 * np.pi * 300 / 48_000 * np.arange(2 * 48_000))
    (folder / "card.raw").write_bytes(
        np.repeat((tone * full).astype(kind)[:, None], channels, axis=1).tobytes()
    )
    text = (FOLDER / f"{name}.asound.conf").read_text(encoding="utf-8")
    text, replaced = re.subn(r'"hw:CARD=\w+"', '"card"', text)
    assert replaced == 1
    (folder / "asound.conf").write_text(
        f"<{ALSA}>\n{text}\npcm.card {{ type file slave.pcm null file /dev/null "
        f'infile "{folder}/card.raw" format raw }}\n'
    )
    options = ("-q", "-D", "mic", "-t", "raw", "-f", "S16_LE", "-r", str(RATE), "-c", "1", "-d", "1")
    done = subprocess.run(
        ["arecord", *options], env={"ALSA_CONFIG_PATH": str(folder / "asound.conf")}, capture_output=True,
        timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return np.frombuffer(done.stdout, "<i2")[RATE // 4 : 3 * RATE // 4] / 2**15


def test_files_when_listed_then_each_microphone_has_been_tried():
    assert {path.name.partition(".")[0] for path in FOLDER.glob("*.asound.conf")} == set(CARDS)


@pytest.mark.parametrize("name", CARDS)
def test_alsa_file_when_recorded_through_then_the_sound_of_the_card_comes(name, tmp_path):
    sound = record(name, 0.01, tmp_path)
    assert np.abs(sound).max() > 0.005


def test_i2s_file_when_recorded_through_then_quiet_sound_is_20_db_louder_and_loud_sound_is_limited(tmp_path):
    quiet = np.abs(record("inmp441", 0.001, tmp_path)).max()
    assert 0.008 < quiet < 0.012
    assert np.abs(record("inmp441", 0.5, tmp_path)).max() <= 1.0


@pytest.mark.parametrize("rules", sorted(FOLDER.glob("*.rules")), ids=lambda path: path.name)
def test_udev_rules_when_udev_verifies_them_then_it_finds_nothing(rules):
    udevadm = shutil.which("udevadm") or "false"
    known = subprocess.run([udevadm, "--help"], capture_output=True, text=True, check=False).stdout
    if "verify" not in known:
        pytest.skip("this udevadm cannot verify rules: it can from systemd 254 on")
    done = subprocess.run([udevadm, "verify", rules], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("overlay", sorted(FOLDER.glob("*.config.txt")), ids=lambda path: path.name)
def test_config_txt_when_read_then_every_line_is_one_that_the_firmware_knows(overlay):
    lines = [line for line in overlay.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    assert lines
    assert all(re.fullmatch(r"dt(param|overlay)=[\w.-]+(=[\w.-]+)?(,[\w=.-]+)*", line) for line in lines)
    assert max(map(len, lines)) < 98, "the firmware ignores what is longer"
