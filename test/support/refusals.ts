import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** A reply that the program gives by itself. */
export interface OwnReply {
  /** "451 4.7.1" */
  code: string;
  /** What follows, with … for what varies. */
  text: string;
  file: string;
}

const src = fileURLToPath(new URL("../../src/", import.meta.url));
const form = /^([45]\d\d) (\d\.\d{1,3}\.\d{1,3}) (.+)$/s;

/**
 * All refusals in the sources of a folder: calls of refuse, defer, disconnect, Refusal, send and #end, pairs of codes, what system
 * errors mean, and texts that begin like a reply.
 */
export function repliesIn(folder: string): OwnReply[] {
  const files = readdirSync(join(src, folder), { recursive: true, encoding: "utf8" });
  const found = files
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .flatMap((name) => repliesOf(join(folder, name)));
  const distinct = new Map(found.map((reply) => [`${reply.code} ${reply.text}`, reply]));
  return [...distinct.values()].toSorted((one, other) => (one.code + one.text < other.code + other.text ? -1 : 1));
}

function repliesOf(file: string): OwnReply[] {
  const source = ts.createSourceFile(file, readFileSync(join(src, file), "utf8"), ts.ScriptTarget.Latest, true);
  const found: OwnReply[] = [];
  const add = (...parts: (string | undefined)[]) => {
    const [, code, status, text] = form.exec(parts.map((part) => part ?? "…").join(" ")) ?? [];
    if (code !== undefined) found.push({ code: `${code} ${status}`, text: text!.trim(), file });
  };
  const known = constantsOf(source);
  const textOf = (node: ts.Node) => (ts.isIdentifier(node) ? known.get(node.text) : literalOf(node));
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const name = node.expression.getText(source).split(".").at(-1)!;
      const given = (node.arguments ?? []).map(textOf);
      if (name === "refuse" || name === "defer") add(...given.slice(0, 3));
      if (name === "disconnect") add("421", ...given.slice(0, 2));
      if (name === "Refusal" || name === "send") add(...given.slice(0, 2));
      if (name === "#end") add("421", given[0]);
    }
    if (ts.isArrayLiteralExpression(node) && node.elements.length === 2) add(...node.elements.map(textOf), "…");
    if (ts.isPropertyAssignment(node) && node.name.getText(source) === node.name.getText(source).toUpperCase()) {
      add("451", textOf(node.initializer));
    }
    if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) add(textOf(node));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Texts that have a name. */
function constantsOf(source: ts.SourceFile): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.initializer)
      found.set(node.name.getText(source), literalOf(node.initializer));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Undefined for what is not known before the program runs. */
function literalOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node) || ts.isNumericLiteral(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join("");
}
