import type { HashPolicy } from '@hopscope/envoy-config'
import { xxHash64 } from '../cluster/balancing/xx-hash.ts'
import { ipOf } from '../http/client-address.ts'
import type { RequestHeaders } from '../http/headers.ts'
import type { StreamInfo } from '../stream-info.ts'
import { cookie, queryParameter } from './match-route.ts'
import { compileReplacement } from './rewrite.ts'

/** What a hash is made of. */
interface Hashed {
  headers: RequestHeaders
  info: StreamInfo
}

/** The hash of a request, undefined when nothing of it can be hashed; a cookie that it lacks is made, and told to `setCookie`, if given. */
export type HashRequest = (request: Hashed, setCookie?: (field: string) => void) => bigint | undefined

/** The list of a route. Each hash is mixed into those before it. (Envoy: HashPolicyImpl::generateHash) */
export function compileHashPolicies(policies: readonly HashPolicy[]): HashRequest | undefined {
  if (policies.length === 0) return undefined
  const methods = policies.map(policy => ({ hash: compileMethod(policy), terminal: policy.terminal }))
  return (request, setCookie) => {
    let all: bigint | undefined
    for (const { hash, terminal } of methods) {
      const one = hash(request, setCookie)
      if (one !== undefined) all = (all === undefined ? 0n : rotatedLeft(all)) ^ one
      if (terminal && all !== undefined) break
    }
    return all
  }
}

function rotatedLeft(hash: bigint): bigint {
  return BigInt.asUintN(64, hash << 1n) | (hash >> 63n)
}

function compileMethod(policy: HashPolicy): HashRequest {
  switch (policy.type) {
    case 'header': {
      const { name } = policy
      const replace = policy.rewrite === undefined ? (value: string) => value : compileReplacement(policy.rewrite)
      return ({ headers }) => {
        const values = name.startsWith(':') ? [headers.get(name) ?? ''] : headers.getAll(name)
        if (values.length === 0) return undefined
        // Of several values, in an order that the client does not choose.
        return values
          .map(replace)
          .sort()
          .reduce((hash, value) => xxHash64(value, hash), 0n)
      }
    }
    case 'query_parameter':
      return ({ headers }) => hashed(queryParameter(headers.path, policy.name))
    case 'source_ip':
      return ({ info }) => hashed(ipOf(info.downstreamRemoteAddress))
    case 'cookie':
      return ({ headers, info }, setCookie) => {
        const { name, ttl } = policy
        const given = cookie(headers, name)
        if (given !== undefined && given !== '') return xxHash64(given)
        if (ttl === undefined || setCookie === undefined) return undefined
        // The same for all requests of a connection.
        const made = xxHash64(info.downstreamDirectRemoteAddress + info.downstreamLocalAddress)
          .toString(16)
          .padStart(16, '0')
        setCookie(cookieField(policy, made))
        return xxHash64(made)
      }
  }
}

function hashed(value: string | undefined): bigint | undefined {
  return value === undefined ? undefined : xxHash64(value)
}

function cookieField({ name, ttl, path, attributes }: Extract<HashPolicy, { type: 'cookie' }>, value: string): string {
  let field = `${name}="${value}"`
  if (ttl !== 0) field += `; Max-Age=${ttl}`
  if (path !== '') field += `; Path=${path}`
  for (const attribute of attributes)
    field += attribute.value === '' ? `; ${attribute.name}` : `; ${attribute.name}=${attribute.value}`
  return `${field}; HttpOnly`
}
