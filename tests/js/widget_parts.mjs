// The widget's pure functions, run by node; prints what they answer as JSON. See test_widget_parts.py.
const folder = process.argv[2]; // the widget's files, in a folder that says that they are modules
const { parseEvent, serverEvents } = await import(`${folder}/api.js`);
const { contrast, palette, parse } = await import(`${folder}/colour.js`);
const { textOf, widgetLanguage } = await import(`${folder}/language.js`);
const { pastMessages } = await import(`${folder}/messages.js`);

const rgb = (css) => css.match(/\d+/g).map(Number);
const languages = [
  ["auto", "zh-CN", ["en"]],
  ["auto", "fr", ["de", "zh-TW"]],
  [undefined, "", ["fr"]],
  ["zh-Hant", "en", ["en"]],
  ["auto", "en-GB", ["zh-CN"]],
  ["tlh", "", ["zh-Hans-HK"]],
];
const colours = ["#1a6dd6", "#f5c518", "#111111", "#fff", "#7f7f7f", "not a colour", "#0f0"];
const contrasts = Object.fromEntries(colours.map((colour) => {
  const of = palette(colour);
  return [colour, Math.min(
    contrast(rgb(of.fill), rgb(of["on-fill"])),
    contrast(rgb(of["accent-light"]), [255, 255, 255]),
    contrast(rgb(of["accent-light"]), rgb(of["tint-light"])),
    contrast(rgb(of["accent-dark"]), rgb(of["tint-dark"])),
  )];
}));

const bytes = new TextEncoder().encode(': 在\n\nevent: said\r\ndata: {"a":"退款"}\r\n\r\ndata: 1\ndata: 2\n\nevent: half');
const cut = new ReadableStream({ start(to) { for (const byte of bytes) to.enqueue(Uint8Array.of(byte)); to.close(); } });
const events = [];
for await (const event of serverEvents(cut)) events.push(event);

const turn = { turn_id: "t1", asked_at: "2026-11-01T10:00:00+00:00", message: "问", html: "<p>答</p>", said_by: "assistant", rating: 1, sources: [], options: [], actions: [] };
const silent = { ...turn, turn_id: "t2", asked_at: "2026-11-01T10:02:00+00:00", html: "", route: "person" };
const said = { ...turn, turn_id: "e1", asked_at: "2026-11-01T10:03:00.5+00:00", said_by: "person", name: "小李" };
const file = { id: "f", name: "x.png", media_type: "image/png", url: "/widget/files/f", uploaded_at: "2026-11-01T10:01:00+00:00" };

console.log(JSON.stringify({
  languages: languages.map((given) => widgetLanguage(...given)),
  contrasts,
  unreadable: parse("rgb(1,2,3)") ?? null,
  text: textOf({ one: "{name}: {count} of {most}", list: ["a"] })("one", { name: "小李", count: 0 }),
  parsed: parseEvent("event: x\ndata: y"),
  events,
  past: pastMessages([turn, silent, said], [file], (path) => `https://k${path}`).map(({ kind, key, rating, url }) => ({ kind, key, rating, url })),
}));
