"""`affectd provision`: certificates, passwords and access list for Mosquitto, its users and devices."""
