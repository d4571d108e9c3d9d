import { storyContract } from "./support/contracts/story.ts";
import { startServer } from "./support/server.ts";

storyContract(startServer);
