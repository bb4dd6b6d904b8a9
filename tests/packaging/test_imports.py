"""The dependency rule of the design, read from the sources: who imports whom, lazily or not."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INDEPENDENT = ("audio", "frontend", "inference", "mqtt")
MAY_USE = {"inference": {"frontend"}}
"""Packages that a package may import besides itself"""

ABOVE_THEM = (
    "edge.cli",
    "edge.config",
    "edge.daemon",
    "edge.demo",
    "edge.doctor",
    "edge.options",
    "edge.web",
)
NOT_ON_THE_DEVICE = ("training", "converter", "tensorflow", "keras", "scipy", "librosa", "sklearn", "torch")
LAST_RESORT = ("edge/inference/runtime.py", "tensorflow")
"""TensorFlow's own interpreter, where neither of the two runtimes is installed"""

EDGE_FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "edge").rglob("*.py"))


def imported(file: str, root: Path = ROOT) -> Iterator[str]:
    """Every module that a file names in an import or gives to an import function, as a dotted name."""
    package = Path(file).parent.as_posix().replace("/", ".")
    for node in ast.walk(ast.parse((root / file).read_text(encoding="utf-8"), file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *filter(None, [base])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in {"import_module", "__import__"}:
                yield str(node.args[0].value)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def package_of(file: str) -> str | None:
    parts = Path(file).parts
    return parts[1] if len(parts) > 2 and parts[1] in INDEPENDENT else None


@pytest.mark.parametrize("file", [file for file in EDGE_FILES if package_of(file)])
def test_package_when_it_imports_then_no_other_package(file):
    package = package_of(file)
    assert package is not None
    forbidden = set(INDEPENDENT) - {package} - MAY_USE.get(package, set())
    assert [
        name for name in imported(file) if any(within(name, f"edge.{other}") for other in forbidden)
    ] == []


@pytest.mark.parametrize("file", [file for file in EDGE_FILES if package_of(file)])
def test_room_when_it_imports_then_nothing_above_it(file):
    assert [name for name in imported(file) if any(within(name, above) for above in ABOVE_THEM)] == []


@pytest.mark.parametrize("file", [file for file in EDGE_FILES if file.startswith("edge/web/")])
def test_dashboard_when_it_imports_then_nothing_of_the_daemon(file):
    others = ("edge.cli", "edge.daemon", "edge.listener", "edge.controls")
    assert [name for name in imported(file) if any(within(name, other) for other in others)] == []


@pytest.mark.parametrize("file", [file for file in EDGE_FILES if not file.startswith("edge/web/")])
def test_edge_when_it_is_not_the_dashboard_then_it_needs_no_web_server(file):
    servers = ("fastapi", "starlette", "uvicorn")
    assert [name for name in imported(file) if any(within(name, server) for server in servers)] == []


@pytest.mark.parametrize("file", EDGE_FILES)
def test_edge_when_it_imports_then_nothing_that_a_device_has_not(file):
    found = {
        (file, package) for name in imported(file) for package in NOT_ON_THE_DEVICE if within(name, package)
    }
    assert found <= {LAST_RESORT}


def test_edge_when_imported_then_tensorflow_is_at_most_a_last_resort():
    """Even there the import is inside a function: at the top of a file, every start would pay for it."""
    file, package = LAST_RESORT
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    at_import = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert package not in ast.unparse(ast.Module(at_import, []))


@pytest.mark.parametrize(
    ("statement", "module"),
    [
        ("import edge.mqtt.client as c", "edge.mqtt.client"),
        ("from edge import mqtt", "edge.mqtt"),
        ("from ..mqtt import client", "edge.mqtt"),
        ("from .. import mqtt", "edge.mqtt"),
        ("def f():\n    from edge.mqtt.client import Client", "edge.mqtt.client"),
        ("importlib.import_module('edge.mqtt')", "edge.mqtt"),
    ],
)
def test_imported_when_an_import_is_written_in_any_way_then_it_is_seen(tmp_path, statement, module):
    (tmp_path / "edge" / "audio").mkdir(parents=True)
    (tmp_path / "edge" / "audio" / "x.py").write_text(statement, encoding="utf-8")
    assert module in set(imported("edge/audio/x.py", tmp_path))
