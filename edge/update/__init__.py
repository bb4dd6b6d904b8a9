"""Signed models that come after the installation: fetched, checked, tried, and given up when they fail."""
