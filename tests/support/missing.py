"""Environments in which something is missing."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

needs_amqtt = pytest.mark.skipif(
    importlib.util.find_spec("amqtt") is None, reason="amqtt is not installed: pip install 'affectd[broker]'"
)

needs_cryptography = pytest.mark.skipif(
    importlib.util.find_spec("cryptography") is None,
    reason="cryptography is not installed: pip install 'affectd[update]'",
)


def without(module: str, folder: Path) -> dict[str, str]:
    """An environment in which a module looks as if it were not installed."""
    error = f"ModuleNotFoundError({f'No module named {module!r}'!r}, name={module!r})"
    (folder / f"{module}.py").write_text(f"raise {error}\n")
    return {"PYTHONPATH": str(folder)}
