// The turns of a recording on its time axis, and a cursor that follows the player.

import { el } from "./dom.js";
import { clock, percent } from "./format.js";
import { paint } from "./palette.js";

const PIXELS_PER_S = 24;
const STEPS_S = [1, 2, 5, 10, 20, 30, 60];

/** One button per turn, at the position of the turn. */
export function turnButtons(turns, seconds, onChoose) {
  return turns.map((turn, index) => {
    const button = el("button", { type: "button", "aria-pressed": "false",
      "aria-label": `Turn ${index + 1}: ${turn.emotion}, ${percent(turn.confidence)}, from ${clock(turn.start)} to ${clock(turn.end)}`,
      title: `${turn.emotion}, ${percent(turn.confidence)}` },
    el("b", {}, turn.emotion), percent(turn.confidence));
    button.style.left = `${(100 * turn.start) / seconds}%`;
    button.style.width = `calc(${(100 * (turn.end - turn.start)) / seconds}% - 2px)`;
    button.addEventListener("click", () => onChoose(index));
    return paint(button, turn.emotion);
  });
}

/** Width of the strip for a recording; wider than the page if the recording is long. */
export const widthOf = (seconds) => `${Math.ceil(PIXELS_PER_S * seconds)}px`;

/** Time labels below the strip. */
export function ticks(seconds) {
  const step = STEPS_S.find((one) => seconds / one <= 20) ?? 60;
  // Leave room for the last label.
  const count = Math.max(1, Math.ceil((seconds - 0.6 * step) / step));
  const times = Array.from({ length: count }, (_, number) => number * step);
  return times.map((time) => {
    const tick = el("span", {}, `${Math.floor(time / 60)}:${String(time % 60).padStart(2, "0")}`);
    tick.style.left = `${(100 * time) / seconds}%`;
    return tick;
  });
}

/** Moves with the player, seeks where the strip is clicked, and stops the player at the end of a turn. */
export class Cursor {
  constructor(element, strip, player) {
    this.element = element;
    this.player = player;
    this.seconds = 1;
    this.until = Infinity;
    const follow = () => {
      this.place();
      if (!player.paused) requestAnimationFrame(follow);
    };
    player.addEventListener("play", follow);
    player.addEventListener("seeked", () => this.place());
    strip.addEventListener("click", (click) => {
      if (click.target.closest("button")) return;
      const box = strip.getBoundingClientRect();
      this.seek((this.seconds * (click.clientX - box.left)) / box.width);
    });
  }

  seek(time) {
    this.until = Infinity;
    this.player.currentTime = time;
    this.element.style.left = `${(100 * time) / this.seconds}%`;
  }

  play(turn) {
    this.seek(turn.start);
    this.until = turn.end;
    this.player.play().catch(() => {});
  }

  place() {
    const time = this.player.currentTime;
    if (time >= this.until) {
      this.until = Infinity;
      this.player.pause();
    }
    this.element.style.left = `${Math.min(100, (100 * time) / this.seconds)}%`;
  }
}
