import { Counter, Gauge } from '../stats/stats.ts'

/** Numbers of one host, shown by `/clusters` alone. */
export type HostStats = ReturnType<typeof createHostStats>

export function createHostStats() {
  return {
    cx_active: new Gauge('cx_active'),
    cx_connect_fail: new Counter('cx_connect_fail'),
    cx_total: new Counter('cx_total'),
    rq_active: new Gauge('rq_active'),
    rq_error: new Counter('rq_error'),
    rq_success: new Counter('rq_success'),
    rq_timeout: new Counter('rq_timeout'),
    rq_total: new Counter('rq_total'),
  }
}
