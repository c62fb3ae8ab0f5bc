// Asks the server for a part of a page: what stands between the bars, as a document of its own.
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function ask(url, options = {}) {
  const headers = { "x-fragment": "1", ...(options.headers ?? {}) };
  let answer;
  try {
    answer = await fetch(url, { credentials: "same-origin", ...options, headers });
  } catch {
    throw new Refusal(0, "The server cannot be reached.");
  }
  if (answer.status === 401) location.reload();
  if (!answer.ok && answer.status !== 304 && !answer.headers.get("content-type")?.startsWith("text/html")) {
    throw new Refusal(answer.status, await said(answer));
  }
  return answer;
}

async function said(answer) {
  try {
    const problem = await answer.json();
    return problem.detail || problem.title;
  } catch {
    return `The server answered ${answer.status}.`;
  }
}

export async function fetchFragment(url) {
  const answer = await ask(url);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}
