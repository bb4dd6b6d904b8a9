"""Tests of the MQTT room, against real brokers."""
