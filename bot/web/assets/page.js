// The page's own behaviour: sending, rating, following the conversation. Runs once, on the writing field's element.
const form = () => element.querySelector("form");
const field = () => element.querySelector("textarea");
const log = () => document.getElementById("kefu-log");
let unconfirmed = []; // messages that were sent and are not in the transcript yet
let following = true; // the customer is reading the end of the transcript
const seen = new Set();

const say = (text) => { element.querySelector(".kefu-hint").textContent = text; };

const follow = () => { if (following) log().scrollTop = log().scrollHeight; };

const fit = () => {
  const area = field();
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 160)}px`;
  follow();
};

// After a lost connection Gradio reloads the page; what was typed or not yet taken waits in the tab's own storage.
const keep = () => {
  const draft = [...unconfirmed.map(({ text }) => text), field().value].filter((text) => text.trim()).join("\n");
  try { sessionStorage.setItem("kefu-draft", draft); } catch { /* a frame without storage */ }
};
const kept = () => { try { return sessionStorage.getItem("kefu-draft") ?? ""; } catch { return ""; } };

// Texts come back to the field in front of what was written since: nothing typed is ever lost.
const restore = (text) => {
  const area = field();
  area.value = area.value ? `${text}\n${area.value}` : text;
  fit();
  keep();
};

const send = (text) => {
  const say_why = form().dataset;
  say("");
  if (!text.trim()) return say(say_why.empty), false;
  if ([...text].length > Number(say_why.limit)) return say(say_why.tooLong), false;
  if (!navigator.onLine) return say(say_why.offLine), false;
  const id = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  unconfirmed.push({ id, text });
  following = true;
  trigger("submit", { text, id });
  return true;
};

element.addEventListener("submit", (event) => {
  event.preventDefault();
  const area = field();
  if (send(area.value)) { area.value = ""; fit(); keep(); }
  area.focus();
});

element.addEventListener("keydown", (event) => {
  // An input method's Enter chooses characters (keyCode 229 in older Safari); it sends nothing.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  form().requestSubmit();
});

element.addEventListener("input", () => { say(""); fit(); keep(); });

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button[data-send], button[data-rate], button[data-action]");
  if (!button) return;
  const { send: text, rate, turn, action } = button.dataset;
  // Requests may overtake each other: one that changes nothing must not undo the next one.
  if (rate && button.ariaPressed !== "true") trigger("like", { turn, value: Number(rate) });
  else if (rate) return;
  else if (action === "new") { trigger("clear", {}); say(""); field().focus(); }
  else if (text) { send(text); if (matchMedia("(pointer: fine)").matches) field().focus(); }
});

document.addEventListener("kefu-failed", () => {
  const lost = unconfirmed.filter(({ id }) => !document.querySelector(`[data-message="${id}"]`));
  unconfirmed = [];
  lost.reverse().forEach(({ text }) => restore(text));
  const last = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/queue/join")).pop();
  const { offLine, tooFast, problem } = form().dataset;
  say(!navigator.onLine ? offLine : last?.responseStatus === 429 ? tooFast : problem);
});

addEventListener("offline", () => say(form().dataset.offLine));
addEventListener("online", () => say(""));

// A person of the team may join at any time. The stream names the last event of the talk; what the page does not show yet,
// it asks for. A page in the background listens to nothing: browsers allow few streams to one server.
let stream;
let followed = "";
const shown = () => log().querySelector("[data-conversation]")?.dataset ?? { conversation: "", shown: "0" };
const hear = () => {
  const conversation = document.hidden ? "" : shown().conversation;
  if (conversation === followed) return;
  stream?.close();
  followed = conversation;
  if (!conversation) return;
  stream = new EventSource(`/page/events?conversation=${encodeURIComponent(conversation)}`);
  stream.addEventListener("message", ({ data }) => { if (Number(data) > Number(shown().shown)) trigger("tick", {}); });
};
document.addEventListener("visibilitychange", hear);

new MutationObserver(() => {
  hear();
  if (unconfirmed.length) {
    unconfirmed = unconfirmed.filter(({ id }) => !document.querySelector(`[data-message="${id}"]`));
    keep();
  }
  const notice = log().querySelector("[data-notice]");
  if (notice && !seen.has(notice.dataset.notice)) { seen.add(notice.dataset.notice); restore(notice.dataset.restore); }
  follow();
}).observe(log(), { childList: true, subtree: true, characterData: true });

log().addEventListener("scroll", () => {
  const box = log();
  following = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
});
addEventListener("resize", follow);
log().setAttribute("role", "log");
log().setAttribute("aria-live", "polite");
log().tabIndex = 0;
if (kept()) restore(kept());
field().focus();
