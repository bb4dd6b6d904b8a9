"""Sound in: sources, resampling; blocks of 16 kHz mono out."""
