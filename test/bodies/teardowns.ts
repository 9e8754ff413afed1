// Its teardown does what the variable TEARDOWN says: it throws or exits.

export default function body(item: number) {
  return [[item, item]];
}

export function teardown() {
  if (process.env.TEARDOWN === "throws") throw new Error("still open");
  process.exit(3);
}
