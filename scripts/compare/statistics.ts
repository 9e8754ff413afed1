// What a few repeated measurements say, and what they do not.

import { sum } from "../../lib/timing.ts";

/** What several measurements of the same thing come to, in its own unit. */
export type Spread = NonNullable<ReturnType<typeof spread>>;

/** How many times as much one thing is as another. */
export type Ratio = ReturnType<typeof ratio>;

/** With one or two measurements, less than this share apart is level: nothing tells them apart. */
export const LEVEL_ONCE = 0.1;
/** Less than this share apart is level, however often it was measured: it would not matter. */
const LEVEL = 0.03;

/** The middle one of the values, or the mean of the two in the middle; undefined for no values. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

/** Sums up measurements; undefined for none. */
export function spread(values: readonly number[]) {
  const middle = median(values);
  if (middle === undefined) return undefined;
  const mean = sum(values) / values.length;
  const squares = sum(values.map((value) => (value - mean) ** 2));
  return {
    median: middle,
    /** Sample standard deviation as a share of the median; 0 for a single measurement. */
    deviationShare: Math.sqrt(squares / Math.max(1, values.length - 1)) / middle,
    least: values.reduce((a, b) => Math.min(a, b)),
    most: values.reduce((a, b) => Math.max(a, b)),
    count: values.length,
  };
}

/**
 * How many times as much `a` is as `b`, by their medians. The deviations add up as the relative
 * errors of a quotient do, which is how hyperfine states its factors.
 *
 * The two differ where they are further apart than {@link LEVEL} and than twice the standard error:
 * that of a median of n values is 1.25 deviations / sqrt(n) (for normal distributions).
 */
export function ratio(a: Spread, b: Spread) {
  const factor = a.median / b.median;
  const apart = Math.max(factor, 1 / factor) - 1;
  const count = Math.min(a.count, b.count);
  // One or two measurements know too little of their own spread; of one, nothing is known.
  const known = count > 1 ? [a, b] : [];
  const errors = known.map((each) => (1.25 * each.deviationShare) / Math.sqrt(each.count));
  const level = Math.max(count < 3 ? LEVEL_ONCE : LEVEL, 2 * Math.hypot(...errors));
  /** Whether the second is faster, if they are times, or the difference no more than noise. */
  const verdict: "faster" | "slower" | "level" =
    apart <= level ? "level" : factor > 1 ? "faster" : "slower";
  return {
    factor,
    /** Standard deviation of the factor; undefined where there was one measurement of either. */
    deviation: count > 1 ? factor * Math.hypot(a.deviationShare, b.deviationShare) : undefined,
    verdict,
  };
}

/** "2.31 ± 0.05", or "2.3" where no deviation is known or it is too small to show. */
export function formatRatio({ factor, deviation }: Partial<Ratio> & { factor: number }): string {
  if (factor < 0.995) return `${Number(factor.toPrecision(2))}`;
  if (deviation === undefined) return factor.toFixed(1);
  return factor.toFixed(2) + (deviation < 0.005 ? "" : ` ± ${deviation.toFixed(2)}`);
}
