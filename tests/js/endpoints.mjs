// Calls every endpoint of the server at argv[2] as a program would, and prints what came back as one JSON object.
import { Client } from "@gradio/client";

const QUESTION = "can i return opened earphones";
const app = await Client.connect(process.argv[2], { events: ["data", "status"] });

/** Every event of a streamed call. */
async function streamed(endpoint, given) {
  const events = [];
  for await (const message of app.submit(endpoint, given)) {
    // The client patches one object from event to event, so each is copied as it comes; a late one shows the next.
    if (message.type === "data") events.push(structuredClone(message.data[0]));
    if (message.type === "status" && message.stage === "error") throw new Error(message.message);
  }
  return events;
}

/** What a call says that is refused. */
async function refusal(endpoint, given) {
  try {
    await app.predict(endpoint, given);
  } catch (error) {
    return error.message;
  }
  throw new Error(`${endpoint} took ${JSON.stringify(given)}`);
}

const events = await streamed("/chat", { message: QUESTION });
const { conversation_id, turn_id } = events.at(-1);
const followUp = (await streamed("/chat", { message: "那退款呢？", conversation_id })).at(-1);
const feedback = await app.predict("/feedback", { conversation_id, turn_id, rating: -1, reason: "太慢" });
const history = await app.predict("/history", { conversation_id });
const search = await app.predict("/search", { question: "退货", top_k: 1 });
const recommended = await app.predict("/recommend", { conversation_id, top_k: 1 });
const handoff = await app.predict("/handoff", { conversation_id });
const unsigned = await refusal("/conversations", { user_id: "7", signature: "" });
const refused = await refusal("/feedback", { conversation_id, turn_id, rating: 5, reason: "" });
console.log(JSON.stringify({
  events, followUp, refused, feedback: feedback.data[0], history: history.data[0], search: search.data[0],
  recommended: recommended.data[0], handoff: handoff.data[0], unsigned,
}));
process.exit(0); // the client keeps a connection open, which would keep node alive
