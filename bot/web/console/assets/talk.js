// A talk's page: follow the conversation, send with Enter, keep drafts, put suggestions into the field.
const talk = document.querySelector("[data-talk]").dataset.talk;
const key = `kefu-draft-${talk}`;
const field = () => document.querySelector("#reply textarea");
const thread = () => document.querySelector(".thread");

const kept = () => { try { return sessionStorage.getItem(key) ?? ""; } catch { return ""; } };
const keep = (text) => { try { sessionStorage.setItem(key, text); } catch { /* storage is off */ } };
const fit = () => {
  const area = field();
  if (!area) return;
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 200)}px`;
};

// The reader stays at the end of the conversation, unless they have scrolled up.
let following = true;
const follow = () => { const box = thread(); if (following) box.scrollTop = box.scrollHeight; };
document.addEventListener("scroll", ({ target }) => {
  if (target === thread()) following = target.scrollHeight - target.scrollTop - target.clientHeight < 80;
}, true);

const ready = () => {
  const area = field();
  if (!area || area.dataset.ready) return;
  area.dataset.ready = "yes";
  area.value ||= kept(); // somebody may have written before this script was here
  keep(area.value);
  fit();
  if (matchMedia("(pointer: fine)").matches) area.focus();
};

document.addEventListener("keydown", (event) => {
  if (event.altKey && /^Digit[1-9]$/.test(event.code)) {
    const button = document.querySelector(`[data-insert][data-key="${event.code.slice(5)}"]`);
    if (button) { event.preventDefault(); button.click(); }
    return;
  }
  // An input method's Enter chooses characters (keyCode 229 in older Safari); it sends nothing.
  if (event.target !== field() || event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  if (field().value.trim()) document.getElementById("reply").requestSubmit();
});
document.addEventListener("input", (event) => { if (event.target === field()) { keep(field().value); fit(); } });

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  const area = field();
  if (!button || !area) return;
  area.value = area.value.trim() ? `${area.value.trimEnd()}\n${button.dataset.insert}` : button.dataset.insert;
  keep(area.value);
  fit();
  area.focus();
});

// The field is emptied when the words are on their way, and gets them back if they did not arrive.
document.body.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.detail.elt;
  if (form.id !== "reply") return;
  form.dataset.sent = field().value;
  field().value = "";
  following = true;
  fit();
});
document.body.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (form.id !== "reply") return;
  const area = field();
  if (!event.detail.successful && area) { area.value = [form.dataset.sent, area.value].filter(Boolean).join("\n"); fit(); }
  keep(area?.value ?? "");
});

document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "thread") follow();
  ready();
});
follow();
ready();
