import { expect, test } from 'vitest'
import { extractTags } from './extract-tags.ts'
import { renderStatsJson } from './render-json.ts'
import { renderPrometheus } from './render-prometheus.ts'
import { renderStatsText } from './render-text.ts'
import { selectStats } from './select-stats.ts'
import { Stats } from './stats.ts'

function recorded(...values: number[]): Stats {
  const stats = new Stats()
  const histogram = stats.histogram('http.in.downstream_rq_time')
  for (const value of values) histogram.record(value)
  stats.flushHistograms()
  return stats
}

// The texts and sums are those of Envoy 1.40 for the same values.
test.each([
  [
    [0, 0, 1, 33],
    'P0(0,0) P25(0,0) P50(0,0) P75(1.05,1.05) P90(33.5,33.5) P95(33.5,33.5) P99(33.5,33.5) P99.5(33.5,33.5) P99.9(33.5,33.5) P100(33.5,33.5)',
  ],
  [
    [6000, 6000],
    'P0(6033.333333333333,6033.333333333333) P25(6033.333333333333,6033.333333333333) P50(6033.333333333333,6033.333333333333) P75(6066.666666666667,6066.666666666667) P90(6066.666666666667,6066.666666666667) P95(6066.666666666667,6066.666666666667) P99(6066.666666666667,6066.666666666667) P99.5(6066.666666666667,6066.666666666667) P99.9(6066.666666666667,6066.666666666667) P100(6066.666666666667,6066.666666666667)',
  ],
  [
    [1, 1, 2, 4, 4],
    'P0(1.0333333333333334,1.0333333333333334) P25(1.0666666666666667,1.0666666666666667) P50(2.05,2.05) P75(4.033333333333333,4.033333333333333) P90(4.066666666666666,4.066666666666666) P95(4.066666666666666,4.066666666666666) P99(4.066666666666666,4.066666666666666) P99.5(4.066666666666666,4.066666666666666) P99.9(4.066666666666666,4.066666666666666) P100(4.066666666666666,4.066666666666666)',
  ],
])('quantiles of %j', (values, expected) => {
  const text = renderStatsText(selectStats(recorded(...values), {}))
  expect(text).toBe(`http.in.downstream_rq_time: ${expected}\n`)
})

test('a histogram shows the last interval and all together, and says when it has nothing', () => {
  const stats = recorded(26)
  stats.flushHistograms()
  stats.histogram('a').record(1)
  const text = renderStatsText(selectStats(stats, {}))
  expect(text).toContain('a: No recorded values\n')
  expect(text).toContain('http.in.downstream_rq_time: P0(nan,26.5) P25(nan,26.5)')
})

test('Prometheus buckets count values up to their bound; the sum is near', () => {
  const lines = renderPrometheus(selectStats(recorded(0, 0, 1, 25), {})).split('\n')
  expect(lines[0]).toBe('# TYPE envoy_http_downstream_rq_time histogram')
  const bucket = (le: string) => lines.find(line => line.includes(`le="${le}"`))
  expect(bucket('0.5')).toBe('envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix="in",le="0.5"} 2')
  expect(bucket('1')).toMatch(/ 3$/)
  expect(bucket('10')).toMatch(/ 3$/)
  expect(bucket('25')).toMatch(/ 4$/)
  expect(bucket('+Inf')).toMatch(/ 4$/)
  expect(lines.at(-3)).toBe(
    'envoy_http_downstream_rq_time_sum{envoy_http_conn_manager_prefix="in"} 26.537815126050418257364071905613',
  )
  expect(lines.at(-2)).toBe('envoy_http_downstream_rq_time_count{envoy_http_conn_manager_prefix="in"} 4')
  expect(renderPrometheus(selectStats(recorded(26), {}))).toContain(
    '_sum{envoy_http_conn_manager_prefix="in"} 26.490566037735849391765441396274\n',
  )
  expect(renderPrometheus(selectStats(recorded(0), {}))).toContain('_sum{envoy_http_conn_manager_prefix="in"} 0\n')
})

test.each([
  [
    'cluster.a.external.upstream_rq_200',
    'cluster.external.upstream_rq',
    'envoy_response_code=200 envoy_cluster_name=a',
  ],
  ['cluster.a.upstream_rq_2xx', 'cluster.upstream_rq_xx', 'envoy_response_code_class=2 envoy_cluster_name=a'],
  [
    'http.in.downstream_rq_5xx',
    'http.downstream_rq_xx',
    'envoy_response_code_class=5 envoy_http_conn_manager_prefix=in',
  ],
  [
    'listener.127.0.0.1_8000.http.in.downstream_rq_2xx',
    'listener.http.downstream_rq_xx',
    'envoy_response_code_class=2 envoy_http_conn_manager_prefix=in envoy_listener_address=127.0.0.1_8000',
  ],
  [
    'listener.127.0.0.1_8000.worker_0.downstream_cx_total',
    'listener.worker_downstream_cx_total',
    'envoy_worker_id=0 envoy_listener_address=127.0.0.1_8000',
  ],
  ['listener.admin.downstream_cx_total', 'listener.admin.downstream_cx_total', ''],
  ['cluster_manager.cluster_added', 'cluster_manager.cluster_added', ''],
  ['http1.response_flood', 'http1.response_flood', ''],
])('tags of %s', (stat, name, labels) => {
  const tagged = extractTags(stat)
  expect(tagged.name).toBe(name)
  expect(tagged.labels.map(([key, value]) => `${key}=${value}`).join(' ')).toBe(labels)
})

function some(): Stats {
  const stats = new Stats()
  stats.counter('cluster.b.upstream_rq_total').add(3)
  stats.counter('cluster.a.upstream_rq_total')
  stats.gauge('cluster.a.upstream_cx_active').set(0)
  stats.counter('cluster_manager.cluster_added').add(2)
  return stats
}

test('text is sorted by bytes, counters and gauges together', () => {
  expect(renderStatsText(selectStats(some(), {}))).toBe(
    'cluster.a.upstream_cx_active: 0\ncluster.a.upstream_rq_total: 0\ncluster.b.upstream_rq_total: 3\ncluster_manager.cluster_added: 2\n',
  )
})

test('Prometheus: counters before gauges, one type line a name, sorted without tags', () => {
  expect(renderPrometheus(selectStats(some(), {}))).toBe(
    '# TYPE envoy_cluster_upstream_rq_total counter\n' +
      'envoy_cluster_upstream_rq_total{envoy_cluster_name="a"} 0\n' +
      'envoy_cluster_upstream_rq_total{envoy_cluster_name="b"} 3\n' +
      '# TYPE envoy_cluster_manager_cluster_added counter\n' +
      'envoy_cluster_manager_cluster_added{} 2\n' +
      '# TYPE envoy_cluster_upstream_cx_active gauge\n' +
      'envoy_cluster_upstream_cx_active{envoy_cluster_name="a"} 0\n',
  )
})

test('selection: used, filter, type', () => {
  const names = (selection: Parameters<typeof selectStats>[1]) =>
    renderStatsText(selectStats(some(), selection))
      .split('\n')
      .map(line => line.split(':')[0])
      .join(' ')
      .trim()
  expect(names({ usedOnly: true })).toBe(
    'cluster.a.upstream_cx_active cluster.b.upstream_rq_total cluster_manager.cluster_added',
  )
  expect(names({ filter: /_rq_/ })).toBe('cluster.a.upstream_rq_total cluster.b.upstream_rq_total')
  expect(names({ filter: /_rq_/, invertFilter: true })).toBe(
    'cluster.a.upstream_cx_active cluster_manager.cluster_added',
  )
  expect(names({ type: 'gauges' })).toBe('cluster.a.upstream_cx_active')
})

test('JSON is one line; quantiles of nothing are null', () => {
  const stats = some()
  stats.histogram('h')
  const parsed = JSON.parse(renderStatsJson(selectStats(stats, {})))
  expect(parsed.stats[0]).toEqual({ name: 'cluster.a.upstream_cx_active', value: 0 })
  expect(parsed.stats.at(-1).histograms.computed_quantiles[0].values[0]).toEqual({ cumulative: null, interval: null })
  expect(renderStatsJson(selectStats(some(), { filter: /nothing/ }))).toBe('{"stats":[]}')
})

test('resetting zeroes counters and leaves gauges', () => {
  const stats = some()
  stats.gauge('g').set(7)
  stats.resetCounters()
  expect(stats.counter('cluster.b.upstream_rq_total').value).toBe(0)
  expect(stats.gauge('g').value).toBe(7)
})

// Envoy 1.40's own lines for one value of 0 in this state.
test('histograms by bucket', () => {
  const stats = new Stats()
  stats.histogram('h').record(0)
  stats.flushHistograms()
  const selected = selectStats(stats, {})
  const bounds = '0.5 1 5 10 25 50 100 250 500 1000 2500 5000 10000 30000 60000 300000 600000 1.8e+06 3.6e+06'.split(
    ' ',
  )
  expect(renderStatsText(selected, 'cumulative')).toBe(`h: ${bounds.map(bound => `B${bound}(1,1)`).join(' ')}\n`)
  expect(renderStatsText(selected, 'disjoint')).toBe(
    `h: ${bounds.map((bound, i) => `B${bound}(${i === 0 ? '1,1' : '0,0'})`).join(' ')}\n`,
  )
  const summary = 'P0(0,0) P25(0,0) P50(0,0) P75(0,0) P90(0,0) P95(0,0) P99(0,0) P99.5(0,0) P99.9(0,0) P100(0,0)'
  expect(renderStatsText(selected, 'detailed')).toBe(`h:\n  totals=0,0:1\n  intervals=0,0:1\n  summary=${summary}\n`)
  expect(JSON.parse(renderStatsJson(selected, 'disjoint')).stats[0].histograms[0]).toMatchObject({
    name: 'h',
    buckets: [{ upper_bound: 0.5, interval: 1, cumulative: 1 }, ...bounds.slice(1).map(bound => ({ upper_bound: Number(bound), interval: 0, cumulative: 0 }))], // biome-ignore format: one line
  })
  expect(JSON.parse(renderStatsJson(selected, 'detailed')).stats[0].histograms.details[0]).toMatchObject({
    totals: [{ lower_bound: 0, width: 0, count: 1 }],
  })
  expect(renderPrometheus(selected, 'summary')).toContain('# TYPE envoy_h summary\nenvoy_h{quantile="0"} 0\n')
})
