// Server-sent events that reconnect by themselves, however the stream ended.

const AGAIN_MS = 5000;

/**
 * Follows a stream.
 * @param handlers name of the event -> function that takes its data
 * @param onBreak called when the stream breaks off, before it reconnects
 */
export function follow(path, handlers, onBreak) {
  const source = new EventSource(path);
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
  }
  source.addEventListener("error", () => {
    onBreak();
    // The browser reconnects by itself, but not after an error response.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(path, handlers, onBreak), AGAIN_MS);
  });
}
