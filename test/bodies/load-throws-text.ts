// Throws as it is loaded, and no error.

throw "no database";

export default function body(item: unknown): unknown {
  return item;
}
