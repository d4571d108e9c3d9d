import { core } from "../client/types.ts";
import { defineTests } from "../runner/define.ts";
import { methodError, same } from "../runner/expect.ts";

const group = { rfc: "rfc8620", section: "4", title: "Core/echo", requires: [core] };

export const echo = defineTests(group, [
  {
    id: "echo",
    level: "MUST",
    says: "The Core/echo method returns exactly the same arguments as it is given.",
    run: async (t) => {
      const args = {
        hello: true,
        high: 5,
        nested: { list: [1, "two", null, [], {}], "~/ key": "x" },
        empty: "",
        text: 'zażółć 😀 \u0000\u001f"\\/',
        negative: -9007199254740991,
        large: 9007199254740991,
      };
      same(await t.call([["Core/echo", args, "b3ff"]]), [["Core/echo", args, "b3ff"]], "methodResponses");
    },
  },
  {
    id: "echo-empty",
    level: "MUST",
    says: "The Core/echo method returns exactly the same arguments as it is given.",
    run: async (t) => {
      same(await t.call([["Core/echo", {}, ""]]), [["Core/echo", {}, ""]], "methodResponses");
    },
  },
  {
    id: "echo-needs-core",
    level: "MUST",
    says: "The server MUST only follow the specifications that are opted into and behave as though it does not implement anything else.",
    run: async (t) => {
      const [answer] = await t.call([["Core/echo", { a: 1 }, "0"]], []);
      methodError(answer, "unknownMethod");
    },
  },
]);
