import { expect, test } from "vitest";
import { requireTls } from "./require-tls.ts";
import { factsOf, sessionOf } from "./testing.ts";
