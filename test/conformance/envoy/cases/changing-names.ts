import { type Case, get } from '../harness/case.ts'
import { cluster, endpoint, type Ports } from '../harness/config.ts'
import type { Observation } from '../harness/observe.ts'
import { type Behaviour, hang, ok } from '../harness/upstream.ts'

type Fields = Record<string, unknown>

const NAME = 'app.test'
const CHECK = {
  timeout: '5s',
  interval: '60s',
  no_traffic_interval: '60s',
  unhealthy_threshold: 1,
  healthy_threshold: 1,
  http_health_check: { path: '/hc' },
}

/** A name that is asked for all the time; what is in `lb` goes into common_lb_config. */
const named =
  (fields: Fields, lb: Fields = {}) =>
  (ports: Ports) => ({
    clusters: [
      {
        ...cluster('named', 1),
        type: 'STRICT_DNS',
        dns_lookup_family: 'V4_ONLY',
        dns_refresh_rate: '0.1s',
        dns_resolvers: [{ socket_address: { address: '127.0.0.1', port_value: ports.names } }],
        load_assignment: {
          cluster_name: 'named',
          endpoints: [{ lb_endpoints: [endpoint(ports.upstream.app!, NAME)] }],
        },
        common_lb_config: { healthy_panic_threshold: { value: 0 }, update_merge_window: '0s', ...lb },
        ...fields,
      },
    ],
    routes: [{ match: { prefix: '/' }, route: { cluster: 'named' } }],
  })

/** A check is passed; a request for /break says that the host fails. */
const breakable: Behaviour = (request, socket, index) => {
  const isBreak = /^GET \/break /.test(request.head[0] ?? '')
  ok('ok', isBreak ? 'x-envoy-immediate-health-check-fail: 1\r\n' : '')(request, socket, index)
}

const ASKED_OFTEN = {
  why: 'how often DNS was asked, and its hosts were made anew, is a matter of time',
  drop: (observation: Observation) => {
    for (const name of Object.keys(observation.stats))
      if (/\.(update_\w+|default\.total_match_count)$/.test(name)) delete observation.stats[name]
  },
}
const HOSTS = { admin: '/clusters?filter=^named$' }
const none = { names: { [NAME]: [] as string[] } }

export const changingNameCases: Case[] = [
  {
    name: 'a host that DNS names no longer',
    covers: 'what passes its checks stays, /pending_dynamic_removal, until it fails',
    upstreams: { app: breakable },
    names: { [NAME]: ['127.0.0.1'] },
    config: named({ health_checks: [CHECK] }),
    steps: [
      { until: 'cluster.named.membership_healthy: 1' },
      none,
      { until: '::health_flags::/pending_dynamic_removal', of: '/clusters?filter=^named$' },
      { send: get('/') },
      HOSTS,
      { send: get('/break') },
      { until: 'cluster.named.membership_total: 0' },
      { send: get('/') },
      HOSTS,
    ],
    except: ASKED_OFTEN,
  },
  {
    name: 'a host that DNS names again',
    covers: '/pending_dynamic_removal is taken back',
    upstreams: { app: breakable },
    names: { [NAME]: ['127.0.0.1'] },
    config: named({ health_checks: [CHECK] }),
    steps: [
      { until: 'cluster.named.membership_healthy: 1' },
      none,
      { until: '::health_flags::/pending_dynamic_removal', of: '/clusters?filter=^named$' },
      { names: { [NAME]: ['127.0.0.1'] } },
      { until: '::health_flags::healthy', of: '/clusters?filter=^named$' },
      { send: get('/') },
      HOSTS,
    ],
    except: ASKED_OFTEN,
  },
  {
    name: 'a host that DNS names no longer, whatever its checks say',
    covers: 'ignore_health_on_host_removal',
    upstreams: { app: breakable },
    names: { [NAME]: ['127.0.0.1'] },
    config: named({ health_checks: [CHECK], ignore_health_on_host_removal: true }),
    steps: [
      { until: 'cluster.named.membership_healthy: 1' },
      none,
      { until: 'cluster.named.membership_total: 0' },
      { send: get('/') },
    ],
    except: ASKED_OFTEN,
  },
  {
    name: 'a host that is new',
    covers: 'ignore_new_hosts_until_first_hc: /pending_active_hc, membership_excluded; it does not count',
    upstreams: { app: ok(), late: hang },
    names: { [NAME]: ['127.0.0.1'], 'late.test': [] },
    config: ports => {
      const lbEndpoints = [endpoint(ports.upstream.app!, NAME), endpoint(ports.upstream.late!, 'late.test')]
      return named(
        {
          health_checks: [{ ...CHECK, timeout: '60s' }],
          load_assignment: { cluster_name: 'named', endpoints: [{ lb_endpoints: lbEndpoints }] },
        },
        { ignore_new_hosts_until_first_hc: true, healthy_panic_threshold: { value: 60 } },
      )(ports)
    },
    steps: [
      { until: 'cluster.named.membership_healthy: 1' },
      { names: { [NAME]: ['127.0.0.1'], 'late.test': ['127.0.0.1'] } },
      { until: 'cluster.named.membership_total: 2' },
      { send: get('/') },
      { send: get('/') },
      { admin: '/stats?filter=^cluster\\.named\\.(membership_[a-z]+|lb_healthy_panic)' },
      HOSTS,
    ],
    except: ASKED_OFTEN,
  },
  {
    name: 'connections when hosts change',
    covers: 'close_connections_on_host_set_change: those of the hosts that stay are closed as well',
    upstreams: { app: ok() },
    names: { [NAME]: ['127.0.0.1'] },
    config: named({}, { close_connections_on_host_set_change: true }),
    steps: [
      { until: 'cluster.named.membership_total: 1' },
      { send: get('/') },
      { until: 'cluster.named.upstream_cx_active: 1' },
      { names: { [NAME]: ['127.0.0.1', '127.0.0.2'] } },
      { until: 'cluster.named.membership_total: 2' },
      { until: 'cluster.named.upstream_cx_active: 0' },
    ],
    except: ASKED_OFTEN,
  },
]
