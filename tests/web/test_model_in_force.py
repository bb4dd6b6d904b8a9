"""The dashboard goes on while the device's models are changed under it."""

from __future__ import annotations

import msgspec

from edge.inference.model import SHIPPED_MODEL
from edge.inference.model_file import pack_model, read_model_file
from edge.update.in_force import device_store

from .dashboard import Dashboard


def test_dashboard_when_a_model_is_installed_damaged_or_rolled_back_then_the_next_recording_shows_it(
    speech_file: bytes, deaf_port: int
) -> None:
    card, flatbuffer = read_model_file(SHIPPED_MODEL)
    other = pack_model(flatbuffer, msgspec.structs.replace(card, name="other"))
    store = device_store()

    with Dashboard("--host", "127.0.0.1", "--port", deaf_port) as dashboard:

        def models() -> tuple[str, str]:
            judged = dashboard.ask("/api/classify?picture=false", speech_file).json
            return judged["model"], dashboard.ask("/api/model").json["name"]

        assert models() == (card.name, card.name)
        installed = store.add(other, name="other", version="1.0.0", sha256="0" * 64, signed_by="maker.pem")
        assert models() == ("other", "other")
        damaged = store.path_of(installed).with_suffix(".damaged")
        damaged.write_bytes(other[:1000])
        damaged.replace(store.path_of(installed))
        assert models() == ("other", "other")
        dashboard.wait_for("recordings are still analysed with the model before it")
        store.go_back()
        assert models() == (card.name, card.name)
