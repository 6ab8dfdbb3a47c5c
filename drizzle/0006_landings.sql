-- Did a commit land: what became of each object that it changed, from what was observed alone.
CREATE INDEX resource_event_commit_idx ON fabric_sync.resource_event (fabric_id, commit) WHERE side = 'desired' AND commit <> '';
COMMENT ON INDEX fabric_sync.resource_event_commit_idx IS 'What a commit changed in Git; events of the cluster are not in it.';

-- Each object as Git said last. A yes needs that the cluster was heard of after that was taken in: what was seen before proves nothing.
CREATE VIEW fabric_sync.applied AS
SELECT f.namespace AS fabric_namespace,
       f.name AS fabric,
       r.desired_commit AS commit,
       r.desired_updated AS taken_in_at,
       r.api_group,
       r.kind,
       r.namespace,
       r.name,
       cluster.told AS in_cluster,
       CASE WHEN copies.field IS NULL THEN 'not_applicable'
            WHEN cluster.told <> 'yes' THEN cluster.told
            ELSE device.told END AS on_device,
       CASE WHEN cluster.told <> 'yes' OR copies.field IS NULL THEN cluster.reason ELSE device.reason END AS reason,
       r.fabric_id,
       r.id AS resource_id
  FROM fabric_sync.resource r
  JOIN fabric_sync.fabric f ON f.id = r.fabric_id
  LEFT JOIN fabric_sync.freshness fresh
    ON fresh.fabric_id = r.fabric_id AND fresh.source = 'cluster' AND fresh.api_group = r.api_group
 CROSS JOIN LATERAL (
       SELECT greatest(r.actual_updated, fresh.complete_at) >= r.desired_updated AS heard
       ) seen
 CROSS JOIN LATERAL (
       SELECT CASE WHEN r.desired_spec IS NULL AND r.actual_spec IS NOT NULL THEN 'no'
                   WHEN r.desired_spec IS NOT NULL AND r.drift_status IN ('drifted', 'missing', 'invalid') THEN 'no'
                   WHEN r.desired_spec IS NOT NULL AND r.drift_status <> 'in_sync' THEN 'unknown'
                   WHEN seen.heard THEN 'yes'
                   ELSE 'unknown' END,
              CASE WHEN r.desired_spec IS NULL AND r.actual_spec IS NOT NULL THEN 'Git dropped it, the cluster still has it'
                   WHEN r.desired_spec IS NOT NULL AND r.drift_status <> 'in_sync'
                   THEN coalesce(nullif(r.drift_details ->> 'reason', ''), r.state_change_reason)
                   WHEN seen.heard IS NOT TRUE THEN 'the cluster was not heard of since it was taken in'
                   WHEN r.desired_spec IS NULL THEN 'Git dropped it, and the cluster does not have it'
                   ELSE 'the cluster has what Git declares' END
       ) cluster (told, reason)
  -- Where an agent keeps its copies of the objects that its device is configured by.
  LEFT JOIN (VALUES ('wiring.githedgehog.com', 'Connection', 'connections'),
                    ('wiring.githedgehog.com', 'Switch', 'switches'),
                    ('wiring.githedgehog.com', 'VLANNamespace', 'vlanNamespaces'),
                    ('vpc.githedgehog.com', 'External', 'externals'),
                    ('vpc.githedgehog.com', 'ExternalAttachment', 'externalAttachments'),
                    ('vpc.githedgehog.com', 'ExternalPeering', 'externalPeerings'),
                    ('vpc.githedgehog.com', 'IPv4Namespace', 'ipv4Namespaces'),
                    ('vpc.githedgehog.com', 'VPC', 'vpcs'),
                    ('vpc.githedgehog.com', 'VPCAttachment', 'vpcAttachments'),
                    ('vpc.githedgehog.com', 'VPCPeering', 'vpcPeers')) AS copies (api_group, kind, field)
    ON copies.api_group = r.api_group AND copies.kind = r.kind
  LEFT JOIN (
       SELECT a.fabric_id, part.field, held.name,
              array_agg(a.name ORDER BY a.name) AS agents,
              array_agg(held.copy ORDER BY a.name) AS copies,
              array_agg(a.actual_updated ORDER BY a.name) AS updated,
              array_agg((a.actual_status -> 'lastAppliedGen' = to_jsonb(a.actual_generation)) IS TRUE ORDER BY a.name) AS applied
         FROM fabric_sync.resource a
        CROSS JOIN LATERAL jsonb_each(a.actual_spec) AS part (field, copies)
        CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(part.copies) WHEN 'object' THEN part.copies ELSE '{}' END) AS held (name, copy)
        WHERE a.api_group = 'agent.githedgehog.com' AND a.kind = 'Agent' AND jsonb_typeof(a.actual_spec) = 'object'
        GROUP BY a.fabric_id, part.field, held.name
       ) held ON held.fabric_id = r.fabric_id AND held.field = copies.field AND held.name = r.name
  LEFT JOIN (
       SELECT a.fabric_id,
              array_agg(a.name ORDER BY a.name) AS agents,
              array_agg(a.actual_updated ORDER BY a.name) AS updated,
              array_agg((a.actual_status -> 'lastAppliedGen' = to_jsonb(a.actual_generation)) IS TRUE ORDER BY a.name) AS applied
         FROM fabric_sync.resource a
        WHERE a.api_group = 'agent.githedgehog.com' AND a.kind = 'Agent' AND a.actual_spec IS NOT NULL
        GROUP BY a.fabric_id
       ) every ON every.fabric_id = r.fabric_id
  LEFT JOIN fabric_sync.freshness told
    ON told.fabric_id = r.fabric_id AND told.source = 'cluster' AND told.api_group = 'agent.githedgehog.com'
 CROSS JOIN LATERAL (
       SELECT array_agg(agent ORDER BY agent) FILTER (WHERE copy IS DISTINCT FROM r.actual_spec),
              array_agg(agent ORDER BY agent) FILTER (WHERE NOT applied),
              array_agg(agent ORDER BY agent) FILTER (WHERE (greatest(updated, told.complete_at) >= r.desired_updated) IS NOT TRUE),
              array_agg(agent ORDER BY agent)
         FROM unnest(CASE WHEN r.desired_spec IS NULL THEN every.agents ELSE held.agents END,
                     CASE WHEN r.desired_spec IS NOT NULL THEN held.copies END,
                     CASE WHEN r.desired_spec IS NULL THEN every.updated ELSE held.updated END,
                     CASE WHEN r.desired_spec IS NULL THEN every.applied ELSE held.applied END) AS one (agent, copy, updated, applied)
       ) agents (older, waiting, silent, names)
 CROSS JOIN LATERAL (
       SELECT CASE WHEN r.desired_spec IS NULL AND held.agents IS NOT NULL THEN 'no'
                   WHEN agents.names IS NULL THEN 'unknown'
                   WHEN r.desired_spec IS NOT NULL AND agents.older IS NOT NULL THEN 'no'
                   WHEN agents.waiting IS NOT NULL THEN 'no'
                   WHEN agents.silent IS NOT NULL THEN 'unknown'
                   ELSE 'yes' END,
              CASE WHEN r.desired_spec IS NULL AND held.agents IS NOT NULL
                   THEN 'still in the configuration of ' || array_to_string(held.agents[1:5], ', ')
                   WHEN agents.names IS NULL THEN 'no agent tells of it'
                   WHEN r.desired_spec IS NOT NULL AND agents.older IS NOT NULL
                   THEN 'not handed yet to ' || array_to_string(agents.older[1:5], ', ')
                   WHEN agents.waiting IS NOT NULL THEN 'not applied yet by ' || array_to_string(agents.waiting[1:5], ', ')
                   WHEN agents.silent IS NOT NULL
                   THEN 'not heard of since it was taken in: ' || array_to_string(agents.silent[1:5], ', ')
                   ELSE 'applied by ' || array_to_string(agents.names[1:5], ', ') END
              || CASE WHEN cardinality(coalesce(agents.older, agents.waiting, agents.silent, agents.names)) > 5
                      THEN format(' and %s more', cardinality(coalesce(agents.older, agents.waiting, agents.silent, agents.names)) - 5)
                      ELSE '' END
       ) device (told, reason)
 WHERE r.desired_updated IS NOT NULL;
COMMENT ON VIEW fabric_sync.applied IS 'Each object that Git declares or dropped: whether the cluster and the devices have what Git said last.';
COMMENT ON COLUMN fabric_sync.applied.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.applied.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.applied.commit IS 'The commit that changed it in Git last.';
COMMENT ON COLUMN fabric_sync.applied.taken_in_at IS 'When that was.';
COMMENT ON COLUMN fabric_sync.applied.api_group IS 'API group; empty for the core group.';
COMMENT ON COLUMN fabric_sync.applied.kind IS 'Kind.';
COMMENT ON COLUMN fabric_sync.applied.namespace IS 'Namespace of the object; empty for cluster-scoped ones.';
COMMENT ON COLUMN fabric_sync.applied.name IS 'metadata.name.';
COMMENT ON COLUMN fabric_sync.applied.in_cluster IS 'yes, no or unknown: yes when both sides agree, or Git dropped it and it is gone, and the cluster was heard of since.';
COMMENT ON COLUMN fabric_sync.applied.on_device IS 'yes, no, unknown or not_applicable: yes when every agent whose copy is the cluster''s object has applied its generation.';
COMMENT ON COLUMN fabric_sync.applied.reason IS 'Why, in words.';
COMMENT ON COLUMN fabric_sync.applied.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.applied.resource_id IS 'The row of the table resource, for joins.';

CREATE VIEW fabric_sync.landings AS
SELECT f.namespace AS fabric_namespace,
       f.name AS fabric,
       c.commit,
       c.at AS taken_in_at,
       c.api_group,
       c.kind,
       c.namespace,
       c.name,
       'yes' AS taken_in,
       CASE WHEN a.resource_id IS NULL THEN 'unknown' WHEN a.commit <> c.commit THEN 'superseded' ELSE a.in_cluster END AS in_cluster,
       CASE WHEN a.resource_id IS NULL THEN 'unknown' WHEN a.commit <> c.commit THEN 'superseded' ELSE a.on_device END AS on_device,
       CASE WHEN a.resource_id IS NULL THEN 'nothing is known of it any more'
            WHEN a.commit <> c.commit THEN 'changed again by commit ' || a.commit
            ELSE a.reason END AS reason,
       c.fabric_id,
       c.resource_id
  FROM (SELECT DISTINCT ON (e.fabric_id, e.commit, e.resource_id)
               e.fabric_id, e.commit, e.resource_id, e.at, e.api_group, e.kind, e.namespace, e.name
          FROM fabric_sync.resource_event e
         WHERE e.side = 'desired' AND e.commit <> ''
         ORDER BY e.fabric_id, e.commit, e.resource_id, e.at DESC) c
  JOIN fabric_sync.fabric f ON f.id = c.fabric_id
  LEFT JOIN fabric_sync.applied a ON a.fabric_id = c.fabric_id AND a.resource_id = c.resource_id
UNION ALL
SELECT f.namespace, f.name, d.position, d.last_failed_at, d.api_group, d.kind, d.namespace, d.name,
       'no', 'unknown', 'unknown', 'the database refused it: ' || d.message, d.fabric_id, NULL
  FROM fabric_sync.resource_dead_letter d
  JOIN fabric_sync.fabric f ON f.id = d.fabric_id
 WHERE d.side = 'desired' AND d.part = '';
COMMENT ON VIEW fabric_sync.landings IS 'What became of each object that a commit changed: taken in, in the cluster, on the devices.';
COMMENT ON COLUMN fabric_sync.landings.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.landings.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.landings.commit IS 'The commit that changed its file last, when that was taken in.';
COMMENT ON COLUMN fabric_sync.landings.taken_in_at IS 'When the object was taken in, or refused last.';
COMMENT ON COLUMN fabric_sync.landings.api_group IS 'API group; empty for the core group.';
COMMENT ON COLUMN fabric_sync.landings.kind IS 'Kind.';
COMMENT ON COLUMN fabric_sync.landings.namespace IS 'Namespace of the object; empty for cluster-scoped ones.';
COMMENT ON COLUMN fabric_sync.landings.name IS 'metadata.name.';
COMMENT ON COLUMN fabric_sync.landings.taken_in IS 'yes, or no where the database refused it.';
COMMENT ON COLUMN fabric_sync.landings.in_cluster IS 'As in applied; superseded where a later commit changed the object again.';
COMMENT ON COLUMN fabric_sync.landings.on_device IS 'As in applied; superseded where a later commit changed the object again.';
COMMENT ON COLUMN fabric_sync.landings.reason IS 'Why, in words.';
COMMENT ON COLUMN fabric_sync.landings.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.landings.resource_id IS 'The row of the table resource, for joins; NULL where it was refused.';
