import type { Matcher, MatchInput, OnMatch, Predicate } from '@hopscope/envoy-config'
import { isPath, portOf, withoutPort } from '../format/address-text.ts'
import type { RequestHeaders } from '../http/headers.ts'
import type { StreamInfo } from '../stream-info.ts'
import { compileStringMatcher } from './string-matcher.ts'

export interface MatchSubject {
  headers: RequestHeaders
  info: StreamInfo
}

/** The action that a tree leads to; undefined: to none. */
export type MatchTree<Action> = (subject: MatchSubject) => Action | undefined

export function compileMatcher<Action>(matcher: Matcher<Action>): MatchTree<Action> {
  const find = compileMatch(matcher.match)
  const otherwise = matcher.onNoMatch && compileOnMatch(matcher.onNoMatch)
  return subject => find(subject) ?? otherwise?.(subject)
}

function compileMatch<Action>(match: Matcher<Action>['match']): MatchTree<Action> {
  if (match.type === 'none') return () => undefined
  if (match.type === 'list') {
    const matchers = match.matchers.map(({ predicate, onMatch }) => ({
      holds: compilePredicate(predicate),
      follow: compileOnMatch(onMatch),
    }))
    return subject => {
      for (const { holds, follow } of matchers) {
        // A nested tree that leads nowhere leaves the word to the next question.
        const action = holds(subject) ? follow(subject) : undefined
        if (action !== undefined) return action
      }
      return undefined
    }
  }
  const read = compileInput(match.input)
  const entries = [...match.map].map(([key, on]) => [key, compileOnMatch(on)] as const)
  if (match.type === 'exact') {
    const map = new Map(entries)
    return subject => map.get(read(subject) ?? '')?.(subject)
  }
  const longestFirst = entries.sort(([a], [b]) => b.length - a.length)
  return subject => {
    const text = read(subject)
    if (text === undefined) return undefined
    return longestFirst.find(([prefix]) => text.startsWith(prefix))?.[1](subject)
  }
}

function compileOnMatch<Action>(on: OnMatch<Action>): MatchTree<Action> {
  if (on.keepMatching) return () => undefined
  if (on.type === 'matcher') return compileMatcher(on.matcher)
  return () => on.action
}

function compilePredicate(predicate: Predicate): (subject: MatchSubject) => boolean {
  switch (predicate.type) {
    case 'not': {
      const holds = compilePredicate(predicate.predicate)
      return subject => !holds(subject)
    }
    case 'and': {
      const all = predicate.predicates.map(compilePredicate)
      return subject => all.every(holds => holds(subject))
    }
    case 'or': {
      const any = predicate.predicates.map(compilePredicate)
      return subject => any.some(holds => holds(subject))
    }
    case 'single': {
      const read = compileInput(predicate.input)
      const matches = compileStringMatcher(predicate.matcher)
      return subject => {
        const text = read(subject)
        return text !== undefined && matches(text)
      }
    }
  }
}

/** Undefined: there is no such thing in this request. */
function compileInput(input: MatchInput): (subject: MatchSubject) => string | undefined {
  switch (input.type) {
    case 'request_header': {
      const name = input.name === 'host' ? ':authority' : input.name
      if (name.startsWith(':')) return ({ headers }) => headers.get(name)
      return ({ headers }) => {
        const values = headers.getAll(name)
        return values.length === 0 ? undefined : values.join(',')
      }
    }
    case 'destination_ip':
      return ({ info }) => withoutPort(info.downstreamLocalAddress)
    case 'destination_port':
      return ({ info }) => portText(info.downstreamLocalAddress)
    case 'source_ip':
      return ({ info }) => withoutPort(info.downstreamRemoteAddress)
    case 'direct_source_ip':
      return ({ info }) => withoutPort(info.downstreamDirectRemoteAddress)
    case 'source_port':
      return ({ info }) => portText(info.downstreamRemoteAddress)
  }
}

/** A Unix socket has none. */
function portText(address: string): string | undefined {
  return isPath(address) ? undefined : String(portOf(address))
}
