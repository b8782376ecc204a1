import { isIPv6 } from 'node:net'
import type { FilterChain, FilterChainMatch, Listener } from '@hopscope/envoy-config'
import { portOf, withoutPort } from '../format/address-text.ts'
import { compileRanges, isLoopback } from '../http/client-address.ts'

/** `ip:port` of both ends of a connection. */
export interface Ends {
  localAddress: string
  remoteAddress: string
}

/** How well one part of a match fits: −1 not at all, 0 because it asks nothing, else the more the better. */
type Fit = (ends: Ends) => number

/**
 * The filter chain of a connection; undefined: none takes it. Of the parts of a match, in Envoy's order, each keeps the chains that fit
 * best, and those that it drops do not come back: destination port, destination IP, source IP as it is, kind of source, source IP, source
 * port. (There is no SNI or ALPN to look at.)
 */
export function compileFilterChainChoice({
  filterChains,
  defaultFilterChain,
}: Listener): (ends: Ends) => FilterChain | undefined {
  const only = filterChains[0]
  if (filterChains.length === 1 && only!.match === undefined) return () => only
  const candidates = filterChains.map(chain => ({ chain, parts: compileParts(chain.match ?? {}) }))
  return ends => {
    let left = candidates
    for (let part = 0; left.length > 0 && part < PARTS; part++) {
      let best = -1
      let fitting: typeof candidates = []
      for (const candidate of left) {
        const fit = candidate.parts[part]!(ends)
        if (fit > best) {
          best = fit
          fitting = []
        }
        if (fit === best && fit >= 0) fitting.push(candidate)
      }
      left = fitting
    }
    return left[0]?.chain ?? defaultFilterChain
  }
}

const PARTS = 6

function compileParts(match: FilterChainMatch): Fit[] {
  const { destinationPort, sourceType = 'ANY', sourcePorts = [] } = match
  return [
    destinationPort === undefined ? ANY : ends => (portOf(ends.localAddress) === destinationPort ? 1 : -1),
    compilePrefixes(match.prefixRanges, ends => withoutPort(ends.localAddress)),
    compilePrefixes(match.directSourcePrefixRanges, ends => withoutPort(ends.remoteAddress)),
    sourceType === 'ANY' ? ANY : ends => (isLocal(ends) === (sourceType === 'SAME_IP_OR_LOOPBACK') ? 1 : -1),
    compilePrefixes(match.sourcePrefixRanges, ends => withoutPort(ends.remoteAddress)),
    sourcePorts.length === 0 ? ANY : ends => (sourcePorts.includes(portOf(ends.remoteAddress)) ? 1 : -1),
  ]
}

const ANY: Fit = () => 0

/** By the longest prefix. */
function compilePrefixes(ranges: readonly string[] = [], of: (ends: Ends) => string): Fit {
  if (ranges.length === 0) return ANY
  const prefixes = ranges.map(range => ({
    takes: compileRanges([range]),
    isIPv6: isIPv6(range.split('/')[0]!),
    length: Number(range.split('/')[1]),
  }))
  return ends => {
    const ip = of(ends)
    let longest = -1
    for (const { takes, isIPv6: six, length } of prefixes) {
      if (isIPv6(ip) === six && takes(ip)) longest = Math.max(longest, length + 1)
    }
    return longest
  }
}

function isLocal({ localAddress, remoteAddress }: Ends): boolean {
  const remote = withoutPort(remoteAddress)
  return isLoopback(remote) || remote === withoutPort(localAddress)
}
