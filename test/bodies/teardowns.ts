// Its teardown does what the variable TEARDOWN says: it throws an error or no text, or exits.

export default function body(item: number) {
  return [[item, item]];
}

export function teardown() {
  if (process.env.TEARDOWN === "throws") throw new Error("still open");
  if (process.env.TEARDOWN === "throws no text") throw { toString: 1, valueOf: 2 };
  process.exit(3);
}
