"""The connection to the broker and back, tested step by step."""

from __future__ import annotations

from collections.abc import Iterator

from edge.config import Config
from edge.doctor.report import Finding, Stage, Verdict
from edge.mqtt.probe import Step, probe


def examine(config: Config) -> Iterator[Finding]:
    """Test DNS, TCP, TLS, login, publish and subscribe, up to the first that fails.

    Raises:
        MqttSettingsError: when the password or a TLS file cannot be used.
    """
    for stage in probe(config.mqtt):
        if not stage.ok and stage.step is Step.TCP and config.broker.embedded:
            yield _finding(
                Verdict.SKIP,
                f"the embedded broker runs only with the daemon; {config.mqtt.address} is unreachable now",
            )
        else:
            verdict = Verdict.OK if stage.ok else Verdict.FAIL
            yield _finding(verdict, f"{stage.step.value}: {stage.message}", stage.remedy)


def _finding(verdict: Verdict, message: str, remedy: str = "") -> Finding:
    return Finding(stage=Stage.BROKER, verdict=verdict, message=message, remedy=remedy)
