// A body that returns 25 bytes.

export default function body(item: number): Buffer {
  return Buffer.from(`the result of item ${item}`.padEnd(25));
}
