// undici's own types, for the one file of it that lib/post.ts imports.
declare module "undici/lib/dispatcher/pool.js" {
  export { Pool as default } from "undici";
}
