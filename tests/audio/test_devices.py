import dataclasses
import textwrap
from pathlib import Path

import pytest

from edge.audio.devices import InputDevice, choose_device
from edge.audio.errors import AmbiguousDeviceError, NoInputDeviceError, UnknownDeviceError

SEEED = InputDevice(
    name="seeed-2mic-voicecard: bcm2835 (hw:1,0)",
    rate=48_000,
    channels=2,
    host_api="ALSA",
    is_default=False,
    index=0,
)
USB = dataclasses.replace(
    SEEED, name="USB PnP Sound Device: Audio (hw:2,0)", rate=44_100, channels=1, index=1
)
DEFAULT = dataclasses.replace(SEEED, name="default", channels=128, is_default=True, index=2)
DEVICES = [SEEED, USB, DEFAULT]

LIST = """
import logging, sys
if len(sys.argv) > 1:
    logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
from edge.audio.devices import list_input_devices
from edge.audio.errors import AudioError
try:
    for device in list_input_devices():
        print(device)
except AudioError as error:
    print(error)
    sys.exit(error.exit_code)
"""


@pytest.mark.parametrize(
    "wanted",
    [
        "USB PnP Sound Device: Audio (hw:2,0)",
        "USB PnP Sound Device: Audio",
        "usb pnp",
        "SOUND DEVICE",
        " USB ",
    ],
)
def test_choose_device_when_name_or_part_fits_one_then_that_one(wanted):
    assert choose_device(DEVICES, wanted) is USB


def test_choose_device_when_no_name_then_the_default():
    assert choose_device(DEVICES, None) is DEFAULT


def test_choose_device_when_no_name_and_no_default_then_the_first():
    assert choose_device([SEEED, USB], None) is SEEED


def test_choose_device_when_one_name_is_part_of_another_then_the_exact_one():
    longer = dataclasses.replace(USB, name="default surround (hw:5,0)")

    assert choose_device([longer, DEFAULT], "Default") is DEFAULT


@pytest.mark.parametrize("wanted", ["webcam", "2,0", "1"])
def test_choose_device_when_name_is_unknown_or_an_index_then_error_lists_those_present(wanted):
    with pytest.raises(UnknownDeviceError) as caught:
        choose_device(DEVICES, wanted)
    assert caught.value.exit_code == 66
    for device in DEVICES:
        assert device.name in str(caught.value)


def test_choose_device_when_several_fit_then_error_lists_them_only():
    with pytest.raises(AmbiguousDeviceError) as caught:
        choose_device(DEVICES, "e")
    assert caught.value.exit_code == 64
    assert "matches 3 input devices" in str(caught.value)


def test_choose_device_when_twins_are_present_then_the_whole_name_tells_them_apart():
    twin = dataclasses.replace(USB, name="USB PnP Sound Device: Audio (hw:3,0)", index=3)

    with pytest.raises(AmbiguousDeviceError):
        choose_device([USB, twin], "USB PnP Sound Device: Audio")
    assert choose_device([USB, twin], twin.name) is twin


def test_choose_device_when_there_are_none_then_error_69_says_what_to_do():
    with pytest.raises(NoInputDeviceError, match="arecord -l") as caught:
        choose_device([], None)
    assert caught.value.exit_code == 69


@pytest.mark.parametrize(
    ("name", "stable"),
    [("USB Audio: - (hw:1,0)", "USB Audio: -"), ("x (plughw:0,0)", "x"), ("pulse (mono)", "pulse (mono)")],
)
def test_input_device_when_name_ends_in_an_alsa_address_then_stable_name_has_none(name, stable):
    assert dataclasses.replace(USB, name=name).stable_name == stable


def test_list_input_devices_when_alsa_has_a_pcm_then_it_is_listed_without_noise(fake_microphone, run_python):
    pipe, env = fake_microphone
    with pipe.open("r+b", buffering=0):
        result = run_python(LIST, env=env)

    assert result.returncode == 0
    assert b"'fakemic' (44100 Hz, 128 channels, ALSA" in result.stdout
    assert result.stderr == b""


def test_list_input_devices_when_debugging_then_what_alsa_said_is_in_the_log(alsa_config, run_python):
    if Path("/proc/asound/cards").exists():
        pytest.skip("with a sound card ALSA has nothing to complain about")
    result = run_python(LIST, "debug", env=alsa_config(""))

    assert b"DEBUG:edge.quiet_stderr:PortAudio: ALSA lib" in result.stdout


def test_list_input_devices_when_pyaudio_is_missing_then_error_69_names_both_ways_out(run_python):
    result = run_python("import sys\nsys.modules['pyaudio'] = None\n" + textwrap.dedent(LIST))

    assert result.returncode == 69
    assert b"pip install '.[mic]'" in result.stdout
    assert b'source "command"' in result.stdout
    assert b"arecord" in result.stdout


def test_list_input_devices_when_portaudio_is_missing_then_error_69_names_the_package(run_python, tmp_path):
    (tmp_path / "pyaudio.py").write_text(
        "raise ImportError('libportaudio.so.2: cannot open shared object file')"
    )
    code = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n" + textwrap.dedent(LIST)
    result = run_python(code)

    assert result.returncode == 69
    assert b"apt install libportaudio2" in result.stdout


def test_quiet_stderr_when_a_library_prints_then_only_the_inside_is_kept_off(run_python):
    result = run_python("""
        import logging, os, sys
        logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
        from edge.quiet_stderr import quiet_stderr
        os.write(2, b"before ")
        try:
            with quiet_stderr("library"):
                os.write(2, b"inside")
                raise KeyError
        except KeyError:
            os.write(2, b"after")
        """)

    assert result.stderr == b"before after"
    assert b"library: inside" in result.stdout


def test_quiet_stderr_when_stderr_is_closed_then_body_runs(run_python):
    result = run_python("""
        import os
        from edge.quiet_stderr import quiet_stderr
        os.close(2)
        with quiet_stderr("library"):
            print("ran")
        """)

    assert result.stdout == b"ran\n"


def test_quiet_stderr_when_two_bodies_overlap_then_the_last_takes_it_back(run_python):
    result = run_python("""
        import logging, os, sys
        logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
        from edge.quiet_stderr import quiet_stderr
        first, second = quiet_stderr("first"), quiet_stderr("second")
        first.__enter__()
        second.__enter__()
        os.write(2, b"inside")
        first.__exit__(None, None, None)
        os.write(2, b" still inside")
        second.__exit__(None, None, None)
        os.write(2, b"after")
        """)

    assert result.stderr == b"after"
    assert b"second: inside still inside" in result.stdout


def test_lasting_stderr_when_a_library_is_kept_off_then_it_is_not(run_python):
    result = run_python("""
        from edge.quiet_stderr import lasting_stderr, quiet_stderr
        log = lasting_stderr()
        with quiet_stderr("library"):
            print("heard", file=log)
        """)

    assert result.stderr == b"heard\n"
