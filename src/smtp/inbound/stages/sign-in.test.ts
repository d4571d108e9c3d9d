import { expect, test } from "vitest";
import type { Login, Refused } from "../../../auth/login.ts";
import { signingIn } from "./sign-in.ts";
import type { Credentials } from "./stage.ts";
import { factsOf, peer } from "./testing.ts";

const ada: Login = { login: "ada@here.test", userId: 1, accounts: [], credential: "password" };
let answer: Login | Refused | undefined;
const { signIn, stillSignedIn } = signingIn({
  authenticator: {
    checkPassword: async (login, password) => (login === ada.login && password === "right" ? answer : undefined),
    authenticate: async (header) => (header === "Bearer right" ? answer : undefined),
  },
});
const tryOut = (credentials: Credentials, session = peer()) => signIn(session, { credentials });
const wrong = { kind: "refuse", code: 535, status: "5.7.8" };

test("a password proves the login itself, a token its own login", async () => {
  answer = ada;
  const right = { username: ada.login, password: "right" };
  const passed = { kind: "pass", found: { login: ada } };
  expect(await tryOut(right)).toEqual(passed);
  expect(await tryOut({ ...right, authzid: "ADA@here.test" })).toEqual(passed);
  expect(await tryOut({ ...right, authzid: "bob@here.test" })).toMatchObject(wrong);
  expect(await tryOut({ ...right, password: "wrong" })).toMatchObject(wrong);
  for (const username of ["", "Ada@here.test"])
    expect(await tryOut({ username, accessToken: "right" })).toEqual(passed);
  expect(await tryOut({ username: "bob@here.test", accessToken: "right" })).toMatchObject(wrong);
});

test("a throttled login is put off, and the fifth wrong one ends the connection", async () => {
  answer = "throttled";
  const right = { username: ada.login, password: "right" };
  expect(await tryOut(right)).toMatchObject({ kind: "defer", code: 454, status: "4.7.0" });
  const guesser = peer();
  for (let at = 0; at < 4; at++) expect(await tryOut({ username: "x", password: "y" }, guesser)).toMatchObject(wrong);
  expect(await tryOut({ username: "x", password: "y" }, guesser)).toMatchObject({
    kind: "disconnect",
    status: "4.7.0",
  });
});

test("a password that needs a second factor beside it is answered with what to use instead", async () => {
  answer = "secondFactor";
  const told = { kind: "refuse", code: 534, status: "5.7.9", text: expect.stringContaining("app password") };
  expect(await tryOut({ username: ada.login, password: "right" })).toMatchObject(told);
  expect(await tryOut({ username: ada.login, password: "wrong" })).toMatchObject(wrong);
});

test("each message needs a login that still holds", async () => {
  answer = ada;
  const session = peer();
  expect(await stillSignedIn(session, factsOf.mail())).toMatchObject({ kind: "refuse", code: 530 });
  await tryOut({ username: ada.login, password: "right" }, session);
  Object.assign(session, { login: ada });
  answer = { ...ada, accounts: [{ id: 2, name: "team", isPersonal: false, isReadOnly: false }] };
  expect(await stillSignedIn(session, factsOf.mail())).toEqual({ kind: "pass", found: { login: answer } });
  answer = "throttled";
  expect(await stillSignedIn(session, factsOf.mail())).toMatchObject({ kind: "defer", code: 454 });
  // The login was removed and made again.
  answer = { ...ada, userId: 9 };
  expect(await stillSignedIn(session, factsOf.mail())).toMatchObject({ kind: "disconnect" });
  // It got a second factor meanwhile.
  answer = "secondFactor";
  expect(await stillSignedIn(session, factsOf.mail())).toMatchObject({ kind: "disconnect", code: 421 });
  answer = undefined;
  expect(await stillSignedIn(session, factsOf.mail())).toMatchObject({ kind: "disconnect", code: 421 });
});
