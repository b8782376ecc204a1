export { HeaderMap, RequestHeaders, ResponseHeaders } from './http/headers.ts'
export { Runtime } from './runtime.ts'
export { Counter, Gauge, Histogram, Stats } from './stats/stats.ts'
