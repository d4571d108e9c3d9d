import { expect, test } from "vitest";
import { prepareMessage } from "./prepare.ts";

test("a header of very many combining marks is read in time", () => {
  const marks = `a\u0323${"\u0301\u0323".repeat(60_000)}`;
  for (const name of ["Subject", "From", "To", "X-Other", "Content-Disposition"]) {
    const value = name === "Content-Disposition" ? `attachment; filename="${marks}"` : `${marks} <a@example.org>`;
    const started = process.cpuUsage();
    prepareMessage(Buffer.from(`${name}: ${value}\r\n\r\n${marks}`));
    expect(process.cpuUsage(started).user / 1e6, name).toBeLessThan(1);
  }
});
