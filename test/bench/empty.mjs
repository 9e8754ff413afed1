// The worker of piscina and tinypool for an iteration that does nothing.
export default (item) => item;
