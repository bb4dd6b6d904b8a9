"""`affectd bench`: measures what recognition costs on this machine."""
