-- Views for people and their tools. They are read-only (joins and unions cannot be written), and the role fabric_sync_reader may
-- read them and nothing else: `db migrate` grants it every view of this schema.

-- As of when each group of each source is known to be complete: the oldest of its streams, NULL while one of them never was.
-- The group is the first part of a cluster scope (group/version/plural); a Git scope covers the whole fabric.
CREATE VIEW fabric_sync.freshness AS
SELECT fabric_id,
       source,
       CASE source WHEN 'cluster' THEN split_part(scope, '/', 1) ELSE '' END AS api_group,
       CASE WHEN bool_and(complete_at IS NOT NULL) THEN min(complete_at) END AS complete_at,
       count(*) AS streams
  FROM fabric_sync.cursor
 GROUP BY 1, 2, 3;
COMMENT ON VIEW fabric_sync.freshness IS 'As of when each API group (cluster) and each revision (git) of a fabric is known to be complete.';
COMMENT ON COLUMN fabric_sync.freshness.fabric_id IS 'The fabric.';
COMMENT ON COLUMN fabric_sync.freshness.source IS 'cluster or git.';
COMMENT ON COLUMN fabric_sync.freshness.api_group IS 'The API group; empty for the core group, and for git.';
COMMENT ON COLUMN fabric_sync.freshness.complete_at IS 'Everything up to this time is in the tables; NULL while a stream was never complete.';
COMMENT ON COLUMN fabric_sync.freshness.streams IS 'Streams that this is the oldest of.';

CREATE VIEW fabric_sync.resources AS
SELECT f.namespace AS fabric_namespace,
       f.name AS fabric,
       r.api_group,
       r.api_version,
       r.kind,
       r.namespace,
       r.name,
       r.resource_state,
       r.state_change_reason,
       r.last_state_change,
       r.drift_status,
       r.drift_severity,
       r.drift_score,
       r.drift_details,
       r.drift_since,
       r.last_drift_check,
       r.labels,
       r.annotations,
       r.desired_spec,
       r.desired_commit,
       r.desired_file_path,
       r.desired_line,
       r.desired_updated,
       desired.complete_at AS desired_complete_at,
       r.actual_spec,
       r.actual_status,
       r.actual_generation,
       r.actual_resource_version,
       r.actual_updated,
       actual.complete_at AS actual_complete_at,
       now() - actual.complete_at AS actual_age,
       r.deletion_requested_at,
       r.conflict_status,
       r.dependency_score,
       r.first_seen,
       r.updated_at,
       r.fabric_id,
       r.id AS resource_id
  FROM fabric_sync.resource r
  JOIN fabric_sync.fabric f ON f.id = r.fabric_id
  LEFT JOIN fabric_sync.freshness actual
    ON actual.fabric_id = r.fabric_id AND actual.source = 'cluster' AND actual.api_group = r.api_group
  LEFT JOIN fabric_sync.freshness desired ON desired.fabric_id = r.fabric_id AND desired.source = 'git';
COMMENT ON VIEW fabric_sync.resources IS 'Every object of every fabric, desired beside actual, with the age of both.';
COMMENT ON COLUMN fabric_sync.resources.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.resources.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.resources.api_group IS 'API group; empty for the core group.';
COMMENT ON COLUMN fabric_sync.resources.api_version IS 'group/version as seen last.';
COMMENT ON COLUMN fabric_sync.resources.kind IS 'Kind.';
COMMENT ON COLUMN fabric_sync.resources.namespace IS 'Namespace of the object; empty for cluster-scoped ones.';
COMMENT ON COLUMN fabric_sync.resources.name IS 'metadata.name.';
COMMENT ON COLUMN fabric_sync.resources.resource_state IS 'Where the object stands between Git and cluster; see the drawing in core/reduce.ts.';
COMMENT ON COLUMN fabric_sync.resources.state_change_reason IS 'Why the state is what it is, in words.';
COMMENT ON COLUMN fabric_sync.resources.last_state_change IS 'When the state changed last.';
COMMENT ON COLUMN fabric_sync.resources.drift_status IS 'Whether the cluster has what Git declares.';
COMMENT ON COLUMN fabric_sync.resources.drift_severity IS 'How bad the worst drifted path is.';
COMMENT ON COLUMN fabric_sync.resources.drift_score IS 'The same as a number from 0 to 100.';
COMMENT ON COLUMN fabric_sync.resources.drift_details IS 'The drifted paths with both values and their origin.';
COMMENT ON COLUMN fabric_sync.resources.drift_since IS 'Since when the drift lasts.';
COMMENT ON COLUMN fabric_sync.resources.last_drift_check IS 'When both sides were compared last.';
COMMENT ON COLUMN fabric_sync.resources.labels IS 'Labels: the cluster''s where the object is there, else those of Git.';
COMMENT ON COLUMN fabric_sync.resources.annotations IS 'Annotations, as labels.';
COMMENT ON COLUMN fabric_sync.resources.desired_spec IS 'What Git declares: the spec, or every top-level field where there is no spec.';
COMMENT ON COLUMN fabric_sync.resources.desired_commit IS 'The commit that was taken in when the desired side changed last.';
COMMENT ON COLUMN fabric_sync.resources.desired_file_path IS 'Path in the repository of the file that declares it.';
COMMENT ON COLUMN fabric_sync.resources.desired_line IS 'Line of the document in that file, from 1.';
COMMENT ON COLUMN fabric_sync.resources.desired_updated IS 'When the desired side changed last.';
COMMENT ON COLUMN fabric_sync.resources.desired_complete_at IS 'As of when everything that Git declares is known to be here; NULL before the first complete take.';
COMMENT ON COLUMN fabric_sync.resources.actual_spec IS 'What the cluster has, in the form of desired_spec.';
COMMENT ON COLUMN fabric_sync.resources.actual_status IS 'status of the object, volatile fields included.';
COMMENT ON COLUMN fabric_sync.resources.actual_generation IS 'metadata.generation.';
COMMENT ON COLUMN fabric_sync.resources.actual_resource_version IS 'metadata.resourceVersion; never goes back under one uid.';
COMMENT ON COLUMN fabric_sync.resources.actual_updated IS 'When the actual side was taken in last; refreshed at most once a minute where nothing but volatile fields moved.';
COMMENT ON COLUMN fabric_sync.resources.actual_complete_at IS 'As of when everything of this API group is known to be here; NULL before the first complete list.';
COMMENT ON COLUMN fabric_sync.resources.actual_age IS 'Time since actual_complete_at: how old what is told of the cluster may be.';
COMMENT ON COLUMN fabric_sync.resources.deletion_requested_at IS 'metadata.deletionTimestamp.';
COMMENT ON COLUMN fabric_sync.resources.conflict_status IS 'Whether both sides were changed since they last agreed.';
COMMENT ON COLUMN fabric_sync.resources.dependency_score IS 'How much hangs on this object, from 0 to 100.';
COMMENT ON COLUMN fabric_sync.resources.first_seen IS 'When either side was seen first.';
COMMENT ON COLUMN fabric_sync.resources.updated_at IS 'When the row was written last.';
COMMENT ON COLUMN fabric_sync.resources.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.resources.resource_id IS 'The row of the table resource, for joins.';

CREATE VIEW fabric_sync.drifts AS
SELECT fabric_namespace, fabric, api_group, kind, namespace, name,
       drift_status, drift_severity, drift_score, drift_details, drift_since, now() - drift_since AS drift_age,
       last_drift_check, resource_state, desired_commit, desired_file_path, desired_line,
       desired_complete_at, actual_complete_at, actual_age, fabric_id, resource_id
  FROM fabric_sync.resources
 WHERE drift_status IN ('drifted', 'missing', 'extra', 'invalid');
COMMENT ON VIEW fabric_sync.drifts IS 'Objects whose two sides differ, with what differs, since when, and where Git says so.';
COMMENT ON COLUMN fabric_sync.drifts.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.drifts.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.drifts.api_group IS 'API group; empty for the core group.';
COMMENT ON COLUMN fabric_sync.drifts.kind IS 'Kind.';
COMMENT ON COLUMN fabric_sync.drifts.namespace IS 'Namespace of the object; empty for cluster-scoped ones.';
COMMENT ON COLUMN fabric_sync.drifts.name IS 'metadata.name.';
COMMENT ON COLUMN fabric_sync.drifts.drift_status IS 'Whether the cluster has what Git declares.';
COMMENT ON COLUMN fabric_sync.drifts.drift_severity IS 'How bad the worst drifted path is.';
COMMENT ON COLUMN fabric_sync.drifts.drift_score IS 'The same as a number from 0 to 100.';
COMMENT ON COLUMN fabric_sync.drifts.drift_details IS 'The drifted paths with both values and their origin.';
COMMENT ON COLUMN fabric_sync.drifts.drift_since IS 'Since when the drift lasts.';
COMMENT ON COLUMN fabric_sync.drifts.drift_age IS 'How long the drift lasts.';
COMMENT ON COLUMN fabric_sync.drifts.last_drift_check IS 'When both sides were compared last.';
COMMENT ON COLUMN fabric_sync.drifts.resource_state IS 'Where the object stands between Git and cluster; see the drawing in core/reduce.ts.';
COMMENT ON COLUMN fabric_sync.drifts.desired_commit IS 'The commit that was taken in when the desired side changed last.';
COMMENT ON COLUMN fabric_sync.drifts.desired_file_path IS 'Path in the repository of the file that declares it.';
COMMENT ON COLUMN fabric_sync.drifts.desired_line IS 'Line of the document in that file, from 1.';
COMMENT ON COLUMN fabric_sync.drifts.desired_complete_at IS 'As of when everything that Git declares is known to be here; NULL before the first complete take.';
COMMENT ON COLUMN fabric_sync.drifts.actual_complete_at IS 'As of when everything of this API group is known to be here; NULL before the first complete list.';
COMMENT ON COLUMN fabric_sync.drifts.actual_age IS 'Time since actual_complete_at: how old what is told of the cluster may be.';
COMMENT ON COLUMN fabric_sync.drifts.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.drifts.resource_id IS 'The row of the table resource, for joins.';

CREATE VIEW fabric_sync.orphans AS
SELECT fabric_namespace, fabric, api_group, kind, namespace, name,
       state_change_reason, last_state_change AS orphaned_since, first_seen,
       actual_spec, actual_updated, actual_complete_at, desired_complete_at, actual_age, fabric_id, resource_id
  FROM fabric_sync.resources
 WHERE resource_state = 'orphaned';
COMMENT ON VIEW fabric_sync.orphans IS 'Objects in the cluster of a kind that Git should own, and that Git does not declare.';
COMMENT ON COLUMN fabric_sync.orphans.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.orphans.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.orphans.api_group IS 'API group; empty for the core group.';
COMMENT ON COLUMN fabric_sync.orphans.kind IS 'Kind.';
COMMENT ON COLUMN fabric_sync.orphans.namespace IS 'Namespace of the object; empty for cluster-scoped ones.';
COMMENT ON COLUMN fabric_sync.orphans.name IS 'metadata.name.';
COMMENT ON COLUMN fabric_sync.orphans.state_change_reason IS 'Why the state is what it is, in words.';
COMMENT ON COLUMN fabric_sync.orphans.orphaned_since IS 'When it was found that Git is silent.';
COMMENT ON COLUMN fabric_sync.orphans.first_seen IS 'When either side was seen first.';
COMMENT ON COLUMN fabric_sync.orphans.actual_spec IS 'What the cluster has, in the form of desired_spec.';
COMMENT ON COLUMN fabric_sync.orphans.actual_updated IS 'When the actual side was taken in last; refreshed at most once a minute where nothing but volatile fields moved.';
COMMENT ON COLUMN fabric_sync.orphans.actual_complete_at IS 'As of when everything of this API group is known to be here; NULL before the first complete list.';
COMMENT ON COLUMN fabric_sync.orphans.desired_complete_at IS 'As of when everything that Git declares is known to be here; NULL before the first complete take.';
COMMENT ON COLUMN fabric_sync.orphans.actual_age IS 'Time since actual_complete_at: how old what is told of the cluster may be.';
COMMENT ON COLUMN fabric_sync.orphans.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.orphans.resource_id IS 'The row of the table resource, for joins.';

CREATE VIEW fabric_sync.devices AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, d.name, d.role, d.site, d.vendor, d.model, d.serial_number,
       d.nos, d.nos_version, d.management_address, d.chassis_id, d.asn, d.inventory, d.sets_observed,
       r.kind AS source_kind, r.resource_state, r.actual_updated AS observed_at, now() - r.actual_updated AS age,
       d.first_seen, d.updated_at, d.fabric_id, d.resource_id
  FROM fabric_sync.device d
  JOIN fabric_sync.fabric f ON f.id = d.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = d.fabric_id AND r.id = d.resource_id;
COMMENT ON VIEW fabric_sync.devices IS 'Devices of every fabric, with the age of what is known of them.';
COMMENT ON COLUMN fabric_sync.devices.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.devices.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.devices.name IS 'Name of the device.';
COMMENT ON COLUMN fabric_sync.devices.role IS 'Its role in the fabric: spine, server-leaf, …';
COMMENT ON COLUMN fabric_sync.devices.site IS 'Where it stands.';
COMMENT ON COLUMN fabric_sync.devices.vendor IS 'Vendor.';
COMMENT ON COLUMN fabric_sync.devices.model IS 'Hardware model.';
COMMENT ON COLUMN fabric_sync.devices.serial_number IS 'Serial number.';
COMMENT ON COLUMN fabric_sync.devices.nos IS 'Network operating system.';
COMMENT ON COLUMN fabric_sync.devices.nos_version IS 'Its version.';
COMMENT ON COLUMN fabric_sync.devices.management_address IS 'Address of its management interface.';
COMMENT ON COLUMN fabric_sync.devices.chassis_id IS 'Chassis id that it announces to neighbours.';
COMMENT ON COLUMN fabric_sync.devices.asn IS 'AS number.';
COMMENT ON COLUMN fabric_sync.devices.inventory IS 'Power supplies, fans, temperatures, transceivers as observed.';
COMMENT ON COLUMN fabric_sync.devices.sets_observed IS 'When each set of children was observed last: {"interfaces": time, …}. A set that is missing here was never observed.';
COMMENT ON COLUMN fabric_sync.devices.source_kind IS 'Kind of the resource that the device was projected from.';
COMMENT ON COLUMN fabric_sync.devices.resource_state IS 'Where the object stands between Git and cluster; see the drawing in core/reduce.ts.';
COMMENT ON COLUMN fabric_sync.devices.observed_at IS 'When this was observed last.';
COMMENT ON COLUMN fabric_sync.devices.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.devices.first_seen IS 'When it was projected first.';
COMMENT ON COLUMN fabric_sync.devices.updated_at IS 'When the row changed last.';
COMMENT ON COLUMN fabric_sync.devices.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.devices.resource_id IS 'The row of the table resource, for joins.';

CREATE VIEW fabric_sync.interfaces AS
SELECT d.fabric_namespace, d.fabric, i.device, i.name, i.nos_name, i.description, i.admin_status, i.oper_status,
       i.speed_mbps, i.mtu, i.fec, i.mac, i.lag, i.transceiver,
       ARRAY(SELECT a.address FROM fabric_sync.device_ip_address a
              WHERE a.fabric_id = i.fabric_id AND a.device = i.device AND a.interface = i.name
              ORDER BY a.address) AS addresses,
       d.sets_observed ->> 'interfaces' AS observed_at, i.updated_at AS changed_at, d.age, i.fabric_id
  FROM fabric_sync.device_interface i
  JOIN fabric_sync.devices d ON d.fabric_id = i.fabric_id AND d.name = i.device;
COMMENT ON VIEW fabric_sync.interfaces IS 'Interfaces with their addresses.';
COMMENT ON COLUMN fabric_sync.interfaces.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.interfaces.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.interfaces.device IS 'The device.';
COMMENT ON COLUMN fabric_sync.interfaces.name IS 'Name as the fabric knows it (E1/5).';
COMMENT ON COLUMN fabric_sync.interfaces.nos_name IS 'Name as the network operating system knows it (Ethernet4).';
COMMENT ON COLUMN fabric_sync.interfaces.description IS 'Description.';
COMMENT ON COLUMN fabric_sync.interfaces.admin_status IS 'What was configured.';
COMMENT ON COLUMN fabric_sync.interfaces.oper_status IS 'What is the case.';
COMMENT ON COLUMN fabric_sync.interfaces.speed_mbps IS 'Speed in Mbit/s.';
COMMENT ON COLUMN fabric_sync.interfaces.mtu IS 'MTU in bytes.';
COMMENT ON COLUMN fabric_sync.interfaces.fec IS 'Forward error correction.';
COMMENT ON COLUMN fabric_sync.interfaces.mac IS 'MAC address as told.';
COMMENT ON COLUMN fabric_sync.interfaces.lag IS 'The aggregate that it is a member of.';
COMMENT ON COLUMN fabric_sync.interfaces.transceiver IS 'What is plugged in, as told.';
COMMENT ON COLUMN fabric_sync.interfaces.addresses IS 'Addresses of the interface.';
COMMENT ON COLUMN fabric_sync.interfaces.observed_at IS 'When this was observed last.';
COMMENT ON COLUMN fabric_sync.interfaces.changed_at IS 'When the row changed last.';
COMMENT ON COLUMN fabric_sync.interfaces.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.interfaces.fabric_id IS 'The fabric, for joins.';

CREATE VIEW fabric_sync.neighbors AS
SELECT d.fabric_namespace, d.fabric, n.device, n.interface, n.protocol, n.remote_name, n.remote_port, n.remote_chassis_id,
       n.remote_port_description, n.remote_description, n.remote_management_address,
       d.sets_observed ->> 'neighbors' AS observed_at, n.first_seen, n.updated_at AS changed_at, d.age, n.fabric_id
  FROM fabric_sync.device_neighbor n
  JOIN fabric_sync.devices d ON d.fabric_id = n.fabric_id AND d.name = n.device;
COMMENT ON VIEW fabric_sync.neighbors IS 'What each device hears at each port.';
COMMENT ON COLUMN fabric_sync.neighbors.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.neighbors.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.neighbors.device IS 'The device.';
COMMENT ON COLUMN fabric_sync.neighbors.interface IS 'Local interface.';
COMMENT ON COLUMN fabric_sync.neighbors.protocol IS 'lldp or cdp.';
COMMENT ON COLUMN fabric_sync.neighbors.remote_name IS 'System name of the neighbour.';
COMMENT ON COLUMN fabric_sync.neighbors.remote_port IS 'Port id of the neighbour.';
COMMENT ON COLUMN fabric_sync.neighbors.remote_chassis_id IS 'Chassis id of the neighbour.';
COMMENT ON COLUMN fabric_sync.neighbors.remote_port_description IS 'Port description of the neighbour.';
COMMENT ON COLUMN fabric_sync.neighbors.remote_description IS 'System description of the neighbour.';
COMMENT ON COLUMN fabric_sync.neighbors.remote_management_address IS 'Management address of the neighbour.';
COMMENT ON COLUMN fabric_sync.neighbors.observed_at IS 'When this was observed last.';
COMMENT ON COLUMN fabric_sync.neighbors.first_seen IS 'Since when it is there.';
COMMENT ON COLUMN fabric_sync.neighbors.changed_at IS 'When the row changed last.';
COMMENT ON COLUMN fabric_sync.neighbors.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.neighbors.fabric_id IS 'The fabric, for joins.';

CREATE VIEW fabric_sync.links AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, l.device_a, l.interface_a, l.device_b, l.interface_b, l.kind,
       l.declared, l.observed, l.verdict, l.evidence, l.details, l.first_seen, l.updated_at AS changed_at,
       now() - l.updated_at AS age, l.fabric_id
  FROM fabric_sync.link l
  JOIN fabric_sync.fabric f ON f.id = l.fabric_id;
COMMENT ON VIEW fabric_sync.links IS 'Cables, declared and observed, with the verdict on each.';
COMMENT ON COLUMN fabric_sync.links.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.links.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.links.device_a IS 'The device that is first in byte order.';
COMMENT ON COLUMN fabric_sync.links.interface_a IS 'Its interface.';
COMMENT ON COLUMN fabric_sync.links.device_b IS 'The other device.';
COMMENT ON COLUMN fabric_sync.links.interface_b IS 'Its interface.';
COMMENT ON COLUMN fabric_sync.links.kind IS 'What the cable is for, as declared: fabric, mclag, unbundled, …';
COMMENT ON COLUMN fabric_sync.links.declared IS 'Whether Git or the cluster''s objects declare it.';
COMMENT ON COLUMN fabric_sync.links.observed IS 'Whether a device was seen to hear the other.';
COMMENT ON COLUMN fabric_sync.links.verdict IS 'What comparing the two says.';
COMMENT ON COLUMN fabric_sync.links.evidence IS 'What the observation rests on.';
COMMENT ON COLUMN fabric_sync.links.details IS 'The rows that declare and show it, and candidates where it is ambiguous.';
COMMENT ON COLUMN fabric_sync.links.first_seen IS 'Since when it is known.';
COMMENT ON COLUMN fabric_sync.links.changed_at IS 'When the row changed last.';
COMMENT ON COLUMN fabric_sync.links.age IS 'Time since the row changed last.';
COMMENT ON COLUMN fabric_sync.links.fabric_id IS 'The fabric, for joins.';

CREATE VIEW fabric_sync.rejections AS
SELECT f.namespace AS fabric_namespace,
       f.name AS fabric,
       'git' AS source,
       g.path,
       (refused ->> 'line')::integer AS line,
       (refused ->> 'column')::integer AS "column",
       '' AS api_group,
       '' AS kind,
       '' AS namespace,
       '' AS name,
       refused ->> 'code' AS code,
       refused ->> 'message' AS message,
       g.blob AS position,
       g.updated_at AS since,
       now() - g.updated_at AS age,
       g.fabric_id
  FROM fabric_sync.git_file g
  JOIN fabric_sync.fabric f ON f.id = g.fabric_id
 CROSS JOIN LATERAL jsonb_array_elements(g.rejections) AS refused
UNION ALL
-- The payload is not looked into: its text may be what no text function of Postgres can hold.
SELECT f.namespace,
       f.name,
       CASE d.side WHEN 'desired' THEN 'git' ELSE 'cluster' END,
       '',
       NULL,
       NULL,
       d.api_group,
       d.kind,
       d.namespace,
       d.name,
       d.sqlstate,
       d.message,
       d.position,
       d.first_failed_at,
       now() - d.first_failed_at,
       d.fabric_id
  FROM fabric_sync.resource_dead_letter d
  JOIN fabric_sync.fabric f ON f.id = d.fabric_id;
COMMENT ON VIEW fabric_sync.rejections IS 'Everything that was refused: documents of Git files, and objects that the database would not take.';
COMMENT ON COLUMN fabric_sync.rejections.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.rejections.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.rejections.source IS 'git or cluster.';
COMMENT ON COLUMN fabric_sync.rejections.path IS 'The file, for a document that could not be read.';
COMMENT ON COLUMN fabric_sync.rejections.line IS 'Line of the document in that file.';
COMMENT ON COLUMN fabric_sync.rejections."column" IS 'Column, where it is known.';
COMMENT ON COLUMN fabric_sync.rejections.api_group IS 'API group of the object, where it is known.';
COMMENT ON COLUMN fabric_sync.rejections.kind IS 'Kind of the object.';
COMMENT ON COLUMN fabric_sync.rejections.namespace IS 'Namespace of the object.';
COMMENT ON COLUMN fabric_sync.rejections.name IS 'Name of the object.';
COMMENT ON COLUMN fabric_sync.rejections.code IS 'Why: a word for documents, a SQLSTATE for objects.';
COMMENT ON COLUMN fabric_sync.rejections.message IS 'Why, in words.';
COMMENT ON COLUMN fabric_sync.rejections.position IS 'The blob, commit or resourceVersion that was refused.';
COMMENT ON COLUMN fabric_sync.rejections.since IS 'Since when it is refused.';
COMMENT ON COLUMN fabric_sync.rejections.age IS 'Time since then.';
COMMENT ON COLUMN fabric_sync.rejections.fabric_id IS 'The fabric, for joins.';
