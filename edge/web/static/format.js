// Formats numbers and words for people.

const DOUBTS = {
  confidence: "no emotion is probable enough",
  snr: "the speech is hardly louder than the noise",
  clipping: "the speech is too loud for the microphone",
  speech: "there is too little speech",
};

export const percent = (share) => `${Math.round(100 * share)} %`;

/** Seconds as m:ss.s */
export function clock(seconds) {
  const tenths = Math.round(10 * seconds);
  const rest = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  return `${Math.floor(tenths / 600)}:${rest}`;
}

export const signed = (number) =>
  number === null || number === undefined ? "–" : (number < 0 ? "−" : "+") + Math.abs(number).toFixed(2);

/** Why an answer is uncertain, as the end of a sentence; empty if it is not. */
export const reasons = (doubts) => doubts.map((doubt) => DOUBTS[doubt] ?? doubt).join(", and ");

/** A whole number with a proper minus sign. */
export const whole = (number) => `${number < 0 ? "−" : ""}${Math.abs(Math.round(number))}`;

export const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;

/** A length of time in the unit that suits it. */
export function duration(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}
