// What has to do with people: calling one of the team, leaving word, files for them, and whose conversation it is.
import { ConnectionLost, Refused } from "./api.js";
import { fileMessage, notice } from "./messages.js";

export class People {
  #talk;
  #user; // whom the site vouches for

  constructor(talk) { this.#talk = talk; }

  /** Call a person; without a conversation yet, by the words that a customer would use. */
  async call() {
    if (this.#talk.conversation) await this.callStands({ tell: true });
    else this.#talk.send(this.#talk.text("talk_to_person"));
  }

  /** Ask where the call stands; if nobody is there, ask how to reach the customer. */
  async callStands({ tell = false } = {}) {
    const state = await this.#ask("handoff", { conversation_id: this.#talk.conversation });
    if (!state) return;
    this.#talk.person = { ...this.#talk.person, state: state.state, staffed: state.staffed };
    const contact = state.state === "waiting" && !state.staffed;
    this.#talk.messages = this.#talk.messages.filter((message) => !message.contact);
    if (contact || tell) this.#talk.add(notice(state.text, { contact }));
    this.#talk.tell("person", { state: state.state });
    this.#talk.changed();
  }

  /** Say how the customer can be reached. */
  async leave(message, contact) {
    const state = await this.#ask("handoff", { conversation_id: this.#talk.conversation, contact });
    if (!state) return false;
    message.contact = false;
    this.#talk.add(notice(state.text));
    return true;
  }

  /** Send a picture or file. */
  async send(file, { most, accepted }) {
    const { text } = this.#talk;
    if (file.size > most) return this.#say("file_too_large", { limit: Math.floor(most / 1024 / 1024) });
    if (file.type && !accepted.includes(file.type) && !file.type.startsWith("text/")) return this.#say("file_kind");
    const message = fileMessage(file, URL.createObjectURL(file));
    this.#talk.add(message);
    try {
      const kept = await this.#talk.api.upload(this.#talk.conversation, file);
      this.#talk.opened(kept.conversation_id);
      Object.assign(message, { key: kept.id, url: this.#talk.api.address(kept.url), state: "sent" });
      if (this.#talk.person.state !== "taken") this.#talk.add(notice(text("file_kept")));
      this.#talk.store.keepConversation(this.#talk.conversation);
    } catch (error) {
      this.#talk.messages = this.#talk.messages.filter((other) => other !== message);
      const limit = Math.floor(most / 1024 / 1024);
      this.#say(error.code && text(error.code) ? error.code : "file_failed", { limit });
    }
    this.#talk.changed();
  }

  /** The site says who its user is, or with nothing that nobody is signed in any more. */
  async identify(user) {
    const { store } = this.#talk;
    if (store.user && store.user !== (user?.id ?? "")) this.#talk.renew();
    this.#user = user ?? undefined;
    store.user = user?.id ?? "";
    if (!user) return;
    if (this.#talk.conversation) return this.vouch();
    if (!this.#talk.seen) return;
    await this.find();
    await this.#talk.load();
  }

  /** Go on with the user's last conversation, if there is none in this browser. */
  async find() {
    const user = this.#user;
    if (!user || this.#talk.conversation) return;
    const given = { user_id: user.id, signature: user.signature };
    const [last] = (await this.#quietly("conversations", given)) ?? [];
    if (!last || this.#talk.conversation) return;
    this.#talk.opened(last.conversation_id);
    this.#talk.changed();
  }

  /** Tell the server whose conversation it is. */
  async vouch() {
    if (!this.#user) return;
    const { conversation, store } = this.#talk;
    const { id, name = "", signature } = this.#user;
    const vouched = `${conversation} ${id} ${name}`;
    if (store.vouched === vouched) return;
    const kept = await this.#quietly("identify", { conversation_id: conversation, user_id: id, signature, name });
    if (kept) store.vouched = vouched;
  }

  #say(key, values) { this.#talk.add(notice(this.#talk.text(key, values))); }

  async #ask(name, given) {
    try {
      return await this.#talk.api.call(name, given);
    } catch (error) {
      if (error instanceof ConnectionLost) this.#say("connection_lost");
      else this.#talk.add(notice(error instanceof Refused && error.message ? error.message : this.#talk.text("technical_problem")));
      return undefined;
    }
  }

  /** What only the site's developer can mend is told to them, not to the customer. */
  async #quietly(name, given) {
    try {
      return await this.#talk.api.call(name, given);
    } catch (error) {
      console.warn(`[kefu] /${name}: ${error.message}`);
      return undefined;
    }
  }
}
