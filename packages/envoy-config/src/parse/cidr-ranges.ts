import { isIP } from 'node:net'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'

/** Of a list of envoy.config.core.v3.CidrRange: `10.0.0.0/8`. */
export function parseCidrRanges(ranges: readonly Message[], context: ParseContext): string[] {
  return ranges.map(range => {
    const address = range.string('address_prefix')
    const version = isIP(address)
    // Envoy cuts a longer prefix as well.
    const length = Math.min(range.number('prefix_len'), version === 6 ? 128 : 32)
    if (version === 0 && address !== '') {
      context.problems.add('invalid', range.valuePlace('address_prefix'), `malformed IP address: '${address}'`)
    }
    return `${address}/${length}`
  })
}
