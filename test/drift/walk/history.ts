import type { WalkRig } from "./rig.ts";
import { TRANSITIONS } from "./stories.ts";

/** History tells of every change of state, by whom it was made, and leaves none out. `commits` are all that were pushed. */
export async function everyChangeIsTold(rig: WalkRig, commits: ReadonlySet<string>): Promise<void> {
  const events = await rig.sql<{
    name: string;
    was: string;
    is: string;
    type: string;
    side: string;
    trigger: string;
    actor: string;
    commit: string;
    version: string;
    reason: string;
  }>(
    `SELECT name, state_before AS was, state_after AS is, event_type AS type, side, trigger, actor, commit, resource_version AS version, reason
         FROM fabric_sync.resource_event WHERE state_before <> state_after ORDER BY xid, seq`,
  );
  const walked = new Set(events.map(({ was, is }) => `${was} → ${is}`));
  expect([...walked].sort()).toEqual([...TRANSITIONS].sort());
  // Of a repository that is read from its beginning the history at hand may not tell who wrote a file.
  const again = events.findIndex(({ reason }) => reason === "spec.git was removed");
  for (const [index, event] of events.entries()) {
    const { name, type, side, trigger, actor, commit, version, reason } = event;
    if (type === "reclassified") expect([name, reason]).not.toEqual([name, ""]);
    else if (side === "desired") {
      expect([name, trigger, commits.has(commit)]).toEqual([name, "git_poll", true]);
      if (index < again) expect([name, actor]).toEqual([name, "Ada <ada@example.com>"]);
    } else {
      expect(["watch", "list"]).toContain(trigger);
      expect(version).toMatch(/^\d+$/);
      if (type !== "deleted") expect(["maker", "by-hand"]).toContain(actor);
    }
  }
  const left = await rig.sql(
    `SELECT name, state_before, previous FROM (
         SELECT name, state_before, lag(state_after) OVER (PARTITION BY resource_id ORDER BY xid, seq) AS previous
           FROM fabric_sync.resource_event) chain
        WHERE previous <> state_before
        UNION ALL
       SELECT r.name, r.resource_state, e.state_after
         FROM fabric_sync.resource r
         LEFT JOIN LATERAL (SELECT state_after FROM fabric_sync.resource_event
                             WHERE resource_id = r.id ORDER BY xid DESC, seq DESC LIMIT 1) e ON true
        WHERE r.resource_state IS DISTINCT FROM e.state_after`,
  );
  expect(left).toEqual([]);
}
