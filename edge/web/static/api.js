// The API of the dashboard that this page comes from.

/** An error, in the words of the server. */
export class ApiError extends Error {}

async function read(answer) {
  let content;
  try {
    content = await answer.json();
  } catch {
    throw new ApiError(`The dashboard answered ${answer.status} without JSON; see its log.`);
  }
  if (!answer.ok) throw new ApiError(content.error ?? `The dashboard answered ${answer.status}.`);
  return content;
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The dashboard cannot be reached; check that affectd web is running.");
  }
}

export const getModel = async () => read(await reach("/api/model"));

/** The analysis of a file. Its name is not sent. */
export const classify = async (file, signal) =>
  read(await reach("/api/classify", {
    method: "POST", body: file, signal, headers: { "Content-Type": "application/octet-stream" },
  }));
