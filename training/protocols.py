"""The evaluation protocols: which clips train, which test, and with which labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from training.clips import Clip
from training.errors import WorkbenchError

SHIPPED_LABELS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")


class ProtocolError(WorkbenchError):
    """Raised when the clips given do not suffice for a protocol; the message says what is missing."""

    exit_code = 64


@dataclass(frozen=True, slots=True)
class Split:
    """One fold: no speaker is in both `train` and `test`, unless the protocol is speaker-dependent."""

    name: str
    train: tuple[Clip, ...]
    test: tuple[Clip, ...]


@dataclass(frozen=True, slots=True)
class Protocol:
    """An evaluation protocol with its folds."""

    name: str
    form: str
    labels: tuple[str, ...]
    """Outputs of the networks"""

    splits: tuple[Split, ...]
    fewer: tuple[str, ...] = ()
    """Labels of the test clips, if only some are tested; an answer is then the likeliest of these"""

    base: str | None = None
    """Fold of P9 from whose network every fold starts; None: from scratch"""

    speaker_dependent: bool = False
    """The test speakers are also heard in training: for comparison with figures measured that way"""

    new_voices_alone: bool = False
    """Leave out the forms `adapt` and `enrol`"""

    @property
    def with_histories(self) -> bool:
        """Whether it has the forms `adapt` and `enrol`, which measure the value of hearing a voice before.

        `multi` has neither: only test figures could tell which of `in` and `multi` to use them with.
        """
        return not (self.speaker_dependent or self.new_voices_alone or self.form == MULTI)

    @property
    def asked(self) -> tuple[str, ...]:
        """Labels that an answer can have."""
        return self.fewer or self.labels

    @property
    def clips(self) -> list[Clip]:
        """Every clip used for training or testing, once."""
        return list({c.path: c for split in self.splits for c in (*split.train, *split.test)}.values())


IN_CORPUS = {"P1": "ravdess", "P2": "emodb", "P3": "tess", "P4": "urdu", "P5": "nemo", "P6": "ased"}
"""Protocols whose `in` form trains and tests on the folds of one corpus."""

JOINT = "P8"
_JOINT_FOLDS = 6

RANDOM = "P7"
_RANDOM_SHARE, _RANDOM_SEED = 0.2, 0

LEAVE_ONE_OUT = "P9"
LEFT_OUT_IN_TURN = ("ased", "emodb", "nemo", "ravdess", "tess", "urdu")
"""The corpora of P9: the first is left out in fold 1, and so on"""

THROUGH_NOISE = "P10"
"""Has no folds of its own: it scores the finished folds of P8 again"""

_P9_LABELS = ("angry", "happy", "neutral", "sad")

_SECOND_COPIES = frozenset({"03-01-03-01-02-02-07"})
"""RAVDESS was published with one recording under two names"""

NAMES = (*IN_CORPUS, RANDOM, JOINT, LEAVE_ONE_OUT)


MULTI = "multi"
"""The form of P1 to P6 that starts from a network of P9, trained on the other corpora"""


def plan(
    name: str, clips: Sequence[Clip], only: Sequence[str] | None = None, multi: bool = False
) -> Protocol:
    """The folds of a protocol over these clips, or only those named; `multi` for that form of P1 to P6.

    Raises:
        ProtocolError: when the protocol or a fold is unknown, or the clips do not support it.
    """
    protocol = _from_other_corpora(_plan(name, clips)) if multi else _plan(name, clips)
    if only is None:
        return protocol
    unknown = set(only) - {split.name for split in protocol.splits}
    if unknown:
        there = ", ".join(split.name for split in protocol.splits)
        raise ProtocolError(f"{name} has no fold {', '.join(sorted(unknown))}: choose from {there}")
    return replace(protocol, splits=tuple(split for split in protocol.splits if split.name in only))


def _plan(name: str, clips: Sequence[Clip]) -> Protocol:
    if name in IN_CORPUS:
        corpus = IN_CORPUS[name]
        chosen = [clip for clip in clips if clip.corpus == corpus]
        if not chosen:
            raise ProtocolError(f"{name} needs the corpus {corpus}, but no clip of it was given")
        labels = tuple(sorted({clip.emotion for clip in chosen}))
        return Protocol(name, "in", labels, _folds(chosen))
    if name == JOINT:
        joint = [replace(clip, fold=_joint_fold(clip.fold)) for clip in shipped_clips(clips)]
        return Protocol(name, "joint", SHIPPED_LABELS, _folds(joint))
    if name == RANDOM:
        return _random(clips)
    if name == LEAVE_ONE_OUT:
        return _leave_one_corpus_out(clips)
    raise ProtocolError(f"unknown protocol {name!r}: choose one of {', '.join((*NAMES, THROUGH_NOISE))}")


def _joint_fold(fold: int) -> int:
    """The joint fold of a corpus's own fold; 0, which stands for none, stays 0."""
    return (fold - 1) % _JOINT_FOLDS + 1 if fold else 0


def _from_other_corpora(protocol: Protocol) -> Protocol:
    """The same folds, each starting from the network that was trained on all other corpora."""
    if protocol.name not in IN_CORPUS:
        raise ProtocolError(f"only {', '.join(IN_CORPUS)} have the form {MULTI}; {protocol.name} has none")
    left_out = LEFT_OUT_IN_TURN.index(IN_CORPUS[protocol.name]) + 1
    return replace(protocol, form=MULTI, base=str(left_out))


def _random(clips: Sequence[Clip]) -> Protocol:
    """RAVDESS speech and song, with a random stratified fifth for testing, as in hobby projects."""
    # Imported here, because worker processes import this file before their number of cores is set.
    from sklearn.model_selection import train_test_split  # noqa: PLC0415

    chosen = [c for c in clips if c.corpus in ("ravdess", "ravdess_song")]
    missing = {"ravdess", "ravdess_song"} - {c.corpus for c in chosen}
    if missing:
        raise ProtocolError(f"{RANDOM} needs RAVDESS speech and song; missing: {', '.join(sorted(missing))}")
    # Sorted, so that the draw does not depend on the order in which the corpus was read.
    chosen = sorted((c for c in chosen if c.path.stem not in _SECOND_COPIES), key=lambda c: c.path.stem)
    emotions = [clip.emotion for clip in chosen]
    try:
        train, test = train_test_split(
            chosen, test_size=_RANDOM_SHARE, random_state=_RANDOM_SEED, stratify=emotions
        )
    except ValueError as error:
        raise ProtocolError(f"{RANDOM}: too few clips to draw a fifth of every emotion: {error}") from error
    split = Split("1", tuple(train), tuple(test))
    return Protocol(RANDOM, "in", tuple(sorted(set(emotions))), (split,), speaker_dependent=True)


def _leave_one_corpus_out(clips: Sequence[Clip]) -> Protocol:
    """Each corpus tests a network trained on the others, on the emotions that all of them have."""
    chosen = shipped_clips(clips)
    missing = set(LEFT_OUT_IN_TURN) - {clip.corpus for clip in chosen if clip.emotion in _P9_LABELS}
    if missing:
        raise ProtocolError(
            f"{LEAVE_ONE_OUT} needs {', '.join(LEFT_OUT_IN_TURN)}; missing: {', '.join(sorted(missing))}"
        )
    splits = []
    for number, corpus in enumerate(LEFT_OUT_IN_TURN, start=1):
        # RAVDESS actors are in two corpora: they speak in one and sing in the other.
        people = {clip.speaker for clip in chosen if clip.corpus == corpus}
        train = tuple(clip for clip in chosen if clip.speaker not in people)
        test = tuple(clip for clip in chosen if clip.corpus == corpus and clip.emotion in _P9_LABELS)
        splits.append(Split(str(number), train, test))
    return Protocol(LEAVE_ONE_OUT, "joint", SHIPPED_LABELS, tuple(splits), fewer=_P9_LABELS)


def shipped_clips(clips: Sequence[Clip]) -> list[Clip]:
    """The clips with the labels of the shipped model: calm counts as neutral, boredom is left out."""
    renamed = [replace(c, emotion="neutral") if c.emotion == "calm" else c for c in clips]
    return [clip for clip in renamed if clip.emotion in SHIPPED_LABELS]


def _folds(clips: Sequence[Clip]) -> tuple[Split, ...]:
    numbers = sorted({clip.fold for clip in clips})
    if 0 in numbers or len(numbers) < 2:
        raise ProtocolError("the clips need a fold each, and at least two folds: fill in the column `fold`")
    splits = []
    for number in numbers:
        test = tuple(clip for clip in clips if clip.fold == number)
        heard = {clip.speaker for clip in test}
        train = tuple(clip for clip in clips if clip.fold != number)
        shared = heard & {clip.speaker for clip in train}
        if shared:
            raise ProtocolError(
                f"fold {number}: {', '.join(sorted(shared))} would train and test; give all clips of a "
                "speaker the same fold"
            )
        splits.append(Split(str(number), train, test))
    return tuple(splits)
