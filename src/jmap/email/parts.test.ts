import { expect, test } from "vitest";
import { walk } from "../../mime/walk.ts";
import { OctetPool } from "../octets.ts";
import type { MessageContent } from "./content.ts";
import { bodyValues } from "./parts.ts";

test("large bodies are decoded one at a time, and small ones need not wait for them", async () => {
  const done: string[] = [];
  let reading = 0;
  const show = async (name: string, size: number) => {
    const message = Buffer.from(`Subject: ${name}\r\n\r\n${"x".repeat(size)}`);
    const content: MessageContent = {
      sha256: Buffer.alloc(32),
      steps: [],
      structure: walk(message),
      header: null,
      bytes: async ({ start, end }) => {
        if (size > 1_000_000) expect(++reading).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (size > 1_000_000) reading--;
        return message.subarray(start, end);
      },
    };
    const values = await bodyValues(
      content,
      { fetchTextBodyValues: true },
      new OctetPool(10_000_000, 10_000_000).lease(),
    );
    expect(Object.values(values)).toMatchObject([{ value: "x".repeat(size) }]);
    done.push(name);
  };
  await Promise.all([show("a", 2_000_000), show("b", 2_000_000), show("c", 2_000_000), show("small", 10)]);
  expect(done.indexOf("small")).toBeLessThan(2);
  expect(done.filter((name) => name !== "small")).toEqual(["a", "b", "c"]);
});
