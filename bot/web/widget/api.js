// The server, over plain HTTP: its named endpoints, which stream, and the widget's own doors.

/** The server did not answer, or stopped in the middle: try again. */
export class ConnectionLost extends Error {}

/** The server answered no. `status` is HTTP's, 0 for a refusal inside a stream; `code` says why, if there is one. */
export class Refused extends Error {
  constructor(message, { status = 0, code = "", wait = 0 } = {}) {
    super(message);
    Object.assign(this, { status, code, wait });
  }
}

/** The events of a stream as `{ event, data }`; "" keeps the reader awake at comments. */
export async function* serverEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      buffer = (buffer + value).replaceAll("\r\n", "\n");
      const blocks = buffer.split("\n\n");
      buffer = blocks.pop();
      for (const block of blocks) yield parseEvent(block);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** One event of a stream from its lines. */
export const parseEvent = (block) => {
  const found = { event: "", data: "" };
  for (const line of block.split("\n")) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name === "event") found.event = value;
    else if (name === "data") found.data += found.data ? `\n${value}` : value;
  }
  return found;
};

export class Api {
  #votes = Promise.resolve(); // they go out one after another

  constructor(origin, language) { Object.assign(this, { origin, language }); }

  /** An address of the server as an absolute one. */
  address(path) { return new URL(path, this.origin).href; }

  config() { return this.#json("/widget/config", { lang: this.language }); }

  /** The last thing that an endpoint answers. */
  async call(name, given) {
    let last;
    for await (const answer of this.stream(name, given)) last = answer;
    return last;
  }

  /** Say what a customer thinks of an answer. What is said later counts, so it must not arrive first. */
  vote(given) {
    const sent = this.#votes.then(() => this.call("feedback", given));
    this.#votes = sent.catch(() => {});
    return sent;
  }

  /** Everything that an endpoint answers, as it comes. */
  async *stream(name, given) {
    const path = `/gradio_api/call/v2/${name}`;
    const begun = await this.#fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json", "accept-language": this.language },
      body: JSON.stringify(given),
    });
    const { event_id: id } = await begun.json();
    const answer = await this.#fetch(`${path}/${id}`, { headers: { "accept-language": this.language } });
    for await (const { event, data } of this.#read(answer)) {
      if (event === "error") throw new Refused(JSON.parse(data)?.error ?? "");
      if (event === "generating" || event === "complete") yield JSON.parse(data)[0];
      if (event === "complete") return;
    }
    throw new ConnectionLost("The answer broke off.");
  }

  /** What people of the team do in a conversation; throws when the stream ends, for whatever reason. */
  async *events(conversation, after, signal) {
    const path = `/widget/events?${new URLSearchParams({ conversation_id: conversation, after })}`;
    yield* this.#read(await this.#fetch(path, { signal, cache: "no-store" }));
    throw new ConnectionLost("The stream ended.");
  }

  /** The files that were sent in a conversation. */
  files(conversation) { return this.#json("/widget/files", { conversation_id: conversation }); }

  async upload(conversation, file) {
    const query = new URLSearchParams({ conversation_id: conversation, name: file.name });
    const headers = { "content-type": "application/octet-stream" };
    return (await this.#fetch(`/widget/upload?${query}`, { method: "POST", headers, body: file })).json();
  }

  async #json(path, query) { return (await this.#fetch(`${path}?${new URLSearchParams(query)}`)).json(); }

  async *#read(response) {
    try {
      yield* serverEvents(response.body);
    } catch (error) {
      throw error instanceof Refused ? error : new ConnectionLost(error.message);
    }
  }

  async #fetch(path, options = {}) {
    let response;
    try {
      response = await fetch(this.origin + path, { credentials: "omit", ...options });
    } catch (error) {
      throw new ConnectionLost(error.message);
    }
    if (response.ok) return response;
    if (response.status === 502 || response.status === 504) throw new ConnectionLost(`HTTP ${response.status}`);
    const said = await response.json().catch(() => ({}));
    const wait = Number(response.headers.get("retry-after")) || 0;
    throw new Refused(String(said.detail ?? ""), { status: response.status, code: said.code ?? "", wait });
  }
}
