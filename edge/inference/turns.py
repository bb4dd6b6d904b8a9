"""Turn detection: from the gate's decision on each hop to where turns of speech begin and end."""

from __future__ import annotations

from collections import deque

import msgspec


class TurnSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What makes a turn, and what makes it `uncertain`; times are in seconds of audio."""

    onset_s: float = 0.1
    """Amount of speech that begins a turn, if it falls within twice this time"""

    pre_roll_s: float = 0.1
    """Sound before the first speech that belongs to the turn; as much after the last speech does too"""

    hangover_s: float = 0.6
    """Pause that ends the turn"""

    min_speech_s: float = 0.3
    """A turn with less speech than this is dropped: a cough, a door"""

    max_turn_s: float = 15.0
    """Longest turn: it ends at this length, and further speech begins the next one"""

    none_after_s: float = 10.0
    """Time after the end of a turn from which its emotion no longer counts as the current one"""

    provisional_s: float = 0.5
    """Interval between first guesses at a turn that is being spoken"""

    switch_margin: float = 0.1
    """Probability by which another emotion must be ahead before a first guess changes to it"""

    least_snr_db: float = 6.0
    """Signal-to-noise ratio in dB below which a turn is `uncertain`"""

    most_clipped: float = 0.01
    """Share of samples at full scale above which a turn is `uncertain`"""

    sure_speech_s: float = 0.5
    """Speech that a turn must hold for its emotion to be named; with less it is `uncertain`"""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if name.endswith("_s") and not 0.0 < getattr(self, name) <= 3600.0:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be above 0 and at most 3600 s")
        for name in ("switch_margin", "most_clipped"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be 0 to 1")
        if not -60.0 <= self.least_snr_db <= 60.0:
            raise ValueError(f"least_snr_db is {self.least_snr_db}: it must be -60 to 60")
        if self.max_turn_s <= self.min_speech_s + self.hangover_s:
            raise ValueError("max_turn_s must be longer than min_speech_s and hangover_s together")
        # A new turn can reach back this far.
        if self.max_turn_s <= 2 * self.onset_s + self.pre_roll_s:
            raise ValueError("max_turn_s must be longer than twice onset_s and pre_roll_s together")


class TurnBegan(msgspec.Struct, frozen=True):
    """A turn has begun."""

    start: int
    """First hop of the turn"""


class TurnClosed(msgspec.Struct, frozen=True):
    """A turn is over."""

    start: int
    """First hop"""

    speech_end: int
    """First hop after the last speech and its margin; the model hears the turn up to here"""

    end: int
    """First hop after the turn, hangover included"""

    speech: int
    """Hops of speech in it"""

    enough: bool
    """Whether `speech` amounts to at least `min_speech_s`"""


class TurnDetector:
    """Groups hop-by-hop decisions into turns; counts time in hops only."""

    def __init__(self, settings: TurnSettings, hop_s: float) -> None:
        def hops(seconds: float) -> int:
            return max(1, round(seconds / hop_s))

        self._onset = hops(settings.onset_s)
        self._margin = hops(settings.pre_roll_s)
        self._hangover = hops(settings.hangover_s)
        self._least = hops(settings.min_speech_s)
        self._longest = hops(settings.max_turn_s)
        self.reset()

    def reset(self) -> None:
        """Start again at hop 0, in silence."""
        self._hop = 0
        self._free_from = 0
        self._idle()

    def _idle(self) -> None:
        self._recent: deque[int] = deque(maxlen=self._onset)
        self._start: int | None = None
        self._last_speech = 0
        self._speech_hops = 0

    @property
    def lookback(self) -> int:
        """How many hops a turn that begins now may reach back."""
        return 2 * self._onset + self._margin

    @property
    def enough(self) -> bool:
        """Whether the open turn already holds at least `min_speech_s` of speech."""
        return self._start is not None and self._speech_hops >= self._least

    def push(self, is_speech: bool) -> TurnBegan | TurnClosed | None:
        """Take the decision on the next hop, and return whether a turn begins or ends with it."""
        hop = self._hop
        self._hop += 1
        if self._start is None:
            return self._wait(hop) if is_speech else None
        if is_speech:
            self._last_speech = hop
            self._speech_hops += 1
        if hop - self._last_speech >= self._hangover or self._hop - self._start >= self._longest:
            return self._close(self._start)
        return None

    def flush(self) -> TurnClosed | None:
        """Close the open turn, because the sound has ended."""
        return None if self._start is None else self._close(self._start)

    def _wait(self, hop: int) -> TurnBegan | None:
        self._recent.append(hop)
        first = self._recent[0]
        if len(self._recent) < self._onset or hop - first >= 2 * self._onset:
            return None
        self._start = max(self._free_from, first - self._margin)
        self._last_speech = hop
        self._speech_hops = len(self._recent)
        return TurnBegan(self._start)

    def _close(self, start: int) -> TurnClosed:
        closed = TurnClosed(
            start=start,
            speech_end=min(self._last_speech + 1 + self._margin, self._hop),
            end=self._hop,
            speech=self._speech_hops,
            enough=self._speech_hops >= self._least,
        )
        self._free_from = closed.end
        self._idle()
        return closed
