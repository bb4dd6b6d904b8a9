"""Signal: sound in, MFCC frames and speech/non-speech out. numpy only."""
