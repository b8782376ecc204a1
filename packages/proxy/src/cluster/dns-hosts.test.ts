import type { Cluster, Dns } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import { Stats } from '../stats/stats.ts'
import type { Timer, Timers } from '../timers.ts'
import type { ActiveCluster } from './active-cluster.ts'
import { createClusterStats } from './cluster-stats.ts'
import { DnsHosts } from './dns-hosts.ts'
import type { ResolvedEndpoint } from './resolved-endpoint.ts'

const DNS: Dns = {
  family: 'AUTO',
  refreshRate: 5000,
  respectTtl: false,
  jitter: 0,
  resolvers: [],
  waitForWarmOnInit: true,
}

/** A cluster of names, the answers to be given, and the refresh timers to be fired by hand. */
function start(names: string[], type: Cluster['type'] = 'STRICT_DNS') {
  const stats = new Stats()
  const answers = new Map<string, string[] | Error | Promise<string[]>>()
  const fire: (() => void)[] = []
  const timers = {
    create(onFire: () => void): Timer {
      fire.push(onFire)
      return { start() {}, stop() {}, running: false } as unknown as Timer
    },
  } as unknown as Timers
  let hosts: readonly ResolvedEndpoint[] = []
  const lbEndpoints = names.map(name => ({
    address: { address: name, port: 80 },
    hostname: '',
    loadBalancingWeight: 1,
  }))
  const locality = { region: '', zone: '', subZone: '' }
  const loadAssignment = { endpoints: [{ priority: 0, locality, lbEndpoints }] }
  const config = { type, dns: DNS, loadAssignment } as unknown as Cluster
  const cluster = {
    config,
    get hosts() {
      return hosts
    },
    stats: createClusterStats(stats, 'a'),
    setHosts(endpoints: readonly ResolvedEndpoint[]) {
      hosts = endpoints.map(endpoint =>
        Object.assign(endpoint, { moveTo: (ip: string) => Object.assign(endpoint, { ip }) }),
      )
    },
  } as unknown as ActiveCluster
  const resolve = async (name: string) => {
    const answer = answers.get(name) ?? []
    if (answer instanceof Error) throw answer
    return { addresses: await answer }
  }
  const dns = new DnsHosts(cluster, timers, resolve, () => 0)
  const count = (name: string) => stats.counters.get(`cluster.a.update_${name}`)?.value
  const settled = () => new Promise(done => setImmediate(done))
  return { dns, answers, fire, count, settled, ips: () => hosts.map(host => host.ip) }
}

test('every address of every name is a host, once', async () => {
  const { dns, answers, ips } = start(['one', 'two'])
  answers.set('one', ['10.0.0.1', '10.0.0.2'])
  answers.set('two', ['10.0.0.2', '10.0.0.3'])
  await dns.start()
  expect(ips()).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3'])
})

test('a slow name does not hold up the others', async () => {
  const { dns, answers, settled, ips } = start(['slow', 'quick'])
  const { promise, resolve } = Promise.withResolvers<string[]>()
  answers.set('slow', promise)
  answers.set('quick', ['10.0.0.2'])
  const started = dns.start()
  await settled()
  expect(ips()).toEqual(['10.0.0.2'])
  resolve(['10.0.0.1'])
  await started
  expect(ips()).toEqual(['10.0.0.1', '10.0.0.2'])
})

test('no answer keeps the hosts, the answer that there are none takes them', async () => {
  const { dns, answers, fire, settled, count, ips } = start(['one'])
  answers.set('one', ['10.0.0.1'])
  await dns.start()
  answers.set('one', new Error('EAI_AGAIN'))
  fire[0]!()
  await settled()
  expect(ips()).toEqual(['10.0.0.1'])
  answers.set('one', [])
  fire[0]!()
  await settled()
  expect(ips()).toEqual([])
  expect(['attempt', 'success', 'failure', 'no_rebuild'].map(count)).toEqual([3, 2, 1, 0])
})

test('the same addresses in another order change nothing', async () => {
  const { dns, answers, fire, settled, count, ips } = start(['one'])
  answers.set('one', ['10.0.0.1', '10.0.0.2'])
  await dns.start()
  answers.set('one', ['10.0.0.2', '10.0.0.1'])
  fire[0]!()
  await settled()
  expect(ips()).toEqual(['10.0.0.1', '10.0.0.2'])
  expect(count('no_rebuild')).toBe(1)
})

test('what comes after the end is not heard', async () => {
  const { dns, answers, settled, ips } = start(['one'])
  answers.set('one', ['10.0.0.1'])
  const started = dns.start()
  dns.stop()
  await started
  await settled()
  expect(ips()).toEqual([])
})

test('LOGICAL_DNS: one host, which moves to another first address and stays when there is none', async () => {
  const { dns, answers, fire, settled, ips } = start(['one'], 'LOGICAL_DNS')
  answers.set('one', ['10.0.0.1', '10.0.0.2'])
  await dns.start()
  expect(ips()).toEqual(['10.0.0.1'])
  for (const [answer, ip] of [
    [['10.0.0.2', '10.0.0.1'], '10.0.0.2'],
    [[], '10.0.0.2'],
    [new Error('ETIMEOUT'), '10.0.0.2'],
  ] as const) {
    answers.set('one', answer as string[] | Error)
    fire[0]!()
    await settled()
    expect(ips()).toEqual([ip])
  }
})
