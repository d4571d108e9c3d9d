import type { Command } from "commander";
import { systemClock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { type Config, schema } from "../../config/schema.ts";
import { examples, random } from "../command.ts";
import { mailDoorNames, webDoorNames } from "../doors.ts";
import { explain, Failure } from "../fail.ts";
import { addConfigOptions, configOf } from "../options.ts";
import type { Surroundings } from "../parts.ts";
import { say } from "../prompt.ts";
import { resolverOf } from "../resolver.ts";
import type { Running } from "../serve.ts";
import { keepYoungSmall } from "../small-heap.ts";

export function addServeCommand(program: Command): void {
  const command = program
    .command("serve")
    .description("run the server until Ctrl-C")
    .addHelpText(
      "after",
      "\nSIGINT (Ctrl-C), SIGTERM and SIGHUP finish what is under way and stop; another one, a second or more later, stops at once.\n" +
        "SIGUSR2 replaces the processes of --workers one by one, while clients are served.\n" +
        examples(
          "serve",
          "serve --data /var/lib/posthorn --http 0.0.0.0:8080 --smtp 0.0.0.0:25",
          "serve --roles smtp-out",
        ),
    );
  addConfigOptions(command, { all: true }).action(async () => {
    keepYoungSmall();
    const { config } = configOf(command);
    const { createLog } = await import("../../ops/log.ts");
    const log = createLog(config.logLevel);
    const interrupted = interruption(log);
    process.on("uncaughtException", (error) => {
      log.error({ err: error }, "the server failed");
      process.exit(1);
    });
    const surroundings = { clock: systemClock, resolver: resolverOf(config), random, log };
    let running: Running | undefined;
    process.on("SIGUSR2", () => restart(running, log));
    running = await start(config, surroundings, interrupted).catch(async (error: unknown) => {
      if (interrupted.aborted) return undefined;
      throw new Failure(await reasons(error, config));
    });
    if (running) {
      const { welcome } = await import("../welcome.ts");
      const inbox = config.web && config.roles.includes("http") ? running.urls.http : undefined;
      say(welcome({ ...running, inbox: inbox && `${inbox}/` }));
      await stopOn(Promise.race([aborted(interrupted), running.lost]), running);
    }
    log.info({}, "stopped");
    process.exit(process.exitCode ?? 0);
  });
}

/** Loads the server only now, which takes a second that other commands need not wait for. */
async function start(config: Config, surroundings: Surroundings, interrupted: AbortSignal): Promise<Running> {
  // Sweeps alone are not shared out.
  const isAlone = config.workers === 1 || config.roles.every((role) => role === "worker");
  if (isAlone) {
    const { serve } = await import("../serve.ts");
    return serve(config, surroundings, interrupted);
  }
  const { serveWithChildren } = await import("../processes/parent.ts");
  const [, path = "", , ...args] = process.argv;
  return serveWithChildren(config, surroundings, { path, args }, interrupted);
}

function restart(running: Running | undefined, log: Log): void {
  if (running?.restart) void running.restart();
  else if (running) log.warn({}, "SIGUSR2 replaces the processes of --workers, and there is only this one");
}

async function stopOn(ended: Promise<unknown>, running: Running): Promise<void> {
  const reason = await ended;
  if (reason instanceof Error) {
    process.stderr.write(`posthorn: ${reason.message}\n`);
    process.exitCode = 1;
  }
  await running.stop();
}

async function reasons(error: unknown, config: Config): Promise<string> {
  const { PortsRefused } = await import("../ports.ts");
  const all = error instanceof PortsRefused ? error.reasons : [error];
  return all.map((one) => explain(one) + wayOut(one, config)).join("\nposthorn: ");
}

/** For a port or host that cannot be used, names the option that chooses another. */
function wayOut(error: unknown, config: Config): string {
  const { syscall, port, hostname, address } = error as Partial<
    Record<"syscall" | "port" | "hostname" | "address", unknown>
  >;
  const name = ([...webDoorNames, ...mailDoorNames, "metrics"] as const).find((entry) => {
    const meant = config[entry];
    if (meant && "path" in meant) return meant.path === address;
    return (syscall === "listen" && meant?.port === port) || (syscall === "getaddrinfo" && meant?.host === hostname);
  });
  return name ? `: choose another with --${schema[name].flag} or ${schema[name].env}` : "";
}

/** npm forwards the terminal's signals, so one Ctrl-C arrives twice: ignore a second signal this soon. */
const echoMs = 1_000;

/** Returns a signal that aborts at the first SIGINT, SIGTERM or SIGHUP; the second one ends the process at once. */
function interruption(log: Log): AbortSignal {
  const controller = new AbortController();
  let first: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      const now = performance.now();
      if (first !== undefined) {
        if (now - first < echoMs) return;
        log.warn({ signal }, "stopping at once");
        process.exit(1);
      }
      first = now;
      log.info({ signal }, "stopping");
      controller.abort();
    });
  }
  return controller.signal;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
