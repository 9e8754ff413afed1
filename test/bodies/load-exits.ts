// Ends its worker as it is loaded.

process.exit(3);

export default function body(item: unknown): unknown {
  return item;
}
