// Loaded before all else: the wall clock steps by STEPPED_MS after a script has begun, and before its
// workers do. Nobody may set the machine's own clock for a test.

const steppedMs = Number(process.env.STEPPED_MS);
if (process.argv[2]?.startsWith("--worker-of=")) {
  const timeOrigin = performance.timeOrigin + steppedMs; // which is taken from the wall clock
  Object.defineProperty(performance, "timeOrigin", { value: timeOrigin });
} else {
  const now = Date.now;
  Date.now = () => now() + steppedMs;
}
