"""Model files that must not be used: each refused in one line, before any interpreter is asked for."""

import msgspec
import pytest
from support.programs import ROOT, affectd
from support.sound import DEMO_SPEECH

from edge.inference.model import SHIPPED_MODEL
from edge.inference.model_file import pack_model, read_model_file

RUNTIMES = ("tflite_runtime", "ai_edge_litert", "tensorflow")
TRIPPED = 99


@pytest.fixture(scope="module")
def shipped():
    return SHIPPED_MODEL.read_bytes()


@pytest.fixture(scope="module")
def parts():
    """Card and flatbuffer of the shipped model."""
    return read_model_file(SHIPPED_MODEL)


@pytest.fixture(scope="module")
def tripwire(tmp_path_factory) -> dict[str, str]:
    """An environment in which whoever imports a runtime ends the process with TRIPPED."""
    folder = tmp_path_factory.mktemp("tripwire")
    for name in RUNTIMES:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"import os\nos._exit({TRIPPED})\n")
    return {"PYTHONPATH": str(folder)}


def changed_byte(shipped, _parts):
    return shipped[:1000] + bytes([shipped[1000] ^ 1]) + shipped[1001:]


def other_weights_with_this_card(shipped, parts):
    _, flatbuffer = parts
    return flatbuffer[:-1] + bytes([flatbuffer[-1] ^ 1]) + shipped[len(flatbuffer) :]


def other_front_end(_shipped, parts):
    card, flatbuffer = parts
    return pack_model(
        flatbuffer, msgspec.structs.replace(card, frontend={**card.frontend, "kind": "wavelets-7"})
    )


def unknown_front_end_setting(_shipped, parts):
    card, flatbuffer = parts
    return pack_model(
        flatbuffer, msgspec.structs.replace(card, frontend={**card.frontend, "cube_root": True})
    )


REFUSED = [
    (lambda shipped, _parts: shipped[: len(shipped) // 2], "cut short"),
    (lambda shipped, _parts: shipped[:-10], "cut short"),
    (lambda _shipped, parts: parts[1], "not made by affectd-convert"),
    (lambda _shipped, _parts: b"", "not a TFLite model"),
    (lambda _shipped, _parts: b"This is a shopping list.\n" * 9, "not a TFLite model"),
    (changed_byte, "SHA-256 differs"),
    (other_weights_with_this_card, "SHA-256 differs"),
    (other_front_end, "'wavelets-7'"),
    (unknown_front_end_setting, "front end"),
]
COMMANDS = [
    ["classify", DEMO_SPEECH],
    ["run", "--no-config", "--log-level", "warning", "--file", DEMO_SPEECH],
]


@pytest.mark.parametrize("command", COMMANDS, ids=["classify", "run"])
@pytest.mark.parametrize(
    ("make", "words"),
    REFUSED,
    ids=[
        "half",
        "end missing",
        "no card",
        "empty",
        "text",
        "damaged",
        "other weights",
        "front end",
        "setting",
    ],
)
def test_model_when_unfit_then_65_and_one_line_before_any_interpreter(
    make, words, command, shipped, parts, tripwire, tmp_path
):
    path = tmp_path / "model.tflite"
    path.write_bytes(make(shipped, parts))
    run = affectd(*command, "--model", path, env=tripwire)

    assert run.returncode == 65, run.stderr
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"affectd: {path}: ")
    assert words in line


@pytest.mark.parametrize("command", COMMANDS, ids=["classify", "run"])
def test_model_when_there_is_none_then_66(command, tripwire, tmp_path):
    run = affectd(*command, "--model", tmp_path / "none.tflite", env=tripwire)

    assert run.returncode == 66
    assert len(run.stderr.splitlines()) == 1
    assert "no such model file" in run.stderr


def test_model_when_fit_then_the_wire_would_have_tripped(tripwire):
    assert affectd("classify", DEMO_SPEECH, env=tripwire).returncode == TRIPPED


def test_model_when_no_runtime_is_installed_then_69_says_what_to_install(tmp_path):
    for name in RUNTIMES:
        (tmp_path / f"{name}.py").write_text(f"raise ImportError('no {name}')")
    run = affectd("classify", DEMO_SPEECH, env={"PYTHONPATH": str(tmp_path)})

    assert run.returncode == 69
    (line,) = run.stderr.splitlines()
    assert "Install ai-edge-litert" in line


def test_model_when_another_model_is_named_then_it_is_the_one_that_runs(tmp_path, parts):
    card, flatbuffer = parts
    path = tmp_path / "other.tflite"
    path.write_bytes(pack_model(flatbuffer, msgspec.structs.replace(card, uncertain_below=1.0)))
    run = affectd("classify", "--json", "--model", path, ROOT / "edge" / "demo_speech.ogg")

    assert '"emotion":"uncertain"' in run.stdout
