// The review queue by keyboard: j and k move, a accepts, r rejects, e edits, g makes a golden question, n goes on.
const items = () => [...document.querySelectorAll("[data-item]")];
const typing = (element) => element.closest("textarea, input, select") !== null;
let place = 0;

const go = (to) => {
  const all = items();
  if (!all.length) return;
  place = Math.max(0, Math.min(to, all.length - 1));
  all.forEach((item, number) => item.classList.toggle("here", number === place));
  all[place].focus({ preventScroll: true });
  all[place].scrollIntoView({ block: "center", behavior: "instant" });
};
const press = (key) => items()[place]?.querySelector(`[data-key="${key}"]`)?.click();

document.addEventListener("focusin", (event) => {
  const at = items().indexOf(event.target.closest("[data-item]"));
  if (at >= 0) {
    place = at;
    items().forEach((item, number) => item.classList.toggle("here", number === place));
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && typing(event.target)) return go(place);
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && typing(event.target)) return event.target.form?.requestSubmit();
  if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key === "j" || key === "n") go(place + 1);
  else if (key === "k") go(place - 1);
  else if ("arg".includes(key) && key.length === 1) press(key);
  else if (key === "e") {
    const box = items()[place]?.querySelector("details");
    if (box) {
      box.open = true;
      box.querySelector("textarea").focus();
    }
  } else return;
  event.preventDefault();
});
// What is settled makes room for the next one, which has the same place now.
document.body.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.elt.matches?.("[data-settled]") || document.querySelector("[data-settled]:not([data-seen])")) {
    document.querySelectorAll("[data-settled]").forEach((line) => line.setAttribute("data-seen", ""));
    if (items().length) go(place);
    else document.body.dispatchEvent(new Event("more"));
  }
});
go(0);
