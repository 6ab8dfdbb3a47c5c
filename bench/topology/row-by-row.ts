import type { Pool } from "pg";

/**
 * The map as the earlier tool drew it: every row by a query of its own. For each device its interfaces; for each interface its addresses and its
 * neighbours; for each neighbour the device that it names, and the port there. One connection's worth of work, one query after the other, each by an index.
 *
 * @returns how many queries that took
 */
export async function byQueries(pool: Pool, fabricId: string): Promise<number> {
  const client = await pool.connect();
  let queries = 0;
  const ask = async <Row extends object>(text: string, ...values: string[]): Promise<Row[]> => {
    queries += 1;
    return (await client.query<Row>(text, [fabricId, ...values])).rows;
  };
  try {
    const devices = await ask<{ name: string }>("SELECT DISTINCT name FROM fabric_sync.device WHERE fabric_id = $1");
    for (const { name } of devices) {
      const ports = await ask<{ name: string; oper_status: string }>(
        "SELECT name, oper_status FROM fabric_sync.device_interface WHERE fabric_id = $1 AND device = $2",
        name,
      );
      for (const port of ports) {
        await ask(
          "SELECT address FROM fabric_sync.device_ip_address WHERE fabric_id = $1 AND device = $2 AND interface = $3",
          name,
          port.name,
        );
        const heard = await ask<{ remote_name: string; remote_port: string }>(
          "SELECT remote_name, remote_port FROM fabric_sync.device_neighbor WHERE fabric_id = $1 AND device = $2 AND fabric_sync.port_key(interface) = $3",
          name,
          port.name,
        );
        for (const neighbor of heard) {
          await ask(
            "SELECT name FROM fabric_sync.device WHERE fabric_id = $1 AND name = $2 LIMIT 1",
            neighbor.remote_name,
          );
          await ask(
            "SELECT port FROM fabric_sync.profile_port WHERE fabric_id = $1 AND profile = 'bench' AND nos_name = $2",
            neighbor.remote_port,
          );
        }
      }
    }
    return queries;
  } finally {
    client.release();
  }
}
