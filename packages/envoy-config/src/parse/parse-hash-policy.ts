import type { HashPolicy } from '../hash-policy.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'
import { parseRegexRewrite } from './matchers.ts'

/** `hash_policy` of an envoy.config.route.v3.RouteAction. */
export function parseHashPolicies(action: Message | undefined, context: ParseContext): HashPolicy[] {
  return (action?.messages('hash_policy') ?? []).flatMap((policy): HashPolicy[] => {
    const terminal = policy.boolean('terminal')
    const header = policy.message('header')
    if (header !== undefined) {
      const rewrite = header.message('regex_rewrite')
      const name = header.string('header_name').toLowerCase()
      return [{ type: 'header', terminal, name, ...(rewrite && { rewrite: parseRegexRewrite(rewrite, context) }) }]
    }
    const cookie = policy.message('cookie')
    if (cookie !== undefined) {
      const ttl = cookie.duration('ttl')
      const attributes = cookie.messages('attributes')
      return [
        {
          type: 'cookie',
          terminal,
          name: cookie.string('name'),
          ...(ttl === undefined ? {} : { ttl: Math.trunc(ttl / 1000) }),
          path: cookie.string('path'),
          attributes: attributes.map(one => ({ name: one.string('name'), value: one.string('value') })),
        },
      ]
    }
    const query = policy.message('query_parameter')
    if (query !== undefined) return [{ type: 'query_parameter', terminal, name: query.string('name') }]
    // Of the connection's properties there is one; without it the policy says nothing.
    return policy.message('connection_properties')?.boolean('source_ip') ? [{ type: 'source_ip', terminal }] : []
  })
}
