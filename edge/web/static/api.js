// The API of the dashboard that this page comes from.

/** What the server says is wrong, in its words. */
export class ApiError extends Error {}

async function read(answer) {
  let content;
  try {
    content = await answer.json();
  } catch {
    throw new ApiError(`The dashboard answered ${answer.status} and no JSON; see its log.`);
  }
  if (!answer.ok) throw new ApiError(content.error ?? `The dashboard answered ${answer.status}.`);
  return content;
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The dashboard is not reached; see whether affectd web still runs.");
  }
}

export const getModel = async () => read(await reach("/api/model"));

/** The judgement of a file. Its name stays here. */
export const classify = async (file, signal) =>
  read(await reach("/api/classify", {
    method: "POST", body: file, signal, headers: { "Content-Type": "application/octet-stream" },
  }));
