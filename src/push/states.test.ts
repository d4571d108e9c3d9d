import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  chooseTypes,
  decodePushState,
  encodePushState,
  isNewer,
  mergeStates,
  pushedTypes,
  stateChange,
} from "./states.ts";

describe("push state", () => {
  it("is decoded as it was encoded", () => {
    const state = fc.tuple(fc.nat(), fc.nat()).map(([epoch, modseq]) => `${epoch % 1e9}-${modseq}`);
    const states = fc.dictionary(fc.constantFrom(...pushedTypes), state);
    const known = fc.array(fc.tuple(fc.nat(), states)).map((entries) => new Map(entries));
    fc.assert(
      fc.property(known, (known) => {
        expect(decodePushState(encodePushState(known))).toEqual(known);
      }),
    );
  });

  it("is never decoded from other text", () => {
    const other = ["", "%", "bnVsbA", "W10", "e30=x", Buffer.from('{"a":{}}').toString("base64url")];
    for (const text of other.slice(0, 4)) expect(decodePushState(text)).toBeUndefined();
    expect(decodePushState(other[5] as string)).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (text) => {
        decodePushState(text);
      }),
    );
  });
});

describe("states", () => {
  it("are ordered by epoch, then modseq", () => {
    expect(isNewer("1-10", "1-9")).toBe(true);
    expect(isNewer("1-9", "1-10")).toBe(false);
    expect(isNewer("1-9", "1-9")).toBe(false);
    expect(isNewer("2-3", "1-90")).toBe(true);
    expect(isNewer("1-90", "2-3")).toBe(false);
    expect(isNewer("1-0", undefined)).toBe(true);
  });

  it("keep the newest of each type", () => {
    const states = { Email: "1-5", Mailbox: "1-5" };
    mergeStates(states, { Email: "1-4", Mailbox: "1-6", Thread: "1-1" });
    expect(states).toEqual({ Email: "1-5", Mailbox: "1-6", Thread: "1-1" });
  });

  it("name accounts as the wire does", () => {
    expect(stateChange(new Map([[33, { Email: "1-5" }]]))).toEqual({
      "@type": "StateChange",
      changed: { u11: { Email: "1-5" } },
    });
  });

  it("are chosen by name; unknown names and types without a state are never pushed", () => {
    expect([...chooseTypes(["Email", "CalendarEvent", "PushSubscription"])]).toEqual(["Email"]);
    expect([...chooseTypes(null)]).toEqual(pushedTypes);
  });
});
