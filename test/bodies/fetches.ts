// Fetches the URL that its item is.

export default async function body(item: string): Promise<number> {
  return (await fetch(item)).status;
}
