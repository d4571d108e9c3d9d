import { expect, test } from "vitest";
import { readMailto } from "../inbox/conversation/mailto.ts";
import { waysToLeave } from "../inbox/conversation/unsubscribe.ts";

const oneClick = "https://posthorn.example/jmap/unsubscribe";
const signed = { spf: { result: "none", domain: null }, dmarc: [] };

/** The ways that these URLs give. */
function ways(
  urls: string[] | null,
  { post = null as string | null, result = "pass", capabilities = { [oneClick]: {} } as object } = {},
) {
  const dkim = [{ result, domain: "list.test", selector: "s" }];
  const authentication = { ...signed, dkim };
  const header = { "header:List-Unsubscribe:asURLs": urls, "header:List-Unsubscribe-Post:asText": post };
  return waysToLeave({ ...header, authentication }, { capabilities } as Parameters<typeof waysToLeave>[1]);
}
const readLeaving = (urls: string[] | null) => ways(urls)[0];

test("one click comes first where the mail says so, its signature is valid, and the server does it", () => {
  const urls = ["https://list.test/leave", "mailto:leave@list.test"];
  const post = "List-Unsubscribe=One-Click";
  const kinds = (options: Parameters<typeof ways>[1]) => ways(urls, options).map(({ way }) => way);
  expect(kinds({ post })).toEqual(["click", "mail", "page"]);
  for (const lacking of [{}, { post: "Other" }, { post, result: "fail" }, { post, capabilities: {} }]) {
    expect(kinds(lacking)).toEqual(["mail", "page"]);
  }
});

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
