import { lookup, Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Dns } from '@hopscope/envoy-config'

/** All addresses of a name; none when there is no such name. */
export interface Resolved {
  addresses: string[]
  /** How long that is good for, in seconds; undefined: not said. */
  ttl?: number
}

/** Rejects when there is no answer, and for what cannot be a name. */
export type ResolveName = (name: string, dns: Pick<Dns, 'family' | 'resolvers'>) => Promise<Resolved>

/** RFC 1035 §2.3.4: a label has 1 to 63 bytes; a dot may end the name. */
const LABELS = /^([^.]{1,63}\.)*[^.]{1,63}\.?$/

/** As the system resolves it (hosts file included), unless the cluster says whom to ask. */
export const resolveName: ResolveName = async (name, { family, resolvers }) => {
  if (isIP(name) !== 0) return { addresses: [name] }
  if (!LABELS.test(name)) throw new Error(`not a name: ${name}`)
  if (resolvers.length === 0 || name === 'localhost') return { addresses: await lookUp(name, family) }
  const resolver = new Resolver()
  resolver.setServers(
    resolvers.map(({ address, port }) => `${isIP(address) === 6 ? `[${address}]` : address}:${port || 53}`),
  )
  return ask(resolver, name, family)
}

async function lookUp(name: string, family: Dns['family']): Promise<string[]> {
  const found = await lookup(name, { all: true, verbatim: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTFOUND') return []
    throw error
  })
  const v4 = found.filter(one => one.family === 4).map(one => one.address)
  const v6 = found.filter(one => one.family === 6).map(one => one.address)
  return [...new Set(chooseFamily(v4, v6, family))]
}

async function ask(resolver: Resolver, name: string, family: Dns['family']): Promise<Resolved> {
  const [v4, v6] = await Promise.all([
    family === 'V6_ONLY' ? [] : records(resolver.resolve4(name, { ttl: true })),
    family === 'V4_ONLY' ? [] : records(resolver.resolve6(name, { ttl: true })),
  ])
  const chosen = chooseFamily(v4, v6, family)
  const addresses = [...new Set(chosen.map(record => record.address))]
  return chosen.length === 0 ? { addresses } : { addresses, ttl: Math.min(...chosen.map(record => record.ttl)) }
}

type Records = { address: string; ttl: number }[]

/** "No such name" and "no such address" are answers, too. */
async function records(answer: Promise<Records>): Promise<Records> {
  try {
    return await answer
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTFOUND' || code === 'ENODATA') return []
    throw error
  }
}

function chooseFamily<T>(v4: T[], v6: T[], family: Dns['family']): T[] {
  switch (family) {
    case 'V4_ONLY':
      return v4
    case 'V6_ONLY':
      return v6
    case 'V4_PREFERRED':
      return v4.length > 0 ? v4 : v6
    case 'AUTO':
      return v6.length > 0 ? v6 : v4
    case 'ALL':
      return [...v6, ...v4]
  }
}
