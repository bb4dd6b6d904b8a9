"""A local dashboard and HTTP API: recordings judged, and the device followed live. A process of its own."""
