// Returns its item.

export default function body(item: unknown): unknown {
  return item;
}
