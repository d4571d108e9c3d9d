import { run } from "./run.ts";

// The reader of our output may stop early, as in `posthorn config | head`.
process.stdout.on("error", () => {});

await run(process.argv.slice(2));
