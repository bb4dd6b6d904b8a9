"""A local dashboard and HTTP API, in its own process: analyses recordings, follows the device live."""
