"""What others do, in the same harness: the same clips, folds and figures, other features and classifiers."""
