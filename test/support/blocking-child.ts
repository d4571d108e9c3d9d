import { Line, type Port } from "../../src/cli/processes/line.ts";

/** A child of `Children` that serves nothing, and does nothing else for as long as it is told. */
const line = new Line(process as unknown as Port);
line.hear("block", (milliseconds: number) => {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
});
line.hear("ping", () => {});
line.hear("end", () => process.exit(0));
line.onEnd(() => process.exit(0));
line.tell("serving");
