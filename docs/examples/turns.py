"""Prints every turn of every device, once each, in order: `python turns.py --host broker.lan`.

A turn arrives at least once, and a repeat has the same id; this keeps the last ids of each to drop them.
With --group, several copies of this program share the turns between them (a shared subscription of MQTT 5).
"""

from __future__ import annotations

import argparse
import json
import os
from collections import defaultdict, deque
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

REMEMBERED = 1000
"""Ids of each device; more than its outbox can repeat, which is one turn for each lost connection"""


def main() -> None:
    """Listen until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--host", default="localhost")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument(
        "--topic",
        default="affectd/+/turn",
        help="default: %(default)s; with a site and a room above each device: affectd/+/+/+/turn",
    )
    parser.add_argument("--group", help="name of the group that shares the turns")
    parser.add_argument("--username", help="the password is in AFFECTD_MQTT_PASSWORD")
    parser.add_argument("--ca-file", help="connect with TLS, and trust the certificates in this PEM file")
    options = parser.parse_args()
    seen: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=REMEMBERED))  # by topic

    def on_connect(client: Client, *_: Any) -> None:
        # At every connection: the broker may have forgotten the subscription.
        shared = f"$share/{options.group}/" if options.group else ""
        client.subscribe(shared + options.topic, qos=1)

    def on_message(_client: Client, _userdata: Any, message: MQTTMessage) -> None:
        turn = json.loads(message.payload)
        if turn["id"] in seen[message.topic]:
            return
        seen[message.topic].append(turn["id"])
        device = message.topic.split("/")[-2]
        print(f"{turn['ended']} {device} {turn['emotion']} {turn['confidence']:.2f}", flush=True)  # noqa: T201  # likewise

    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    if options.username:
        client.username_pw_set(options.username, os.environ.get("AFFECTD_MQTT_PASSWORD"))
    if options.ca_file:
        client.tls_set(options.ca_file)
    client.on_connect = on_connect
    client.on_message = on_message
    client.on_subscribe = lambda *_: print("subscribed", flush=True)  # noqa: T201  # what this program is for
    client.connect_async(options.host, options.port)
    client.loop_forever(retry_first_connection=True)


if __name__ == "__main__":
    main()
