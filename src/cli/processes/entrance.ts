import { createServer, type Server, type Socket } from "node:net";
import type { ListenPlace } from "../../config/values.ts";
import { type DoorName, type Doors, listen } from "../doors.ts";
import type { Line } from "./line.ts";

/** A connection on its way to a child, which names it in its answer. */
interface Handed {
  door: DoorName;
  id: number;
}

interface Member {
  line: Line;
  /** Its open connections, and those on their way to it. */
  count: number;
  /** Connections that it has not taken yet. */
  untaken: Map<number, Socket>;
}

/** A child that has so many connections yet to take is busy: others come first. */
const maxUntaken = 8;
/** Connections that wait while there is no child; further ones are closed. */
const maxWaiting = 1_000;

/**
 * A port of the parent. Each connection goes to the child with the fewest, so that all have the same number, however long
 * connections live. The parent keeps its hold of a connection until the child has taken it: a child that dies loses none.
 */
export class Entrance {
  readonly #name: DoorName;
  readonly #server: Server;
  readonly #members = new Set<Member>();
  readonly #waiting: Socket[] = [];
  #lastId = 0;

  constructor(name: DoorName) {
    this.#name = name;
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
      // A peer that goes away is the child's concern.
      socket.on("error", () => {});
      this.#admit(socket);
    });
  }

  listen(place: ListenPlace): Promise<number> {
    return listen(this.#server, place);
  }

  /** Stops listening. */
  close(): void {
    this.#server.close();
    for (const socket of this.#waiting.splice(0)) socket.destroy();
  }

  /** Gives connections to a child, until `dismiss` is called or it ends. */
  enlist(line: Line): { dismiss: () => void } {
    const member: Member = { line, count: 0, untaken: new Map() };
    this.#members.add(member);
    line.hear(`took ${this.#name}`, (id: number) => {
      member.untaken.get(id)?.destroy();
      member.untaken.delete(id);
    });
    line.hear(`left ${this.#name}`, () => member.count--);
    const dismiss = () => void this.#members.delete(member);
    line.onEnd(() => {
      dismiss();
      for (const socket of member.untaken.values()) this.#admit(socket);
    });
    for (const socket of this.#waiting.splice(0)) this.#admit(socket);
    return { dismiss };
  }

  #admit(socket: Socket): void {
    const member = this.#choose();
    if (member) {
      const id = ++this.#lastId;
      member.count++;
      member.untaken.set(id, socket);
      member.line.give("connection", { door: this.#name, id } satisfies Handed, socket);
    } else if (this.#waiting.length < maxWaiting) this.#waiting.push(socket);
    else socket.destroy();
  }

  #choose(): Member | undefined {
    let best: Member | undefined;
    for (const member of this.#members) if (!best || isBetter(member, best)) best = member;
    return best;
  }
}

function isBetter(one: Member, other: Member): boolean {
  const [isBusy, isOtherBusy] = [one, other].map(({ untaken }) => untaken.size >= maxUntaken);
  return isBusy === isOtherBusy ? one.count < other.count : !isBusy;
}

/** The child's doors: its servers get their connections from the parent, which listens. */
export function handedDoors(line: Line, ports: Partial<Record<DoorName, number>>): Doors {
  const servers = new Map<DoorName, Server>();
  line.hear("connection", ({ door, id }: Handed, socket?: Socket) => {
    line.tell(`took ${door}`, id);
    const server = servers.get(door);
    if (!socket || !server) {
      socket?.destroy();
      line.tell(`left ${door}`);
      return;
    }
    socket.once("close", () => line.tell(`left ${door}`));
    // As servers set it for the connections that they accept.
    socket.allowHalfOpen = true;
    server.emit("connection", socket);
  });
  return {
    open: async (name, _, server) => {
      servers.set(name, server);
      // An HTTP server sets up its time limits at this event.
      server.emit("listening");
      return ports[name]!;
    },
  };
}
