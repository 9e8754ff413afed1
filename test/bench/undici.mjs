// A worker that imports undici, and holds its first item for so long that every worker gets one.
import "undici";

export default async () => {
  const begunMs = performance.timeOrigin + performance.now();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return begunMs;
};
