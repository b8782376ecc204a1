import type { Mesh } from '../mesh/mesh.ts'
import { holds } from './bound.ts'
import { call } from './call.ts'
import type { ProxyAdmin } from './proxy-admin.ts'
import type { Bound, Call, Meanwhile } from './scenario.ts'

type Wanted = Readonly<Record<string, Readonly<Record<string, Bound>>>>
type Stats = ReadonlyMap<string, number>

/** A host returns after its ejection, a health check comes round: this is how long they have, ms. */
const PATIENCE = 30_000
const LOOK_AGAIN = 20

/** Looks until the stats of proxies say what they must. @throws Error with the first one that does not, when it takes too long */
export async function waitForStats(
  wanted: Wanted,
  admins: ReadonlyMap<string, ProxyAdmin>,
  before?: ReadonlyMap<string, Stats>,
): Promise<void> {
  const deadline = Date.now() + PATIENCE
  for (const [service, bounds] of Object.entries(wanted)) {
    for (;;) {
      const stats = await admins.get(service)!.stats()
      const value = (name: string) => (stats.get(name) ?? 0) - (before?.get(service)?.get(name) ?? 0)
      const wrong = Object.entries(bounds).find(([name, bound]) => !holds(bound, value(name)))
      if (wrong === undefined) break
      if (Date.now() > deadline) {
        const [name, bound] = wrong
        const verb = before === undefined ? 'is' : 'has grown by'
        throw new Error(
          `waited ${PATIENCE / 1000} s for ${name} of ${service} to be ${bound}: it ${verb} ${value(name)}`,
        )
      }
      await new Promise(resolve => setTimeout(resolve, LOOK_AGAIN))
    }
  }
}

/** What is done while the calls of a step are on their way. `before`: the stats when the step began. */
export async function meanwhile(
  list: readonly Meanwhile[],
  mesh: Mesh,
  admins: ReadonlyMap<string, ProxyAdmin>,
  before: ReadonlyMap<string, Stats>,
  turn: (knobs: Readonly<Record<string, string>>) => Promise<void>,
): Promise<void> {
  for (const one of list) {
    if ('until' in one) await waitForStats(one.until, admins, before)
    else if ('call' in one) await callBeside(one.call, mesh)
    else if ('knobs' in one) await turn(one.knobs)
    else if ('stop' in one) for (const service of one.stop) await mesh.stop(service)
    else for (const service of one.start) await mesh.start(service)
  }
}

/** One request beside those of the step. @throws Error when it is not answered with 200 */
export async function callBeside({ service, port, path }: Call, mesh: Mesh): Promise<void> {
  // Not sampled: it is no part of what the step looks at.
  const headers = { 'x-b3-sampled': '0' }
  const [answer] = await call(mesh.address(service, port), {
    method: 'GET',
    path,
    headers,
    count: 1,
    parallel: 1,
    threads: 1,
  })
  if (answer!.status !== 200) throw new Error(`GET ${path} of ${service}: ${answer!.status} ${answer!.body}`)
}
