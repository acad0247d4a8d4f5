// What the browser keeps: the conversation for all tabs of a site, drafts and unsent messages for one tab.

const memory = new Map(); // where a browser lets a page keep nothing

const read = (area, key) => {
  try { return area().getItem(key); } catch { return memory.get(key) ?? null; }
};

const write = (area, key, value) => {
  try {
    if (value === null) area().removeItem(key);
    else area().setItem(key, value);
  } catch { memory.set(key, value); }
};

const shared = () => localStorage;
const own = () => sessionStorage;

const json = (text, otherwise) => {
  try { return JSON.parse(text) ?? otherwise; } catch { return otherwise; }
};

export class Store {
  #prefix;
  #tab = Math.random().toString(36).slice(2);

  constructor(origin) { this.#prefix = `kefu:${origin}:`; }

  /** The conversation's id, which is its key; "" for none yet. */
  get conversation() { return json(read(shared, this.#key("talk")), {}).id ?? ""; }

  /** Say to the other tabs which conversation it is and that something in it changed. */
  keepConversation(id) {
    write(shared, this.#key("talk"), JSON.stringify({ id, by: this.#tab, at: Date.now() }));
  }

  /** Call back when another tab changed the conversation. */
  onChange(listener) {
    addEventListener("storage", ({ key, newValue }) => {
      if (key === this.#key("talk") && json(newValue, {}).by !== this.#tab) listener();
    });
  }

  /** The number of the last event at the desk that was seen. */
  get seen() { return Number(read(shared, this.#key("seen"))) || 0; }
  set seen(number) { write(shared, this.#key("seen"), String(number)); }

  /** The site's id of the user whose conversation it is; "" for nobody's. */
  get user() { return read(shared, this.#key("user")) ?? ""; }
  set user(id) { write(shared, this.#key("user"), id || null); }

  /** Which conversation the server knows to be whose. */
  get vouched() { return read(shared, this.#key("vouched")) ?? ""; }
  set vouched(what) { write(shared, this.#key("vouched"), what); }

  get draft() { return read(own, this.#key("draft")) ?? ""; }
  set draft(text) { write(own, this.#key("draft"), text || null); }

  /** Messages that the server has not answered: `{ key, text, state, after }`. */
  get unsent() { return json(read(own, this.#key("unsent")), []); }
  set unsent(messages) { write(own, this.#key("unsent"), messages.length ? JSON.stringify(messages) : null); }

  get open() { return read(own, this.#key("open")) === "1"; }
  set open(value) { write(own, this.#key("open"), value ? "1" : null); }

  /** The question of the page's address that was asked already. */
  get asked() { return read(own, this.#key("asked")) ?? ""; }
  set asked(question) { write(own, this.#key("asked"), question); }

  #key(name) { return this.#prefix + name; }
}
