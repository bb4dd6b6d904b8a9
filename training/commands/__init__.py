"""What each command of `affectd-train` takes and does; TensorFlow comes only when one needs it."""
