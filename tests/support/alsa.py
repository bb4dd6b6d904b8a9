"""A microphone without hardware, in ALSA's own configuration language."""

from pathlib import Path


def microphone_from(sound: Path) -> str:
    """The device `fakemic`, which gives what a file or a named pipe holds: stereo, 16 bit, at any rate.

    Its channels are named: without them a program gets as many as it asks for, and the same bytes are two
    channels here and eight there.
    """
    return (
        "pcm.fakemic { type plug slave { channels 2 format S16_LE "
        f'pcm {{ type file slave.pcm null file /dev/null infile "{sound}" format raw }} }} }}'
    )
