import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Cluster } from '@hopscope/envoy-config'

/**
 * All addresses of a name, as the system resolves it (hosts file included); none when there is no such name. Rejects when there is no
 * answer, and for what cannot be a name.
 */
export type ResolveName = (name: string, family: Cluster['dnsLookupFamily']) => Promise<string[]>

/** RFC 1035 §2.3.4: a label has 1 to 63 bytes; a dot may end the name. */
const LABELS = /^([^.]{1,63}\.)*[^.]{1,63}\.?$/

export const resolveName: ResolveName = async (name, family) => {
  if (isIP(name) !== 0) return [name]
  if (!LABELS.test(name)) throw new Error(`not a name: ${name}`)
  const found = await lookup(name, { all: true, verbatim: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTFOUND') return []
    throw error
  })
  const v4 = found.filter(one => one.family === 4).map(one => one.address)
  const v6 = found.filter(one => one.family === 6).map(one => one.address)
  return [...new Set(chooseFamily(v4, v6, family))]
}

function chooseFamily(v4: string[], v6: string[], family: Cluster['dnsLookupFamily']): string[] {
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
