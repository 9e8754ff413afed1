// Posts its item to an API that counts. One item, where there is one, then kills its worker.

export interface Context {
  url: string;
  kills?: number; // the item that kills
}

export default async function body(item: number, { url, kills }: Context): Promise<number> {
  const reply = await fetch(url, { method: "POST", body: `${item}` });
  const value = Number(await reply.text());
  if (item === kills) process.kill(process.pid, "SIGKILL");
  return value;
}
