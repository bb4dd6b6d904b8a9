#!/usr/bin/env bash
# Makes edge/demo_speech.ogg, the speech that `affectd demo` listens to: make_demo_speech.sh [OUTPUT]
#
# Needs espeak-ng, sox and vorbis-tools. The speech contains nobody's voice, so it may be shipped: eight synthetic
# utterances that differ in voice, speed, pitch, pitch range and loudness as moods do, with a quiet room between them.
# The room is noise at -70 dBFS, not digital silence: no microphone delivers zeros, so the voice activity detector
# should not see any. The same versions of these programs make the same file, byte for byte.
set -euo pipefail

output=${1:-"$(dirname "$(readlink -f "$0")")/../edge/demo_speech.ogg"}
rate=16000
lead_s=0.5
gap_s=1.2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
parts=()

room() { # SECONDS FILE: silence, as a placeholder for the room's noise, which is added to everything at the end
    sox -R -r "$rate" -n -b 16 "$2" trim 0 "$1"
}

say() { # PEAK_DBFS VOICE WORDS_PER_MINUTE PITCH RANGE TEXT
    local number=${#parts[@]}
    espeak-ng -m -v "$2" -s "$3" -p "$4" -w "$work/raw.wav" "<speak><prosody range=\"$5\">$6</prosody></speak>"
    # espeak-ng pads its sentences with silence, which is cut off; the pauses of this file are made below.
    sox -R "$work/raw.wav" -b 16 "$work/$number-speech.wav" \
        silence 1 0.01 -55d reverse silence 1 0.01 -55d fade t 0.02 reverse fade t 0.01 \
        rate -h "$rate" gain -n "$1"
    room "$gap_s" "$work/$number-gap.wav"
    parts+=("$work/$number-speech.wav" "$work/$number-gap.wav")
}

room "$lead_s" "$work/lead.wav"
parts+=("$work/lead.wav")
say  -6 en-us+f3 195 75 x-high "Oh, that is wonderful! I hardly believe it, we won!"
say -12 en-gb+m3 150 40 x-low  "The next train to the harbour leaves from platform four."
say  -9 en-us+m7 118 15 low    "I miss her so much, the house is empty now."
say  -6 en-gb+m1 205 60 high   "No! I told you three times already, leave it alone!"
say  -7 en-us+f5 200 95 x-high "Who is there? Please, please do not come any closer!"
say -11 en-gb+f2 145 55 medium "Could you tell me where the museum is, and when it opens?"
say  -8 en-us+f4 180 85 x-high "What? You are here already? I never expected that!"
say -12 en-gb+m5 120 25 x-low  "This milk has gone sour, take it away."

sox -R "${parts[@]}" "$work/dry.wav"
sox -R "$work/dry.wav" -b 16 "$work/noise.wav" synth whitenoise vol -66dB
sox -R -m -v 1 "$work/dry.wav" -v 1 "$work/noise.wav" -b 16 "$work/demo.wav"
oggenc --quiet --serial 1 --quality 3 \
    --title "affectd demo: synthetic speech made with espeak-ng" \
    --comment "license=Apache-2.0, as affectd" \
    --output "$output" "$work/demo.wav"
