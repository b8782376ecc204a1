import type { RbacAction, RbacEngine, RbacRule } from '@hopscope/envoy-config'
import { portOf, withoutPort } from '../../format/address-text.ts'
import { compileRanges } from '../../http/client-address.ts'
import { compileHeaderMatcher } from '../../match/header-matcher.ts'
import { compileStringMatcher } from '../../match/string-matcher.ts'
import { compileMatcher, type MatchSubject } from '../../match/unified-matcher.ts'
import type { StreamInfo } from '../../stream-info.ts'

export interface Verdict {
  allowed: boolean
  /** Of the policy that matched; undefined: none did. */
  policy: string | undefined
  /** Whether logs should have the request: of rules that only log. */
  logHint?: boolean
}

export type Judge = (subject: MatchSubject) => Verdict

type Holds = (subject: MatchSubject) => boolean

/** Policies or a matcher, made ready for requests. */
export function compileEngine(engine: RbacEngine): Judge {
  if (engine.type === 'matcher') {
    const find = compileMatcher(engine.matcher)
    return subject => {
      const found = find(subject)
      // Nothing that matches is nothing that allows.
      if (found === undefined) return { allowed: false, policy: undefined }
      const verdict = { allowed: found.action !== 'DENY', policy: found.name }
      return found.action === 'LOG' ? { ...verdict, logHint: true } : verdict
    }
  }
  const { action, policies } = engine.rules
  const compiled = policies.map(({ name, permissions, principals }) => ({
    name,
    permitted: permissions.map(compileRule),
    identified: principals.map(compileRule),
  }))
  return subject => {
    const found = compiled.find(
      ({ permitted, identified }) =>
        permitted.some(holds => holds(subject)) && identified.some(holds => holds(subject)),
    )
    const matched = found !== undefined
    const verdict = { allowed: isAllowed(action, matched), policy: found?.name }
    return action === 'LOG' ? { ...verdict, logHint: matched } : verdict
  }
}

function isAllowed(action: RbacAction, matched: boolean): boolean {
  if (action === 'LOG') return true
  return (action === 'ALLOW') === matched
}

function compileRule(rule: RbacRule): Holds {
  switch (rule.type) {
    case 'any':
      return () => true
    case 'never':
      return () => false
    case 'and': {
      const rules = rule.rules.map(compileRule)
      return subject => rules.every(holds => holds(subject))
    }
    case 'or': {
      const rules = rule.rules.map(compileRule)
      return subject => rules.some(holds => holds(subject))
    }
    case 'not': {
      const holds = compileRule(rule.rule)
      return subject => !holds(subject)
    }
    case 'header': {
      const matches = compileHeaderMatcher(rule.matcher)
      return ({ headers }) => matches(headers)
    }
    case 'path': {
      const matches = compileStringMatcher(rule.matcher)
      return ({ headers }) => matches(withoutQuery(headers.path))
    }
    case 'ip': {
      const contains = compileRanges([`${rule.address}/${rule.prefix}`])
      const address = addressOf[rule.of]
      return ({ info }) => contains(withoutPort(address(info)))
    }
    case 'destination_port':
      return ({ info }) => {
        const port = portOf(info.downstreamLocalAddress)
        return port >= rule.start && port < rule.end
      }
    case 'server_name': {
      const matches = compileStringMatcher(rule.matcher)('')
      return () => matches
    }
  }
}

const addressOf: Readonly<Record<Extract<RbacRule, { type: 'ip' }>['of'], (info: StreamInfo) => string>> = {
  destination: info => info.downstreamLocalAddress,
  connection: info => info.downstreamDirectRemoteAddress,
  direct: info => info.downstreamDirectRemoteAddress,
  client: info => info.downstreamRemoteAddress,
}

function withoutQuery(path: string): string {
  const end = path.search(/[?#]/)
  return end < 0 ? path : path.slice(0, end)
}
