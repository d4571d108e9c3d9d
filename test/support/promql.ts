/** What an expression of PromQL names. */
export interface Named {
  /** Metrics, each with the labels that its selector matches. */
  selectors: { metric: string; labels: string[] }[];
  /** Labels of `by`, `on` and the like. */
  grouped: string[];
}

const grouping = new Set(["by", "without", "on", "ignoring", "group_left", "group_right"]);
const words = new Set(["and", "or", "unless", "bool", "offset"]);
/** Those that our files use: a name that is neither here nor a metric is a mistake. */
const functions = new Set(
  "sum max min count avg topk rate increase histogram_quantile max_over_time min_over_time clamp_min label_values time".split(
    " ",
  ),
);

const token = /\s+|"(?:[^"\\]|\\.)*"|\d[\w.]*|\$\w+|[a-zA-Z_:][\w:]*|[=!<>]=|=~|!~|[-+*/%^<>=(){}[\],]/gy;

/** Throws for text that is not one of the simple forms that it knows. */
export function namesIn(expression: string): Named {
  const tokens = tokensOf(expression);
  const named: Named = { selectors: [], grouped: [] };
  const isName = (at: number) => /^[a-zA-Z_:]/.test(tokens[at] ?? "");
  for (let at = 0; at < tokens.length; at++) {
    const text = tokens[at]!;
    if (!isName(at) || words.has(text)) continue;
    const next = tokens[at + 1];
    if (grouping.has(text)) {
      if (next !== "(") continue;
      const end = tokens.indexOf(")", at);
      named.grouped.push(...tokens.slice(at + 2, end).filter((one) => one !== ","));
      at = end;
    } else if (next === "(" || grouping.has(next ?? "")) {
      if (!functions.has(text)) throw new Error(`unknown function ${text} in ${expression}`);
    } else {
      const end = next === "{" ? tokens.indexOf("}", at) : at;
      if (end < 0) throw new Error(`an open brace in ${expression}`);
      const labels = tokens.slice(at + 2, end + 1).filter((_, index) => index % 4 === 0);
      named.selectors.push({ metric: text, labels: next === "{" ? labels.filter((one) => one !== "}") : [] });
      at = end;
    }
  }
  return named;
}

function tokensOf(expression: string): string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  let depth = 0;
  while (token.lastIndex < expression.length) {
    const from = token.lastIndex;
    const [text] = token.exec(expression) ?? [];
    if (text === undefined) throw new Error(`not understood from ${expression.slice(from)}`);
    if ("([{".includes(text)) depth++;
    if (")]}".includes(text)) depth--;
    if (depth < 0) throw new Error(`a bracket too many in ${expression}`);
    if (text.trim() !== "") tokens.push(text);
  }
  if (depth !== 0) throw new Error(`a bracket is open in ${expression}`);
  return tokens;
}
