import { answerTasks } from "../../base/answer-tasks.ts";
import { parseReports } from "./read-report.ts";

answerTasks((bytes) => parseReports(bytes));
