// What a few repeated measurements say, and what they do not.

import { sum } from "../../lib/timing.ts";

/** Several measurements of the same thing, in its own unit. */
export interface Spread {
  median: number;
  /** Sample standard deviation; undefined for a single measurement. */
  deviation: number | undefined;
  least: number;
  most: number;
  count: number;
}

/** How many times as much one thing is as another. */
export interface Ratio {
  factor: number;
  /** Standard deviation of the factor; undefined where there was one measurement of either. */
  deviation?: number | undefined;
  /** Whether the second is faster, if they are times, or the difference no more than noise. */
  verdict: "faster" | "slower" | "level";
}

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
export function spread(values: readonly number[]): Spread | undefined {
  const middle = median(values);
  if (middle === undefined) return undefined;
  const mean = sum(values) / values.length;
  const squares = sum(values.map((value) => (value - mean) ** 2));
  return {
    median: middle,
    deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : undefined,
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
export function ratio(a: Spread, b: Spread): Ratio {
  const factor = a.median / b.median;
  const apart = Math.max(factor, 1 / factor) - 1;
  const count = Math.min(a.count, b.count);
  const share = ({ deviation = 0, median }: Spread) => (count > 1 ? deviation / median : 0);
  const error = 1.25 * Math.hypot(share(a) / Math.sqrt(a.count), share(b) / Math.sqrt(b.count));
  // One or two measurements know too little of their own spread.
  const isLevel = apart <= Math.max(count < 3 ? LEVEL_ONCE : LEVEL, 2 * error);
  return {
    factor,
    deviation: count > 1 ? factor * Math.hypot(share(a), share(b)) : undefined,
    verdict: isLevel ? "level" : factor > 1 ? "faster" : "slower",
  };
}

/** "2.31 ± 0.05", or "2.3" where no deviation is known or it is too small to show. */
export function formatRatio({ factor, deviation }: Pick<Ratio, "factor" | "deviation">): string {
  if (factor < 0.995) return `${Number(factor.toPrecision(2))}`;
  if (deviation === undefined) return factor.toFixed(1);
  return factor.toFixed(2) + (deviation < 0.005 ? "" : ` ± ${deviation.toFixed(2)}`);
}
