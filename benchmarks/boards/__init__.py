"""Estimates of what recognition would cost on boards that are not at hand."""
