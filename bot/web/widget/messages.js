// The messages of a talk as the page keeps them, and how they are made from what the server tells.

let count = 0;
const newKey = () => `local-${Date.now().toString(36)}-${(count += 1)}`;

/**
 * What the customer writes. `state` is "new", "queued" (there is no connection), "sending", "asked" (the server has it),
 * "sent" or "failed"; `after` is the turn before it.
 */
export const customerMessage = (text, after = "", { key = newKey(), state = "new", problem = "" } = {}) =>
  ({ key, kind: "customer", text, state, after, problem });

/** An answer that is being written. */
export const answerMessage = () =>
  ({ key: newKey(), kind: "assistant", html: "", streaming: true, turn: "", rating: 0, sources: [], options: [], actions: [] });

/** A line from the widget itself; with `contact` it asks how to reach the customer. */
export const notice = (text, { contact = false } = {}) => ({ key: newKey(), kind: "notice", text, contact });

/** A file on its way, or one that lies on the server. */
export const fileMessage = (file, preview) =>
  ({ key: newKey(), kind: "file", name: file.name, picture: file.type.startsWith("image/"), url: preview, state: "sending" });

/** What an event of /chat says, put into an answer. */
export const fill = (answer, part) => Object.assign(answer, {
  html: part.html,
  streaming: !part.done,
  turn: part.turn_id,
  language: part.language,
  route: part.route,
  sources: part.sources,
  options: part.options,
  actions: part.actions,
  text: part.answer,
});

/** What an event at the desk says; undefined for the customer's own words. */
export const deskMessage = ({ id, kind, name, html }, text) => {
  if (kind === "person") return { key: id, kind, name, html };
  const line = { joined: "person_joined", left: "bot_is_back", closed: "talk_closed" }[kind];
  return line && { key: id, kind: "notice", text: text(line, { name }) };
};

/** A conversation's past, oldest first, from what /history and /widget/files answer. */
export const pastMessages = (turns, files, address) => {
  const dated = turns.map((turn) => [turn.asked_at, ofTurn(turn)]);
  for (const file of files) dated.push([file.uploaded_at, [ofFile(file, address)]]);
  return dated.sort(([one], [other]) => Date.parse(one) - Date.parse(other)).flatMap(([, messages]) => messages);
};

const ofTurn = (turn) => {
  if (turn.said_by === "person") return [{ key: turn.turn_id, kind: "person", name: turn.name, html: turn.html }];
  if (turn.said_by === "notice") return [{ key: turn.turn_id, kind: "notice", text: turn.answer }];
  const question = customerMessage(turn.message, "", { key: `${turn.turn_id}?`, state: "sent" });
  const answer = fill({ ...answerMessage(), key: turn.turn_id, rating: turn.rating }, { ...turn, done: true });
  return turn.html ? [{ ...question, turn: turn.turn_id }, answer] : [{ ...question, turn: turn.turn_id }];
};

const ofFile = (file, address) => ({
  key: file.id,
  kind: "file",
  name: file.name,
  picture: file.media_type.startsWith("image/"),
  url: address(file.url),
  state: "sent",
});

/** Whether a message of this page is none that the server told of: one on its way, or the widget's own. */
export const isNotIn = (past) => {
  const keys = new Set(past.map(({ key }) => key));
  const turns = new Set(past.map(({ turn }) => turn).filter(Boolean));
  return ({ key, turn }) => !keys.has(key) && !(turn && turns.has(turn));
};

/** What must be kept in case the page is left; what may have arrived is asked for before it is sent again. */
export const unsentOf = (messages) => messages
  .filter(({ kind, state }) => kind === "customer" && state !== "sent")
  .map(({ key, text, state, after, problem }) => ({ key, text, after, problem, state: state === "sending" ? "asked" : state }));
