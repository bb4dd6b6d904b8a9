"""Signal processing in numpy: sound in, MFCC frames and speech decisions out."""
