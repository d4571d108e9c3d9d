import { createServer, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import { generate } from "selfsigned";

/**
 * A mail server in a process of its own, which takes all mail over TLS and throws it away. Its parent gets its port, and later
 * how many connections and mails there were, each second.
 */
const counts = { connections: 0, mails: 0 };
const { cert, private: key } = await generate([{ name: "commonName", value: "sink.bench" }], { keySize: 2048 });
const secureContext = createSecureContext({ cert, key });
const offers = "250-sink.bench\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 100000000\r\n";

/** The end of a message is looked for across the borders of what arrives. */
function converse(socket: Socket): void {
  let rest = "";
  let isData = false;
  const hear = (octets: Buffer) => {
    rest += octets.toString("latin1");
    for (;;) {
      const mark = isData ? "\r\n.\r\n" : "\r\n";
      const end = rest.indexOf(mark);
      if (end < 0) break;
      const line = rest.slice(0, end);
      rest = rest.slice(end + mark.length);
      if (isData) {
        counts.mails++;
        isData = false;
        socket.write("250 2.0.0 taken\r\n");
      } else if (!answer(line)) return;
    }
    if (isData && rest.length > 8) rest = rest.slice(-8);
  };
  const answer = (line: string): boolean => {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === "STAR") {
      socket.write("220 go\r\n");
      socket.removeListener("data", hear);
      const secure = new TLSSocket(socket, { isServer: true, secureContext });
      secure.on("error", () => {});
      converse(secure);
      return false;
    }
    if (verb === "QUIT") socket.end("221 bye\r\n");
    else if (verb === "DATA") socket.write("354 go\r\n");
    else if (verb === "EHLO") socket.write(socket instanceof TLSSocket ? offers : `250-STARTTLS\r\n${offers}`);
    else socket.write("250 ok\r\n");
    isData = verb === "DATA";
    return true;
  };
  socket.on("error", () => {});
  socket.on("data", hear);
}

const server = createServer({ noDelay: true }, (socket) => {
  counts.connections++;
  converse(socket);
  socket.write("220 sink.bench\r\n");
}).listen(0, "127.0.0.1", () => process.send!({ port: (server.address() as { port: number }).port }));
setInterval(() => process.send!(counts), 200);
process.on("disconnect", () => process.exit(0));
