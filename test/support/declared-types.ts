import { globSync } from "node:fs";
import { resolve } from "node:path";
import ts from "typescript";

export interface DeclaredType {
  /** "string", "number[]", "Date", …; "object" for a type that only JSON can hold. */
  kind: string;
  isNullable: boolean;
  isOptional: boolean;
}

export interface DeclaredStatement {
  file: string;
  row: Map<string, DeclaredType>;
  parameters: Map<string, DeclaredType>;
}

/** The modules of the store that may declare statements. */
export const storeModules = globSync("src/store/**/*.ts").filter((file) => !/\.test\.ts$|\/embedded\//.test(file));

/** What TypeScript infers for each call of `read` and `write`, by the statement's name (a pattern where it is made of parts). */
export function declaredTypes(files: readonly string[] = storeModules): [RegExp, DeclaredStatement][] {
  const { config } = ts.readConfigFile("tsconfig.json", ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [...files] }, ts.sys, ".");
  const program = ts.createProgram([...files], options);
  const checker = program.getTypeChecker();
  const found: [RegExp, DeclaredStatement][] = [];
  const visit = (node: ts.Node, file: string): void => {
    const name = ts.isCallExpression(node) && isDeclaration(node) ? nameOf(node.arguments[0]) : undefined;
    if (name !== undefined) found.push([name, typesOf(checker, node as ts.CallExpression, file)]);
    node.forEachChild((inner) => visit(inner, file));
  };
  for (const file of files) visit(program.getSourceFile(resolve(file)) ?? program.getSourceFile(file)!, file);
  return found;
}

function isDeclaration({ expression }: ts.CallExpression): boolean {
  return ts.isIdentifier(expression) && (expression.text === "read" || expression.text === "write");
}

function nameOf(argument: ts.Expression | undefined): RegExp | undefined {
  if (argument === undefined) return undefined;
  if (ts.isStringLiteralLike(argument)) return new RegExp(`^${literally(argument.text)}$`);
  if (!ts.isTemplateExpression(argument)) return undefined;
  const parts = [argument.head.text, ...argument.templateSpans.map(({ literal }) => literal.text)];
  return new RegExp(`^${parts.map((part) => literally(part)).join(".+")}$`);
}

const literally = (text: string) => text.replace(/[.-]/g, "\\$&");

function typesOf(checker: ts.TypeChecker, call: ts.CallExpression, file: string): DeclaredStatement {
  const [row, parameters] = checker.getTypeArguments(checker.getTypeAtLocation(call) as ts.TypeReference);
  const members = (type: ts.Type | undefined) =>
    new Map(
      (type === undefined || type.flags & ts.TypeFlags.Never ? [] : checker.getPropertiesOfType(type)).map(
        (property) => {
          const of = checker.getTypeOfSymbol(property);
          const isOptional = (property.flags & ts.SymbolFlags.Optional) !== 0;
          return [property.name, { ...shape(checker, of), isOptional }] as const;
        },
      ),
    );
  return { file, row: members(row), parameters: members(parameters) };
}

function shape(checker: ts.TypeChecker, type: ts.Type): { kind: string; isNullable: boolean } {
  const parts = type.isUnion() ? type.types : [type];
  const isNullable = parts.some((part) => part.flags & (ts.TypeFlags.Null | ts.TypeFlags.Undefined));
  const kinds = new Set(
    parts
      .filter((part) => !(part.flags & (ts.TypeFlags.Null | ts.TypeFlags.Undefined)))
      .map((part) => kindOf(checker, part)),
  );
  return { kind: kinds.size === 1 ? [...kinds][0]! : "object", isNullable };
}

function kindOf(checker: ts.TypeChecker, type: ts.Type): string {
  if (type.flags & ts.TypeFlags.StringLike) return "string";
  if (type.flags & ts.TypeFlags.NumberLike) return "number";
  if (type.flags & ts.TypeFlags.BooleanLike) return "boolean";
  if (checker.isArrayType(type)) {
    return `${shape(checker, checker.getTypeArguments(type as ts.TypeReference)[0]!).kind}[]`;
  }
  const name = type.getSymbol()?.name;
  return name === "Date" || name === "Buffer" ? name : "object";
}
