// Throws as it is loaded.

throw Object.assign(new RangeError("no database"), { code: "E_LOAD" });

export default function body(item: unknown): unknown {
  return item;
}
