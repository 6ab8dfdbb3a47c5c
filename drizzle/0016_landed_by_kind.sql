-- A cluster was heard of by kind: one that may not be watched any more, or is silent, leaves its neighbours of the same API group as fresh as they are.
-- Cursors that an older release wrote name no kind; theirs is the age of those of their group until they move.
CREATE OR REPLACE VIEW fabric_sync.applied AS
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
  LEFT JOIN fabric_sync.kinds fresh
    ON fresh.fabric_id = r.fabric_id AND fresh.api_group = r.api_group AND fresh.kind = r.kind
  LEFT JOIN fabric_sync.kinds unnamed
    ON unnamed.fabric_id = r.fabric_id AND unnamed.api_group = r.api_group AND unnamed.kind = ''
 CROSS JOIN LATERAL (
       SELECT greatest(r.actual_updated, CASE WHEN fresh.kind IS NOT NULL THEN fresh.complete_at ELSE unnamed.complete_at END)
              >= r.desired_updated AS heard
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
  LEFT JOIN (
       SELECT DISTINCT ON (fabric_id) fabric_id, complete_at
         FROM fabric_sync.kinds
        WHERE api_group = 'agent.githedgehog.com' AND kind IN ('Agent', '')
        ORDER BY fabric_id, kind DESC
       ) told ON told.fabric_id = r.fabric_id
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
