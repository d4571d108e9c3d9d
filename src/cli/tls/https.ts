import type { Server } from "node:http";
import type { Server as NetServer } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import type { Log } from "../../base/log.ts";
import type { Certificates } from "../../smtp/inbound/certificate.ts";
import type { Challenges } from "./challenges.ts";
import type { StsCertificates } from "./sts-certificates.ts";

const minVersion = "TLSv1.2";
/** A peer that does not finish its handshake in that time is closed. */
const handshakeTimeout = 10_000;
/** RFC 8737 §4 */
const acmeProtocol = "acme-tls/1";

interface Options {
  certificates: Certificates;
  /** Those of the authority, if there is one. */
  challenges: Challenges | undefined;
  stsCertificates?: Pick<StsCertificates, "contextFor"> | undefined;
  log: Log;
}

/** TLS in front of an HTTP server: hands it each connection after its handshake. */
export function createHttps(http: Server, { certificates, challenges, stsCertificates, log }: Options): NetServer {
  const settings = { minVersion, handshakeTimeout, noDelay: true } as const;
  const server = createServer(
    {
      ...certificates.current,
      ...settings,
      // For a name with an open challenge it names no context, which would keep `setKeyCert` from its effect.
      SNICallback: (name, done) => {
        const isKnown = challenges?.lookUp().catch(() => {}) ?? Promise.resolve();
        void isKnown.then(() => {
          const isAsked = challenges?.certificateFor(name) !== undefined;
          done(null, isAsked ? undefined : stsCertificates?.contextFor(name));
        });
      },
      /** RFC 8737: the authority asks for another certificate by the name of a protocol. */
      ALPNCallback(this: TLSSocket, { servername, protocols }) {
        // Node's types do not say that the name is false where the client gave none.
        const name = (servername as string | false) || "";
        const challenge = protocols.includes(acmeProtocol) ? challenges?.certificateFor(name) : undefined;
        if (!challenge) return protocols.includes("http/1.1") ? "http/1.1" : undefined;
        this.setKeyCert(challenge);
        return acmeProtocol;
      },
    },
    (socket) => {
      if (socket.alpnProtocol === acmeProtocol) socket.end();
      else http.emit("connection", socket);
    },
  );
  certificates.onChange((certificate) => server.setSecureContext({ ...certificate, minVersion }));
  server.on("tlsClientError", ({ message }, socket) => {
    log.debug({ peer: socket.remoteAddress, reason: message }, "a TLS handshake failed");
    socket.destroy();
  });
  return server;
}
