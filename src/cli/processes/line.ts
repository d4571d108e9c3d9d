import type { Socket } from "node:net";

/** What the line runs over: the child's `process`, or the parent's ChildProcess. */
export interface Port {
  send(
    message: Message,
    socket: Socket | undefined,
    options: { keepOpen: boolean },
    done: (error?: Error | null) => void,
  ): void;
  on(event: "message", listener: (message: Message, socket?: Socket) => void): unknown;
  on(event: "disconnect", listener: () => void): unknown;
  readonly connected: boolean;
}

export interface Message {
  topic: string;
  content?: unknown;
  /** Numbers a question, and is repeated by its answer. */
  question?: number;
  isAnswer?: boolean;
  /** Why there is no answer. */
  trouble?: string;
}

/** The process at the other end is gone. */
export class LineEnded extends Error {
  constructor() {
    super("the process at the other end is gone");
  }
}

type Listener = (content: never, socket?: Socket) => unknown;

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** Messages, questions and sockets between the parent and one child. They arrive in the order in which they were sent. */
export class Line {
  readonly #port: Port;
  readonly #listeners = new Map<string, Listener>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #ending: (() => void)[] = [];
  #asked = 0;

  constructor(port: Port) {
    this.#port = port;
    port.on("message", (message, socket) => void this.#receive(message, socket));
    port.on("disconnect", () => {
      for (const { reject } of this.#waiting.values()) reject(new LineEnded());
      this.#waiting.clear();
      for (const listener of this.#ending) listener();
    });
  }

  /** Sends a message; it is lost if the other process is gone. */
  tell(topic: string, content?: unknown): void {
    this.#send({ topic, content });
  }

  /** Gives the other process a socket; this process keeps its own hold of it. */
  give(topic: string, content: unknown, socket: Socket): void {
    this.#send({ topic, content }, socket);
  }

  /** Rejects with LineEnded, or with the error that the other process reports. */
  ask<Answer>(topic: string, content?: unknown): Promise<Answer> {
    if (!this.#port.connected) return Promise.reject(new LineEnded());
    const question = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(question, { resolve: resolve as (answer: unknown) => void, reject });
      this.#send({ topic, content, question });
    });
  }

  /** Listens to a topic; what the listener returns answers a question. */
  hear<Content, Answer = void>(topic: string, listener: (content: Content, socket?: Socket) => Answer): void {
    this.#listeners.set(topic, listener);
  }

  /** Called when the other process is gone. */
  onEnd(listener: () => void): void {
    this.#ending.push(listener);
  }

  /** Resolves when all that was said has left this process. */
  flushed(): Promise<void> {
    return new Promise((resolve) => this.#send({ topic: "" }, undefined, resolve));
  }

  #send(message: Message, socket?: Socket, done = () => {}): void {
    // If it fails, the line has ended.
    if (this.#port.connected) this.#port.send(message, socket, { keepOpen: true }, () => done());
    else done();
  }

  async #receive(message: Message, socket?: Socket): Promise<void> {
    const { topic, content, question, isAnswer, trouble } = message;
    if (isAnswer) return this.#answered(question!, content, trouble);
    if (question === undefined) {
      this.#listeners.get(topic)?.(content as never, socket);
      return;
    }
    try {
      const answer = await this.#listeners.get(topic)?.(content as never, socket);
      this.#send({ topic, question, isAnswer: true, content: answer });
    } catch (error) {
      this.#send({ topic, question, isAnswer: true, trouble: (error as Error).message });
    }
  }

  #answered(question: number, answer: unknown, trouble: string | undefined): void {
    const waiting = this.#waiting.get(question);
    this.#waiting.delete(question);
    if (trouble === undefined) waiting?.resolve(answer);
    else waiting?.reject(new Error(trouble));
  }
}
