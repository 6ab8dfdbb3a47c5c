import fc from "fast-check";
import { ObjectAnswers, SHARED_BYTES } from "../../../src/sources/git/repository/object-answers.ts";
import type { GitObject } from "../../../src/sources/git/repository/object-answers.ts";

const ID = "0123456789abcdef0123456789abcdef01234567";

/** What git prints for each; null for one that is not there. */
function printed(contents: readonly (Buffer | null)[]): Buffer {
  const answers = contents.map((content) =>
    content === null
      ? Buffer.from(`${ID} missing\n`)
      : Buffer.concat([Buffer.from(`${ID} blob ${content.length}\n`), content, Buffer.from("\n")]),
  );
  return Buffer.concat(answers);
}

function read(pieces: readonly Buffer[], contents = true): (GitObject | null)[] {
  const found: (GitObject | null)[] = [];
  const answers = new ObjectAnswers({ contents, onAnswer: (object) => found.push(object) });
  for (const piece of pieces) answers.take(piece);
  return found;
}

test("answers are the same however they are cut into pieces", () => {
  const content = fc.option(fc.uint8Array({ maxLength: 60 }), { nil: null });
  fc.assert(
    fc.property(fc.array(content, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 80 })), (objects, cuts) => {
      const contents = objects.map((bytes) => bytes && Buffer.from(bytes));
      let rest = printed(contents);
      const pieces = cuts.map((cut) => {
        const piece = rest.subarray(0, cut);
        rest = rest.subarray(cut);
        return piece;
      });
      const expected = contents.map((found) => found && { id: ID, type: "blob", size: found.length, content: found });
      expect(read([...pieces, rest])).toEqual(expected);
    }),
  );
});

test("an object is there with its last byte, and not before", () => {
  const whole = printed([Buffer.from("abc")]);
  expect(read([whole.subarray(0, -1)])).toEqual([]);
  expect(read([whole])).toHaveLength(1);
});

test("of headers alone nothing but their line is read", () => {
  const lines = Buffer.from(`${ID} blob 12\n${ID} tree 34\n`);
  expect(read([lines], false)).toMatchObject([
    { type: "blob", size: 12 },
    { type: "tree", size: 34 },
  ]);
});

test("what is large lies in memory that a thread may share, what is small does not", () => {
  const [small, large] = read([printed([Buffer.alloc(SHARED_BYTES - 1, 1), Buffer.alloc(SHARED_BYTES, 2)])]);
  expect(small?.content.buffer).toBeInstanceOf(ArrayBuffer);
  expect(large?.content.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(large?.content.equals(Buffer.alloc(SHARED_BYTES, 2))).toBe(true);
});
