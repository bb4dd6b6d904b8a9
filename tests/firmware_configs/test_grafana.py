"""The fleet board: Telegraf's file against the messages, and each query of the board against an InfluxDB."""

import json
import shutil
import subprocess
import time
import tomllib
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import msgspec
import pytest
from support.brokers import TIMEOUT_S, free_port

from edge.mqtt.messages import Health, Microphone, Turn

FOLDER = Path(__file__).resolve().parents[2] / "firmware_configs" / "grafana"
TELEGRAF = tomllib.loads((FOLDER / "telegraf.conf").read_text(encoding="utf-8"))
INPUTS = {source["name_override"]: source for source in TELEGRAF["inputs"]["mqtt_consumer"]}
BOARD = json.loads((FOLDER / "fleet.json").read_text(encoding="utf-8"))
QUERIES = {panel["title"]: panel["targets"][0]["query"] for panel in BOARD["panels"]}


def fields(kind: type) -> set[str]:
    return {field.name for field in msgspec.structs.fields(kind)}


def test_telegraf_file_when_read_then_it_names_only_what_the_messages_have():
    for name, kind in (("affectd_health", Health), ("affectd_turn", Turn)):
        source = INPUTS[name]
        named = {source["json_time_key"], *source.get("json_string_fields", ()), *source.get("tag_keys", ())}
        assert named <= fields(kind)


def test_telegraf_file_when_read_then_topics_of_every_depth_have_a_device():
    for source in INPUTS.values():
        depths = {topic.count("/") for topic in source["topics"]}
        parsed = {parsing["topic"].count("/") for parsing in source["topic_parsing"]}
        assert depths == parsed == {2, 3, 4}
        for parsing in source["topic_parsing"]:
            levels = parsing["tags"].split("/")
            assert len(levels) == parsing["topic"].count("/") + 1
            assert levels[-2:] == ["device", "_"]


def test_telegraf_file_when_read_then_no_password_is_in_it():
    assert {source["password"] for source in INPUTS.values()} == {"${AFFECTD_DASHBOARD_PASSWORD}"}
    assert len({source["client_id"] for source in INPUTS.values()}) == len(INPUTS)


@pytest.mark.skipif(shutil.which("telegraf") is None, reason="telegraf is not installed")
def test_telegraf_file_when_telegraf_checks_it_then_it_finds_nothing():
    done = subprocess.run(
        ["telegraf", "config", "check", "--config", FOLDER / "telegraf.conf"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_board_when_read_then_its_panels_have_a_place_a_title_and_a_unique_number():
    panels = BOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) == len(QUERIES)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


def test_board_when_it_shows_the_microphone_then_every_condition_has_a_colour():
    (panel,) = (panel for panel in BOARD["panels"] if panel["title"] == "Microphone")
    (mapping,) = panel["fieldConfig"]["defaults"]["mappings"]
    assert set(mapping["options"]) == {condition.value for condition in Microphone}


class InfluxDb:
    """A database with what Telegraf would have put into it."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("influxd")
        if program is None:
            pytest.skip("influxd is not installed")
        self.port, other = free_port(), free_port()
        config = folder / "influxdb.conf"
        config.write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{other}"\n'
            f'[meta]\ndir = "{folder}/meta"\n[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n'
            f'[http]\nbind-address = "127.0.0.1:{self.port}"\n'
        )
        self.process = subprocess.Popen(
            [program, "-config", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + TIMEOUT_S
        while not self.answers():
            assert time.monotonic() < deadline, "influxd does not listen"
            time.sleep(0.1)

    def answers(self) -> bool:
        try:
            self.ask("CREATE DATABASE affectd", post=True)
        except (urllib.error.URLError, ConnectionError):
            return False
        return True

    def ask(self, query: str, post: bool = False) -> dict:
        text = urllib.parse.urlencode({"db": "affectd", "q": query})
        url = f"http://127.0.0.1:{self.port}/query"
        request = urllib.request.Request(f"{url}?{text}", data=b"" if post else None)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["results"][0]

    def write(self, lines: str) -> None:
        url = f"http://127.0.0.1:{self.port}/write?db=affectd"
        urllib.request.urlopen(urllib.request.Request(url, data=lines.encode()), timeout=10).close()


@pytest.fixture(scope="module")
def influxdb(tmp_path_factory):
    database = InfluxDb(tmp_path_factory.mktemp("influxdb"))
    now = time.time_ns()
    for step, device in enumerate(("kitchen", "hall") * 3):
        at = now - (step + 1) * 300_000_000_000
        database.write(
            f'affectd_availability,device={device} value="online" {at}\n'
            f"affectd_turn,device={device},emotion=happy confidence=0.7,valence=0.6,arousal=0.3 {at}\n"
            f"affectd_health,device={device} inference_p95_ms=3.5,cpu_percent=2.5,rss_bytes=90000000,"
            f"level_dbfs=-50.5,queued_turns=0,dropped_turns={9 - step},temperature_c=48.3,"
            f'microphone="ok",muted=false {at}\n'
        )
    yield database
    database.process.terminate()
    database.process.wait(TIMEOUT_S)


@pytest.mark.parametrize("title", QUERIES)
def test_board_when_its_panel_asks_the_database_then_an_answer_comes(influxdb, title):
    query = (
        QUERIES[title]
        .replace("$timeFilter", "time > now() - 1h")
        .replace("$__interval", "5m")
        .replace("$device", "kitchen|hall")
    )
    assert "$" not in query.replace("$/", "")
    answer = influxdb.ask(query)
    assert answer.get("error") is None
    assert any(
        value is not None for series in answer["series"] for row in series["values"] for value in row[1:]
    )


def test_board_when_it_lists_devices_then_all_come(influxdb):
    (device,) = (variable for variable in BOARD["templating"]["list"] if variable["name"] == "device")
    (series,) = influxdb.ask(device["query"])["series"]
    assert [row[1] for row in series["values"]] == ["hall", "kitchen"]


def test_queries_when_read_then_they_name_only_what_the_messages_have():
    for query in QUERIES.values():
        name = query.split("FROM ")[1].split('"')[1]
        field = query.split('"')[1]
        known = {"affectd_health": fields(Health), "affectd_turn": fields(Turn)}.get(name, {"value"})
        assert field in known
