"""Decisions: turn detection, the TFLite model with its card, calibration; turn results out."""
