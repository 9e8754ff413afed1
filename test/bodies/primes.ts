// The body of `--work cpu`.

export { default } from "../../lib/bodies/cpu.ts";
