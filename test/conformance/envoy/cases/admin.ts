import { type Case, get } from '../harness/case.ts'

export const adminCases: Case[] = [
  {
    name: 'ready, listeners, methods',
    covers: 'texts and status codes of the admin port',
    steps: [
      { admin: '/ready' },
      { admin: '/listeners' },
      { admin: '/listeners?format=json' },
      { admin: '/reset_counters' },
      { admin: '/stats?filter=nothing_is_called_so' },
      { admin: '/stats?filter=[' },
      { admin: '/stats?filter=cluster.app.upstream_rq_total&usedonly' },
    ],
  },
  {
    name: 'clusters',
    covers: 'the text of /clusters after a request',
    steps: [{ send: get('/') }, { admin: '/clusters' }],
  },
  {
    name: 'stats of a cluster and a listener',
    covers: '/stats names and values, Prometheus names and labels',
    steps: [
      { send: get('/') },
      { send: get('/') },
      {
        admin:
          '/stats?filter=^cluster\\.app\\.(upstream_rq|upstream_cx_total|membership|lb_healthy|circuit)[a-z0-9_.]*$&type=Counters',
      },
      { admin: '/stats?filter=^http\\.in\\.downstream_(rq|cx)_[a-z0-9_]*$&type=Counters' },
      { admin: '/stats/prometheus?filter=^cluster\\.app\\.upstream_rq_(2xx|200|total|completed)$' },
      { admin: '/stats?format=json&filter=^cluster\\.app\\.upstream_rq_total$' },
    ],
  },
  {
    name: 'counters start again',
    covers: 'POST /reset_counters',
    steps: [
      { send: get('/') },
      { admin: '/reset_counters', method: 'POST' },
      { admin: '/stats?filter=^cluster\\.app\\.upstream_rq_total$' },
    ],
  },
]
