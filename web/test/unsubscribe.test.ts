import { expect, test } from "vitest";
import { readMailto } from "../inbox/conversation/mailto.ts";
import { readLeaving } from "../inbox/conversation/unsubscribe.ts";

test("a list is left by mail where that is offered, else by its page", () => {
  const page = "https://list.test/leave?id=1";
  expect(readLeaving([page, "mailto:leave@list.test?subject=leave%20now"])).toEqual({
    ...{ way: "mail", to: "leave@list.test", subject: "leave now", body: "unsubscribe" },
  });
  expect(readLeaving(["http://list.test/", page])).toEqual({ way: "page", url: page, host: "list.test" });
  for (const urls of [null, [], ["http://list.test/"], ["javascript:alert(1)"], ["mailto:"], ["nonsense"]]) {
    expect(readLeaving(urls)).toBeUndefined();
  }
});

test("a list cannot have mail sent to many, or fields added", () => {
  expect(readLeaving(["mailto:a@list.test,b@victim.test"])).toBeUndefined();
  expect(readLeaving(["mailto:a@list.test?to=b@victim.test"])).toBeUndefined();
  const leaving = readLeaving(["mailto:a@list.test?bcc=b@victim.test&subject=x%0d%0aBcc:%20b@victim.test"]);
  expect(leaving).toMatchObject({ to: "a@list.test", subject: "x Bcc: b@victim.test" });
});

test("mailto links name whom to write to, and what", () => {
  expect(
    readMailto("mailto:ann@x.test,b%6Fb@x.test?cc=c@x.test&Subject=A+B&body=one%0D%0Atwo&attach=/etc/passwd"),
  ).toEqual({
    ...{ to: ["ann@x.test", "bob@x.test"], subject: "A+B", body: "one\ntwo" },
  });
  expect(readMailto("mailto:?subject=%ZZ")).toEqual({ to: [], subject: "%ZZ", body: "" });
  expect(readMailto("https://x.test")).toBeUndefined();
});
