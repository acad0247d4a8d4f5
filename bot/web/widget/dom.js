// Small helpers for building elements; text is always text, and HTML only what the server has cleaned.

/** An element with properties (`on…` are listeners, names with a dash are attributes) and children. */
export const h = (tag, properties = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name in element && !name.includes("-")) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== false && child !== ""));
  return element;
};

const PATHS = {
  chat: "M4 11.5C4 7.4 7.6 4 12 4s8 3.4 8 7.5S16.4 19 12 19c-1 0-1.9-.2-2.8-.5L5 20l1-3.6a7.2 7.2 0 0 1-2-4.9z",
  down: "M6 9.5l6 6 6-6",
  close: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  renew: "M12 5v14M5 12h14",
  send: "M12 19V5.5M6 11.5l6-6 6 6",
  clip: "M20 11.4l-7.8 7.8a5 5 0 0 1-7-7l8-8a3.3 3.3 0 0 1 4.7 4.7l-8 8a1.7 1.7 0 0 1-2.4-2.4l7.2-7.2",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20c.8-3.4 3.9-5 7.5-5s6.700 1.600 7.500 5",
  thumb: "M7 10.500v9.500H4v-9.500zM7 19.200c1.600 1 3.200 1.300 5 1.300h3.400c1.300 0 2.300-.8 2.600-2l1.300-5.400c.4-1.700-.8-3.100-2.400-3.100H13l.7-3.600c.2-1.300-.6-2.400-1.900-2.400L7 10.500",
  file: "M13.500 3.500H7a1 1 0 0 0-1 1v15a1 1 0 0 0 1 1h10a1 1 0 0 0 1-1V8zM13.500 3.500V8H18",
  again: "M19 12a7 7 0 1 1-2.200-5.100M19 4v4.500h-4.500",
};

const SVG = "http://www.w3.org/2000/svg";

export const icon = (name) => {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
};

/** A button that shows only an icon. */
export const iconButton = (name, label, properties = {}) =>
  h("button", { type: "button", title: label, "aria-label": label, ...properties }, icon(name));

// A page may forbid HTML from texts unless a policy of a known name made it.
const policy = globalThis.trustedTypes?.createPolicy("kefu", { createHTML: (html) => html });

/** Show HTML that the server rendered and cleaned (the `html` of its answers); nothing else may come here. */
export const showHtml = (element, html, address) => {
  const template = document.createElement("template");
  template.innerHTML = policy ? policy.createHTML(html) : html;
  for (const link of template.content.querySelectorAll("a[href]")) {
    link.href = address(link.getAttribute("href"));
    if (/^\d+$/.test(link.textContent)) {
      link.classList.add("cite");
      link.setAttribute("aria-label", `${link.textContent}: ${link.title}`);
    }
  }
  element.replaceChildren(template.content);
};
