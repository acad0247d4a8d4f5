// The demonstration page's own behaviour: it asks the widget, and loads Gradio's web component when somebody wants to see it.
for (const button of document.querySelectorAll("[data-ask]")) {
  button.addEventListener("click", () => window.kefu.open(button.dataset.ask));
}

document.querySelector("#gradio").addEventListener("toggle", ({ target }) => {
  const box = target.querySelector(".gradio");
  if (!target.open || box.childElementCount) return;
  const app = document.createElement("gradio-app");
  app.setAttribute("src", location.origin);
  box.append(app);
  import("/widget/gradio/gradio.js");
});
