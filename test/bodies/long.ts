// Computes while it is imported, and lets its thread end no sooner; imported by slow-to-load.ts.

JSON.parse(`[${"1,".repeat(Number(process.env.LONG ?? 4e6))}1]`);
