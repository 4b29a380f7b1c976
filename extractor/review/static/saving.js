// Talking to the server: requests of JSON, and the changes of the open page, sent in order, none lost on the way.

export class ServerError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** Ask the server; body: what to send, or nothing. A ServerError has status 0 where no server answers. */
export async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new ServerError("The server does not answer. Start extractor review again, and open its new address.", 0);
  }
  const answer = await response.json().catch(() => ({ error: `The server answered with ${response.status}.` }));
  if (!response.ok) throw new ServerError(answer.error, response.status);
  return answer;
}

/** The changes of one page that are still to be saved. One request is on its way at a time, with all that wait. */
export class Saving {
  #waiting = [];
  #sent = [];
  #done = null;
  #running = null;

  /** saved(answer) and failed(error) are told what became of a request. */
  constructor(name, version, { saved, failed }) {
    this.name = name;
    this.version = version;
    this.saved = saved;
    this.failed = failed;
  }

  get pending() {
    return this.#running !== null || this.waiting;
  }

  /** Whether changes were made since those on their way. */
  get waiting() {
    return this.#waiting.length > 0 || this.#done !== null;
  }

  /** Save changes, each [first line, last line, label]; done: true or false to finish the page or not, or null. */
  add(changes, done = null) {
    this.#waiting.push(...changes);
    this.#done = done ?? this.#done;
    return this.flush();
  }

  /** Send what waits; resolves to whether all is saved. */
  flush() {
    this.#running ??= this.#send().finally(() => { this.#running = null; });
    return this.#running;
  }

  async #send() {
    while (this.#waiting.length > 0 || this.#done !== null) {
      this.#sent = this.#waiting.splice(0);
      const done = this.#done;
      this.#done = null;
      try {
        const answer = await ask("api/page", { name: this.name, version: this.version, changes: this.#sent, done });
        this.version = answer.version;
        this.saved(answer);
      } catch (error) {
        this.#waiting.unshift(...this.#sent);
        this.#done = this.#done ?? done;
        this.failed(error);
        return false;
      }
    }
    return true;
  }
}
