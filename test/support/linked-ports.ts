import { EventEmitter } from "node:events";
import { deserialize, serialize } from "node:v8";
import { Line, type Message, type Port } from "../../src/cli/processes/line.ts";

/** Both ends of a line between a parent and a child, within one process. */
export function linkedLines(): { parent: Line; child: Line; end: () => void } {
  const [one, two] = [new LinkedPort(), new LinkedPort()];
  one.other = two;
  two.other = one;
  const end = () => {
    for (const port of [one, two]) {
      port.connected = false;
      port.emit("disconnect");
    }
  };
  return { parent: new Line(one), child: new Line(two), end };
}

class LinkedPort extends EventEmitter implements Port {
  connected = true;
  other: LinkedPort | undefined;

  send(message: Message, _socket: unknown, _options: unknown, done: () => void): void {
    const copy = deserialize(serialize(message)) as Message;
    setImmediate(() => {
      if (this.connected) this.other!.emit("message", copy);
      done();
    });
  }
}
