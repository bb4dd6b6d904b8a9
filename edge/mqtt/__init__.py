"""MQTT output: topics, messages, client, embedded broker."""
