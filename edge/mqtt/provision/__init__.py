"""Everything that a Mosquitto, its users and its devices need to trust each other: `affectd provision`."""
