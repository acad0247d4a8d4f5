// Keeps the stream of what people of the team say open: while the page is seen, or while a person has been called.
import { Refused } from "./api.js";

const SILENCE = 45_000; // ms; the server says something every 15 s

export class Live {
  #api; #link; #talk;
  #conversation = "";
  #abort = new AbortController();

  constructor({ api, link, talk }) {
    this.#api = api;
    this.#link = link;
    this.#talk = talk;
  }

  /** Follow the talk's conversation, whichever it is, from now on. */
  watch() {
    const look = () => {
      const wanted = document.hidden && this.#talk.person.state === "none" ? "" : this.#talk.conversation;
      if (wanted === this.#conversation) return;
      this.#abort.abort();
      this.#abort = new AbortController();
      this.#conversation = wanted;
      if (wanted) this.#follow(wanted, this.#abort.signal);
    };
    this.#talk.addEventListener("change", look);
    document.addEventListener("visibilitychange", look);
    addEventListener("pagehide", () => this.#abort.abort());
    addEventListener("pageshow", ({ persisted }) => { if (persisted) { this.#conversation = ""; look(); } });
  }

  async #follow(conversation, signal) {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const lost = new AbortController();
      const stop = () => lost.abort();
      signal.addEventListener("abort", stop);
      let watchdog = setTimeout(stop, SILENCE);
      try {
        for await (const { event, data } of this.#api.events(conversation, this.#talk.heard, lost.signal)) {
          clearTimeout(watchdog);
          watchdog = setTimeout(stop, SILENCE);
          attempt = 0;
          this.#link.set(false);
          if (event) this.#talk.hear(event, JSON.parse(data));
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Refused && error.status === 404) return this.#talk.forget(conversation);
        if (attempt > 0 && !(error instanceof Refused)) this.#link.set(true); // proxies cut long streams now and then
      } finally {
        clearTimeout(watchdog);
        signal.removeEventListener("abort", stop);
      }
      await this.#link.wait(attempt);
    }
  }
}
