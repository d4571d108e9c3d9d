import { idPrefix } from "../../base/ids.ts";
import { capabilities } from "../capability-names.ts";
import type { DataType } from "../standard/type.ts";
import { emailCopy } from "./copy.ts";
import { fetchEmailObjects } from "./fetch.ts";
import { bodyArgs } from "./parts.ts";
import { emailProperties, headerProperty } from "./properties.ts";
import { emailQueryHooks } from "./query/hooks.ts";
import { emailSet } from "./set.ts";

/** RFC 8621 §4 */
export const email = {
  name: "Email",
  capability: capabilities.mail,
  prefix: idPrefix.email,
  properties: emailProperties,
  dynamicProperty: headerProperty,
  getArgs: bodyArgs,
  fetch: fetchEmailObjects,
  fetchesExactly: true,
  set: emailSet,
  copy: emailCopy,
  query: emailQueryHooks,
} satisfies DataType;
