import type { Resolver } from "node:dns/promises";
import type { Admin } from "../../admin/admin.ts";
import type { Site } from "../../admin/dns-records.ts";
import type { Operator } from "../../admin/operators.ts";
import type { Login } from "../../auth/login.ts";
import type { Call } from "../method.ts";
import { Scope } from "./scope.ts";

/** A part of the installation that is well, or not. `note` completes the message of its code, such as the free room of a disk. */
export interface Finding {
  code: string;
  state: "good" | "warn" | "bad";
  values: Record<string, string | number>;
}

/** What the operators' methods need beside the services of all methods. */
export interface Means {
  /** What a login of the operators' door may do. */
  operatorOf(login: Login): Operator;
  /** How the installation is reached, for the records of its domains. */
  site: Site;
  allowPrivateTargets: boolean;
  resolver: Resolver;
  /** A new account's, in bytes; 0 for no limit. */
  defaultQuota: number;
  hasSendingLimits: boolean;
  /** What this server finds of itself: database, bodies, disk, certificate. */
  findings(): Promise<Finding[]>;
}

/** An operator's call. */
export interface Acting {
  call: Call;
  means: Means;
  scope: Scope;
  admin: Admin;
}

export function acting(call: Call, means: Means): Acting {
  const { store, bus, random, log } = call.services;
  const admin = { store, bus, random, log, who: call.login.login };
  return { call, means, scope: new Scope(means.operatorOf(call.login)), admin };
}
