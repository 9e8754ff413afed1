// Has forgotten the word "default".

export function body(item: unknown): unknown {
  return item;
}
