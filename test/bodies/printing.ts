// Prints what begins like a record.

export default function body(item: unknown): unknown {
  console.log('{"technique" is what I print myself');
  return item;
}
