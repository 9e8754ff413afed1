// A loop body for --body that computes: the prime factors of a number.
//
// Run: seq 9007199254740000 9007199254740099 |
//        npx tsx scripts/processes.ts --body scripts/examples/factorize.ts --items -

export default function body(number: number): number[] {
  const factors: number[] = [];
  let left = number;
  for (let divisor = 2; divisor * divisor <= left; divisor++)
    for (; left % divisor === 0; left /= divisor) factors.push(divisor);
  return left > 1 ? [...factors, left] : factors;
}
