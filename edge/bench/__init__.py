"""`affectd bench`: what recognition costs on the machine at hand, measured."""
