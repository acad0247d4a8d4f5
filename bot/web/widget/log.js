// Draws the talk's messages. Elements are kept as long as their message is, so that nothing jumps, and what somebody is
// writing into one stays.
import { h, icon, iconButton, showHtml } from "./dom.js";
import { reasonForm } from "./reason.js";

const NEAR_THE_END = 80; // px

export class Log {
  #drawn = new Map(); // message → { signature, element }
  #following = true;

  constructor({ talk, text, config }) {
    Object.assign(this, { talk, text, config });
    this.list = h("div", { class: "messages" });
    this.writing = h("div", { class: "message writing person", hidden: true });
    this.element = h(
      "div",
      { class: "log", role: "log", "aria-live": "polite", "aria-label": text("conversation"), tabIndex: 0 },
      this.#greeting(), this.list, this.writing,
    );
    this.latest = iconButton("down", text("latest"), { class: "latest", hidden: true, onclick: () => this.toEnd() });
    this.element.addEventListener("scroll", () => this.#scrolled());
    new ResizeObserver(() => this.follow()).observe(this.element);
  }

  draw() {
    const { messages, person } = this.talk;
    const shown = messages.filter((message) => !(message.streaming && !message.html && person.state === "taken"));
    const last = shown.at(-1);
    for (const message of this.#drawn.keys()) if (!shown.includes(message)) this.#forget(message);
    shown.forEach((message, index) => {
      const element = this.#element(message, message === last);
      if (this.list.children[index] !== element) this.list.insertBefore(element, this.list.children[index] ?? null);
    });
    this.suggestions.hidden = messages.length > 0;
    this.#drawWriting();
    this.follow();
  }

  /** Stay at the end if the customer reads there. */
  follow() { if (this.#following) this.element.scrollTop = this.element.scrollHeight; }

  toEnd() {
    this.#following = true;
    this.follow();
    this.latest.hidden = true;
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    this.#following = scrollHeight - scrollTop - clientHeight < NEAR_THE_END;
    this.latest.hidden = this.#following;
  }

  #drawWriting() {
    const { writing, name } = this.talk.person;
    if (this.writing.hidden === !writing) return;
    this.writing.hidden = !writing;
    const words = this.text("person_writing", { name: name || this.text("person") });
    const dots = h("div", { class: "bubble waiting" }, h("i"), h("i"), h("i"));
    this.writing.replaceChildren(...(writing ? [h("p", { class: "name" }, words), dots] : []));
  }

  #greeting() {
    const bubble = h("div", { class: "bubble" });
    showHtml(bubble, this.config.greeting, (path) => this.talk.api.address(path));
    const asks = this.config.suggested.map((question) =>
      h("button", { type: "button", onclick: () => this.talk.send(question) }, question));
    this.suggestions = h(
      "section", { class: "suggested", "aria-label": this.text("ask_first") }, h("p", {}, this.text("ask_first")), asks,
    );
    return h("div", { class: "welcome" }, h("div", { class: "message assistant" }, bubble), this.suggestions);
  }

  #element(message, isLast) {
    const signature = JSON.stringify([message, isLast, isLast && this.talk.person.state]);
    const drawn = this.#drawn.get(message);
    if (drawn?.signature === signature) return drawn.element;
    const element = drawn?.element ?? h("article", { class: `message ${message.kind}` });
    this.#drawn.set(message, { signature, element });
    this[`_${message.kind}`](element, message, isLast);
    return element;
  }

  #forget(message) {
    this.#drawn.get(message).element.remove();
    this.#drawn.delete(message);
  }

  // -- one method for each kind of message

  _customer(element, message) {
    const { text } = this;
    element.replaceChildren(h("h3", { class: "quiet" }, text("you")), h("div", { class: "bubble", dir: "auto" }, message.text));
    element.dataset.state = message.state;
    if (message.state === "queued") element.append(h("p", { class: "note" }, text("queued")));
    if (message.state !== "failed") return;
    element.append(
      h("p", { class: "note problem", role: "alert" }, message.problem || text("failed")),
      h("button", { type: "button", class: "small", onclick: () => this.talk.retry(message) }, icon("again"), text("try_again")),
    );
  }

  _assistant(element, message, isLast) {
    const { text } = this;
    element.setAttribute("aria-busy", String(message.streaming));
    if (message.language) element.lang = message.language;
    let bubble = element.querySelector(".bubble");
    if (!bubble) {
      bubble = h("div", { class: "bubble", dir: "auto" });
      element.append(h("h3", { class: "quiet" }, text("assistant")), bubble);
    }
    bubble.classList.toggle("waiting", !message.html);
    if (message.html) this.#showHtml(bubble, message.html);
    else bubble.replaceChildren(h("span", { class: "quiet" }, text("writing")), h("i"), h("i"), h("i"));
    if (!message.turn) return;
    const open = element.querySelector(".reason");
    const reason = message.asksWhy && (open ?? reasonForm(this.talk, message, text));
    const focused = element.getRootNode().activeElement;
    const thumb = element.contains(focused) && (focused.closest(".thumb, .reason")?.dataset.rating ?? "");
    const parts = [this.#sources(message), this.#foot(message), reason, isLast && this.#options(message)];
    for (const old of [...element.children].slice(2)) if (old !== reason) old.remove();
    element.append(...parts.filter((part) => part && part !== reason));
    if (reason) element.querySelector("footer").after(reason);
    if (reason && !open) requestAnimationFrame(() => reason.scrollIntoView({ block: "nearest" }));
    if (thumb && !focused.isConnected) element.querySelector(`.thumb[data-rating="${thumb}"]`).focus({ preventScroll: true });
  }

  _person(element, message) {
    const bubble = h("div", { class: "bubble", dir: "auto" });
    this.#showHtml(bubble, message.html);
    element.replaceChildren(h("h3", { class: "name" }, message.name || this.text("person")), bubble);
  }

  _notice(element, message) {
    element.replaceChildren(h("p", {}, message.text), message.contact ? this.#contact(message) : "");
  }

  _file(element, message) {
    const { text } = this;
    const inside = message.picture
      ? h("img", { src: message.url, alt: text("picture", { name: message.name }), onload: () => this.follow() })
      : [icon("file"), h("span", {}, message.name)];
    const link = { class: "bubble", href: message.url, target: "_blank", rel: "noopener" };
    element.replaceChildren(h("h3", { class: "quiet" }, text("you")), h("a", link, inside));
    if (message.state === "sending") element.append(h("p", { class: "note" }, text("uploading")));
  }

  // -- parts of an answer

  #showHtml(bubble, html) { showHtml(bubble, html, (path) => this.talk.api.address(path)); }

  #sources(message) {
    if (!message.sources.length) return false;
    const links = message.sources.map((source) =>
      h("li", {}, h(
        "a", { href: this.talk.api.address(source.url), target: "_blank", rel: "noopener" },
        source.number ? h("b", {}, String(source.number)) : "", source.title,
        h("span", { class: "quiet" }, ` (${this.text("opens_new_tab")})`),
      )));
    return h("div", { class: "sources", role: "group", "aria-label": this.text("sources") }, h("ol", {}, links));
  }

  #foot(message) {
    const { text } = this;
    const rate = (rating) => {
      if (message.rating === rating) return;
      message.asksWhy = rating < 0;
      this.talk.rate(message, rating);
    };
    const thumb = (rating, label) => iconButton("thumb", label, {
      class: rating < 0 ? "thumb down" : "thumb",
      "aria-pressed": String(message.rating === rating),
      "data-rating": String(rating),
      onclick: () => rate(rating),
    });
    const thumbs = h("span", { class: "thumbs", role: "group", "aria-label": text("rate") }, thumb(1, text("rate_up")), thumb(-1, text("rate_down")));
    const thanks = h("span", { class: "thanks", role: "status" }, message.rating && !message.asksWhy ? text("rated_thanks") : "");
    return h("footer", {}, h("span", {}, text("ai_label")), thumbs, thanks);
  }

  #options(message) {
    const offersPerson = message.actions.includes("offer_person") && this.talk.person.state === "none";
    if (!message.options.length && !offersPerson) return false;
    const buttons = message.options.map(({ label, text: said }) =>
      h("button", { type: "button", onclick: () => this.talk.send(said) }, label));
    if (offersPerson) {
      const label = this.text("talk_to_person");
      buttons.push(h("button", { type: "button", class: "strong", onclick: () => this.talk.people.call() }, icon("person"), label));
    }
    const kind = message.route === "clarify" ? "options clarify" : "options";
    return h("div", { class: kind, role: "group", "aria-label": this.text("quick_replies") }, buttons);
  }

  #contact(message) {
    const { text, config } = this;
    const field = h("input", { type: "text", name: "contact", autocomplete: "email", maxLength: 200, required: true, "aria-label": text("contact_field"), placeholder: text("contact_field") });
    const leave = async (event) => {
      event.preventDefault();
      if (field.value.trim()) await this.talk.people.leave(message, field.value.trim());
    };
    const form = h("form", { class: "contact", onsubmit: leave }, field, h("button", { type: "submit" }, text("contact_send")));
    return h("div", {}, h("p", { class: "note" }, text("contact_hours", { hours: config.opening_hours })), form);
  }
}
