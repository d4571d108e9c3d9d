import type { Attributes, SpanKind as Kind } from "@opentelemetry/api";
import type { SpanKind, Spans } from "../base/traces.ts";

interface Form<About> {
  /** Whether it begins a trace: always, or only outside of another span. What never does is not told outside of one. */
  begins: "always" | "alone" | "never";
  kind: keyof typeof Kind;
  name(about: About): string;
  attributes(about: About): Attributes;
}

/** How each kind of work is told, with the names of OpenTelemetry's conventions where they have one. */
export const forms: { [Kind in SpanKind]: Form<Spans[Kind]> } = {
  request: {
    begins: "always",
    kind: "SERVER",
    name: ({ method, endpoint }) => `${method} ${endpoint}`,
    attributes: ({ method, status }) => ({
      "http.request.method": method,
      ...(status !== undefined && { "http.response.status_code": status }),
    }),
  },
  method: {
    begins: "never",
    kind: "INTERNAL",
    name: ({ name }) => name,
    attributes: () => ({}),
  },
  statement: {
    begins: "never",
    kind: "CLIENT",
    name: ({ name }) => name,
    attributes: ({ name }) => ({ "db.system.name": "postgresql", "db.query.summary": name }),
  },
  object: {
    begins: "never",
    kind: "CLIENT",
    name: ({ operation }) => `object ${operation}`,
    attributes: ({ operation }) => ({ "posthorn.object.operation": operation }),
  },
  receive: {
    begins: "always",
    kind: "SERVER",
    name: () => "SMTP DATA",
    attributes: ({ recipients }) => ({ "posthorn.recipients": recipients }),
  },
  deliver: {
    begins: "alone",
    kind: "INTERNAL",
    name: () => "deliver",
    attributes: ({ recipients }) => ({ "posthorn.recipients": recipients }),
  },
  attempt: {
    begins: "always",
    kind: "INTERNAL",
    name: () => "attempt",
    attributes: () => ({}),
  },
  relay: {
    begins: "never",
    kind: "CLIENT",
    name: () => "SMTP relay",
    attributes: ({ recipients, replies }) => ({
      "posthorn.recipients": recipients,
      ...(replies && { "posthorn.smtp.replies": replies }),
    }),
  },
};
