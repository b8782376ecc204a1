import { describe, expect, it } from 'vitest'
import { readConfig } from './config.ts'

describe('readConfig', () => {
  it('has a default for everything, and listens on loopback', () => {
    const config = readConfig({})
    expect(config).toMatchObject({
      ok: true,
      name: 'Service',
      listen: { host: '127.0.0.1', port: 9090 },
      upstreams: [],
      upstreamWorkers: 1,
      forward: 'all',
      lock: 0,
    })
    expect(config).not.toHaveProperty('tracing')
  })

  it('takes upstreams for every path and for one path', () => {
    const config = readConfig({ UPSTREAM_URIS: 'http://stock/, /checkout=http://pay:9/x?y=1' })
    expect(config.ok && config.upstreams.map(({ path, uri }) => [path, uri.href])).toEqual([
      ['/', 'http://stock/'],
      ['/checkout', 'http://pay:9/x?y=1'],
    ])
  })

  it('lets a missing percentile be the one below it', () => {
    const config = readConfig({ TIMING_50_PERCENTILE: '10ms', TIMING_99_PERCENTILE: '1s' })
    expect(config.ok && config.timing).toEqual({ p50: 10, p90: 10, p99: 1000, variancePercent: 0 })
  })

  it('tells every problem at once, by name, value and what was expected', () => {
    const config = readConfig({
      LISTEN_ADDR: 'here',
      ERROR_RATE: '2',
      FORWARD: 'some',
      TIMING_50_PERCENTILE: '5 apples',
    })
    expect(config).toEqual({
      ok: false,
      problems: [
        'TIMING_50_PERCENTILE: "5 apples" is not a duration such as 250ms, 1.5s or 1m',
        'LISTEN_ADDR: "here" is not host:port, or :port for every interface',
        'FORWARD: "some" is not one of all, none, request-id',
        'ERROR_RATE: "2" is not a number from 0 to 1',
      ],
    })
  })
})
