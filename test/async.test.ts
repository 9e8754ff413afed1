import { testTechnique } from "./support/technique.ts";

testTechnique("async", "concurrently");
