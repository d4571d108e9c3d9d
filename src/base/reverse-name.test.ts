import { expect, test } from "vitest";
import { reverseName } from "./reverse-name.ts";

test("an address is reversed by octets or by half octets, however it is written", () => {
  expect(reverseName("192.0.2.1")).toBe("1.2.0.192");
  expect(reverseName("::ffff:192.0.2.1")).toBe("1.2.0.192");
  // RFC 5782 §2.4
  expect(reverseName("2001:db8:1:2:3:4:567:89ab")).toBe(
    "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2",
  );
  expect(reverseName("2001:DB8:0::2%eth0")).toBe(`2${".0".repeat(23)}.8.b.d.0.1.0.0.2`);
  for (const other of ["", "mail.test", "[192.0.2.1]"]) expect(reverseName(other)).toBeUndefined();
});
