"""Decision: TFLite model and card, turns, calibration; turn results out."""
