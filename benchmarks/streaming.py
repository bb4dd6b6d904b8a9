"""The whole recogniser over long streams with known turns: whether it finds them, how late, and how well.

    python -m benchmarks.streaming --corpus manifest=CLIPS.csv --model FOLD1.tflite [--json] [--write]

The streams are made from the test clips of a fold of P8, whose speakers the model of that fold has never
heard. Noise and rooms are synthetic. Everything random is seeded, so every run gives the same figures.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.heard_turns import Heard, hear
from benchmarks.one_core import describe_machine
from edge.frontend.vad import Detector, GateSettings
from edge.inference.clip import speech_frames
from edge.inference.doubts import Doubt
from edge.inference.errors import TooShortError
from edge.inference.model import SHIPPED_MODEL, EmotionModel, ModelSettings
from edge.inference.recognizer import Recognizer, TurnResult
from edge.inference.reference import VoiceSettings
from edge.inference.turns import TurnSettings
from training.corpora import Clip, read_corpus
from training.noises import KINDS, MUSIC
from training.protocols import plan
from training.streams import babble, make_stream, noise_only

RESULT = Path(__file__).parent / "results" / "streaming.json"

_CORPORA = ("ravdess", "emodb", "urdu", "ased", "nemo", "tess")
_CLIPS_OF_A_SPEAKER = 6
_OF_THE_SOUND = (Doubt.SNR, Doubt.CLIPPING, Doubt.SPEECH)
_FOLLOWED = 200
_ROOMS_S = (0.0, 0.25, 0.5)
"""Reverberation times to draw from"""

_LEVELS_DB = (-45.0, -30.0, -18.0)
"""Levels of noise alone, in dB full scale"""


def uar(pairs: Sequence[tuple[str, str]]) -> float:
    """Unweighted average recall of (truth, answer), in percent."""
    labels = sorted({truth for truth, _ in pairs})
    return 100.0 * float(np.mean([np.mean([a == t for t, a in pairs if t == label]) for label in labels]))


def likeliest(result: TurnResult) -> str:
    """The most likely label, even if the answer is `uncertain`."""
    return max(result.answer.probabilities, key=result.answer.probabilities.__getitem__)


def conversations(clips: Sequence[Clip], count: int, seed: int) -> list[list[Clip]]:
    """Clips of one speaker, then of another of the same corpus; the corpora take turns."""
    rng = np.random.default_rng(seed)
    speakers: dict[str, dict[str, list[Clip]]] = {}
    for clip in clips:
        speakers.setdefault(clip.corpus, {}).setdefault(clip.speaker, []).append(clip)
    made = []
    for number in range(count):
        corpus = speakers[_CORPORA[number % len(_CORPORA)]]
        pair = rng.permutation(sorted(corpus))[:2]
        made.append(
            [
                corpus[name][int(i)]
                for name in pair
                for i in rng.permutation(len(corpus[name]))[:_CLIPS_OF_A_SPEAKER]
            ]
        )
    return made


def measure(
    model: EmotionModel, clips: Sequence[Clip], gate: GateSettings, streams: int, noise_s: float, seed: int
) -> dict[str, object]:
    """All figures."""
    recognizer = Recognizer(model, TurnSettings(), gate)
    talks = conversations(clips, streams, seed)
    clean, noisy, five, voices, nobody = Heard(), Heard(), Heard(), Heard(), {}
    for number, talk in enumerate(talks):
        rng = np.random.default_rng((seed, number))
        room_s = float(rng.choice(_ROOMS_S))
        hear(recognizer, make_stream(talk, rng, room_s=room_s), clean)
        kinds = [*KINDS.values(), babble([c for c in clips if c not in talk])]
        noise = kinds[number % len(kinds)]
        for snr_db, into in ((10.0, noisy), (5.0, five)):
            rng = np.random.default_rng((seed, number))
            stream = make_stream(talk, rng, noise=noise, snr_db=snr_db, room_s=room_s)
            hear(recognizer, stream, into)
            if noise is kinds[-1] and into is noisy:
                hear(recognizer, stream, voices)
        _say(f"{number + 1} of {streams} conversations")
    for kind, maker in KINDS.items():
        nobody[kind] = Heard()
        for level_db in _LEVELS_DB:
            rng = np.random.default_rng((seed, 99, round(-level_db)))
            seconds = noise_s / len(_LEVELS_DB)
            hear(recognizer, noise_only(seconds, rng, maker, level_db), nobody[kind])
        _say(f"noise: {kind}")
    return _figures(model, clean, noisy, five, voices, nobody) | following(model, clips, gate, seed)


def following(
    model: EmotionModel, clips: Sequence[Clip], gate: GateSettings, seed: int
) -> dict[str, float | int]:
    """The gain from following the voice from turn to turn, even though another speaker takes over half-way.

    It takes more conversations than the other figures, because the difference is small compared with chance.
    """
    followed, alone = Heard(), Heard()
    for number, talk in enumerate(conversations(clips, _FOLLOWED, seed + 1)):
        rng = np.random.default_rng((seed + 1, number))
        stream = make_stream(talk, rng, room_s=float(rng.choice(_ROOMS_S)))
        for into in (followed, alone):
            voice = VoiceSettings(follow=into is followed)
            hear(Recognizer(model, TurnSettings(), gate, voice), stream, into)
        _say(f"{number + 1} of {_FOLLOWED} conversations, the voice followed or not")
    return {
        "following_turns": len(followed.found),
        "uar_turn_voice_followed": round(uar(_of_turns(followed)), 2),
        "uar_turn_voice_not_followed": round(uar(_of_turns(alone)), 2),
    }


def _of_turns(heard: Heard) -> list[tuple[str, str]]:
    """Truth and answer of each turn found."""
    return [(turn.clip.emotion, likeliest(result)) for turn, result in heard.found]


def _figures(
    model: EmotionModel,
    clean: Heard,
    noisy: Heard,
    five: Heard,
    voices: Heard,
    nobody: dict[str, Heard],
) -> dict[str, object]:
    of_clips = [
        (turn.clip.emotion, answer) for turn, _ in clean.found if (answer := _of_clip(model, turn.clip))
    ]
    hours = sum(heard.seconds for heard in nobody.values()) / 3600.0
    music_hours = sum(nobody[kind].seconds for kind in MUSIC) / 3600.0
    unsure = [result.answer.emotion == "uncertain" for _, result in clean.found]
    return {
        "f1_clean": round(clean.f1, 4),
        "f1_10db": round(noisy.f1, 4),
        "f1_5db": round(five.f1, 4),
        "f1_10db_noise_of_voices": round(voices.f1, 4),
        "f1_10db_other_noise": round(noisy.f1_without(voices), 4),
        "false_turns_per_hour": round(sum(h.false for h in nobody.values()) / hours, 2),
        "false_turns_per_hour_music": round(sum(nobody[k].false for k in MUSIC) / music_hours, 2),
        "false_turns_per_hour_by_kind": {k: round(3600 * h.false / h.seconds, 2) for k, h in nobody.items()},
        "uar_turn": round(uar(_of_turns(clean)), 2),
        "uar_clip": round(uar(of_clips), 2),
        "uar_turn_10db": round(uar(_of_turns(noisy)), 2),
        "uncertain_share": round(float(np.mean(unsure)), 4),
        "doubted_share": {
            name: {doubt.value: round(_doubted(heard, doubt), 4) for doubt in _OF_THE_SOUND}
            for name, heard in (("clean", clean), ("10db", noisy), ("5db", five))
        },
        "delay_ms_p50": round(float(np.percentile(clean.delays_ms, 50)), 1),
        "delay_ms_p95": round(float(np.percentile(clean.delays_ms, 95)), 1),
        "turns": len(clean.found) + clean.missed,
        "missed_clean": clean.missed,
        "false_clean": clean.false,
        "hours_of_speech_streams": round((clean.seconds + noisy.seconds + five.seconds) / 3600, 2),
        "hours_of_noise": round(hours, 2),
    }


def _doubted(heard: Heard, doubt: Doubt) -> float:
    """The share of the turns found whose answer was refused for this reason."""
    return float(np.mean([doubt in result.doubts for _, result in heard.found]))


def _of_clip(model: EmotionModel, clip: Clip) -> str | None:
    """The answer of `affectd classify` to the same clip."""
    from edge.audio.files import read_file  # noqa: PLC0415

    try:
        answer = model.answer(speech_frames(read_file(clip.path), model.mfcc_config))
    except TooShortError:
        return None
    return max(answer.probabilities, key=answer.probabilities.__getitem__)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.streaming", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--corpus", required=True, metavar="KIND=PLACE", help="as for affectd-train")
    parser.add_argument(
        "--model", default=str(SHIPPED_MODEL), help="model of the fold, which has not heard its test clips"
    )
    parser.add_argument(
        "--fold", default="1", help="fold of P8 that the test clips come from (default: %(default)s)"
    )
    parser.add_argument(
        "--detector", choices=[str(d) for d in Detector], default=str(GateSettings().detector)
    )
    parser.add_argument("--streams", type=int, default=20, help="conversations (default: %(default)s)")
    parser.add_argument("--noise-s", type=float, default=600.0, help="per noise kind (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--write", action="store_true", help=f"also write JSON to {RESULT.name}")
    args = parser.parse_args(argv)
    kind, _, place = args.corpus.partition("=")
    (split,) = plan("P8", read_corpus(kind, Path(place)).clips, [args.fold]).splits
    clips = [clip for clip in split.test if clip.corpus in _CORPORA]
    model = EmotionModel(ModelSettings(path=args.model))
    gate = GateSettings(detector=Detector(args.detector))
    figures = measure(model, clips, gate, args.streams, args.noise_s, args.seed)
    result = {
        **figures,
        "detector": args.detector,
        "model": model.card.name,
        "model_sha256": model.card.flatbuffer_sha256,
        "fold": f"P8/{args.fold}",
        "seed": args.seed,
        "machine": describe_machine(("numpy", "ai-edge-litert")),
    }
    text = json.dumps(result, indent=2)
    if args.write:
        RESULT.write_text(text + "\n", encoding="utf-8")
    print(text if args.json else "\n".join(f"{key:<36} {value}" for key, value in figures.items()))
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
