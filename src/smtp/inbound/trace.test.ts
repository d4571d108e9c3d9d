import { expect, test } from "vitest";
import { receivedField } from "./trace.ts";

test("the trace field holds no more of a peer's name than a name", () => {
  const hop = { address: "2001:db8::1", protocol: "ESMTPS", hostname: "mx.test", id: "q1", at: new Date(0) };
  expect(receivedField({ ...hop, helo: "evil\r\nX: y", cipher: "TLSv1.3 X" })).toBe(
    "Received: from unknown ([IPv6:2001:db8::1])\r\n (TLSv1.3 X)\r\n by mx.test with ESMTPS id q1;\r\n Thu, 01 Jan 1970 00:00:00 +0000\r\n",
  );
});
