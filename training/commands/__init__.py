"""The commands of `affectd-train`; TensorFlow is imported only when one needs it."""
