// What the messages of a device mean, in words.

import { duration, megabytes, whole } from "./format.js";

const MICROPHONE = {
  ok: "The microphone gives sound.",
  zeros: "The microphone gives digital silence: it is switched off, or broken.",
  silent: "The microphone is open and gives nothing.",
  lost: "The microphone does not open: unplugged, busy or failing. It is tried again and again.",
  muted: "The device is muted and does not listen.",
};

/** What comes from the microphone, and what the device says is wrong with it. */
export function microphone(state, report) {
  const trouble = state.microphone === report?.microphone ? report.microphone_trouble : null;
  return (MICROPHONE[state.microphone] ?? `Microphone: ${state.microphone}.`) + (trouble ? ` ${trouble}.` : "");
}

/** What keeps the page from showing the present; empty when nothing does. */
export function obstacle({ device, broker, availability }) {
  if (!broker.connected) {
    return `No broker is reached at ${broker.address}${broker.trouble ? `: ${broker.trouble}` : "; trying"}.`;
  }
  if (broker.trouble) return `Broker ${broker.address}: ${broker.trouble}.`;
  if (availability === null) {
    return `The broker ${broker.address} is reached, but nothing has been heard of the device “${device}”. ` +
      "Check its name (--device-id), and that this user may read its topics.";
  }
  return availability === "online" ? "" : `The device “${device}” is ${availability}.`;
}

/** One line on how the device fares; empty where it has not said. */
export function health(report) {
  if (!report) return "";
  const parts = [
    `up ${duration(report.uptime_s)}`,
    `${report.cpu_percent.toFixed(0)} % of a core`,
    megabytes(report.rss_bytes),
  ];
  if (report.level_dbfs !== null) parts.push(`level ${whole(report.level_dbfs)} dBFS`);
  if (report.temperature_c !== null) parts.push(`${whole(report.temperature_c)} °C`);
  if (report.throttled) parts.push("throttled");
  if (report.queued_turns) parts.push(`${report.queued_turns} turns wait for the broker`);
  if (report.dropped_samples) parts.push(`${report.dropped_samples} samples lost`);
  return `Health of the device: ${parts.join(", ")}.`;
}
