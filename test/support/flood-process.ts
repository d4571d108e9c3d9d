import { setPriority } from "node:os";
import { type FloodName, floods, startFlood } from "./flood.ts";

/** A hostile client as a process of its own: floods until it is killed. */
const [name = "", port = "", credentials = "", account = "", niceness = "0"] = process.argv.slice(2);
setPriority(Number(niceness));
process.once("disconnect", () => process.exit());
startFlood(floods[name as FloodName], Number(port), credentials, account);
