import { describe, expect, test } from 'vitest'
import { findEnvoy, HOW_TO_GET_ENVOY, type ProgramName } from '../harness/program.ts'
import { type Answer, says, withSandbox } from './sandbox.ts'

/**
 * Topologies of the sandboxes that Envoy publishes, in files of our own, with the checks that those make: each on the real Envoy and
 * on Hopscope's sidecar.
 */
const programs: readonly ProgramName[] = ['envoy', 'hopscope']

if (findEnvoy() === undefined) console.warn(`skipped: the sandboxes on Envoy, ${HOW_TO_GET_ENVOY}`)

/** So many answers, one after the other. */
async function several(count: number, ask: () => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let i = 0; i < count; i++) answers.push(await ask())
  return answers
}

const cors = (answer: Answer) => answer.headers['access-control-allow-origin']

describe.each(programs)('%s', program => {
  const run = test.skipIf(program === 'envoy' && findEnvoy() === undefined)

  run('front-proxy: each service behind its prefix', async () => {
    const services = { service1: says('Hello from service 1'), service2: says('Hello from service 2') }
    await withSandbox(program, { file: 'front-proxy.yaml', services, listeners: ['listener', 'second'] }, async box => {
      expect(await box.get('/service/1')).toMatchObject({ status: 200, body: 'Hello from service 1' })
      const two = await box.get('/service/2')
      expect(two.body).toBe('Hello from service 2')
      expect(two.headers.server).toBe('envoy')
      expect(two.headers['x-envoy-upstream-service-time']).toMatch(/^\d+$/)
      expect(await box.get('/service/2', { listener: 'second' })).toMatchObject({ status: 200 })
      expect((await box.get('/service/1', { listener: 'second' })).status).toBe(404)
      expect(JSON.parse(await box.admin('/server_info')).state).toBe('LIVE')
      expect(await box.stat('http.ingress_http.downstream_rq_2xx')).toBe(2)
      expect(await box.stat('cluster.service1.upstream_rq_total')).toBe(1)
      expect(await box.admin('/runtime')).toContain('connection_limit')
    })
  })

  run('fault-injection: no fault, aborts, delays, no fault again', async () => {
    await withSandbox(program, { file: 'fault-injection.yaml', services: { service: says('ok') } }, async box => {
      const codes = async (count: number) => (await several(count, () => box.get('/status/200'))).map(one => one.status)
      expect(await codes(5)).toEqual([200, 200, 200, 200, 200])
      await box.setRuntime({ 'fault/fault/http/abort/abort_percent': '100' })
      expect(await codes(5)).toEqual([503, 503, 503, 503, 503])
      await box.setRuntime({
        'fault/fault/http/delay/fixed_delay_percent': '50',
        'fault/fault/http/delay/fixed_duration_ms': '20',
      })
      expect(await codes(40)).toEqual(Array(40).fill(200))
      const delayed = await box.stat('http.ingress_http.fault.delays_injected')
      expect(delayed).toBeGreaterThan(0)
      expect(delayed).toBeLessThan(40)
      await box.setRuntime({})
      await codes(3)
      expect(await box.stat('http.ingress_http.fault.delays_injected')).toBe(delayed)
      expect(await box.stat('http.ingress_http.fault.aborts_injected')).toBe(5)
    })
  })

  run('route-mirror: by cluster and by header', async () => {
    const services = {
      service1: says('1'),
      mirror1: says('copy', 500),
      service2: says('2'),
      mirror2: says('copy'),
    }
    await withSandbox(program, { file: 'route-mirror.yaml', services }, async box => {
      expect(await box.get('/service/1', { headers: { host: 'localhost:10000' } })).toMatchObject({
        status: 200,
        body: '1',
      })
      await expect.poll(() => box.asked.mirror1!.length).toBe(1)
      expect(box.asked.mirror1![0]!.line).toBe('GET /service/1')
      expect(box.asked.mirror1![0]!.headers.host).toBe('localhost-shadow:10000')
      await box.get('/service/2', { headers: { 'x-mirror-cluster': 'mirror2' } })
      await expect.poll(() => box.asked.mirror2!.length).toBe(1)
      expect(await box.get('/service/2')).toMatchObject({ status: 200, body: '2' })
      expect(await box.get('/service/2', { headers: { 'x-mirror-cluster': 'nobody' } })).toMatchObject({ status: 200 })
      expect(box.asked.service2).toHaveLength(3)
      expect(box.asked.mirror2).toHaveLength(1)
    })
  })

  run('local_ratelimit: five for the site, two for the statistics', async () => {
    await withSandbox(program, { file: 'local_ratelimit.yaml', services: { site: says('hello') } }, async box => {
      const site = await several(8, () => box.get('/'))
      expect(site.map(one => one.status)).toEqual([200, 200, 200, 200, 200, 429, 429, 429])
      expect(site[5]).toMatchObject({ body: 'local_rate_limited', headers: { 'x-local-rate-limit': 'true' } })
      expect(site[4]!.headers['x-local-rate-limit']).toBeUndefined()
      const statistics = await several(3, () => box.get('/stats'))
      expect(statistics.map(one => one.status)).toEqual([200, 200, 429])
      expect(statistics[0]!.body).toContain('http_local_rate_limiter.http_local_rate_limit.rate_limited: 3\n')
      expect(await box.stat('http_local_rate_limiter.http_local_rate_limit.enforced')).toBe(3)
      expect(await box.stat('statistics.http_local_rate_limit.enforced')).toBe(1)
    })
  })

  run('cors: open, disabled, restricted', async () => {
    await withSandbox(program, { file: 'cors.yaml', services: { backend: says('Success!') } }, async box => {
      const from = (origin: string, path: string) => box.get(path, { headers: { origin } })
      expect(cors(await from('http://example.com', '/cors/open'))).toBe('http://example.com')
      expect(cors(await from('http://example.com', '/cors/disabled'))).toBeUndefined()
      expect(cors(await from('http://example.com', '/cors/restricted'))).toBeUndefined()
      expect(cors(await from('http://www.envoyproxy.io', '/cors/restricted'))).toBe('http://www.envoyproxy.io')
      expect(await box.stat('http.ingress_http.cors.origin_valid')).toBe(2)
      expect(await box.stat('http.ingress_http.cors.origin_invalid')).toBe(1)
    })
  })

  run('csrf: enabled, disabled, shadow, additional origins', async () => {
    await withSandbox(program, { file: 'csrf.yaml', services: { service: says('ok') } }, async box => {
      const post = async (path: string, origin: string) => {
        const { status } = await box.get(path, { method: 'POST', headers: { origin, host: 'shop.test' } })
        return status
      }
      const numbers = async () =>
        Promise.all(
          ['missing_source_origin', 'request_invalid', 'request_valid'].map(name =>
            box.stat(`http.ingress_http.csrf.${name}`),
          ),
        )
      expect(await post('/csrf/enabled', 'http://example.com')).toBe(403)
      expect(await post('/csrf/enabled', 'http://shop.test')).toBe(200)
      expect(await post('/csrf/enabled', 'http://www.envoyproxy.io')).toBe(200)
      expect(await numbers()).toEqual([0, 1, 2])
      expect(await post('/csrf/disabled', 'http://example.com')).toBe(200)
      expect(await numbers()).toEqual([0, 1, 2])
      expect(await post('/csrf/shadow', 'http://example.com')).toBe(200)
      expect(await numbers()).toEqual([0, 2, 2])
      expect(await post('/csrf/additional_origin', 'http://example.com')).toBe(200)
      expect(await numbers()).toEqual([0, 2, 3])
      expect((await box.get('/csrf/enabled', { headers: { origin: 'http://example.com' } })).status).toBe(200)
    })
  })

  run('rbac: denied without the header, allowed with it', async () => {
    await withSandbox(program, { file: 'rbac.yaml', services: { backend: says('Hello') } }, async box => {
      expect(await box.get('/')).toMatchObject({ status: 403, body: 'RBAC: access denied' })
      expect(await box.get('/', { headers: { referer: 'http://example.com/' } })).toMatchObject({ status: 403 })
      expect(await box.get('/', { headers: { referer: 'https://www.envoyproxy.io/docs' } })).toMatchObject({
        status: 200,
        body: 'Hello',
      })
      expect(await box.stat('http.ingress_http.rbac.denied')).toBe(2)
      expect(await box.stat('http.ingress_http.rbac.allowed')).toBe(1)
    })
  })

  run('ext_authz: a token lets in, and names who comes', async () => {
    const services = {
      upstream: says('hello'),
      authz: ((request, response) => {
        const user = /^Bearer token(\d)$/.exec(request.headers.authorization ?? '')?.[1]
        if (user === undefined) response.writeHead(403, { 'x-reason': 'no token' }).end('no')
        else response.writeHead(200, { 'x-current-user': `user${user}`, 'x-other': '1' }).end()
      }) as ReturnType<typeof says>,
    }
    await withSandbox(program, { file: 'ext_authz.yaml', services }, async box => {
      expect(await box.get('/service')).toMatchObject({ status: 403, body: 'no', headers: { 'x-reason': 'no token' } })
      expect(box.asked.upstream).toHaveLength(0)
      expect(await box.get('/service', { headers: { authorization: 'Bearer token1' } })).toMatchObject({ status: 200 })
      expect(box.asked.upstream![0]!.headers['x-current-user']).toBe('user1')
      expect(box.asked.upstream![0]!.headers['x-other']).toBeUndefined()
      expect(box.asked.authz!.map(one => one.line)).toEqual(['GET /service', 'GET /service'])
    })
  })

  run('locality-load-balancing: the near ones first, then the others by weight', async () => {
    const replica =
      (name: string): ReturnType<typeof says> =>
      (request, response) => {
        const failing = sick.has(name) && request.url === '/ready'
        response.writeHead(failing ? 503 : 200).end(name)
      }
    const sick = new Set<string>()
    const services = Object.fromEntries(['local1', 'local2', 'zone', 'remote'].map(name => [name, replica(name)]))
    await withSandbox(program, { file: 'locality-load-balancing.yaml', services }, async box => {
      const shares = async () => {
        const counts: Record<string, number> = {}
        for (const { body } of await several(200, () => box.get('/'))) counts[body] = (counts[body] ?? 0) + 1
        return counts
      }
      const healthy = (count: number) => expect.poll(() => box.stat('cluster.backend.membership_healthy')).toBe(count)
      await healthy(4)
      expect(Object.keys(await shares()).sort()).toEqual(['local1', 'local2'])
      sick.add('local1')
      await healthy(3)
      // Half of the near ones are well: with the factor of 1.4 they take 70 %; six standard deviations.
      const half = await shares()
      expect(half.local1).toBeUndefined()
      expect(half.local2).toBeGreaterThan(140 - 39)
      expect(half.local2).toBeLessThan(140 + 39)
      sick.add('local2')
      await healthy(2)
      const far = await shares()
      expect(Object.keys(far).sort()).toEqual(['remote', 'zone'])
      expect(far.remote).toBeGreaterThan(far.zone!)
      sick.clear()
      await healthy(4)
      await expect.poll(async () => Object.keys(await shares()).sort()).toEqual(['local1', 'local2'])
    })
  })
})
