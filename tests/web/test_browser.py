"""The pages in a real browser: what they show, and that they ask nobody else for anything."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
from paho.mqtt import publish
from support.sound import DEMO_SPEECH
from support.subscriber import make_state, make_turn

from edge.mqtt.messages import encode

playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install 'affectd[test]'")

TIMEOUT_MS = 60_000
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright.sync_playwright() as driver:
        # A container has neither the privileges of Chromium's sandbox nor much shared memory.
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        started = driver.chromium.launch(executable_path=CHROMIUM, args=options)
        yield started
        started.close()


@pytest.fixture
def page(browser, dashboard) -> Iterator[object]:
    """A page that has said nothing on its console and reached nobody else when the test is over."""
    opened = browser.new_page()
    opened.set_default_timeout(TIMEOUT_MS)
    said, asked = [], []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: asked.append(urlsplit(request.url)))
    yield opened
    opened.close()
    assert said == []
    assert {(url.scheme, url.netloc) for url in asked} <= {
        ("http", f"127.0.0.1:{dashboard.port}"),
        ("blob", ""),
    }


def expect(locator):
    return playwright.expect(locator)


def colours_of(page):
    """How many colours the canvas has."""
    return page.evaluate(
        """() => {
            const canvas = document.querySelector("canvas");
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return new Set(new Uint32Array(data.buffer)).size;
        }"""
    )


def test_recordings_when_speech_is_chosen_then_its_turns_and_a_picture_are_shown(page, dashboard):
    page.goto(dashboard.url)
    page.set_input_files("#file", DEMO_SPEECH)

    expect(page.locator("#summary")).to_have_text("8 turns in 0:36.2", timeout=TIMEOUT_MS)
    assert page.locator("#turns button").count() == 8
    assert page.locator("#rows tr").count() == 8
    assert colours_of(page) > 100
    assert page.evaluate("document.querySelector('canvas').width") > 3_000
    page.locator("#turns button").nth(4).press("Enter")
    expect(page.locator("#turn-title")).to_contain_text("Turn 5")
    assert page.locator("#bars .bar").count() == 7
    expect(page.locator("#circumplex .present title")).to_contain_text("Turn 5")
    with page.expect_download() as download:
        page.click("#download")
    kept = msgspec.json.decode(Path(download.value.path()).read_bytes())
    assert len(kept["turns"]) == 8
    # The player has the sound from the browser's own memory.
    expect(page.locator("#player")).to_have_js_property("readyState", 4, timeout=TIMEOUT_MS)
    assert 36.0 < page.evaluate("document.getElementById('player').duration") < 36.5
    assert page.get_attribute("#player", "src").startswith("blob:")


def test_recordings_when_the_file_is_no_sound_then_the_page_says_what_to_do(browser, dashboard, tmp_path):
    letter = tmp_path / "<img src=x>.wav"
    letter.write_text("a letter", encoding="utf-8")
    page = browser.new_page()
    page.goto(dashboard.url)
    page.set_input_files("#file", letter)
    status = page.locator("#status.error")
    expect(status).to_contain_text("convert it first", timeout=TIMEOUT_MS)
    assert not page.is_visible("#result")
    page.close()


def test_live_when_the_device_speaks_then_the_page_shows_the_emotion(
    page, dashboard, mosquitto, shared_device
):
    def say(what, payload, retain=True):
        topic = f"affectd/{shared_device}/{what}"
        publish.single(topic, payload, qos=1, retain=retain, hostname="127.0.0.1", port=mosquitto.port)

    page.goto(f"{dashboard.url}live.html")
    say("availability", b"online")
    say("state", encode(make_state("fear")))
    emotion = page.locator("#emotion")
    expect(emotion).to_have_text("fear", timeout=TIMEOUT_MS)
    expect(page.locator("#speaking")).to_have_text("Somebody is speaking")
    assert not page.is_visible("#notice")

    markup = msgspec.structs.replace(make_turn("in the browser"), emotion="<b>new</b>")
    say("turn", encode(markup), retain=False)
    expect(page.locator("#rows tr").first).to_contain_text("<b>new</b>", timeout=TIMEOUT_MS)

    say("availability", b"offline")
    expect(page.locator("#notice")).to_contain_text("offline", timeout=TIMEOUT_MS)
    expect(emotion).to_have_text("–")
