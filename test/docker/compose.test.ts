import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { dockerHere, exitOf, type Mesh, mesh } from './compose.ts'
import { firstAnswer, path, traceOf, traces, until } from './zipkin-api.ts'

/**
 * The compose files as a user starts them: the image built from the checkout, containers, DNS, published ports. What the
 * scenarios teach is checked in test/scenarios; here, that it comes out of containers as well.
 */
const title = dockerHere
  ? 'docker compose'
  : 'docker compose (no Docker engine answers: start one, or run .ci/docker/with-engine.sh npm test -- docker)'

describe.skipIf(!dockerHere)(title, () => {
  let running: Mesh | undefined
  beforeAll(() => mesh('docker-compose.yml').run('build', 'collector'))
  afterEach(() => running?.down())

  const start = (file: string, env: Record<string, string> = {}): Mesh => {
    running = mesh(file)
    running.up(env)
    return running
  }

  it('01: one span a call, and calls do not need the collector', async () => {
    const { run } = start('scenarios/01-single-hop/compose.yaml')
    const answer = await firstAnswer('http://127.0.0.1:15001/get')
    const traceId = answer.headers.get('x-b3-traceid')!
    const [span, ...more] = await traceOf(traceId, 1)
    expect(more).toEqual([])
    expect(span).toMatchObject({
      kind: 'CLIENT',
      localEndpoint: { serviceName: 'envoy-demo' },
      tags: {
        'upstream_cluster.name': 'httpbin_service',
        'http.status_code': '200',
        response_flags: '-',
        component: 'proxy',
      },
    })
    expect((await answer.json()).headers).toMatchObject({
      'X-B3-Traceid': span!.traceId,
      'X-B3-Spanid': span!.id,
      'X-B3-Sampled': '1',
    })

    expect(run('run', '--rm', '-T', 'client')).toMatch(/pool-1-thread-1: successes=\[5\], failures=\[0\]/)

    run('stop', 'collector')
    for (let i = 0; i < 20; i++) expect((await fetch('http://127.0.0.1:15001/get')).status).toBe(200)
  })

  it.each(['false', 'true'])('02: both halves of a call, shared_span_context=%s', async shared => {
    start('scenarios/02-both-sides/compose.yaml', { SHARED_SPAN_CONTEXT: shared })
    const answer = await firstAnswer('http://127.0.0.1:15001/')
    const trace = await traceOf(answer.headers.get('x-b3-traceid')!, 2)
    const client = trace.find(span => span.kind === 'CLIENT')!
    const server = trace.find(span => span.kind === 'SERVER')!
    expect(trace).toHaveLength(2)
    expect([client.localEndpoint.serviceName, server.localEndpoint.serviceName]).toEqual(['client', 'orders'])
    if (shared === 'true') expect(server).toMatchObject({ id: client.id, shared: true })
    else expect(server.parentId).toBe(client.id)
  })

  it.each(['all', 'none', 'request-id'])('04: the trace when shop forwards %s', async forward => {
    start('scenarios/04-broken-propagation/compose.yaml', { FORWARD: forward })
    const answer = await firstAnswer('http://127.0.0.1:8080/')
    const guid = answer.headers.get('x-request-id')!
    const entry = await traceOf(answer.headers.get('x-b3-traceid')!, forward === 'all' ? 4 : 2)
    if (forward === 'all') {
      expect(path(entry)).toBe('edge SERVER > shop SERVER > shop CLIENT > stock SERVER')
      return
    }
    expect(path(entry)).toBe('edge SERVER > shop SERVER')
    const others = await until(
      async () => (await traces('serviceName=stock')).filter(trace => trace.length === 2),
      found => found.length > 0,
    )
    expect(path(others[0]!)).toBe('shop CLIENT > stock SERVER')
    const sameRequest = others.filter(trace => trace.every(span => span.tags['guid:x-request-id'] === guid))
    expect(sameRequest).toHaveLength(forward === 'request-id' ? 1 : 0)
  })

  it('the tour: whole traces of the shop, retries in them, and the viewer', async () => {
    const { run } = start('docker-compose.yml')
    const whole = await until(
      async () => (await traces('serviceName=edge')).filter(trace => trace.length >= 38),
      found => found.length >= 5,
    )
    expect(whole.length).toBeGreaterThanOrEqual(5)
    const services = new Set(whole[0]!.map(span => span.localEndpoint.serviceName))
    expect([...services].sort()).toEqual(['db', 'edge', 'price', 'shop', 'stock'])
    const ids = new Set(whole[0]!.map(span => span.id))
    expect(whole[0]!.filter(span => span.parentId === undefined || !ids.has(span.parentId))).toHaveLength(1)

    // Every tenth call of price fails, six of them are in a trace: two traces have a second attempt.
    const retried = await until(
      async () => (await traces('serviceName=shop')).flat().filter(span => span.tags['retry.count'] !== undefined),
      found => found.length > 0,
    )
    expect(retried[0]).toMatchObject({ kind: 'CLIENT', localEndpoint: { serviceName: 'shop' } })

    const viewer = await fetch('http://127.0.0.1:9411/zipkin/')
    expect(viewer.status).toBe(200)
    expect(await viewer.text()).toContain('<script')

    run('stop', '--timeout', '60')
    // All end when they are asked to, none because the engine has lost its patience.
    const states = run('ps', '--all', '--quiet')
      .trim()
      .split('\n')
      .map(id => exitOf(id))
    expect(states.length).toBeGreaterThan(5)
    expect(states.filter(state => state.endsWith(' 137'))).toEqual([])
  })
})
