import { isIP } from 'node:net'
import type { RequestHeaders } from '../headers.ts'
import {
  CODEC_ERROR,
  type CodecError,
  HTTPS_URL_ON_PLAINTEXT,
  INVALID_AUTHORITY,
  INVALID_SCHEME,
  INVALID_URL,
} from './codec-error.ts'

export interface TargetRules {
  /** As long as it is not false. */
  allowAbsoluteUrl?: boolean
  /** `https://…` that comes over a connection without TLS is refused: nobody in front of this one can have ended it. */
  refuseHttpsUrls?: boolean
}

/**
 * Takes Host out of the fields and, of `http://host/path`, the host, which beats it. True: there was one. (Whether a path is a path
 * at all is the codec's business in Envoy.)
 */
export function resolveTarget(headers: RequestHeaders, rules: TargetRules): boolean | CodecError {
  const host = headers.get('host')
  const target = headers.path
  const isPath = target.charCodeAt(0) === 47 /* / */ && headers.method !== 'CONNECT'
  // Then it is a path like any other, to whoever wants it.
  const isTaken = isPath || (rules.allowAbsoluteUrl === false && headers.method !== 'CONNECT')
  if (isTaken || (target === '*' && headers.method === 'OPTIONS')) {
    if (host === undefined) return false
    if (!isHost(host)) return INVALID_AUTHORITY
    headers.authority = host
    headers.emptyAuthority = host === ''
    headers.remove('host')
    return true
  }
  const verdict = headers.method === 'CONNECT' ? takeAuthority(headers, target) : takeUrl(headers, target, rules)
  if (verdict === undefined) headers.remove('host')
  return verdict ?? true
}

/** No blanks, slashes, or the like: what Envoy's codec accepts in a Host. */
function isHost(host: string): boolean {
  for (let i = 0; i < host.length; i++) {
    const c = host.charCodeAt(i)
    if (c <= 32 || c >= 127 || c === 47 || c === 92 || c === 34 || c === 35 || c === 60 || c === 62 || c === 63)
      return false
  }
  return true
}

/** `scheme://authority`, then a path or query; the characters that Envoy's parser lets through at all. */
const ABSOLUTE_URL = /^(?<scheme>[a-z][a-z0-9+.-]*):\/\/(?<authority>[a-z0-9!$%&'()*+,.:;=@[\]_~-]*)(?<path>[/?].*)?$/i
const CONNECT_TARGET = /^(?:[/*]|[a-z0-9!$%&'()*+,.:;=@[\]_~-]*(?:[/?]|$))/i
/** `user@host:port`; a name has no underscore (RFC 3986 would let it), in brackets is an address. */
const AUTHORITY =
  /^(?:[a-z0-9._!~*'()%;:&=+$,-]*@)?(?<host>[a-z0-9.-]+|\[(?<address>[0-9a-f:.]+)\])(?::(?<port>\d+))?$/i

function takeUrl(headers: RequestHeaders, target: string, rules: TargetRules): CodecError | undefined {
  if (target.charCodeAt(0) === 42 /* * */) return INVALID_URL
  const url = ABSOLUTE_URL.exec(target)?.groups
  if (url === undefined || url.authority!.includes('@@')) return CODEC_ERROR
  const authority = parseAuthority(url.authority!)
  if (authority === undefined) return INVALID_URL
  const scheme = url.scheme!.toLowerCase()
  if (scheme !== 'http' && scheme !== 'https') return INVALID_SCHEME
  if (scheme === 'https' && rules.refuseHttpsUrls) return HTTPS_URL_ON_PLAINTEXT
  headers.authority = authority
  headers.path = url.path ?? '/'
  return undefined
}

function takeAuthority(headers: RequestHeaders, target: string): CodecError | undefined {
  if (/^[^/?]*@@/.test(target) || !CONNECT_TARGET.test(target)) return CODEC_ERROR
  const authority = target.includes('@') ? undefined : parseAuthority(target)
  if (authority === undefined || !/:\d+$/.test(authority)) return INVALID_URL
  headers.authority = authority
  headers.path = ''
  return undefined
}

/** Host and port without the user; undefined: it is none. */
function parseAuthority(text: string): string | undefined {
  const { host, address, port } = AUTHORITY.exec(text)?.groups ?? {}
  if (host === undefined || Number(port ?? 0) > 65_535) return undefined
  if (address !== undefined && isIP(address) === 0) return undefined
  return port === undefined ? host : `${host}:${port}`
}
