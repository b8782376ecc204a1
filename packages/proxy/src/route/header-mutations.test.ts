import type { HeaderMutations, HeaderValueOption } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import { HeaderMap, RequestHeaders } from '../http/headers.ts'
import { StreamInfo } from '../stream-info.ts'
import { compileMutations } from './header-mutations.ts'

type Action = HeaderValueOption['appendAction']

const add = (key: string, value: string, appendAction: Action = 'APPEND_IF_EXISTS_OR_ADD', keepEmptyValue = false) => ({
  key,
  value,
  appendAction,
  keepEmptyValue,
})

const level = (remove: string[], ...options: HeaderValueOption[]): HeaderMutations => ({
  requestHeadersToAdd: options,
  requestHeadersToRemove: remove,
  responseHeadersToAdd: [],
  responseHeadersToRemove: [],
})

/** The fields after the levels, `name: value`. */
function apply(levels: HeaderMutations[], fields: string[], request: string[] = []): string[] {
  const headers = new HeaderMap(fields)
  const info = new StreamInfo()
  info.requestHeaders = new RequestHeaders(request)
  compileMutations(levels, 'request')?.(headers, info)
  return [...headers].map(([name, value]) => `${name}: ${value}`)
}

test.each<[action: Action, there: string[], absent: string[]]>([
  ['APPEND_IF_EXISTS_OR_ADD', ['x: 1', 'x: new'], ['x: new']],
  ['ADD_IF_ABSENT', ['x: 1'], ['x: new']],
  ['OVERWRITE_IF_EXISTS_OR_ADD', ['x: new'], ['x: new']],
  ['OVERWRITE_IF_EXISTS', ['x: new'], []],
])('%s', (action, there, absent) => {
  const levels = [level([], add('x', 'new', action))]
  expect(apply(levels, ['x', '1'])).toEqual(there)
  expect(apply(levels, [])).toEqual(absent)
})

test('overwriting leaves one of several', () => {
  const levels = [level([], add('x', 'new', 'OVERWRITE_IF_EXISTS'))]
  expect(apply(levels, ['x', '1', 'y', '2', 'x', '3'])).toEqual(['y: 2', 'x: new'])
})

test('appending joins fields that Envoy knows, with a comma', () => {
  const levels = [level([], add('user-agent', 'b'), add('x', 'b'))]
  expect(apply(levels, ['user-agent', 'a', 'x', 'a'])).toEqual(['user-agent: a,b', 'x: a', 'x: b'])
})

test('removals come before additions of the same level, whatever their letters', () => {
  expect(apply([level(['X'], add('x', 'new'))], ['x', '1', 'x', '2'])).toEqual(['x: new'])
})

test('levels act one after the other, each on what the one before left', () => {
  const overwrite = (value: string) => level([], add('x', value, 'OVERWRITE_IF_EXISTS_OR_ADD'))
  expect(apply([overwrite('route'), overwrite('host')], [])).toEqual(['x: host'])
  expect(apply([level([], add('x', 'route')), level(['x'])], ['x', '1'])).toEqual([])
  expect(apply([level([], add('x', 'route')), level([], add('x', 'host', 'ADD_IF_ABSENT'))], [])).toEqual(['x: route'])
})

test('whether a field is there is asked before the level writes', () => {
  const levels = [level([], add('x', 'one', 'ADD_IF_ABSENT'), add('x', 'two', 'ADD_IF_ABSENT'))]
  expect(apply(levels, [])).toEqual(['x: one', 'x: two'])
})

test('a value that comes out empty is not written, unless it is wanted', () => {
  const empty = '%REQ(absent)%'
  expect(apply([level([], add('x', empty))], [])).toEqual([])
  expect(apply([level([], add('x', empty, 'OVERWRITE_IF_EXISTS_OR_ADD'))], ['x', '1'])).toEqual(['x: 1'])
  expect(apply([level([], add('x', empty, 'APPEND_IF_EXISTS_OR_ADD', true))], [])).toEqual(['x: '])
})

test('formats: fields of the request, nothing where there is none, a percent sign', () => {
  const levels = [level([], add('x', 'pre-%REQ(a)%-%REQ(absent)%-100%%'))]
  expect(apply(levels, [], ['a', '1'])).toEqual(['x: pre-1--100%'])
})

test('nothing to do is nothing', () => {
  expect(compileMutations([level([]), level([])], 'request')).toBeUndefined()
  expect(compileMutations([level(['x'], add('y', '1'))], 'response')).toBeUndefined()
})
