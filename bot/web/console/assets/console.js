// What the console's pages do beside htmx: hear the desk, say what failed, keep drafts, ask before what cannot be undone.
const body = document.body;

export const say = (text) => {
  const line = document.createElement("p");
  line.textContent = text;
  const toasts = document.getElementById("toasts");
  toasts.append(line);
  setTimeout(() => line.remove(), 6000);
};

const told = (event) => {
  const { xhr } = event.detail;
  const plain = xhr?.getResponseHeader("content-type")?.startsWith("text/plain");
  say(plain && xhr.responseText ? xhr.responseText : body.dataset.problem);
};
body.addEventListener("htmx:responseError", told);
body.addEventListener("htmx:sendError", () => say(body.dataset.offline));

// A page that lives hears of every change at the desk; what shows it says hx-trigger="desk from:body".
const title = document.title;
let stream;
const listen = () => {
  stream?.close();
  stream = new EventSource("/console/events");
  stream.addEventListener("desk", () => body.dispatchEvent(new Event("desk")));
  stream.addEventListener("signed-out", () => location.assign("/console/login"));
  stream.addEventListener("open", () => body.dispatchEvent(new Event("desk"))); // what was missed meanwhile
};
listen();
addEventListener("pagehide", () => stream?.close());
addEventListener("pageshow", (event) => { if (event.persisted) listen(); });

const count = () => {
  const waiting = Number(document.getElementById("waiting-badge")?.dataset.waiting ?? 0);
  document.title = waiting ? `(${waiting}) ${title}` : title;
};
count();
body.addEventListener("htmx:afterSettle", count);

// What lives is morphed, not replaced: a press, the focus, a selection and what somebody opened outlive the news.
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (attribute) => attribute !== "open";
Idiomorph.defaults.callbacks.beforeNodeMorphed = (node) => !node.dataset?.sure; // it asks once more, see below

// A menu works without this; here it also closes when somebody turns to something else.
const menu = document.querySelector("[data-menu]");
document.addEventListener("click", ({ target }) => { if (menu && !menu.contains(target)) menu.open = false; });
menu?.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

for (const button of document.querySelectorAll("[data-presence] button")) {
  button.addEventListener("click", async () => {
    const available = button.getAttribute("aria-checked") !== "true";
    const answer = await fetch("/console/presence", {
      method: "POST",
      headers: JSON.parse(body.getAttribute("hx-headers")),
      body: new URLSearchParams({ available }),
    }).catch(() => null);
    if (!answer?.ok) return say(body.dataset.problem);
    button.setAttribute("aria-checked", String(available));
    button.querySelector("span").textContent = available ? button.dataset.on : button.dataset.off;
  });
}

// What cannot be undone asks once more, on the button itself.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-confirm-form]") || form.dataset.sure) return;
  event.preventDefault();
  const button = form.querySelector("button");
  const before = button.textContent;
  button.textContent = body.dataset.confirm;
  form.dataset.sure = "yes";
  setTimeout(() => { button.textContent = before; delete form.dataset.sure; }, 4000);
});
