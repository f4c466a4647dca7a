// The path of chats with agents, as the served document has it.
import { control } from "./api.js";

let read;

/** Returns the served document: its operations and clauses. It is read once. */
export function contract() {
  read ??= control("/contract");
  read.catch(() => (read = undefined));
  return read;
}

/** Returns the path of chats with an agent; rejects if the document has none. */
export async function chatPath(agent) {
  const found = (await contract()).operations.find(({ id }) => id === "createAssistantChatCompletion");
  if (!found) throw new Error("The served document has no chats with agents.");
  return found.path.replace("{agent_id}", agent);
}
