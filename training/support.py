"""Check whether clips suffice for a training at all, before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from training.clips import EMOTIONS, Clip
from training.errors import TrainingError
from training.recipe import Recipe

LEAST_CLIPS = 10
"""Clips that a label needs if the network does not know it yet"""

LEAST_CLIPS_TUNING = 5
"""Clips that a label needs if the network knows it already"""

LEAST_SPEAKERS = 2
"""Speakers that each label needs: from a single one, a network learns the voice instead of the emotion"""


class SupportError(TrainingError):
    """Raised when the clips do not suffice for a training; the message says why, label by label."""


def check_support(
    clips: Sequence[Clip], labels: Sequence[str], known: Sequence[str] = (), one_speaker: bool = False
) -> None:
    """Make sure that there are enough clips of every label; a label that is already known may have none.

    Args:
        clips: to train on.
        labels: of the network to be trained.
        known: labels that it knows already.
        one_speaker: whether a single speaker is enough; the network then knows that voice only.

    Raises:
        SupportError: when there are not.
    """
    check_labels(labels)
    speakers = {clip.speaker for clip in clips}
    if not clips:
        raise SupportError(f"no clip of {', '.join(labels)}: there is nothing to train on")
    if len(speakers) < LEAST_SPEAKERS and not one_speaker:
        raise SupportError(
            f"all {len(clips)} clips are of one speaker, {min(speakers)}: a network would learn the voice "
            "instead of the emotions, and nobody would be left to test it on; add speakers, or set "
            "one_speaker = true in the recipe to train for this person alone"
        )
    complaints = _missing(clips, labels, known) + [
        complaint
        for label in labels
        if (complaint := _complaint([c for c in clips if c.emotion == label], label, known, one_speaker))
    ]
    if complaints:
        raise SupportError(f"{'; '.join(complaints)}. Add clips, or leave the label out")


def _complaint(clips: Sequence[Clip], label: str, known: Sequence[str], one_speaker: bool) -> str:
    least = LEAST_CLIPS_TUNING if label in known else LEAST_CLIPS
    speakers = {clip.speaker for clip in clips}
    if not clips:
        return ""
    if len(clips) < least:
        return f"only {len(clips)} clip(s) of {label}, and at least {least} are needed"
    if len(speakers) < LEAST_SPEAKERS and label not in known and not one_speaker:
        return f"all clips of {label} are of one speaker, {min(speakers)}"
    return ""


def _missing(clips: Sequence[Clip], labels: Sequence[str], known: Sequence[str]) -> list[str]:
    heard = {clip.emotion for clip in clips}
    missing = [label for label in labels if label not in heard and label not in known]
    if not missing:
        return []
    # A user who names no labels gets those of the shipped model, perhaps without knowing it.
    others = ",".join(label for label in labels if label not in missing)
    return [
        f"no clip of {', '.join(missing)}" + ("" if known else f" (--labels {others} trains the others only)")
    ]


def check_labels(labels: Sequence[str]) -> None:
    """Make sure that there are at least two different labels.

    Raises:
        SupportError: when there are not.
    """
    if len(set(labels)) < max(2, len(labels)):
        raise SupportError(f"labels are {', '.join(labels)}: at least two different ones are needed")


def check_speakers(clips: Sequence[Clip], recipe: Recipe) -> None:
    """Make sure that there are enough speakers for a recipe, in validation and in training.

    Raises:
        SupportError: when there are not.
    """
    if not clips:
        raise SupportError("no clip could be read: there is nothing to train on")
    speakers = len({clip.speaker for clip in clips})
    least = 1 if recipe.one_speaker else LEAST_SPEAKERS
    if speakers < recipe.validation_speakers + least:
        raise SupportError(
            f"{speakers} speaker(s) are too few: the recipe needs {recipe.validation_speakers} for "
            f"validation and {least} to train on; add speakers, or lower validation_speakers in the recipe "
            "(0 trains without validation)"
        )


def check_places(labels: Sequence[str], places: Mapping[str, tuple[float, float]]) -> None:
    """Make sure that every label has an arousal and a valence.

    Args:
        labels: of the network.
        places: arousal and valence given for labels without a position of their own.

    Raises:
        SupportError: when one has none.
    """
    for label in labels:
        if label not in places and label not in EMOTIONS:
            raise SupportError(
                f"{label} has no arousal and valence: give them, each -1 to 1, as in --add-label "
                f"{label}=0.5,-0.3, or in the recipe's table [circumplex]"
            )
