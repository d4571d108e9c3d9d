import * as packet from "dns-packet";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BadDnsMessage, dnsQuery, readDnsAnswer } from "./dns-message.ts";

const asked = { id: 7, name: "_25._tcp.mx.far.test", type: "TLSA" } as const;
const question = { type: "TLSA", name: asked.name, class: "IN" } as const;
const data = { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.alloc(32, 5) };
const tlsa = (name: string, ttl = 60) => ({ type: "TLSA", name, ttl, class: "IN", data }) as packet.Answer;
const alias = (name: string, to: string, ttl = 30) => ({ type: "CNAME", name, ttl, data: to }) as packet.Answer;
const response = (more: Partial<packet.Packet>) =>
  packet.encode({ type: "response", id: 7, flags: 0x20, questions: [question], ...more } as packet.Packet);

describe("a question", () => {
  test("asks for AD and DNSSEC, with room for an answer", () => {
    const { id, flag_rd, flag_ad, questions, additionals } = packet.decode(
      dnsQuery(7, "MX.far.test.", "MX"),
    ) as packet.DecodedPacket;
    expect({ id, flag_rd, flag_ad, questions }).toEqual({
      ...{ id: 7, flag_rd: true, flag_ad: true },
      questions: [{ name: "MX.far.test", type: "MX", class: "IN" }],
    });
    expect(additionals).toMatchObject([{ type: "OPT", udpPayloadSize: 1232, flag_do: true }]);
  });

  test.each(["a..b", "", `${"x".repeat(64)}.test`, `${"x.".repeat(128)}test`, "a b.test", "ä.test"])(
    "is not asked of %j",
    (name) => {
      expect(() => dnsQuery(1, name, "A")).toThrow(BadDnsMessage);
    },
  );
});

describe("an answer", () => {
  test("is read by its name, through aliases, with the AD bit and the shortest time that holds", () => {
    const answers = [alias(asked.name, "_dane.FAR.test"), tlsa("_dane.far.test"), tlsa("other.test", 1)];
    expect(readDnsAnswer(response({ answers }), asked)).toMatchObject({
      ...{ isAuthentic: true, code: 0, name: "_dane.far.test", hasAlias: true, ttlSeconds: 30 },
      tlsa: [{ usage: 3, selector: 1, matchingType: 1, data: Buffer.alloc(32, 5) }],
    });
    expect(readDnsAnswer(response({ flags: 0 }), asked)).toMatchObject({ isAuthentic: false, tlsa: [] });
  });

  test.each<[string, Buffer]>([
    ["another id", response({ id: 8 })],
    ["another name", response({ questions: [{ ...question, name: "x.test" }] })],
    ["another type", response({ questions: [{ ...question, type: "A" }] })],
    ["no question", response({ questions: [] })],
    ["a question instead", packet.encode({ type: "query", id: 7, questions: [question] })],
    ["half of it", response({ answers: [tlsa(asked.name)] }).subarray(0, 60)],
  ])("with %s is none", (_, bytes) => {
    expect(() => readDnsAnswer(bytes, asked)).toThrow(BadDnsMessage);
  });

  test("whose aliases or pointers go round in circles ends", () => {
    const answers = [alias(asked.name, "a.test"), alias("a.test", "b.test"), alias("b.test", "a.test")];
    expect(readDnsAnswer(response({ answers }), asked).tlsa).toEqual([]);
    const bytes = response({ answers: [tlsa(asked.name)] });
    const at = bytes.indexOf(Buffer.from([0xc0, 0x0c]));
    const circle =
      at < 0 ? Buffer.concat([response({}).subarray(0, 12), Buffer.from([0xc0, 0x0c, 0, 52, 0, 1])]) : bytes;
    if (at >= 0) circle.writeUInt16BE(0xc000 | at, at);
    expect(() => readDnsAnswer(circle, asked)).toThrow(BadDnsMessage);
  });

  test("of any bytes is read, or refused as such", () => {
    const whole = response({ answers: [alias(asked.name, "a.test"), tlsa("a.test")] });
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), fc.nat(whole.length), (changes, length) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          readDnsAnswer(bytes.subarray(0, length), asked);
        } catch (error) {
          expect(error).toBeInstanceOf(BadDnsMessage);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
