// The pages for editors: a chosen file is sent at once, and what was typed is not lost by leaving the page.
for (const input of document.querySelectorAll("[data-send-at-once]")) {
  input.addEventListener("change", () => input.files.length && input.form.requestSubmit());
}
const form = document.querySelector("[data-edit]");
if (form) {
  let typed = document.querySelector("[role=alert]") !== null;
  form.addEventListener("input", () => { typed = true; });
  form.addEventListener("submit", () => { typed = false; });
  addEventListener("beforeunload", (event) => { if (typed) event.preventDefault(); });
}
