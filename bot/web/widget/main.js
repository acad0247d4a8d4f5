// Puts the widget together on a page: configuration, colours, the talk, the panel, and `window.kefu`.
import { Api } from "./api.js";
import { palette } from "./colour.js";
import { textOf, widgetLanguage } from "./language.js";
import { Link } from "./link.js";
import { Live } from "./live.js";
import { Panel } from "./panel.js";
import { Store } from "./store.js";
import { Talk } from "./talk.js";

const STYLES = ["panel.css", "talk.css"];
const HOST = "kefu-widget";

/** Show the widget; resolves to what becomes `window.kefu`. */
export const start = async ({ origin, base, options }) => {
  const language = widgetLanguage(options.lang, document.documentElement.lang, navigator.languages);
  const api = new Api(origin, language);
  const [config, ...styles] = await Promise.all([api.config(), ...STYLES.map((name) => styleSheet(`${base}/${name}`))]);
  const text = textOf(config.text);
  const store = new Store(origin);
  const link = new Link();
  const talk = new Talk({ api, store, link, text, page: () => options.page ?? location.origin + location.pathname });
  const root = attach(styles, config, options);
  const panel = new Panel({ root, config, text, talk, link, store, options });
  const live = new Live({ api, link, talk });
  live.watch();
  talk.restore();
  if (store.open || options.open === "true") panel.open({ focus: false });
  askFromAddress(store, panel);
  return publicApi(talk, panel);
};

const styleSheet = async (address) => {
  const response = await fetch(address, { credentials: "omit" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(await response.text());
  return sheet;
};

/** A shadow root at the end of the document, out of reach of the page's styles. */
const attach = (styles, config, options) => {
  const host = document.createElement(HOST);
  host.lang = config.language;
  if (options.position === "left") host.dataset.position = "left";
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = styles;
  const colours = palette(options.color ?? config.colour);
  for (const [name, value] of Object.entries(colours)) host.style.setProperty(`--${name}`, value);
  followTheme(host, options.theme);
  document.documentElement.append(host);
  return root;
};

/** `data-theme` of the tag decides; else that of the page, which may change; else the browser's choice, in the style. */
const followTheme = (host, chosen) => {
  const page = document.documentElement;
  const show = () => {
    const theme = chosen ?? page.dataset.theme;
    if (theme === "dark" || theme === "light") host.dataset.theme = theme;
    else delete host.dataset.theme;
  };
  show();
  new MutationObserver(show).observe(page, { attributes: true, attributeFilter: ["data-theme"] });
};

/** A link may ask: `?question=…` of the page's address, once a tab. */
const askFromAddress = (store, panel) => {
  const question = new URLSearchParams(location.search).get("question")?.trim();
  if (!question || store.asked === question) return;
  store.asked = question;
  panel.open({ question });
};

const publicApi = (talk, panel) => ({
  /** Open the chat; with a text, ask it, or with `{ send: false }` only write it into the field. */
  open: (question, { send = true } = {}) => panel.open({ question, send }),
  close: () => panel.close(),
  /** Say who the user is: `{ id, name, signature }`, signed on the site's own server. */
  identify: (user) => talk.people.identify(user),
  /** Hear of "open", "close", "message" or "person"; returns a function that ends it. */
  on: (name, listener) => {
    const hear = (event) => listener(event.detail);
    const source = name === "open" || name === "close" ? panel : talk;
    source.addEventListener(name, hear);
    return () => source.removeEventListener(name, hear);
  },
});
