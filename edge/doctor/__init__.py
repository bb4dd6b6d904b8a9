"""`affectd doctor`: checks everything that affectd needs on this device, one thing after the other."""
