import { jest } from "@jest/globals";
import { Lexer } from "yaml";

/** How many lexemes the YAML library has found since: its share of the work, counted rather than timed. `jest.restoreAllMocks` ends it. */
export function countLexemes(): () => number {
  let count = 0;
  const { lex } = Lexer.prototype;
  jest.spyOn(Lexer.prototype, "lex").mockImplementation(function* (this: Lexer, ...args) {
    for (const lexeme of lex.apply(this, args)) {
      count += 1;
      yield lexeme;
    }
  });
  return () => count;
}
