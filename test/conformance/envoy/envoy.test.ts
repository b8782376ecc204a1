import { loadBootstrap } from '@hopscope/envoy-config'
import { describe, expect, test } from 'vitest'
import { inTheWildFile } from '../envoy-config/in-the-wild.ts'
import { accessLogCases } from './cases/access-log.ts'
import { accessLogByteCases } from './cases/access-log-bytes.ts'
import { accessLogFilterCases } from './cases/access-log-filters.ts'
import { accessLogMomentCases } from './cases/access-log-moments.ts'
import { accessLogTimeCases } from './cases/access-log-times.ts'
import { adminCases } from './cases/admin.ts'
import { balancingCases } from './cases/balancing.ts'
import { bodyCases } from './cases/bodies.ts'
import { bufferCases } from './cases/buffer.ts'
import { changingNameCases } from './cases/changing-names.ts'
import { clustersOfRoutesCases } from './cases/clusters-of-routes.ts'
import { codecCases } from './cases/codec.ts'
import { compressionCases } from './cases/compression.ts'
import { connectionManagerCases } from './cases/connection-manager.ts'
import { corsCases } from './cases/cors.ts'
import { csrfCases } from './cases/csrf.ts'
import { dynamicMetadataCases } from './cases/dynamic-metadata.ts'
import { ejectionCases } from './cases/ejections.ts'
import { eventLogCases } from './cases/event-logs.ts'
import { extAuthzCases } from './cases/ext-authz.ts'
import { filterCases } from './cases/filters.ts'
import { formatOperatorCases } from './cases/format-operators.ts'
import { hashingCases } from './cases/hashing.ts'
import { headerMutationCases } from './cases/header-mutation.ts'
import { headerCases } from './cases/headers.ts'
import { healthCheckFilterCases } from './cases/health-check-filter.ts'
import { healthCheckCases } from './cases/health-checks.ts'
import { informationalCases } from './cases/informational.ts'
import { internalRedirectCases } from './cases/internal-redirects.ts'
import { limitCases } from './cases/limits.ts'
import { listenerCases } from './cases/listeners.ts'
import { localReplyCases } from './cases/local-replies.ts'
import { localReplyConfigCases } from './cases/local-reply-config.ts'
import { matcherCases } from './cases/matchers.ts'
import { mirrorCases } from './cases/mirrors.ts'
import { nameCases } from './cases/names.ts'
import { openTelemetryCases } from './cases/opentelemetry.ts'
import { originalIpCases } from './cases/original-ip.ts'
import { outlierCases } from './cases/outliers.ts'
import { poolCases } from './cases/pools.ts'
import { priorityCases } from './cases/priorities.ts'
import { proxyStatusCases } from './cases/proxy-status.ts'
import { publishedFileCases } from './cases/published-files.ts'
import { rateLimitCases } from './cases/rate-limits.ts'
import { rbacCases } from './cases/rbac.ts'
import { reroutingCases } from './cases/rerouting.ts'
import { retryCases } from './cases/retries.ts'
import { retryHostCases } from './cases/retry-hosts.ts'
import { rewriteCases } from './cases/rewrites.ts'
import { routingCases } from './cases/routing.ts'
import { slowStartCases } from './cases/slow-start.ts'
import { sourceAddressCases } from './cases/source-addresses.ts'
import { statsCases } from './cases/stats.ts'
import { subsetCases } from './cases/subsets.ts'
import { targetCases } from './cases/targets.ts'
import { timeoutCases } from './cases/timeouts.ts'
import { tracingCases } from './cases/tracing.ts'
import { trailerCases } from './cases/trailers.ts'
import { unixSocketCases } from './cases/unix-sockets.ts'
import { upstreamOptionCases } from './cases/upstream-options.ts'
import { virtualClusterCases } from './cases/virtual-clusters.ts'
import { virtualHostCases } from './cases/virtual-hosts.ts'
import { coverage } from './coverage.ts'
import type { Case } from './harness/case.ts'
import { changeField, fileOf, hasField, leavesOf } from './harness/fields.ts'
import { type Observation, observe } from './harness/observe.ts'
import { findEnvoy, HOW_TO_GET_ENVOY, type ProgramName } from './harness/program.ts'
import { PUBLISHED_FIELDS } from './published-fields.ts'

/**
 * The same file and the same bytes through the real Envoy and through Hopscope's sidecar; what the client got, what the
 * upstream got, stats, access log and spans must be the same but for dates, ids, ports and durations.
 */
const groups: Record<string, Case[]> = {
  'local replies': localReplyCases,
  routing: routingCases,
  matchers: matcherCases,
  'virtual hosts': virtualHostCases,
  'virtual clusters': virtualClusterCases,
  rewrites: rewriteCases,
  'internal redirects': internalRedirectCases,
  'clusters of routes': clustersOfRoutesCases,
  rerouting: reroutingCases,
  headers: headerCases,
  codec: codecCases,
  targets: targetCases,
  'connection manager': connectionManagerCases,
  'original ip': originalIpCases,
  'proxy status': proxyStatusCases,
  listeners: listenerCases,
  bodies: bodyCases,
  'interim answers': informationalCases,
  trailers: trailerCases,
  retries: [...retryCases, ...retryHostCases],
  timeouts: timeoutCases,
  limits: limitCases,
  filters: [
    ...filterCases,
    ...bufferCases,
    ...corsCases,
    ...csrfCases,
    ...headerMutationCases,
    ...healthCheckFilterCases,
    ...compressionCases,
    ...extAuthzCases,
    ...rbacCases,
    ...rateLimitCases,
  ],
  'dynamic metadata': dynamicMetadataCases,
  mirrors: mirrorCases,
  outliers: [...outlierCases, ...ejectionCases],
  'health checks': healthCheckCases,
  pools: poolCases,
  'upstream options': upstreamOptionCases,
  'source addresses': sourceAddressCases,
  balancing: balancingCases,
  'slow start': slowStartCases,
  hashing: hashingCases,
  priorities: priorityCases,
  'unix sockets': unixSocketCases,
  subsets: subsetCases,
  names: [...nameCases, ...changingNameCases],
  'event logs': eventLogCases,
  stats: statsCases,
  tracing: tracingCases,
  opentelemetry: openTelemetryCases,
  'access log': accessLogCases,
  'access log filters': accessLogFilterCases,
  'access log moments': accessLogMomentCases,
  'access log bytes': accessLogByteCases,
  'access log times': accessLogTimeCases,
  'format operators': formatOperatorCases,
  'local reply config': localReplyConfigCases,
  admin: adminCases,
  'published files': publishedFileCases,
}

/** `HOPSCOPE_COMPARE=envoy` holds Envoy against itself: what fails then is chance that no case may depend on. */
const candidate: ProgramName = process.env.HOPSCOPE_COMPARE === 'envoy' ? 'envoy' : 'hopscope'

/** What carries ours: every case is run on each. `HOPSCOPE_TRANSPORTS=handle` (or `socket`) is half the work. */
const TRANSPORTS = (process.env.HOPSCOPE_TRANSPORTS ?? 'handle,socket').split(',')
const candidates = candidate === 'envoy' ? [{}] : TRANSPORTS.map(name => ({ HOPSCOPE_TRANSPORT: name }))

if (findEnvoy() === undefined) console.warn(`skipped: the comparison with Envoy ${HOW_TO_GET_ENVOY}`)

test('every row of what Envoy does has a case', () => {
  const { table, missing } = coverage(groups)
  const runs = candidate === 'envoy' ? 'on Envoy itself' : `on each transport: ${TRANSPORTS.join(', ')}`
  console.log(`Envoy's behaviour and the cases for it, ${runs}\n${table}`)
  expect(missing).toEqual([])
})

const published = Object.entries(PUBLISHED_FIELDS).flatMap(([message, fields]) =>
  Object.entries(fields).map(([path, shown]) => ({
    message,
    path,
    ...(typeof shown === 'string' ? { case: shown } : shown),
  })),
)
const shortName = (message: string): string => message.slice(message.lastIndexOf('.') + 1)
const caseNamed = (name: string): Case | undefined =>
  Object.values(groups)
    .flat()
    .find(one => one.name === name)

test('every field of published files has a case that holds it', () => {
  const names = published.map(({ message, path }) => `${message} ${path}`)
  const written = new Set(leavesOf(inTheWildFile).map(({ message, path }) => `${message} ${path}`))
  expect(
    [...written].filter(name => !names.includes(name)),
    'fields without a case',
  ).toEqual([])
  expect(
    names.filter(name => !written.has(name)),
    'cases of fields that no published file has',
  ).toEqual([])
  for (const { message, path, case: name } of published) {
    const one = caseNamed(name)
    expect(one, `there is no case '${name}', which is to show ${path}`).toBeDefined()
    expect(hasField(fileOf(one!), message, path), `the file of '${name}' has no ${path} of ${message}`).toBe(true)
  }
})

/** Code and details of each request. */
function verdicts({ accessLog }: Observation): string[] {
  return accessLog.map(line => line.replace(/^.* code=(\d+) .* details=(\S+) .*$/, '$1 $2'))
}

/** Envoy's, and ours on each transport: not all at once, for a case that measures time needs some of the machine. */
async function observeAll(one: Case): Promise<[Observation, ...Observation[]]> {
  const [first, ...others] = candidates
  const [envoy, ours] = await Promise.all([observe('envoy', one), observe(candidate, one, first)])
  const rest: Observation[] = []
  for (const environment of others) rest.push(await observe(candidate, one, environment))
  return [envoy, ours, ...rest]
}

/** Envoy on a case whose file has this field changed; what it shows, or that it does not even run. */
async function observeWithout(
  one: Case,
  message: string,
  path: string,
  instead?: unknown,
  patience?: number,
): Promise<Observation | string> {
  try {
    const change = (file: Record<string, unknown>) => changeField(file, message, path, instead)
    const observed = await observe('envoy', { ...one, change }, {}, patience)
    one.except?.drop(observed)
    return observed
  } catch (error) {
    return String(error)
  }
}

for (const [group, cases] of Object.entries(groups)) {
  describe.skipIf(findEnvoy() === undefined)(group, () => {
    for (const one of cases) {
      test(`${one.name} (${one.covers})`, async () => {
        const [envoy, ...ours] = await observeAll(one)
        one.sane?.(envoy)
        if (one.differs !== undefined) expect(verdicts(envoy)).toEqual(one.differs.envoy)
        one.except?.drop(envoy)
        for (const observed of ours) {
          if (one.differs !== undefined) {
            expect(verdicts(observed)).toEqual(one.differs[candidate])
            continue
          }
          one.except?.drop(observed)
          expect(observed).toEqual(envoy)
        }
      })
    }
  })
}

/** That a case would fail if the field did nothing, tried on Envoy. */
describe.skipIf(findEnvoy() === undefined || candidate === 'envoy')('fields of published files', () => {
  const asTheyAre = new Map<Case, Promise<Observation | string>>()
  for (const { message, path, case: name, ...shown } of published) {
    if ('everywhere' in shown) continue
    test(`${shortName(message)} ${path}: ${name}`, async () => {
      const one = caseNamed(name)!
      const { instead } = shown as { instead?: unknown }
      if ('required' in shown) {
        const refused = (file: object) => !loadBootstrap({ yaml: JSON.stringify(file) }).ok
        expect([refused(fileOf(one)), refused(changeField(fileOf(one), message, path))]).toEqual([false, true])
        expect(await observeWithout(one, message, path)).toMatch(/ended at start/)
        return
      }
      if (!asTheyAre.has(one)) asTheyAre.set(one, observeWithout(one, message, ''))
      // What waits for what the field brings waits in vain.
      const changed = await observeWithout(one, message, path, instead, 'nothing' in shown ? undefined : 3_000)
      expect(String(changed)).not.toMatch(/ended at start|TypeError/)
      if ('nothing' in shown) expect(changed).toEqual(await asTheyAre.get(one))
      else expect(changed).not.toEqual(await asTheyAre.get(one))
    })
  }
})
