import { isIP } from 'node:net'
import type { HttpConnectionManager, OriginalIpDetection } from '@hopscope/envoy-config'
import { compileRanges, forwardedAddress } from './client-address.ts'
import type { RequestHeaders } from './headers.ts'

/** Whose request it is, by its headers. */
export interface OriginalIp {
  /** undefined: the peer's own. */
  ip: string | undefined
  /** It may make the request internal. */
  trusted: boolean
  /** The peer is appended to x-forwarded-for. */
  appends: boolean
  /** It is refused with this status; 0: it is not. */
  rejectWith: number
}

export type DetectOriginalIp = (headers: RequestHeaders, peerIp: string) => OriginalIp

/** Entries of x-forwarded-for that are looked at, from its end, for one that no trusted proxy wrote. (Envoy) */
const MOST_ENTRIES = 20

/** One after the other until one finds an address or refuses. */
export function compileOriginalIp({
  originalIpDetection,
  xffNumTrustedHops,
}: Pick<HttpConnectionManager, 'originalIpDetection' | 'xffNumTrustedHops'>): DetectOriginalIp {
  const given: readonly OriginalIpDetection[] =
    originalIpDetection.length > 0
      ? originalIpDetection
      : [{ type: 'xff', trustedHops: xffNumTrustedHops, skipAppend: true }]
  const detectors = given.map(compileDetector)
  if (detectors.length === 1) return detectors[0]!
  return (headers, peerIp) => {
    let appends = false
    let found = NOTHING
    for (const detect of detectors) {
      found = detect(headers, peerIp)
      if (found.appends) appends = true
      if (found.ip !== undefined || found.rejectWith !== 0) break
    }
    return appends === found.appends ? found : { ...found, appends }
  }
}

const NOTHING: OriginalIp = { ip: undefined, trusted: false, appends: false, rejectWith: 0 }

function compileDetector(config: OriginalIpDetection): DetectOriginalIp {
  if (config.type === 'custom_header') {
    const { header, trusted, rejectWith = 0 } = config
    const missing: OriginalIp = { ...NOTHING, rejectWith }
    return headers => {
      const ip = headers.get(header)
      return ip === undefined || isIP(ip) === 0 ? missing : { ip, trusted, appends: false, rejectWith: 0 }
    }
  }
  const { trustedHops, trustedCidrs } = config
  const appends = !config.skipAppend
  const missing: OriginalIp = { ...NOTHING, appends }
  const stranger: OriginalIp = { ...NOTHING, appends: true }
  const isTrusted = trustedCidrs && compileRanges(trustedCidrs)
  return (headers, peerIp) => {
    // A peer that no one vouches for has no say, and becomes part of what it said.
    if (isTrusted !== undefined && !isTrusted(peerIp)) return stranger
    const xff = headers.get('x-forwarded-for')
    const found = isTrusted === undefined ? forwardedAddress(xff, trustedHops) : lastUntrusted(xff, isTrusted)
    return found === undefined ? missing : { ip: found.ip, trusted: found.single, appends, rejectWith: 0 }
  }
}

/** The last that no trusted proxy wrote of itself, or the first of all when all are trusted. */
function lastUntrusted(
  xff: string | undefined,
  isTrusted: (ip: string) => boolean,
): ReturnType<typeof forwardedAddress> {
  if (xff === undefined) return undefined
  const entries = xff.split(',')
  const end = Math.max(0, entries.length - MOST_ENTRIES)
  for (let i = entries.length - 1; i >= end; i--) {
    const ip = entries[i]!.trim()
    if (isIP(ip) === 0) return undefined
    if (i === 0 || !isTrusted(ip)) return { ip, single: entries.length === 1 }
  }
  return undefined
}
