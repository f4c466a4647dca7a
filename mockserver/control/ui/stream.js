// Streams of chunks, put together.
/** Returns what the events of a stream say together: text, calls, finish reason and usage of the first choice. */
export function joinEvents(events) {
  const joined = { text: "", calls: [], finish: null, usage: null };
  for (const { data } of events) {
    joined.usage = data?.usage ?? joined.usage;
    const choice = data?.choices?.find?.(({ index }) => !index);
    joined.finish = choice?.finish_reason ?? joined.finish;
    const said = choice?.delta ?? choice?.message;
    joined.text += typeof said?.content === "string" ? said.content : "";
    (said?.tool_calls ?? []).forEach((call, place) => {
      const known = (joined.calls[call.index ?? place] ??= { id: "", name: "", arguments: "" });
      known.id ||= call.id ?? "";
      known.name += call.function?.name ?? "";
      known.arguments += call.function?.arguments ?? "";
    });
  }
  joined.calls = joined.calls.filter(Boolean);
  return joined;
}
