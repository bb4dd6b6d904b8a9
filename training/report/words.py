"""What the page says of each protocol that no result can know: its name, and what others have published."""
# ruff: noqa: E501  # lines of Markdown

from __future__ import annotations

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
    "multi": "trained on the other corpora, then on the other folds of this one",
    "joint": "trained on all corpora but the test",
    "adapt": "with a reference of the voice from k earlier clips, unlabelled",
    "enrol": "with a reference of the voice from k neutral clips",
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
    "P1": "Not every fold is blind: test figures of folds 1 and 2 were in view while the first network was settled, and "
    "the speakers of fold 4 were those on whom the voice's reference was chosen; how long to train and "
    "that two branches are better than one was judged on folds 1 and 2, as was how far training stretches the mel axis and "
    "that a voice's leaning is taken off. Folds 3, 5 and 6 were not looked at; the four views of each window and the second half were chosen "
    "by validation speakers out of the training folds of 1, 2, 3 and 5.",
    "P2": "Networks of one branch, with a second half of training and recordings cut by their level alone, were better with a new voice "
    "and not as good with a known one ([above](#what-pitch-is-worth)).",
    "P4": "26 of the 29 speakers are heard in one emotion only, 294 of the 400 clips: a network cannot tell the emotion from the voice in "
    "training, and what a voice's other turns have in common is the emotion itself, so that its reference takes away what is looked for. "
    "The interval says how much hangs on who is in the test: 72 of the 100 neutral clips are one man's. Much of what tells these emotions apart is how loud each recording is: "
    "an SVM that knows nothing else beats the one on eGeMAPS of recordings brought to one level ([above](#what-the-level-of-a-recording-gives-away)). A device has no such knowledge, "
    "and affectd none by design. Networks of one branch, with a second half of training, were better ([above](#what-pitch-is-worth)).",
    "P5": "Folds 1 and 2 are not blind: the voice's reference was tried on the speakers of fold 2, and how far training stretches "
    "the mel axis, and that a voice's leaning is taken off, was judged on both. Fold 3 was not looked at.",
    "P7": "**Speaker-dependent**: the people of the test were heard in training, with the same sentences, and other takes "
    "of the same performance. It is here only because figures made this way are often quoted; compare it with P1, the "
    "same actors, unheard.",
    "P8": "Fold 1 is not blind: what training adds of music and other voices, and what share of the first half's weights is "
    "kept, was tried on half of its clips; that nothing of them is kept was then settled by the validation speakers of folds 1 "
    "to 5, and how noise and music are made for training by those of fold 1. That "
    "recordings are cut as the daemon cuts its turns was settled by the validation speakers of folds 2 and 3, in quiet and in noise. That the "
    "temperature goes only as far as it suits a validation speaker who was left out of its fit was decided after the "
    "plain fit had been seen to make the calibration error of this table worse.",
    "P9": "Fold 1 leaves out ASED, 2 EMO-DB, 3 nEMO, 4 RAVDESS, 5 TESS, 6 URDU: a language and a way of recording that "
    "training has not heard, TESS and RAVDESS apart, which share English. The networks know the seven shipped labels; an "
    "answer is the likeliest of the four. Their recipe was settled by validation speakers of P8, and so of these corpora, too.",
    "P10": "Nothing is trained for this: the int8 files of P8's folds score their own test clips once more. These are of the networks before "
    "those of P8's table: the first half of their training had heard recordings cut by their level alone, and speakers with few clips were "
    "heard no more often than others. Each clip meets "
    "one of four kinds of noise, made here: pink, mains hum, babble of eight voices from the training clips, "
    "and music of plucked chords. The ratio is that of mean powers while the speech lasts. Rooms are a shoebox of 5 x 4 x "
    "2.8 m by the image-source method, mouth and microphone in six pairs of places. The microphones are frequency responses "
    "drawn for this: a telephone's band (300 to 3400 Hz), a cheap electret, a laptop; see `training/microphones.py`. A clip in which no speech was "
    "found counts as wrong.",
}

INTRODUCTION = (
    """\
# Accuracy

Every figure is measured on speakers who are in neither training, validation, normalisation nor calibration, with
the features of `edge.frontend`, the int8 file, the edge runtime, and the windows of `affectd classify`. The number
of epochs is fixed beforehand, or comes from validation speakers taken out of the training folds, as the recipe says;
the temperature comes from validation speakers or is 1. UAR is the unweighted average recall;
the interval is a 95 % bootstrap over speakers. The one exception is P7, whose people are heard in training; it says so.
The actors of RAVDESS share two sentences and those of EMO-DB ten,
so the text is known even where the speaker is not. Acted speech is not life: expect less of people who do not act.
URDU alone is not acted: it is cut from television talk shows (Latif et al., 2018).

Results stand until they are made anew: where the recipe or the code has changed since, a note says so, and the command gives other
figures today. Work was brought together now and then, and of the commits that stand beside the results not all are in the history of
the repository: 382f796 is the first in it behind b24b77a6420e and c55623595e2a, and 86ff381 behind the others. The form
`multi` is older than the pitch in the front end ("40 MFCCs"); it and P7 are older than the second branch, the wider stretch of the mel axis
in training and the voice's leaning, and heard recordings cut by their level alone ([below](#where-speech-begins-and-ends)). The
levers were measured with the narrower stretch (0.03) and the older cut, too. How pitch is found was chosen on the
speakers of joint fold 1 (fold 1 of P1 to P6, and fold 7 of P2), of P1's fold 4 and of P5's fold 2: to that choice
these folds are not blind.

`CORPORA/manifest.csv` in the commands is a table as `--corpus csv=` reads it ([training.md](training.md)), with the columns path, corpus,
language, speaker, sex, emotion, fold and licence, of the published recordings at 16 kHz (soxr VHQ, Ogg Vorbis). Who is in which fold stands in
[benchmarks/folds.csv](../benchmarks/folds.csv); who speaks is in the names of the files: RAVDESS's and ASED's end with it, the others' begin with it.

This page is made by `affectd-train report` from the JSON files in `benchmarks/results/accuracy/`. Each training since
the front end hears pitch, or scoring anew, is a line of `benchmarks/results/runs.jsonl`, with its recipe and figures.

The forms: """
    + "; ".join(f"`{form}`, {words}" for form, words in FORMS.items())
    + """. WA is the share of all clips that
are right, macro-F1 the mean over the emotions.
"""
)

_FIRST_HALVES = {"P1": "ravdess", "P7": "song", "P8": "joint", "P9": "joint"}


def second_half(protocol: str) -> str:
    """How to come by the networks that a training with `--base` goes on from."""
    recipe = _FIRST_HALVES.get(protocol, "folds")
    return (
        " That is the second half of the training: the first is the same command with `--recipe "
        f"training/recipes/{recipe}.toml --runs RUNS` and without `--base`, and the second is given other `--runs`"
        f"{', where P10 looks for it' if protocol == 'P8' else ''}."
    )
