import { FabricSyncError } from "../core/errors.ts";
import type { Fence } from "../core/ports.ts";
import type { Sql } from "./transaction.ts";

/**
 * Makes the caller the only writer of a fabric. `FOR UPDATE` conflicts with the `FOR KEY SHARE` that every writing transaction
 * holds on this row (the plain UPDATE would not): writers that are running end first, later ones find another epoch. Both
 * statements run in the caller's transaction.
 * @throws FabricSyncError `FabricNotFound` (`stall`)
 */
export async function acquireFence(sql: Sql, fabricId: string, holder: string): Promise<Fence> {
  await sql.rows("SELECT id FROM fabric_sync.fabric WHERE id = $1 FOR UPDATE", [fabricId]);
  const [raised] = await sql.rows<{ epoch: number }>(
    `UPDATE fabric_sync.fabric
        SET writer_epoch = writer_epoch + 1, writer_holder = $2, writer_acquired_at = now()
      WHERE id = $1
     RETURNING writer_epoch AS epoch`,
    [fabricId, holder],
  );
  if (raised === undefined) throw fabricNotFound(fabricId);
  return { fabricId, epoch: raised.epoch };
}

/** @throws FabricSyncError `FabricNotFound` (`stall`) */
export async function currentFence(sql: Sql, fabricId: string): Promise<Fence> {
  const [current] = await sql.rows<{ epoch: number }>(
    "SELECT writer_epoch AS epoch FROM fabric_sync.fabric WHERE id = $1",
    [fabricId],
  );
  if (current === undefined) throw fabricNotFound(fabricId);
  return { fabricId, epoch: current.epoch };
}

function fabricNotFound(fabricId: string): FabricSyncError {
  return new FabricSyncError("FabricNotFound", "stall", "the database has no such fabric", { context: { fabricId } });
}
