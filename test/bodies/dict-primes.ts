// Puts the number of primes near its item into the dictionary, or where there is none returns it as an
// entry, for merge-dict.ts.

import { countPrimes } from "../../lib/bodies/cpu.ts";

interface Dict {
  set: (key: number, value: number) => unknown;
}

export default async function body(
  item: number,
  _context: unknown,
  dict?: Dict,
): Promise<number | [number, number][]> {
  const primes = countPrimes(1_000_000 + item, 40_000);
  if (!dict) return [[item, primes]];
  void dict.set(item, primes); // not awaited: it arrives before this returns
  return primes;
}
