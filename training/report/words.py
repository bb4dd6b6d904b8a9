"""What the page says of each protocol that no result can know: its name, and what others have published."""
# ruff: noqa: E501  # lines of Markdown

from __future__ import annotations

import re

TITLES = {
    "P1": "RAVDESS speech, 8 emotions, 6 EmoBox folds",
    "P2": "EMO-DB, 7 emotions, 10 folds of one speaker",
    "P3": "TESS, 7 emotions, one actress trains and the other tests",
    "P4": "URDU, 4 emotions, 5 folds",
    "P5": "nEMO, 6 emotions, 3 folds",
    "P6": "ASED, 5 emotions, 5 folds",
    "P7": "RAVDESS speech and song, 8 emotions, random 80/20 split, **speaker-dependent**",
    "P8": "all corpora together, the 7 shipped labels, 6 joint folds",
    "P9": "angry, happy, neutral, sad; each of six corpora left out in turn",
    "P10": "P8's test clips in noise, at 10 dB SNR",
}

FOLDS = {"P1": 6, "P2": 10, "P3": 2, "P4": 5, "P5": 3, "P6": 5, "P7": 1, "P8": 6, "P9": 6, "P10": 6}

FORMS = {
    "in": "trained on the other folds of this corpus",
    "multi": "trained on the other corpora (the first half of P9, at 86ff3816f507), then on the other folds of this one",
    "joint": "trained on all corpora without the test speakers, in P9 without the test corpus",
    "adapt": "of `in` or `joint` that has heard up to k earlier clips of the voice, without their labels; k = 10 unless said otherwise",
    "enrol": "of `in` or `joint` that has heard up to k neutral clips of the voice; k = 3 unless said otherwise",
}

PUBLISHED = {
    "P1": (
        (
            "ResLSTM-SA, 47 thousand parameters, float, five other folds, mean of ten runs, normalised over all clips",
            "62.3",
            "Krasnoproshin and Vashkevich, 2026 (arXiv 2606.03359)",
        ),
        ("frozen wav2vec2-base, same folds", "54.3", "EmoBox, Ma et al., 2024"),
        ("frozen HuBERT-base, same folds", "65.4", "EmoBox"),
        ("frozen WavLM-large, 317 million parameters, same folds", "72.0", "EmoBox"),
        ("frozen Whisper-large-v3, same folds", "75.3", "EmoBox"),
    ),
    "P2": (("openSMILE and SVM, by speaker", "73 to 77 accuracy", "published, other folds"),),
    "P3": (("WavLM-large and SVM, one way", "84.4", "published"),),
    "P7": (("tuned MLP on means of librosa features", "79.96 accuracy", "published, another random split"),),
    "P9": (("frozen self-supervised models, most pairs of corpora", "20 to 50", "published; chance is 25"),),
}
"""System, UAR in points unless it says accuracy, source"""

NOTES = {
    "P1": "Not every fold is blind. The test figures of folds 1 and 2 were in view while the first network was chosen, and later "
    "decided the length of the training, the second branch, the stretch of the mel axis, and the subtraction of a voice's leaning. The voice's "
    "reference was developed on the speakers of fold 4. Folds 3, 5 and 6 decided nothing. The four views of each window and the second "
    "half were chosen by validation speakers from the training folds of 1, 2, 3 and 5. The networks of `multi` have neither; those of `in` "
    "without them are [above](#four-views-of-each-window).",
    "P2": "Networks with one branch, trained in two halves on recordings cut by level alone, were better on a new voice and worse on a known "
    "one ([above](#what-pitch-is-worth)).",
    "P4": "26 of the 29 speakers, with 294 of the 400 clips, are heard in one emotion only. In training, a network cannot tell such a voice from "
    "its emotion; in use, what a voice's other turns have in common is the emotion itself, so the reference removes what is being "
    "looked for. The interval shows how much depends on who is in the test: 72 of the 100 neutral clips are from one man. Loudness "
    "alone tells these emotions apart better than eGeMAPS on levelled recordings does "
    "([above](#what-the-level-of-a-recording-gives-away)); affectd ignores loudness by design, since a device knows neither "
    "gain nor distance. Networks with one branch, trained in two halves, were better ([above](#what-pitch-is-worth)). "
    "The form `multi` goes on from networks of P9, which get no history for speakers of one emotion in training. What that costs "
    "without the other corpora is [above](#no-history-for-speakers-of-one-emotion).",
    "P5": "Folds 1 and 2 are not blind: the voice's reference was developed on the speakers of fold 2, and both folds decided the stretch of "
    "the mel axis and the subtraction of a voice's leaning. Fold 3 decided nothing.",
    "P7": "**Speaker-dependent**: the speakers of the test were heard in training, with the same sentences and in other takes of the same "
    "performance. The protocol is here only because such figures are often quoted. Compare it with P1: the same actors, unheard.",
    "P8": "Fold 1 is not blind: half of its clips were used to try what music and voices training adds, and how much of the first half's weights "
    "is kept. Validation speakers then decided that none is kept (folds 1 to 5), how noise and music are made for training (fold 1), and that "
    "recordings are cut as the daemon cuts its turns (folds 2 and 3, in quiet and in noise). The limits on the temperature were added after "
    "fits had made this table's calibration error worse: it must suit validation speakers left out of its fit, and they must gain by it "
    "significantly. With the first limit alone the error was 0.052 (scored at 81049a52e169). "
    "Validation speakers of folds 1 and 2 decided that the first half takes 9,600 batches. "
    "Folds 1 and 2 were trained at 9cd880e7899d with the joint.toml of 81049a52e169; of all folds, temperature and leaning were learned anew "
    "at 1b9749c9664f, from the same networks. The networks also know which emotions a corpus has: disgust is in RAVDESS's speech, TESS and "
    "EMO-DB alone, and is hardly ever the answer to the others. That helps here, and helps nobody elsewhere: "
    "expect a lower recall of disgust and surprise in a recording set-up that training has not heard.",
    "P9": "Fold 1 leaves out ASED, 2 EMO-DB, 3 nEMO, 4 RAVDESS, 5 TESS, 6 URDU. Each is a language and a recording set-up that "
    "training has not heard, except that TESS and RAVDESS share English. The networks know the seven shipped labels; the answer is the "
    "likeliest of the four. The interval is that of other speakers of these six corpora, not of other corpora, among which the UAR varies "
    "far more. The recipe was chosen on validation speakers of P8, and so on speakers of these corpora, too. "
    "The first half of these networks' training took 4,800 batches, where the shipped model's and P8's took 9,600; "
    "and their temperatures need not have helped those left out significantly, as they must now.",
    "P10": "Nothing is trained here: the int8 files of P8's folds, which stand in its SECOND_HALVES, score their own test clips again. "
    "Each clip meets one of four kinds of synthetic noise: pink, mains hum, babble of eight voices from the "
    "training clips, and music of plucked chords. The SNR is the ratio of mean powers during speech. Rooms are a shoebox of "
    "5 x 4 x 2.8 m by the image-source method, with six pairs of places for mouth and microphone. The microphones are designed frequency "
    "responses: a telephone band (300 to 3400 Hz), a cheap electret and a laptop, see `training/microphones.py`. A clip in which no "
    "speech was found counts as wrong.",
}

INTRODUCTION = """\
# Accuracy

How well affectd recognises emotion in people it has never heard, by ten protocols. `affectd-train report` makes this page from the
JSON files in `benchmarks/results/accuracy/`. Each result names the command and the commit that made it. Each training since the
front end hears pitch, and each later scoring, is a line of `benchmarks/results/runs.jsonl`, with its recipe and figures.

How it is measured:

- Test speakers are in neither training, validation, normalisation nor calibration. P7 is the exception, and says so.
- What is scored is what the device runs: the features of `edge.frontend`, the int8 file, the edge runtime, and the windows of
  `affectd classify`.
- The number of epochs is fixed beforehand, or chosen on validation speakers taken out of the training folds, as the recipe says. The
  temperature is fitted on validation speakers, if those left out of the fit gain by it; else it is 1.
- UAR is the unweighted average recall, WA the share of all clips that are right, macro-F1 the mean over the emotions; all in percent.
  Intervals are 95 % bootstraps over speakers.

What to keep in mind:

- All corpora except URDU are acted, and acted speech is not life: expect less of people who do not act. URDU is cut from television
  talk shows (Latif et al., 2018).
- The text is not new: the actors of RAVDESS share two sentences, those of EMO-DB ten.
- Pitch tracking was developed on the speakers of joint fold 1 (fold 1 of P1 to P6, and fold 7 of P2), of P1's fold 4 and of P5's fold 2,
  so these folds are not blind to it.
- Results stand until they are made again: where the recipe or the code has changed since, a note says so, and the command gives other
  figures today. Some commits beside the results are not in the history of the repository, which was merged without them: 382f796 is
  the first in it after b24b77a6420e, and 86ff381 the first after the others.

`CORPORA/manifest.csv` in the commands is a table for `--corpus csv=` ([training.md](training.md)) with the columns path, corpus,
language, speaker, sex, emotion, fold and licence. It lists the published recordings at 16 kHz (soxr VHQ, Ogg Vorbis).
[benchmarks/folds.csv](../benchmarks/folds.csv) lists who is in which fold. File names name the speaker: at their end in RAVDESS and
ASED, at their beginning in the others.

| form | a network |
|---|---|
""" + "".join(f"| `{form}` | {words} |\n" for form, words in FORMS.items())

_FIRST_HALVES = {"P1": "ravdess", "P7": "song", "P8": "joint", "P9": "joint"}


def commands(protocol: str, command: str) -> list[str]:
    """What to type for a result: the command that made it, and before it the one for the networks it goes on from."""
    if " --form multi" in command:
        first = re.sub(r"--protocol \S+", "--protocol P9", command.replace(" --form multi", ""))
        return [
            _by_recipe(first, _FIRST_HALVES["P9"]) + " --runs RUNS --train-only",
            f"{command} --runs RUNS",
        ]
    if " --base " in command:
        first = _by_recipe(re.sub(r" --base \S+", "", command), _FIRST_HALVES.get(protocol, "folds"))
        return [f"{first} --runs RUNS --train-only", f"{command} --runs SECOND_HALVES"]
    return [f"{command} --runs SECOND_HALVES" if protocol == "P10" else command]


def _by_recipe(command: str, name: str) -> str:
    return re.sub(r"--recipe \S+", f"--recipe training/recipes/{name}.toml", command)
