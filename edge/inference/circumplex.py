"""The positions of the emotions on the circumplex of arousal and valence."""

from __future__ import annotations

import math

# Angles in degrees from Russell, "A circumplex model of affect", 1980 (multidimensional scaling of 28 words).
# Labels that are not among these words take the nearest one: astonished for surprise, afraid for fear,
# distressed for disgust, bored for boredom.
_ANGLES = {
    "happy": 7.8,
    "surprise": 69.8,
    "angry": 99.0,
    "fear": 116.0,
    "disgust": 138.0,
    "sad": 207.5,
    "boredom": 242.0,
    "calm": 316.2,
}


def circumplex(label: str) -> tuple[float, float]:
    """Arousal and valence of a label, each -1..1: a point on the unit circle, or the centre for `neutral`.

    Raises:
        KeyError: for a label without a position.
    """
    if label == "neutral":
        return 0.0, 0.0
    angle = math.radians(_ANGLES[label])
    return round(math.sin(angle), 3), round(math.cos(angle), 3)
