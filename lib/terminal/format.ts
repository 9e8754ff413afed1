// Numbers, times and sizes as people read them.

/** A time with three digits and its unit: "0.42 ms", "21.3 ms", "1.71 s". */
export function formatMs(ms: number): string {
  const rounded = (value: number) => Number(value.toPrecision(3));
  const [value, unit] = rounded(ms) < 1000 ? [ms, "ms"] : [ms / 1000, "s"];
  const size = Math.abs(rounded(value));
  if (size < 0.01) return `${Number(value.toPrecision(1))} ${unit}`;
  return `${value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)} ${unit}`;
}

/** A whole number with separators: "10,000". (The first toLocaleString() of a process takes 10 ms.) */
export function formatCount(count: number): string {
  return `${Math.round(count)}`.replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A size in mebibytes: "143 MiB". */
export function formatBytes(bytes: number): string {
  return `${formatCount(bytes / 2 ** 20)} MiB`;
}

/** A number and its noun: "1 worker", "8 workers". */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : nouns}`;
}

/** "12 %". */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
