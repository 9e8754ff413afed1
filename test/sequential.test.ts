import { testTechnique } from "./support/technique.ts";

testTechnique("sequential", "inSequence");
