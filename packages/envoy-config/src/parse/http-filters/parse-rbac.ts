import { isIP } from 'node:net'
import type {
  RbacAction,
  RbacEngine,
  RbacFilter,
  RbacMatchAction,
  RbacRule,
  RbacRules,
} from '../../http-filters/rbac.ts'
import type { Message } from '../../schema/message.ts'
import type { ParseContext } from '../context.ts'
import { parseHeaderMatcher, parseStringMatcher } from '../matchers.ts'
import { parseMatcher } from '../parse-unified-matcher.ts'

/** Of an envoy.extensions.filters.http.rbac.v3.RBAC; undefined: of an empty RBACPerRoute, which switches it off. */
export function parseRbac(message: Message | undefined, context: ParseContext): RbacFilter {
  return {
    type: 'rbac',
    enforced: message && parseEngine(message, 'rules', 'matcher', context),
    shadow: message && parseEngine(message, 'shadow_rules', 'shadow_matcher', context),
    rulesStatPrefix: message?.string('rules_stat_prefix') ?? '',
    shadowRulesStatPrefix: message?.string('shadow_rules_stat_prefix') ?? '',
    trackPerRuleStats: message?.boolean('track_per_rule_stats') ?? false,
  }
}

/** Of an RBACPerRoute. */
export function parseRbacOfRoute(message: Message, context: ParseContext): RbacFilter {
  return parseRbac(message.message('rbac'), context)
}

/** The matcher has precedence. */
function parseEngine(message: Message, rules: string, matcher: string, context: ParseContext): RbacEngine | undefined {
  const tree = message.message(matcher)
  if (tree !== undefined) return { type: 'matcher', matcher: parseMatcher(tree, parseAction, context) }
  const list = message.message(rules)
  return list && { type: 'rules', rules: parseRules(list, context) }
}

/** Of an envoy.config.rbac.v3.Action. */
function parseAction(message: Message): RbacMatchAction {
  return { name: message.string('name'), action: message.enum<RbacAction>('action', 'ALLOW') }
}

function parseRules(message: Message, context: ParseContext): RbacRules {
  const policies = [...message.entries('policies')].flatMap(([name, policy]) =>
    policy.kind === 'message' ? [{ name, policy }] : [],
  )
  return {
    action: message.enum<RbacAction>('action', 'ALLOW'),
    policies: policies
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, policy }) => ({
        name,
        permissions: policy.messages('permissions').map(permission => parseRule(permission, context)),
        principals: policy.messages('principals').map(principal => parseRule(principal, context)),
      })),
  }
}

/** The fields that are lists of rules: of permissions and of principals. */
const LISTS = [
  ['and_rules', 'and', 'rules'],
  ['or_rules', 'or', 'rules'],
  ['and_ids', 'and', 'ids'],
  ['or_ids', 'or', 'ids'],
] as const

const ADDRESSES = [
  ['destination_ip', 'destination'],
  ['source_ip', 'connection'],
  ['direct_remote_ip', 'direct'],
  ['remote_ip', 'client'],
] as const

/** Of an envoy.config.rbac.v3.Permission or Principal. */
function parseRule(message: Message, context: ParseContext): RbacRule {
  for (const [field, type, list] of LISTS) {
    const set = message.message(field)
    if (set !== undefined) return { type, rules: set.messages(list).map(rule => parseRule(rule, context)) }
  }
  for (const field of ['not_rule', 'not_id']) {
    const rule = message.message(field)
    if (rule !== undefined) return { type: 'not', rule: parseRule(rule, context) }
  }
  for (const [field, of] of ADDRESSES) {
    const range = message.message(field)
    if (range !== undefined) return { type: 'ip', of, ...parseRange(range, context) }
  }
  const header = message.message('header')
  if (header !== undefined) return { type: 'header', matcher: parseHeaderMatcher(header, context) }
  const path = message.message('url_path')?.message('path')
  if (path !== undefined) return { type: 'path', matcher: parseStringMatcher(path, context) }
  if (message.has('destination_port')) {
    const port = message.number('destination_port')
    return { type: 'destination_port', start: port, end: port + 1 }
  }
  const ports = message.message('destination_port_range')
  if (ports !== undefined) {
    const [start, end] = [ports.number('start'), ports.number('end')]
    if (start >= end) {
      const what = `range start ${start} cannot be greater or equal than range end ${end}`
      context.problems.add('invalid', ports, what)
    }
    return { type: 'destination_port', start, end }
  }
  const serverName = message.message('requested_server_name')
  if (serverName !== undefined) return { type: 'server_name', matcher: parseStringMatcher(serverName, context) }
  return message.has('authenticated') ? { type: 'never' } : { type: 'any' }
}

function parseRange(message: Message, context: ParseContext): { address: string; prefix: number } {
  const address = message.string('address_prefix')
  const version = isIP(address)
  if (version === 0 && address !== '') {
    context.problems.add('invalid', message.valuePlace('address_prefix'), `malformed IP address: '${address}'`)
  }
  return { address, prefix: Math.min(message.number('prefix_len'), version === 6 ? 128 : 32) }
}
