// The talk: what was said, what is on its way, and who answers. It draws nothing; it fires "change" when there is something
// to draw, and "message" and "person" for the site.
import { ConnectionLost, Refused } from "./api.js";
import {
  answerMessage, customerMessage, deskMessage, fill, isNotIn, notice, pastMessages, unsentOf,
} from "./messages.js";
import { People } from "./people.js";

const MOST_TRIES_WHEN_BUSY = 5;
const LOOKS_FOR_AN_ANSWER = 3;
const PAUSE_BETWEEN_LOOKS = 1200; // ms
const NOBODY = { state: "none", name: "", writing: false, staffed: false };

export class Talk extends EventTarget {
  messages = [];
  person = NOBODY;
  unread = 0;
  heard = 0; // number of the last event at the desk
  #seen = false; // whether the customer looks at it
  #past = Promise.resolve(); // until it is here
  #loaded = false; // whether the past is here: it is fetched when somebody looks, not on every page of a shop
  #generation = 0; // grows with each new conversation: what is still on its way for an old one is left alone
  #shown = ""; // the conversation that is shown
  #line = Promise.resolve(); // messages go out one after another

  constructor({ api, store, link, text, page }) {
    super();
    Object.assign(this, { api, store, link, text, page });
    this.people = new People(this);
    store.onChange(() => this.#followOtherTab());
  }

  get conversation() { return this.store.conversation; }

  /** Show what was there before the page was loaded, and send what had not been sent. */
  async restore() {
    const unsent = this.store.unsent.map(({ text, after, ...kept }) => customerMessage(text, after, kept));
    this.#shown = this.conversation;
    this.messages.push(...unsent);
    this.changed();
    const waiting = unsent.filter(({ state }) => state !== "failed");
    if (this.#seen || waiting.length) await this.#ready();
    for (const message of waiting) if (this.messages.includes(message)) this.#enqueue(message);
  }

  /** Ask the server for the conversation's past. */
  async load() {
    const { conversation } = this;
    const generation = this.#generation;
    for (let attempt = 0; conversation && generation === this.#generation; attempt += 1) {
      try {
        const [turns, files] = await Promise.all([
          this.api.call("history", { conversation_id: conversation }),
          this.api.files(conversation),
        ]);
        if (generation !== this.#generation) return;
        const past = pastMessages(turns, files, (path) => this.api.address(path));
        this.messages = [...past, ...this.messages.filter(isNotIn(past))];
        return this.changed();
      } catch (error) {
        if (error.status === 404) return this.forget(conversation);
        if (error instanceof Refused && error.status !== 429 && error.status !== 503) return;
        if (error instanceof ConnectionLost) this.link.set(true);
        await this.link.wait(attempt);
      }
    }
  }

  send(text) {
    const message = customerMessage(text);
    this.messages.push(message);
    this.#enqueue(message);
  }

  retry(message) {
    this.messages = [...this.messages.filter((other) => other !== message), message];
    message.state = "new";
    this.#enqueue(message);
  }

  async rate(message, rating, reason = "") {
    const before = message.rating;
    message.rating = rating;
    this.changed();
    try {
      const given = { conversation_id: this.conversation, turn_id: message.turn, rating, reason };
      await this.api.vote(given);
      this.store.keepConversation(this.conversation);
    } catch (error) {
      message.rating = before;
      this.add(notice(error instanceof Refused ? error.message : this.text("connection_lost")));
    }
  }

  /** Begin anew. */
  renew() {
    this.store.keepConversation("");
    this.store.unsent = [];
    this.#reset();
    this.changed();
  }

  /** Let go of a conversation that the server does not know any more. */
  forget(conversation) {
    if (conversation !== this.conversation) return;
    const unsent = this.messages.filter(({ kind, state }) => kind === "customer" && state !== "sent");
    this.store.keepConversation("");
    this.#reset();
    this.messages = unsent;
    this.changed();
  }

  get seen() { return this.#seen; }

  /** Take in an event of the stream: where the call stands, or what somebody said. */
  hear(event, data) {
    if (event === "state") {
      this.person = data;
      if (data.state === "taken") for (const message of this.messages) message.contact = false; // they are here
    } else {
      this.heard = Math.max(this.heard, data.number);
      const message = deskMessage(data, this.text);
      if (message && !this.messages.some(({ key }) => key === message.key)) {
        this.messages.push(message);
        if (data.number > this.store.seen) this.#news(data);
      }
      if (this.#seen) this.store.seen = this.heard;
    }
    this.changed();
  }

  /** Say whether the customer looks at the talk now. */
  look(seen) {
    this.#seen = seen;
    if (!seen) return;
    this.#ready();
    this.store.seen = Math.max(this.store.seen, this.heard);
    this.unread = 0;
    this.changed();
  }

  add(...messages) {
    this.messages.push(...messages);
    this.changed();
  }

  /** Keep a conversation that has just been opened. */
  opened(conversation) {
    if (conversation === this.conversation) return;
    this.store.keepConversation(conversation);
    this.#shown = conversation;
    this.people.vouch();
  }

  changed() { this.dispatchEvent(new Event("change")); }

  tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }

  // -- sending

  /** Messages go out in order; the next one may go as soon as this one is being answered. */
  #enqueue(message) {
    if (this.link.lost && message.state === "new") message.state = "queued";
    this.#keepUnsent();
    this.changed();
    this.#line = this.#line.then(() => new Promise((begun) => { this.#deliver(message, begun).finally(begun); }));
  }

  async #deliver(message, begun) {
    const generation = this.#generation;
    await this.#past;
    for (let attempt = 0; generation === this.#generation; attempt += 1) {
      try {
        if (message.state === "asked" && (await this.#isAnswered(message))) return;
        await this.#ask(message, generation, begun);
        return;
      } catch (error) {
        if (generation !== this.#generation) return;
        if (error instanceof Refused && !(await this.#mayTryAgain(error, attempt))) return this.#fail(message, error);
        if (error instanceof ConnectionLost) {
          if (message.state !== "asked") message.state = "queued";
          this.link.set(true);
          this.changed();
        } else if (!(error instanceof Refused)) {
          return this.#fail(message, error);
        }
        await this.link.wait(attempt);
      }
    }
  }

  async #ask(message, generation, begun) {
    const answer = answerMessage();
    const given = { message: message.text, conversation_id: this.conversation, page: this.page() };
    if (message.state !== "asked") Object.assign(message, { state: "sending", after: this.#lastTurn() });
    this.#keepUnsent();
    this.messages.push(answer);
    this.changed();
    try {
      for await (const part of this.api.stream("chat", given)) {
        if (generation !== this.#generation) return;
        this.link.set(false);
        message.state = "asked";
        this.opened(part.conversation_id);
        this.#keepUnsent();
        begun();
        fill(answer, part);
        this.changed();
      }
    } catch (error) {
      this.#drop(answer);
      throw error;
    }
    Object.assign(message, { state: "sent", turn: answer.turn });
    if (!answer.html) this.#drop(answer);
    this.#keepUnsent();
    this.store.keepConversation(this.conversation);
    if (answer.html) {
      this.#arrived();
      this.tell("message", { from: "assistant", html: answer.html });
    }
    this.changed();
    if (answer.actions.includes("call_person")) await this.people.callStands();
  }

  /** Whether a message whose answer broke off was answered on the server all the same; then it is shown. */
  async #isAnswered(message) {
    if (!this.conversation) return false;
    for (let look = 0; look < LOOKS_FOR_AN_ANSWER; look += 1) {
      const turns = await this.api.call("history", { conversation_id: this.conversation });
      this.link.set(false);
      const last = turns.findLast(({ message: asked }) => asked);
      if (last && last.turn_id !== message.after) {
        this.#drop(message);
        this.#keepUnsent();
        await this.load();
        return true;
      }
      await new Promise((resolve) => { setTimeout(resolve, PAUSE_BETWEEN_LOOKS); });
    }
    return false;
  }

  async #mayTryAgain(error, attempt) {
    if (error.status === 503 && attempt < MOST_TRIES_WHEN_BUSY) return true;
    const { conversation } = this;
    if (error.status !== 0 || !conversation) return false;
    const known = await this.api.files(conversation).then(() => true, (why) => why.status !== 404);
    if (!known) this.forget(conversation);
    return false;
  }

  #fail(message, error) {
    const busy = error.status === 429 ? this.text("too_fast") : "";
    const said = error instanceof Refused && error.status === 0 ? error.message : "";
    Object.assign(message, { state: "failed", problem: busy || said || this.text("technical_problem") });
    this.#keepUnsent();
    this.changed();
  }

  #keepUnsent() { this.store.unsent = unsentOf(this.messages); }

  // -- keeping order

  /** Another tab said or heard something, or began anew. */
  async #followOtherTab() {
    if (this.conversation !== this.#shown) this.#reset();
    this.changed();
    this.#loaded = false;
    if (this.#seen) await this.#ready();
  }

  /** Have the past here, once. */
  #ready() {
    if (!this.#loaded) this.#past = this.people.find().then(() => this.load());
    this.#loaded = true;
    return this.#past;
  }

  #reset() {
    this.#generation += 1;
    this.#shown = this.conversation;
    Object.assign(this, { messages: [], unread: 0, heard: 0, person: NOBODY });
  }

  #news({ kind, name, html }) {
    this.#arrived();
    if (kind === "joined") this.tell("person", { state: "joined", name });
    if (kind === "person") this.tell("message", { from: "person", name, html });
  }

  #arrived() { if (!this.#seen) this.unread += 1; }
  #lastTurn() { return this.messages.findLast(({ turn, kind }) => turn && kind === "customer")?.turn ?? ""; }

  #drop(message) {
    this.messages = this.messages.filter((other) => other !== message);
    this.changed();
  }
}
