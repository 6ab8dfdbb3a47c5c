import { describeKey } from "../../src/core/identity.ts";
import { reduce } from "../../src/core/reduce.ts";
import { buildResourceRow } from "../../src/core/resource-row.ts";
import { uuidV7 } from "../../src/core/uuid.ts";
import { WRITE_PATHS } from "../../src/core/vocabulary.ts";
import { actual, at, desired, FABRIC, POLICY } from "./observations.ts";

const KEY = { fabricId: FABRIC, apiGroup: "example.com", kind: "Widget", namespace: "", name: "one" };

describe("the builder", () => {
  it("sets every column, none of them to undefined", () => {
    const row = buildResourceRow(KEY, "id", at(0).now);
    expect(Object.values(row)).not.toContain(undefined);
    expect(row).toMatchObject({
      ...KEY,
      id: "id",
      firstSeen: at(0).now,
      resourceState: "pending",
      driftStatus: "unknown",
    });
  });

  it("gives rows that share nothing", () => {
    const [a, b] = [buildResourceRow(KEY, "a", at(0).now), buildResourceRow(KEY, "b", at(0).now)];
    a.labels["x"] = "y";
    expect(b.labels).toEqual({});
  });

  it.each(WRITE_PATHS)("leaves the same columns set on the path %s, by either side", (writePath) => {
    const columns = Object.keys(buildResourceRow(KEY, "id", at(0).now)).sort();
    for (const seen of [desired(), actual()]) {
      const { row } = reduce(null, { ...seen, writePath }, POLICY, at(0));
      expect(Object.keys(row ?? {}).sort()).toEqual(columns);
      expect(Object.values(row ?? {})).not.toContain(undefined);
      // But for provenance, the row is the same on every path.
      expect(row).toEqual({ ...reduce(null, seen, POLICY, at(0)).row, writePath });
    }
  });
});

describe("a uuid", () => {
  it("holds the time, version 7 and the variant of RFC 9562", () => {
    // The example of RFC 9562, appendix A.6.
    expect(uuidV7(0x017f22e279b0, "919108f7-52d1-4cc3-98c4-dc0c0c07398f")).toBe("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  });
});

describe("a key in words", () => {
  it.each([
    [KEY, "Widget.example.com one"],
    [{ ...KEY, apiGroup: "", namespace: "default" }, "Widget default/one"],
  ])("is short", (key, words) => {
    expect(describeKey(key)).toBe(words);
  });
});
