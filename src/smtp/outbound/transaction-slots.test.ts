import { expect, test, vi } from "vitest";
import { type Claim, TransactionSlots } from "./transaction-slots.ts";

const claim = (account: number, destination: string, network = destination): Claim => ({
  account,
  destination,
  network,
  isLarge: false,
});
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Runs work that ends when it is told; says what began, in order. */
function stage(slots: TransactionSlots) {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const run = (name: string, one: Claim) =>
    slots.run(one, () => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.push(resolve));
    });
  return { begun, run, end: () => ends.splice(0).forEach((one) => void one()) };
}

test("what takes long leaves its slot to others, and its destination waits for the slow ones from then on", async () => {
  const slots = new TransactionSlots({ quick: 2, slow: 1, slowAfterMs: 30 });
  const { begun, run, end } = stage(slots);
  const works = [run("tar 1", claim(1, "tar")), run("tar 2", claim(1, "tar")), run("tar 3", claim(1, "tar"))];
  works.push(run("good", claim(1, "good")));
  expect(begun).toEqual(["tar 1", "tar 2"]);
  await vi.waitFor(() => expect(begun).toEqual(["tar 1", "tar 2", "good"]), { interval: 5 });
  expect([slots.isSlow("tar"), slots.isSlow("good")]).toEqual([true, false]);
  end();
  await pause(10);
  expect(begun).toEqual(["tar 1", "tar 2", "good", "tar 3"]);
  end();
  await Promise.all(works);
  // It was quick this time.
  expect(slots.isSlow("tar")).toBe(false);
});

test("of those that wait, the next is of the account and to the destination with the fewest under way", async () => {
  const slots = new TransactionSlots({ quick: 2 });
  const { begun, run, end } = stage(slots);
  const works = [run("a", claim(1, "x")), run("b", claim(1, "x"))];
  works.push(run("c", claim(1, "x")), run("d", claim(1, "y")), run("e", claim(2, "x")));
  end();
  await pause(5);
  expect(begun).toEqual(["a", "b", "e", "d"]);
  end();
  await pause(5);
  end();
  await Promise.all(works);
});

test("one network has a few of them, whatever its servers are called", async () => {
  const slots = new TransactionSlots({ ofNetwork: 2 });
  const { begun, run, end } = stage(slots);
  const works = [1, 2, 3].map((at) => run(`tar ${at}`, claim(1, `mx${at}`, "192.0.2")));
  works.push(run("good", claim(1, "mx", "198.51.100")));
  expect(begun).toEqual(["tar 1", "tar 2", "good"]);
  end();
  await pause(5);
  end();
  await Promise.all(works);
  expect(begun).toHaveLength(4);
});

test("large messages to slow servers keep no other large ones, until there are three times as many", async () => {
  const slots = new TransactionSlots({ large: 1, slowAfterMs: 30 });
  const { begun, run, end } = stage(slots);
  const large = (destination: string) => run(destination, { ...claim(1, destination), isLarge: true });
  const works = [large("tar 1"), large("tar 2"), large("tar 3"), run("small", claim(1, "elsewhere"))];
  expect(begun).toEqual(["tar 1", "small"]);
  await vi.waitFor(() => expect(begun).toEqual(["tar 1", "small", "tar 2", "tar 3"]));
  // The first is slow, so its servers have the place of a slow one already.
  expect(slots.hasMemoryFor({ ...claim(1, "tar 1"), isLarge: true })).toBe(false);
  expect(slots.hasMemoryFor(claim(1, "tar 1"))).toBe(true);
  works.push(large("tar 1"), large("good"));
  await pause(60);
  expect(begun).toHaveLength(4);
  end();
  await vi.waitFor(() => expect(begun).toContain("good"));
  end();
  await vi.waitFor(() => expect(begun).toHaveLength(6));
  end();
  await Promise.all(works);
});

test("work that fails gives its slot back", async () => {
  const slots = new TransactionSlots({ quick: 1 });
  await expect(slots.run(claim(1, "x"), () => Promise.reject(new Error("spoilt")))).rejects.toThrow("spoilt");
  expect(await slots.run(claim(1, "x"), async () => "done")).toBe("done");
});
