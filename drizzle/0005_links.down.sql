-- Takes no data with it.
DROP VIEW fabric_sync."references";
DROP VIEW fabric_sync.subnets;
DROP VIEW fabric_sync.address_findings;
DROP VIEW fabric_sync.session_findings;
DROP VIEW fabric_sync.link_findings;
DROP VIEW fabric_sync.links;
DROP VIEW fabric_sync.adjacencies;

CREATE VIEW fabric_sync.links AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, l.device_a, l.interface_a, l.device_b, l.interface_b, l.kind, l.side,
       l.first_seen, l.updated_at AS changed_at, now() - coalesce(r.actual_updated, r.desired_updated) AS age, l.fabric_id, l.resource_id
  FROM fabric_sync.link l
  JOIN fabric_sync.fabric f ON f.id = l.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = l.fabric_id AND r.id = l.resource_id;
COMMENT ON VIEW fabric_sync.links IS 'Links as they are declared.';
COMMENT ON COLUMN fabric_sync.links.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.links.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.links.device_a IS 'Device at the first end.';
COMMENT ON COLUMN fabric_sync.links.interface_a IS 'Its interface.';
COMMENT ON COLUMN fabric_sync.links.device_b IS 'Device at the other end.';
COMMENT ON COLUMN fabric_sync.links.interface_b IS 'Its interface.';
COMMENT ON COLUMN fabric_sync.links.kind IS 'Variant of the declaration.';
COMMENT ON COLUMN fabric_sync.links.side IS 'Which side declares it.';
COMMENT ON COLUMN fabric_sync.links.first_seen IS 'When it was there first.';
COMMENT ON COLUMN fabric_sync.links.changed_at IS 'When it changed last.';
COMMENT ON COLUMN fabric_sync.links.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.links.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.links.resource_id IS 'The row of the table resource, for joins.';

-- What `db migrate` had granted to the view that was there before.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'fabric_sync_reader') THEN
    GRANT SELECT ON fabric_sync.links TO fabric_sync_reader;
  END IF;
END $$;
