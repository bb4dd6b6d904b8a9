import importlib.util
import logging
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import edge
from edge.inference.errors import RuntimeMissingError
from edge.inference.model import EmotionModel, ModelSettings
from edge.inference.runtime import Runtime, build_interpreter

PACKAGES = {
    Runtime.TFLITE_RUNTIME: "tflite_runtime",
    Runtime.LITERT: "ai_edge_litert",
    Runtime.TENSORFLOW: "tensorflow",
}
HAVE = [runtime for runtime, package in PACKAGES.items() if importlib.util.find_spec(package)]
ASKED = [runtime for runtime in HAVE if runtime is not Runtime.TENSORFLOW]
"""TensorFlow's own takes seconds to import, and the workbench's tests run it anyway"""

NOT_THAT_MODEL = b"\x1c\0\0\0NONE" + bytes(200)
"""A flatbuffer of another kind: any runtime says so, and none crashes"""


def test_runtime_when_auto_then_the_first_that_is_there_and_it_is_reported(packed):
    _, runtime = build_interpreter(packed[1], Runtime.AUTO, 1)

    assert runtime is HAVE[0]
    assert EmotionModel().runtime is runtime


@pytest.mark.parametrize("runtime", ASKED)
def test_runtime_when_asked_for_by_name_then_it_is_the_one(packed, runtime, caplog):
    caplog.set_level(logging.INFO)
    interpreter, ran = build_interpreter(packed[1], runtime, 1)

    assert ran is runtime
    assert type(interpreter).__module__.startswith(PACKAGES[runtime])
    assert f"model runs in {runtime} with 1 thread(s)" in caplog.text


@pytest.mark.parametrize("runtime", [runtime for runtime in PACKAGES if runtime not in HAVE])
def test_runtime_when_it_is_not_installed_then_error_69_says_what_to_install(runtime):
    with pytest.raises(RuntimeMissingError, match=f"{runtime} is not installed") as caught:
        EmotionModel(ModelSettings(runtime=runtime))
    assert caught.value.exit_code == 69
    assert "Install ai-edge-litert" in str(caught.value)


@pytest.mark.parametrize("runtime", ASKED)
def test_runtime_when_it_imports_but_cannot_build_then_it_does_not_count(runtime):
    with pytest.raises(RuntimeMissingError, match=f"{runtime} cannot build the model"):
        build_interpreter(NOT_THAT_MODEL, runtime, 1)


def test_runtime_when_the_first_imports_and_fails_to_build_then_the_next_runs(tmp_path):
    """As tflite-runtime under NumPy 2: its module is there, and no interpreter comes of it."""
    if HAVE[0] is Runtime.TFLITE_RUNTIME:
        pytest.skip("tflite-runtime works here")
    package = tmp_path / "tflite_runtime"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "interpreter.py").write_text(
        "class Interpreter:\n"
        "    def __init__(self, **_):\n"
        "        raise SystemError('initialization of _pywrap_tensorflow_interpreter_wrapper raised')\n"
    )
    done = _child(
        """
        import logging
        logging.basicConfig(level=logging.INFO)
        from edge.inference.model import EmotionModel
        print(EmotionModel().runtime)
        """,
        tmp_path,
    )

    assert done.stdout.split() == [str(HAVE[0])]
    assert "tflite-runtime cannot build the model" in done.stderr


def test_runtime_when_none_is_installed_then_all_are_named():
    done = _child(
        """
        import sys
        for name in ("tflite_runtime", "ai_edge_litert", "tensorflow"):
            sys.modules[name] = None
        from edge.inference.errors import RuntimeMissingError
        from edge.inference.model import EmotionModel
        try:
            EmotionModel()
        except RuntimeMissingError as error:
            print(error)
        """
    )

    for runtime in PACKAGES:
        assert f"{runtime} is not installed" in done.stdout


def test_runtime_when_its_name_is_unknown_then_refused():
    with pytest.raises(ValueError, match="onnx"):
        Runtime("onnx")


def _child(code, *paths):
    search = os.pathsep.join(map(str, [*paths, Path(edge.__file__).parents[1]]))
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "PYTHONPATH": search},
    )
