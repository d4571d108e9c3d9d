import { networkOf } from "../../../base/network.ts";
import { readIncomingHeader } from "../incoming-header.ts";
import type { Facts, Session } from "./stage.ts";

export interface Peer extends Session {
  /** Ends the connection. */
  end(): void;
}

/** A peer that has just connected. */
export function peer(address = "192.0.2.1", more: Partial<Session> = {}): Peer {
  const ending: (() => void)[] = [];
  return {
    ...{ address, network: networkOf(address), isLoopback: false, helo: "there.test" },
    onEnd: (work) => void ending.push(work),
    end: () => {
      for (const work of ending.splice(0)) work();
    },
    ...more,
  };
}

const transaction = { mailFrom: "eve@there.test", isUtf8: false, size: 0 };
const path = (address: string) => ({ address, parameters: {} });

/** The facts of an ordinary message at each stage. */
export const factsOf = {
  mail: (more: Partial<Facts<"mail">> = {}): Facts<"mail"> => ({
    ...transaction,
    path: path(transaction.mailFrom),
    ...more,
  }),
  rcpt: (more: Partial<Facts<"rcpt">> = {}): Facts<"rcpt"> => ({
    ...transaction,
    path: path("ada@here.test"),
    recipients: 0,
    ...more,
  }),
  data: (more: Partial<Facts<"data">> & { message: Buffer }): Facts<"data"> => ({
    ...transaction,
    recipients: [{ address: "ada@here.test", userId: 1 }],
    header: readIncomingHeader(more.message, "mx.test"),
    ...more,
  }),
};
