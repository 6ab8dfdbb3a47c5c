#!/bin/sh
# A smallest collector: reads this machine's interfaces, addresses, routes and ARP table with iproute2 and prints a DeviceState.
#
#   sh examples/device-state-collector.sh | kubectl apply --server-side --field-manager collector -f -
#
# What cannot be had is left out, so that what was known stays and is marked as stale. Needs: ip, jq.
set -eu
name=${1:-$(hostname | tr '[:upper:]' '[:lower:]')}
have() { "$@" 2>/dev/null || printf 'null'; }

jq -n --arg name "$name" --arg version "$(uname -r)" \
  --argjson links "$(have ip -j link)" --argjson addresses "$(have ip -j address)" \
  --argjson routes "$(have ip -j route)" --argjson neighbours "$(have ip -j neigh)" '
  def given: with_entries(select(.value != null));
  {
    apiVersion: "fabricsync.dev/v1alpha1",
    kind: "DeviceState",
    metadata: { name: $name },
    spec: ({
      role: "server",
      nos: "linux",
      nosVersion: $version,
      interfaces: ($links | if . == null then null else map({
        name: .ifname, mtu: .mtu, mac: .address,
        adminStatus: (if (.flags | index("UP")) then "up" else "down" end),
        operStatus: (if .operstate == "UP" then "up" elif .operstate == "DOWN" then "down" else "unknown" end)
      }) end),
      addresses: ($addresses | if . == null then null else [ .[] as $link | $link.addr_info[]?
        | { address: "\(.local)/\(.prefixlen)", interface: $link.ifname } ] end),
      routes: ($routes | if . == null then null else map({
        prefix: (if .dst == "default" then "0.0.0.0/0" elif (.dst | contains("/")) then .dst else "\(.dst)/32" end),
        nextHop: (.gateway // ""), interface: (.dev // ""), metric: (.metric // 0),
        protocol: (if .protocol == "kernel" then "connected" elif .protocol == "bgp" then "bgp" elif .protocol == "ospf" then "ospf" else "static" end)
      }) end),
      arpEntries: ($neighbours | if . == null then null else [ .[] | select(.lladdr != null)
        | { address: .dst, mac: .lladdr, interface: .dev, origin: (if (.state | index("PERMANENT")) then "static" else "dynamic" end) } ] end)
    } | given)
  }'
