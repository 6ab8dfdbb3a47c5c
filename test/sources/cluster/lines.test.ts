import * as fc from "fast-check";
import { LineSplitter } from "../../../src/sources/cluster/lines.ts";

describe("LineSplitter", () => {
  test("gives the same lines however the bytes are cut", () => {
    const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 30 }).map((text) => text.replaceAll("\n", "")));
    fc.assert(
      fc.property(texts, fc.array(fc.nat({ max: 200 })), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const splitter = new LineSplitter();
        const out = places.slice(1).flatMap((end, i) => [...splitter.push(bytes.subarray(places[i], end))]);
        expect(out).toEqual(lines.filter((line) => line !== ""));
        expect(splitter.held).toBe(0);
      }),
    );
  });

  test("puts a line of 4 MiB together", () => {
    const splitter = new LineSplitter();
    const line = "x".repeat(4 * 1024 * 1024);
    const bytes = Buffer.from(`${line}\n`);
    const out: string[] = [];
    for (let i = 0; i < bytes.length; i += 65_536) out.push(...splitter.push(bytes.subarray(i, i + 65_536)));
    expect(out).toEqual([line]);
  });

  test("knows of the line that never ended", () => {
    const splitter = new LineSplitter();
    expect([...splitter.push(Buffer.from('{"a":1}\n{"b'))]).toEqual(['{"a":1}']);
    expect(splitter.held).toBe(3);
  });

  test("refuses a line without end", () => {
    const splitter = new LineSplitter(10);
    expect(() => [...splitter.push(Buffer.from("12345678901"))]).toThrow(
      expect.objectContaining({ code: "LineTooLong" }),
    );
  });
});
