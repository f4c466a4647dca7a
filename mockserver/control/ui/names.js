// The names of agents by id, and the agents of the shown scope.
import { control } from "./api.js";
import { createStore } from "./html.js";

export const names = createStore({ byId: new Map(), agents: [] });

/** Reads the agents of the shown scope again. */
export async function loadNames() {
  const { agents } = await control("/agents", { query: { limit: 1000 } });
  names.set({ agents, byId: new Map(agents.map(({ id, name }) => [id, name])) });
}
