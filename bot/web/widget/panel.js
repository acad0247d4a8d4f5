// The bubble and the panel: opening and closing, the header, the keyboard's focus, and the phone's keyboard.
import { Composer } from "./composer.js";
import { h, icon, iconButton } from "./dom.js";
import { Log } from "./log.js";

const PHONE = "(max-width: 500px)";

/** Fires "open" and "close". */
export class Panel extends EventTarget {
  #focusBefore; // where the keyboard was on the page

  constructor({ root, config, text, talk, link, store, options }) {
    super();
    Object.assign(this, { config, text, talk, link, store });
    this.host = root.host;
    this.log = new Log({ talk, text, config });
    this.composer = new Composer({ talk, text, config, store });
    this.#build(options);
    root.append(this.region);
    talk.addEventListener("change", () => this.#draw());
    link.addEventListener("change", () => this.#draw());
    document.addEventListener("visibilitychange", () => this.#look());
    matchMedia(PHONE).addEventListener("change", () => this.#fitPhone());
    for (const name of ["resize", "scroll"]) visualViewport?.addEventListener(name, () => this.#fitPhone());
    this.#draw();
  }

  get isOpen() { return !this.dialog.hidden; }

  open({ question = "", send = true, focus = true } = {}) {
    if (!this.isOpen) {
      this.#focusBefore = document.activeElement;
      this.dialog.hidden = false;
      this.host.dataset.open = "";
      this.store.open = true;
      this.launcher.setAttribute("aria-expanded", "true");
      this.#fitPhone();
      this.#look();
      this.#draw();
      this.log.toEnd();
      this.dispatchEvent(new CustomEvent("open"));
    }
    if (question && !(send && this.composer.say(question))) this.composer.write(question);
    if (focus) this.composer.focus();
  }

  close() {
    if (!this.isOpen) return;
    const hadFocus = this.host.shadowRoot.activeElement !== null;
    this.dialog.hidden = true;
    delete this.host.dataset.open;
    this.store.open = false;
    this.launcher.setAttribute("aria-expanded", "false");
    this.#fitPhone();
    this.#look();
    this.#draw();
    if (hadFocus) this.#giveFocusBack();
    this.dispatchEvent(new CustomEvent("close"));
  }

  #build(options) {
    const { text, config } = this;
    const logo = config.logo ? h("img", { src: this.talk.api.address(config.logo), alt: "" }) : icon("chat");
    this.badge = h("span", { class: "badge", hidden: true });
    this.launcher = h(
      "button", { type: "button", class: "launcher", "aria-expanded": "false", "aria-haspopup": "dialog", onclick: () => (this.isOpen ? this.close() : this.open()) },
      h("span", { class: "face closed" }, icon("chat")), h("span", { class: "face opened" }, icon("down")), this.badge,
    );
    this.status = h("p", { class: "status", role: "status" });
    const head = h(
      "div", { class: "head" },
      h("span", { class: "mark" }, logo),
      h("div", { class: "who" }, h("h2", {}, options.name ?? config.name), this.status),
      iconButton("renew", text("new_chat"), { class: "tool", onclick: () => this.#renew() }),
      iconButton("close", text("close"), { class: "tool", onclick: () => this.close() }),
    );
    this.banner = h("p", { class: "banner", role: "status", hidden: true });
    this.dialog = h(
      "div", { class: "panel", role: "dialog", "aria-label": text("dialog", { name: options.name ?? config.name }), hidden: true },
      head, this.banner, h("div", { class: "body" }, this.log.element, this.log.latest), this.composer.element,
    );
    this.dialog.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) { event.stopPropagation(); this.close(); }
    });
    this.region = h("div", { class: "widget", role: "region", "aria-label": text("launcher") }, this.dialog, this.launcher);
  }

  #draw() {
    const { unread, person } = this.talk;
    const { text } = this;
    const focused = this.host.shadowRoot.activeElement;
    this.log.draw();
    this.composer.draw();
    this.badge.hidden = !unread;
    this.badge.textContent = unread > 9 ? "9+" : String(unread);
    const count = unread ? `, ${text("unread", { count: unread })}` : "";
    this.launcher.setAttribute("aria-label", text(this.isOpen ? "close" : "open") + count);
    const state = this.link.lost ? "offline" : { none: "assistant", waiting: "waiting", taken: "person" }[person.state];
    this.#say(this.status, text(`status_${state}`, { name: person.name || text("person") }));
    this.status.dataset.state = state;
    this.banner.hidden = !this.link.lost;
    this.#say(this.banner, this.link.lost ? text("connection_lost") : "");
    // A button that did its work is gone; the keyboard stays in the panel all the same.
    const now = this.host.shadowRoot.activeElement;
    if (focused && this.isOpen && !now?.getClientRects().length) this.log.element.focus({ preventScroll: true });
  }

  /** Change a text only if it is another one: screen readers read it again each time. */
  #say(element, words) { if (element.textContent !== words) element.textContent = words; }

  #look() { this.talk.look(this.isOpen && !document.hidden); }

  #renew() {
    this.talk.renew();
    this.composer.focus();
  }

  #giveFocusBack() {
    const before = this.#focusBefore;
    if (before?.isConnected && before !== document.body && before !== this.host) before.focus({ preventScroll: true });
    else this.launcher.focus({ preventScroll: true });
  }

  /** On a phone the panel fills what the keyboard leaves free, and the page behind does not scroll. */
  #fitPhone() {
    const full = this.isOpen && matchMedia(PHONE).matches;
    this.dialog.setAttribute("aria-modal", String(full));
    const { style } = document.documentElement;
    if (full && this.scrollBefore === undefined) {
      this.scrollBefore = style.overflow;
      style.overflow = "hidden";
    } else if (!full && this.scrollBefore !== undefined) {
      style.overflow = this.scrollBefore;
      this.scrollBefore = undefined;
    }
    const view = window.visualViewport;
    this.dialog.style.height = full && view ? `${view.height}px` : "";
    this.dialog.style.top = full && view ? `${view.offsetTop}px` : "";
    if (this.isOpen) this.log.follow();
  }
}
