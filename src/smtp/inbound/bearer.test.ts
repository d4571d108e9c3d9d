import { expect, test } from "vitest";
import { parseBearer } from "./bearer.ts";

const parse = (text: string) => parseBearer(Buffer.from(text).toString("base64"));

test("a message of OAUTHBEARER names the user, or leaves that to the token", () => {
  const fields = "host=mail.test\x01port=587\x01auth=Bearer abc.def\x01\x01";
  expect(parse(`n,a=ada@here.test,\x01${fields}`)).toEqual({ username: "ada@here.test", accessToken: "abc.def" });
  expect(parse(`y,,\x01${fields}`)).toEqual({ username: "", accessToken: "abc.def" });
  expect(parse(`n,a=a=2Cb=3Dc,\x01${fields}`)).toMatchObject({ username: "a,b=c" });
});

test("anything else is malformed", () => {
  for (const text of [
    "",
    "n,,\x01\x01",
    "n,,auth=Bearer x",
    "p=tls,,\x01auth=Bearer x\x01\x01",
    "n,,\x01auth=Basic x\x01\x01",
  ]) {
    expect(parse(text), text).toBeUndefined();
  }
  expect(parse("n,a=a\x00b,\x01auth=Bearer x\x01\x01")).toBeUndefined();
});
