import { isIP } from "node:net";
import { connect, type SecureVersion } from "node:tls";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal } from "../runner/expect.ts";

/** Whether the server speaks just this version of TLS; its certificate is not looked at. */
function speaks(t: TestContext, version: SecureVersion): Promise<boolean> {
  const { protocol, hostname, port } = t.client.sessionUrl;
  if (protocol !== "https:") t.skip("the session was asked for over plain HTTP");
  const host = hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port: Number(port || 443),
      // RFC 6066 §3: an address is no server name.
      ...(isIP(host) === 0 && { servername: host }),
      minVersion: version,
      maxVersion: version,
      rejectUnauthorized: false,
      // Else this side would refuse the old versions.
      ciphers: "DEFAULT@SECLEVEL=0",
    });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("secureConnect", () => end(true));
    socket.on("error", () => end(false));
  });
}

export const tls = defineTests({ rfc: "rfc8620", section: "8.1", title: "Transport confidentiality" }, [
  ...(["TLSv1", "TLSv1.1"] as const).map((version) => ({
    id: `refused[${version}]`,
    level: "MUST" as const,
    says: "All requests MUST use TLS 1.2 or later.",
    run: async (t: TestContext) => equal(await speaks(t, version), false, `whether the server speaks ${version}`),
  })),
  {
    id: "tls-1.3",
    level: "SHOULD",
    says: "Servers SHOULD support TLS 1.3 or later.",
    run: async (t) => equal(await speaks(t, "TLSv1.3"), true, "whether the server speaks TLS 1.3"),
  },
]);
