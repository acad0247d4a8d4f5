// What was wrong with an answer: asked after a thumb down, in one tap or in the customer's own words.
import { h } from "./dom.js";

/** The form under an answer; it closes itself when it was sent or skipped. */
export const reasonForm = (talk, message, text) => {
  const field = h("input", { type: "text", maxLength: 500, "aria-label": text("reason_field"), placeholder: text("reason_field") });
  const chosen = new Set();
  const choice = (reason) => {
    const toggle = ({ currentTarget }) => {
      if (!chosen.delete(reason)) chosen.add(reason);
      currentTarget.ariaPressed = String(chosen.has(reason));
    };
    return h("button", { type: "button", "aria-pressed": "false", onclick: toggle }, reason);
  };
  const end = (reason) => {
    message.asksWhy = false;
    if (reason) talk.rate(message, -1, reason);
    else talk.changed();
  };
  const send = (event) => {
    event.preventDefault();
    end([...chosen, field.value.trim()].filter(Boolean).join(" · "));
  };
  return h(
    "form", { class: "reason", "data-rating": "-1", "aria-label": text("reason_title"), onsubmit: send },
    h("p", {}, text("reason_title")),
    h("div", { class: "choices" }, text("reasons").map(choice)),
    field,
    h(
      "div", { class: "ends" },
      h("button", { type: "button", class: "plain", onclick: () => end("") }, text("skip")),
      h("button", { type: "submit", class: "strong" }, text("reason_send")),
    ),
  );
};
