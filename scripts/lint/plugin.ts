/** Rules of this project for oxlint, on its ESLint-compatible interface; only the parts of that interface that are used are typed here. */
import { dirname } from "node:path";
import { refusal } from "./directions.ts";

interface Literal {
  readonly type: string;
  readonly value?: unknown;
}
interface ImportingNode {
  readonly source: Literal | null;
}
interface Context {
  readonly filename: string;
  report(problem: { node: unknown; message: string }): void;
}

const root = dirname(dirname(import.meta.dirname));

/** Imports of every form, `import type` and `import()` too: a part that knows another part's types depends on it as well. */
const directions = {
  create(context: Context) {
    const check = (node: ImportingNode): void => {
      if (node.source === null) return;
      const specifier = node.source.value;
      const message =
        typeof specifier === "string"
          ? refusal(root, context.filename, specifier)
          : "the direction of this import cannot be checked: name the module by a plain string";
      if (message !== null) context.report({ node, message });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      TSImportType: (node: ImportingNode) => check(node),
    };
  },
};

export default { meta: { name: "fabric-sync" }, rules: { directions } };
