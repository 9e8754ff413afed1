// What it exports as its default is no function.

export default { body: (item: unknown) => item };
