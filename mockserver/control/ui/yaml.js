// Writes values as YAML. Text is written as JSON if plain YAML could read it as anything else: JSON is YAML.
const PLAIN = /^[A-Za-z][A-Za-z0-9 _/.,'()!?-]*$/;
const linesOf = (text, indent) => text.split("\n").map((line) => (line ? `${indent}${line}\n` : "\n")).join("");
const SPECIAL = /^(true|false|null|yes|no|on|off|y|n)$/i;

function scalar(value) {
  const isPlain = typeof value === "string" && PLAIN.test(value) && !SPECIAL.test(value) && value === value.trim();
  return isPlain ? value : JSON.stringify(value);
}

/** Text of several lines that a block keeps as it is: no space at an edge, nothing invisible. */
const isBlock = (value) => typeof value === "string" && value.includes("\n") && value === value.trim() && !/[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff]/.test(value);

/** Returns a value as YAML, its objects and lists in blocks. */
export function toYaml(value, indent = "") {
  if (value === null || typeof value !== "object" || !Object.keys(value).length) return `${indent}${scalar(value)}\n`;
  const inner = `${indent}  `;
  if (Array.isArray(value)) return value.map((one) => `${indent}- ${toYaml(one, inner).slice(inner.length)}`).join("");
  return Object.entries(value).map(([name, one]) => {
    const isNested = one !== null && typeof one === "object" && Object.keys(one).length;
    const text = isNested ? `\n${toYaml(one, inner)}` : isBlock(one) ? ` |-\n${linesOf(one, inner)}` : ` ${scalar(one)}\n`;
    return `${indent}${scalar(name)}:${text}`;
  }).join("");
}
