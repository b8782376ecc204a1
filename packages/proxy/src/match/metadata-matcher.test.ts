import type { MetadataMatcher, ValueMatcher } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import { compileMetadataMatcher } from './metadata-matcher.ts'

const metadata = new Map<string, unknown>([
  ['a', { text: 'gold', umlaut: 'gr\u00fcn', number: 2, yes: true, list: ['x', 3], deep: { er: null } }],
])
const matches = (path: string[], value: ValueMatcher, more: Partial<MetadataMatcher> = {}) =>
  compileMetadataMatcher({ namespace: 'a', path, value, invert: false, ...more })(metadata)
const text = (value: string): ValueMatcher => ({
  type: 'string',
  matcher: { type: 'exact', value, ignoreCase: false },
})

test.each<[string, boolean, string[], ValueMatcher]>([
  ['a text', true, ['text'], text('gold')],
  ['a text beyond ASCII', true, ['umlaut'], text('gr\u00fcn')],
  ['another text', false, ['text'], text('iron')],
  ['a number is no text', false, ['number'], text('2')],
  ['one number', true, ['number'], { type: 'number', start: 2, end: 2 }],
  ['a range without its end', false, ['number'], { type: 'number', start: 1, end: 2 }],
  ['a range with its start', true, ['number'], { type: 'number', start: 2, end: 3 }],
  ['a boolean', true, ['yes'], { type: 'bool', value: true }],
  ['null', true, ['deep', 'er'], { type: 'null' }],
  ['nothing is not null', false, ['deep', 'no'], { type: 'null' }],
  ['there', true, ['deep'], { type: 'present', present: true }],
  ['not there', false, ['no'], { type: 'present', present: false }],
  ['an item of a list', true, ['list'], { type: 'list', item: { type: 'number', start: 3, end: 3 } }],
  ['no list', false, ['text'], { type: 'list', item: text('gold') }],
  ['one of several', true, ['text'], { type: 'or', matchers: [{ type: 'null' }, text('gold')] }],
  ['a key of a text', false, ['text', 'length'], { type: 'present', present: true }],
  ['what every object has', false, ['constructor'], { type: 'present', present: true }],
])('%s: %s', (_, expected, path, value) => {
  expect(matches(path, value)).toBe(expected)
})

test('inverted, also where there is nothing', () => {
  expect(matches(['text'], text('gold'), { invert: true })).toBe(false)
  expect(matches(['no'], text('gold'), { invert: true })).toBe(true)
  expect(matches(['text'], text('gold'), { namespace: 'b', invert: true })).toBe(true)
})
