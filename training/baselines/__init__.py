"""Baselines: other features and classifiers on the same clips and folds, with the same figures."""
