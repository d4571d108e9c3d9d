/** How a server ends: others serve its clients from now on, so nobody waits for it, or nobody does. */
export type Ending = "restart" | "stop";

/** How long what is open may take while a server ends. */
export interface EndingPatience {
  /** How long a connection may be idle, since the client's next request may be on its way. */
  idleMs: number;
  /** How long a request or message that is under way may take. */
  maxMs: number;
}
