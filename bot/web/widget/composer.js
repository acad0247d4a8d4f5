// The field to write in: what is typed is kept for the tab, Enter sends, an input method's Enter never does.
import { h, icon, iconButton } from "./dom.js";

const TALLEST = 132; // px

export class Composer {
  constructor({ talk, text, config, store }) {
    Object.assign(this, { talk, text, config, store });
    this.field = h("textarea", {
      rows: 1, "aria-label": text("your_message"), placeholder: text("placeholder"), enterKeyHint: "send",
      value: store.draft, oninput: () => this.#typed(), onkeydown: (event) => this.#key(event), onpaste: (event) => this.#pasted(event),
    });
    this.hint = h("p", { class: "hint", role: "status" });
    this.call = h("button", { type: "button", class: "call", onclick: () => talk.people.call() }, icon("person"), text("talk_to_person"));
    const submit = h("button", { type: "submit", class: "send", title: text("send"), "aria-label": text("send") }, icon("send"));
    this.element = h(
      "form", { class: "composer", onsubmit: (event) => { event.preventDefault(); this.#send(); } },
      h("div", { class: "above" }, this.call), this.hint,
      h("div", { class: "field" }, config.uploads && this.#attach(), this.field, submit),
    );
  }

  draw() {
    const { state, staffed } = this.talk.person;
    this.call.hidden = state === "taken" || (state === "waiting" && staffed);
  }

  focus() { this.field.focus({ preventScroll: true }); this.#fit(); }

  /** Put a text into the field, in front of what is there. */
  write(text) {
    this.field.value = this.field.value ? `${text}\n${this.field.value}` : text;
    this.#typed();
  }

  /** Send a text as if it had been typed; whether it was taken. */
  say(text) {
    const most = this.config.most_characters;
    const problem = !text.trim() ? this.text("empty_message") : [...text].length > most ? this.text("too_long", { limit: most }) : "";
    this.hint.textContent = problem;
    if (problem) return false;
    this.talk.send(text.trim());
    return true;
  }

  #attach() {
    const input = h("input", { type: "file", accept: this.config.accepted_files.join(","), hidden: true, tabIndex: -1, "aria-label": this.text("attach") });
    input.addEventListener("change", () => {
      for (const file of input.files) this.#upload(file);
      input.value = "";
    });
    return [iconButton("clip", this.text("attach"), { class: "attach", onclick: () => input.click() }), input];
  }

  #upload(file) {
    this.talk.people.send(file, { most: this.config.most_upload_bytes, accepted: this.config.accepted_files });
  }

  #pasted(event) {
    const files = [...event.clipboardData.files];
    if (!files.length || !this.config.uploads) return;
    event.preventDefault();
    for (const file of files) this.#upload(file);
  }

  #key(event) {
    // An input method's Enter chooses characters (keyCode 229 in older Safari); it sends nothing.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#send();
  }

  #typed() {
    this.hint.textContent = "";
    this.store.draft = this.field.value;
    this.#fit();
  }

  #send() {
    if (this.say(this.field.value)) {
      this.field.value = "";
      this.#typed();
    }
    this.field.focus({ preventScroll: true });
  }

  #fit() {
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(this.field.scrollHeight, TALLEST)}px`;
  }
}
