"""A daemon that is killed while its broker is away: its turns arrive with the next one."""

import signal

from support.brokers import Wire
from support.mosquitto_sub import MosquittoSub
from support.programs import Program


def test_run_when_killed_while_the_broker_is_away_then_its_turns_arrive_with_the_next(
    speech, mosquitto, device, tmp_path
):
    config = tmp_path / "affectd.toml"
    config.write_text(
        f'[mqtt]\nhost = "127.0.0.1"\ndevice = "{device}"\n'
        f'[outbox]\npath = "{tmp_path}/outbox.sqlite3"\nfsync = true\n'
    )
    with Wire(mosquitto.port) as wire, MosquittoSub(mosquitto.port, device) as subscriber:
        common = ("run", "--config", config, "--port", wire.port, "--source", "stdin")
        with Program(*common) as first:
            first.say(speech)
            for count in range(1, 9):
                first.wait_for(
                    lambda _line, count=count: sum("turn: " in line for line in first.lines) >= count
                )
            first.signal(signal.SIGKILL)
        told = sum("turn: " in line for line in first.lines)
        with Program(*common) as second:
            wire.open()
            # The last turn was announced in the log before it went to the outbox.
            turns = subscriber.wait_for_turns(told - 1)
            second.signal(signal.SIGTERM)
    assert [turn.ended for turn in turns] == sorted(turn.ended for turn in turns)
    assert len({turn.id for turn in turns}) == len(turns)
