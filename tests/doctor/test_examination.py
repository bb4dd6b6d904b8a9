"""The order of the examination, and what a broken configuration or a broken stage leaves of it."""

import pytest

import edge.doctor.clock
from edge.cli import _STAGES
from edge.config import Config, ConfigError, Loaded
from edge.doctor.examination import examine
from edge.doctor.report import Stage, Verdict

QUICK = frozenset({Stage.CONFIGURATION, Stage.CLOCK, Stage.DISK, Stage.BOARD})


def well() -> Loaded:
    return Loaded(config=Config(), origins={"mqtt.host": "/etc/affectd/affectd.toml"})


def broken() -> Loaded:
    raise ConfigError("affectd.toml: is not TOML; mend it")


def test_stages_when_the_command_line_names_them_then_they_are_those_of_the_report():
    assert list(_STAGES) == [stage.value for stage in Stage]


def test_examine_when_some_stages_are_asked_for_then_only_they_come_in_their_order():
    stages = list(dict.fromkeys(finding.stage for finding in examine(well, QUICK)))
    assert stages == [Stage.CONFIGURATION, Stage.CLOCK, Stage.DISK, Stage.BOARD]


def test_examine_when_the_configuration_is_read_then_its_file_is_named():
    first = next(examine(well, QUICK))
    assert first.verdict is Verdict.OK
    assert "/etc/affectd/affectd.toml" in first.message


def test_examine_when_the_configuration_is_broken_then_what_needs_none_is_still_looked_at():
    findings = list(examine(broken, QUICK))
    assert [findings[0].verdict, findings[0].remedy] == [Verdict.FAIL, "mend it"]
    assert {finding.stage for finding in findings} == {Stage.CONFIGURATION, Stage.CLOCK, Stage.BOARD}


@pytest.mark.parametrize("error", [ValueError("odd"), ConfigError("odd; do this")])
def test_examine_when_a_stage_stumbles_then_that_is_a_finding_and_the_next_stage_is_looked_at(
    monkeypatch, error
):
    def stumble(_config):
        raise error

    monkeypatch.setattr(edge.doctor.clock, "examine", stumble)
    findings = list(examine(well, QUICK))
    clock = next(finding for finding in findings if finding.stage is Stage.CLOCK)
    assert clock.verdict is Verdict.FAIL
    assert "odd" in clock.message
    assert clock.remedy
    assert findings[-1].stage is Stage.BOARD
