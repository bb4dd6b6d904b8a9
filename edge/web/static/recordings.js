// The recordings page: takes a file and shows its turns.

import { ApiError, classify, getModel } from "./api.js";
import { bars } from "./bars.js";
import { Circumplex } from "./circumplex.js";
import { byId, el } from "./dom.js";
import { clock, duration, megabytes, percent, reasons, signed, whole } from "./format.js";
import { named } from "./palette.js";
import { drawAxis, drawPitch, drawSpectrogram } from "./spectrogram.js";
import { Cursor, ticks, turnButtons, widthOf } from "./timeline.js";

const player = byId("player");
const cursor = new Cursor(byId("cursor"), byId("strip"), player);
let circumplex = null;
let model = null;
let judgement = null;
let chosen = 0;
let going = null;
let links = [];

function tell(text, isError = false) {
  const status = byId("status");
  status.textContent = text;
  status.classList.toggle("error", isError);
}

async function start() {
  try {
    model = await getModel();
  } catch (error) {
    tell(error.message, true);
    return;
  }
  byId("limits").textContent =
    `WAV, FLAC, Ogg, MP3; up to ${megabytes(model.max_upload_bytes)} and ${duration(model.max_upload_s)}`;
  byId("model").textContent = `Model ${model.name} ${model.sha256.slice(0, 12)}: ${model.frontend}.`;
  circumplex = new Circumplex(byId("circumplex"), model.circumplex);
}

async function judge(file) {
  if (model && file.size > model.max_upload_bytes) {
    tell(`This file has ${megabytes(file.size)}; the limit is ${megabytes(model.max_upload_bytes)}.`, true);
    return;
  }
  going?.abort();
  const mine = (going = new AbortController());
  byId("result").hidden = true;
  tell("Analysing the recording…");
  try {
    const found = await classify(file, mine.signal);
    if (mine === going) show(found, file);
  } catch (error) {
    if (error.name === "AbortError" || mine !== going) return;
    if (!(error instanceof ApiError)) throw error;
    tell(error.message, true);
  }
}

function show(found, file) {
  judgement = found;
  links.forEach((link) => URL.revokeObjectURL(link));
  const json = new Blob([JSON.stringify(found, null, 2)], { type: "application/json" });
  links = [URL.createObjectURL(file), URL.createObjectURL(json)];
  player.src = links[0];
  player.hidden = false;
  byId("silent").hidden = true;
  byId("download").href = links[1];
  cursor.seconds = Math.max(found.seconds, 0.001);
  cursor.element.style.left = "0";
  const count = found.turns.length;
  byId("summary").textContent =
    `${count === 0 ? "No speech" : count === 1 ? "1 turn" : `${count} turns`} in ${clock(found.seconds)}`;
  tell("");
  byId("result").hidden = false;
  drawPicture(found);
  byId("turns").replaceChildren(...turnButtons(found.turns, cursor.seconds, choose));
  byId("rows").replaceChildren(...found.turns.map(row));
  byId("detail").hidden = byId("table-box").hidden = count === 0;
  if (count) choose(0, false);
}

function drawPicture(found) {
  const picture = found.picture;
  byId("strip").style.width = widthOf(found.seconds);
  byId("ticks").replaceChildren(...ticks(found.seconds));
  const layers = picture ? [drawSpectrogram(picture), drawPitch(picture)].filter(Boolean) : [];
  layers.forEach((layer) => {
    layer.style.width = `${Math.min(100, (100 * picture.columns * picture.column_s) / cursor.seconds)}%`;
  });
  byId("sound").replaceChildren(...layers);
  byId("axis").replaceChildren(...(picture ? drawAxis(picture) : []));
  byId("legend").textContent = picture
    ? `${picture.bands} mel bands as the device computes them, dark to bright from ${whole(picture.low_db)} to ` +
      `${whole(picture.high_db)} dB${picture.pitch_hz ? "; the line is the pitch" : ""}.`
    : "";
}

function row(turn, index) {
  const cells = [index + 1, clock(turn.start), clock(turn.end), named(turn.emotion), percent(turn.confidence),
    signed(turn.arousal), signed(turn.valence)];
  const made = el("tr", {}, ...cells.map((cell) => el("td", {}, cell)));
  made.addEventListener("click", () => choose(index));
  return made;
}

function choose(index, seek = true) {
  chosen = index;
  const turn = judgement.turns[index];
  [...byId("turns").children].forEach((button, at) => button.setAttribute("aria-pressed", String(at === index)));
  [...byId("rows").children].forEach((line, at) => line.classList.toggle("chosen", at === index));
  byId("turn-title").replaceChildren(`Turn ${index + 1}: `, named(turn.emotion));
  const why = turn.doubts.length ? ` Uncertain because ${reasons(turn.doubts)}.` : "";
  byId("turn-words").textContent =
    `${clock(turn.start)} to ${clock(turn.end)}, ${whole(turn.snr_db)} dB above the noise.${why}`;
  byId("bars").replaceChildren(...bars(turn.probabilities));
  const points = judgement.turns.map((one, at) => ({ ...one, title: `Turn ${at + 1}: ${one.emotion}` }));
  circumplex?.show([...points.slice(0, index), ...points.slice(index + 1), points[index]]);
  if (seek) cursor.seek(turn.start);
}

player.addEventListener("error", () => {
  player.hidden = true;
  byId("silent").hidden = false;
});
byId("play-turn").addEventListener("click", () => cursor.play(judgement.turns[chosen]));
byId("file").addEventListener("change", (change) => {
  const [file] = change.target.files;
  if (file) judge(file);
  change.target.value = "";
});
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (drag) => {
    drag.preventDefault();
    byId("drop").classList.add("over");
  });
}
document.addEventListener("dragleave", (drag) => {
  if (!drag.relatedTarget) byId("drop").classList.remove("over");
});
document.addEventListener("drop", (drop) => {
  drop.preventDefault();
  byId("drop").classList.remove("over");
  const [file] = drop.dataTransfer.files;
  if (file) judge(file);
});
start();
