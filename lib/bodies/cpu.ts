// The body of `--work cpu`: burns CPU, to a known result.

export default function body(item: number): number {
  return countPrimes(1_000_000 + item, 40_000);
}

/**
 * Counts the primes from `from` up to, but without, `from + width`, by trial division.
 * Slow on purpose, and the same on every machine: countPrimes(0, 100) is 25.
 */
export function countPrimes(from: number, width: number): number {
  let count = 0;
  for (let n = Math.max(2, from); n < from + width; n++) {
    let divisor = 2;
    while (divisor * divisor <= n && n % divisor !== 0) divisor++;
    if (divisor * divisor > n) count++;
  }
  return count;
}
