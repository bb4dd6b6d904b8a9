"""Whether clips can support a training at all, said before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from training.clips import EMOTIONS, Clip
from training.errors import TrainingError
from training.recipe import Recipe

LEAST_CLIPS = 10
"""Of a label that a network learns from nothing, or as a new one"""

LEAST_CLIPS_TUNING = 5
"""Of a label that a network knows already"""

LEAST_SPEAKERS = 2
"""Whom each label must be heard of: with one, a network learns the voice and not the emotion"""


class SupportError(TrainingError):
    """Raised when the clips cannot support a training; the message says why, label by label."""


def check_support(
    clips: Sequence[Clip], labels: Sequence[str], known: Sequence[str] = (), one_speaker: bool = False
) -> None:
    """Make sure that there is enough of every label; of one that is known already, no clip will do, too.

    Args:
        clips: to train on.
        labels: that the network is to have.
        known: labels that it knows already.
        one_speaker: whether a single speaker may do; what comes of it knows that voice only.

    Raises:
        SupportError: when there is not.
    """
    check_labels(labels)
    speakers = {clip.speaker for clip in clips}
    if not clips:
        raise SupportError(f"no clip of {', '.join(labels)}: there is nothing to train on")
    if len(speakers) < LEAST_SPEAKERS and not one_speaker:
        raise SupportError(
            f"all {len(clips)} clips are of one speaker, {min(speakers)}: a network would learn the voice "
            "and not the emotions, and nobody would be left to judge it on; add speakers, or set one_speaker "
            "= true in the recipe to train for this person alone"
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
    # Whoever names no label has the shipped ones asked for, perhaps without a thought of them.
    others = ",".join(label for label in labels if label not in missing)
    return [
        f"no clip of {', '.join(missing)}" + ("" if known else f" (--labels {others} asks for the others)")
    ]


def check_labels(labels: Sequence[str]) -> None:
    """Make sure that there is something to tell apart.

    Raises:
        SupportError: when there is not.
    """
    if len(set(labels)) < max(2, len(labels)):
        raise SupportError(f"labels are {', '.join(labels)}: at least two different ones are needed")


def check_speakers(clips: Sequence[Clip], recipe: Recipe) -> None:
    """Make sure that a recipe's validation speakers leave somebody to train on.

    Raises:
        SupportError: when they do not.
    """
    if not clips:
        raise SupportError("no clip could be read: there is nothing to train on")
    speakers = len({clip.speaker for clip in clips})
    least = 1 if recipe.one_speaker else LEAST_SPEAKERS
    if speakers < recipe.validation_speakers + least:
        raise SupportError(
            f"{speakers} speaker(s) cannot give {recipe.validation_speakers} for validation and {least} "
            "to train on: add speakers, or lower validation_speakers in the recipe (0 trains without any)"
        )


def check_places(labels: Sequence[str], places: Mapping[str, tuple[float, float]]) -> None:
    """Make sure that every label has an arousal and a valence.

    Args:
        labels: of the network.
        places: given for labels that are not known.

    Raises:
        SupportError: when one has none.
    """
    for label in labels:
        if label not in places and label not in EMOTIONS:
            raise SupportError(
                f"{label} has no arousal and valence: give them, each -1 to 1, as in --add-label "
                f"{label}=0.5,-0.3, or in the recipe's table [circumplex]"
            )
