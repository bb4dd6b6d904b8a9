"""The workbench: corpora, features, networks, evaluation."""
