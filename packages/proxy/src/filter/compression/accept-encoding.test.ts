import { expect, test } from 'vitest'
import { chooseEncoding } from './accept-encoding.ts'

const gzip = { encoding: 'gzip', chooseFirst: false }
const br = { encoding: 'br', chooseFirst: false }
const named = (encoding: string) => ({ type: 'encoding', encoding, by: 'name' })

test.each([
  [undefined, { type: 'none' }],
  ['', { type: 'not_valid' }],
  ['gzip', named('gzip')],
  ['br;q=0.5, gzip;q=0.4', named('br')],
  ['gzip;q=x, br', named('br')],
  ['gzip;q=0', { type: 'not_valid' }],
  ['zstd', { type: 'not_valid' }],
  ['*', { type: 'encoding', encoding: 'gzip', by: 'wildcard' }],
  ['*;q=0', { type: 'not_valid' }],
  ['identity;q=0.1', { type: 'identity' }],
])('%s', (header, choice) => {
  expect(chooseEncoding(header, [gzip, br])).toEqual(choice)
})

test('of equal wishes the first counts, or the one that is to be first', () => {
  expect(chooseEncoding('br, gzip', [gzip, br])).toEqual(named('br'))
  expect(chooseEncoding('gzip, br', [gzip, { ...br, chooseFirst: true }])).toEqual(named('br'))
})

test('nothing on offer is nothing that a star can mean', () => {
  expect(chooseEncoding('*', [])).toEqual({ type: 'not_valid' })
})
