import { expect, test } from "vitest";
import { anywhere } from "./sought.ts";

test("the words of a phrase, wherever they stand", () => {
  expect(anywhere("'0007wa'")).toBe("'0007wa'");
  expect(anywhere("'0007wa':*D")).toBe("'0007wa':*");
  expect(anywhere("('0007wa':D <-> 'wb':*D)")).toBe("('0007wa' & 'wb':*)");
  expect(anywhere("('0007w<-' <-> '0007w->')")).toBe("('0007w<-' & '0007w->')");
  expect(anywhere("('0007w'':' <-> '0007w:''')")).toBe("('0007w'':' & '0007w:''')");
});
