"""affectd on the device: speech in from a microphone, emotion out over MQTT."""

__version__ = "0.1.0"
