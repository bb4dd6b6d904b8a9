"""The API of a real dashboard beside a real broker: what it answers, and what it refuses."""

import io
import json
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import soundfile
from paho.mqtt import publish
from support.sound import DEMO_SPEECH, RATE
from support.subscriber import make_state, make_turn

from edge.audio.files import read_file
from edge.inference.model import EmotionModel
from edge.inference.recognizer import Recognizer, TurnResult
from edge.mqtt.messages import encode


def sound_file(samples, rate=RATE, kind="WAV", subtype=None):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, subtype, format=kind)
    return file.getvalue()


def say(mosquitto, device, what, payload, retain=False):
    topic = f"affectd/{device}/{what}"
    publish.single(topic, payload, qos=1, retain=retain, hostname="127.0.0.1", port=mosquitto.port)


def test_classify_when_speech_is_sent_then_its_turns_are_those_of_the_recognizer(dashboard, speech_file):
    answer = dashboard.ask("/api/classify", speech_file)

    assert answer.status == 200
    sound, model = read_file(DEMO_SPEECH), EmotionModel()
    recognizer = Recognizer(model)
    events = [*recognizer.push(sound), *recognizer.flush()]
    wanted = [event for event in events if isinstance(event, TurnResult)]
    turns = answer.json["turns"]
    assert len(wanted) == 8
    assert [(round(t["start"] * RATE), round(t["end"] * RATE)) for t in turns] == [
        (one.start, one.end) for one in wanted
    ]
    assert [t["emotion"] for t in turns] == [one.answer.emotion for one in wanted]
    assert [t["doubts"] for t in turns] == [list(one.doubts) for one in wanted]
    for turn, one in zip(turns, wanted, strict=True):
        assert turn["probabilities"] == pytest.approx(one.answer.probabilities, abs=1e-4)
        assert turn["arousal"] == pytest.approx(one.answer.arousal, abs=1e-4)
    assert answer.json["seconds"] == pytest.approx(len(sound) / RATE, abs=1e-3)
    assert answer.json["picture"]["columns"] == model.mfcc_config.frames_in(len(sound))


def test_classify_when_the_picture_is_not_wanted_then_it_is_left_out(dashboard):
    answer = dashboard.ask("/api/classify?picture=0", sound_file(np.zeros(RATE)))
    assert answer.json["picture"] is None


@pytest.mark.parametrize("samples", [np.zeros(RATE), np.zeros(10)], ids=["silence", "a moment"])
def test_classify_when_nobody_speaks_then_there_is_no_turn(dashboard, samples):
    answer = dashboard.ask("/api/classify", sound_file(samples))
    assert answer.status == 200
    assert answer.json["turns"] == []


def test_classify_when_a_recording_is_large_then_nothing_of_it_goes_to_disk(dashboard):
    def written():
        lines = Path(f"/proc/{dashboard.process.pid}/io").read_text(encoding="ascii").splitlines()
        return int(dict(line.split(": ") for line in lines)["write_bytes"])

    large = sound_file(np.zeros((192_000, 8)), 192_000, subtype="FLOAT")
    assert len(large) > 6_000_000
    dashboard.ask("/api/classify", sound_file(np.zeros(RATE)))  # what is imported now leaves bytecode
    before = written()
    assert dashboard.ask("/api/classify", large).status == 200
    assert written() - before < 1_000_000


CHOPPED = sound_file(np.zeros(RATE))[: RATE // 2]


@pytest.mark.parametrize(
    ("body", "headers", "status", "words"),
    [
        (b"", {}, 400, "no body"),
        (b"this is a letter", {}, 415, "no sound that libsndfile can read"),
        (b"--x--", {"Content-Type": "multipart/form-data; boundary=x"}, 415, "--data-binary"),
        (CHOPPED, {}, 422, "truncated"),
        (sound_file(np.zeros(0)), {}, 422, "no samples"),
        (sound_file(np.zeros(601 * 1000), 1_000, "FLAC"), {}, 413, "longer than 600 s"),
        (sound_file(np.full(50, np.inf), subtype="FLOAT"), {}, 422, "NaN or infinite"),
        (bytes(50_000_001), {}, 413, "larger than 50 MB"),
        (iter([bytes(1_000_000)] * 51), {}, 413, "larger than 50 MB"),
        (b"x", {"Origin": "http://evil.example"}, 403, "not the dashboard's"),
        (b"x", {"Origin": "null"}, 403, "not the dashboard's"),
        (b"x", {"Sec-Fetch-Site": "cross-site"}, 403, "not the dashboard's"),
        (b"x", {"Host": "evil.example"}, 421, "evil.example"),
    ],
)
def test_classify_when_the_request_is_no_good_then_the_status_and_the_message_say_why(
    dashboard, body, headers, status, words
):
    answer = dashboard.ask("/api/classify", body, headers)
    assert answer.status == status
    assert list(answer.json) == ["error"]
    assert words in answer.json["error"]


def test_classify_when_too_many_wait_then_503_and_come_again_until_a_place_is_free(dashboard):
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(dashboard.half_an_upload())
        while dashboard.ask("/api/health").json["recordings"] < 3:
            pass
        refused = dashboard.ask("/api/classify", b"x")
        assert refused.status == 503
        assert refused.headers["retry-after"] == "2"
    while dashboard.ask("/api/health").json["recordings"]:
        pass
    assert dashboard.ask("/api/classify", sound_file(np.zeros(RATE))).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost:1234"},
        {"Host": "[::1]"},
        {"Origin": "http://127.0.0.1:7", "Host": "127.0.0.1:7"},
        {"Origin": "https://localhost:8443", "Host": "localhost", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_classify_when_it_comes_from_our_own_page_by_any_name_of_this_machine_then_let_in(dashboard, headers):
    assert dashboard.ask("/api/classify", sound_file(np.zeros(RATE)), headers).status == 200


def test_get_when_the_host_is_foreign_then_nothing_is_told(dashboard):
    for path in ("/", "/api/state", "/api/events", "/openapi.json"):
        assert dashboard.ask(path, headers={"Host": "evil.example"}).status == 421


@pytest.mark.parametrize("path", ["/", "/live.html", "/api/state", "/nothing", "/docs", "/redoc"])
def test_get_when_answered_then_the_headers_let_a_browser_load_and_frame_nothing_foreign(dashboard, path):
    answer = dashboard.ask(path)
    assert (answer.status == 404) == (path in {"/nothing", "/docs", "/redoc"})
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_openapi_when_read_then_every_reference_leads_somewhere(dashboard):
    document = dashboard.ask("/openapi.json").json
    assert set(document["paths"]) == {
        "/api/state", "/api/turns", "/api/events", "/api/health", "/api/model", "/api/classify",
    }  # fmt: skip
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    text = json.dumps(document)
    assert known
    assert {part.partition('"')[0] for part in text.split('"$ref": "')[1:]} <= known


def test_model_when_asked_then_it_is_the_one_that_judges(dashboard):
    told, model = dashboard.ask("/api/model").json, EmotionModel()
    assert told["sha256"] == model.card.flatbuffer_sha256
    assert told["labels"] == list(model.card.labels)
    assert told["frontend"].startswith("40 MFCCs of 40 mel bands")


@pytest.mark.parametrize("limit", ["0", "201", "x"])
def test_turns_when_the_limit_makes_no_sense_then_422_names_it(dashboard, limit):
    answer = dashboard.ask(f"/api/turns?limit={limit}")
    assert answer.status == 422
    assert "limit" in answer.json["error"]


def test_events_when_the_device_speaks_then_the_stream_has_it_and_so_has_the_state(
    dashboard, mosquitto, shared_device
):
    with dashboard.follow() as stream:
        first = stream.wait_for("snapshot")
        assert first["present"]["device"] == shared_device
        if not first["present"]["broker"]["connected"]:
            stream.wait_for("broker", lambda broker: broker["connected"])
        say(mosquitto, shared_device, "availability", b"online", retain=True)
        stream.wait_for("availability", lambda word: word == "online")
        say(mosquitto, shared_device, "state", encode(make_state("surprise")), retain=True)
        stream.wait_for("state", lambda state: state["emotion"] == "surprise")
        say(mosquitto, shared_device, "turn", encode(make_turn("one")))
        turn = stream.wait_for("turn")
    assert stream.type.startswith("text/event-stream")
    assert (turn["id"], turn["emotion"]) == ("one", "sad")
    assert dashboard.ask("/api/state").json["state"]["emotion"] == "surprise"
    assert [one["id"] for one in dashboard.ask("/api/turns?limit=1").json["turns"]] == ["one"]
    assert dashboard.ask("/api/health").json["broker_connected"]
