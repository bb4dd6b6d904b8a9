"""Sound sources and resampling: turns microphones, files and pipes into blocks of 16 kHz mono."""
