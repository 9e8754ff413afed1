// A body that needs no context and no promise.

export default function body(item: number): number {
  return item * 2;
}
