"""`affectd doctor`: what this device needs to do its work, looked at one thing after the other."""
