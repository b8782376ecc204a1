/** A stat's name without its variable parts, and these as labels in Envoy's order. */
export interface TaggedName {
  /** `cluster.upstream_rq_xx` */
  name: string
  labels: readonly (readonly [name: string, value: string])[]
}

interface Rule {
  label: string
  /** Groups: `before`, `value`, `after`: what stays is before and after. */
  pattern: RegExp
}

/** An address, or the first word of a stat_prefix; the admin port's listener has no label. */
const LISTENER = String.raw`(?:[0-9._]+|\[[0-9a-fA-F_:.]+\]_[0-9]+|(?!admin\.)[^.]+)`

/** In the order in which Envoy writes the labels. */
const RULES: readonly Rule[] = [
  { label: 'envoy_response_code', pattern: /^(?<before>.*_rq)_(?<value>\d{3})(?<after>)$/ },
  { label: 'envoy_response_code_class', pattern: /^(?<before>.*_rq_)(?<value>\d)(?<after>xx)$/ },
  {
    label: 'envoy_fault_downstream_cluster',
    pattern: /^(?<before>http\.[^.]+\.fault\.)(?<value>[^.]+)\.(?<after>.*)$/,
  },
  { label: 'envoy_ext_authz_prefix', pattern: /^(?<before>http\.[^.]+\.ext_authz\.)(?<value>[^.]+)\.(?<after>.*)$/ },
  {
    label: 'envoy_rbac_policy_name',
    pattern: /^(?<before>http\.[^.]+\.rbac\.(?:[^.]+\.)?policy\.)(?<value>[^.]+)\.(?<after>.*)$/,
  },
  {
    label: 'envoy_rbac_http_prefix',
    pattern: /^(?<before>http\.[^.]+\.rbac\.)(?!policy\.)(?<value>[^.]+)\.(?<after>.*)$/,
  },
  {
    label: 'envoy_http_conn_manager_prefix',
    pattern: /^(?<before>http\.|listener\..+?\.http\.)(?<value>[^.]+)\.(?<after>.*)$/,
  },
  {
    label: 'envoy_local_http_ratelimit_prefix',
    pattern: /^(?<before>)(?<value>[^.]+)\.(?<after>http_local_rate_limit\..*)$/,
  },
  {
    label: 'envoy_worker_id',
    pattern: new RegExp(
      String.raw`^(?<before>(?:listener\.${LISTENER}|server|thread_local_cluster_manager)\.worker_)(?<value>\d+)\.(?<after>.*)$`,
    ),
  },
  { label: 'envoy_virtual_cluster', pattern: /^(?<before>vhost\.[^.]+\.vcluster\.)(?<value>[^.]+)\.(?<after>.*)$/ },
  { label: 'envoy_virtual_host', pattern: /^(?<before>vhost\.)(?<value>[^.]+)\.(?<after>.*)$/ },
  { label: 'envoy_route', pattern: /^(?<before>vhost\.route\.)(?<value>[^.]+)\.(?<after>.*)$/ },
  { label: 'envoy_cluster_name', pattern: /^(?<before>cluster\.)(?<value>[^.]+)\.(?<after>.*)$/ },
  { label: 'envoy_ext_authz_prefix', pattern: /^(?<before>cluster\.ext_authz\.)(?<value>[^.]+)\.(?<after>.*)$/ },
  {
    label: 'envoy_listener_address',
    pattern: new RegExp(String.raw`^(?<before>listener\.)(?<value>${LISTENER})\.(?<after>.*)$`),
  },
]

export function extractTags(statName: string): TaggedName {
  let name = statName
  const labels: [string, string][] = []
  for (const { label, pattern } of RULES) {
    const groups = pattern.exec(name)?.groups
    if (groups === undefined) continue
    labels.push([label, groups.value!])
    name = groups.before! + groups.after!
  }
  return { name, labels }
}
