// Counts the letters of its item; puts the count into the dictionary, where there is one. The copies'
// first loop body: another imports a function of it, and lets it run in a loop of its own.

export interface Dict {
  set: (key: number, value: number) => unknown;
}

export function lettersOf(text: string): number {
  return text.replaceAll(/[^a-z]/g, "").length;
}

export default async function body(
  item: string,
  context: { unit: string },
  dict?: Dict,
): Promise<[string, number][]> {
  const count = lettersOf(item);
  if (count === 0) throw new RangeError(`no ${context.unit} in ${item}`);
  await dict?.set(count, count);
  return [[item, count]];
}
