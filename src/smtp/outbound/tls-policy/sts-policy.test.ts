import { describe, expect, test } from "vitest";
import { BadStsPolicy, namesHost, parseStsPolicy, stsId } from "./sts-policy.ts";

describe("RFC 8461 §3.1: the record", () => {
  test.each([
    [[["v=STSv1; id=20260101T010101;"]], "20260101T010101"],
    [[["v=STSv1;id=1"]], "1"],
    [[["v=STSv1; ", "id=ab; x=y"]], "ab"],
    [[["v=spf1 -all"], ["v=STSv1; id=7"]], "7"],
    [[["v=STSv1; id=1"], ["v=STSv1; id=2"]], undefined],
    [[["v=STSv10; id=1"]], undefined],
    [[["v=STSv1; id=not-one"]], undefined],
    [[["v=STSv1"]], undefined],
    [[], undefined],
  ])("%j has the id %j", (records, id) => {
    expect(stsId(records)).toBe(id);
  });
});

const text = "version: STSv1\r\nmode: enforce\r\nmx: mx.far.test\r\nmx: *.mail.far.test\r\nmax_age: 604800\r\n";

describe("RFC 8461 §3.2: the policy", () => {
  test("is read with its hosts, its mode and its age, by either line end", () => {
    const policy = { mode: "enforce", mx: ["mx.far.test", "*.mail.far.test"], maxAgeSeconds: 604_800 };
    expect(parseStsPolicy(text)).toEqual(policy);
    expect(parseStsPolicy(text.replaceAll("\r\n", "\n"))).toEqual(policy);
    expect(parseStsPolicy(`${text}mode: none\r\nother.field: x\r\n`)).toEqual(policy);
    expect(parseStsPolicy("version:STSv1\nmode:none\nmax_age:5")).toEqual({ mode: "none", mx: [], maxAgeSeconds: 5 });
    expect(parseStsPolicy(text.replace("604800", "9999999999")).maxAgeSeconds).toBe(31_557_600);
  });

  test.each([
    ["no version", text.replace("version: STSv1\r\n", "")],
    ["another version", text.replace("STSv1", "STSv2")],
    ["no mode", text.replace("mode: enforce\r\n", "")],
    ["another mode", text.replace("enforce", "maybe")],
    ["no age", text.replace("max_age: 604800\r\n", "")],
    ["an age that is no number", text.replace("604800", "1 week")],
    ["no host", text.replaceAll(/mx: .*\r\n/g, "")],
    ["a host that is none", text.replace("mx.far.test", "mx far")],
    ["a page", "<!doctype html>\n<p>Not found"],
    ["nothing", ""],
  ])("with %s is none", (_, bad) => {
    expect(() => parseStsPolicy(bad)).toThrow(BadStsPolicy);
  });

  test.each([
    ["mx.far.test", true],
    ["MX.FAR.TEST.", true],
    ["a.mail.far.test", true],
    ["a.b.mail.far.test", false],
    ["mail.far.test", false],
    ["xmx.far.test", false],
    ["far.test", false],
  ])("names %s: %j", (host, isNamed) => {
    expect(namesHost(parseStsPolicy(text), host)).toBe(isNamed);
  });
});
