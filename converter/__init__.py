"""Keras network in, fully quantised int8 TFLite file with its card out."""
