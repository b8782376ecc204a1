import { expect, test } from 'vitest'
import { interpolate } from './interpolate.ts'

const lookup = (name: string) => ({ SET: 'value', EMPTY: '' })[name]

test.each([
  ['plain text', 'plain text'],
  ['$SET and ${SET}', 'value and value'],
  ['${UNSET}', ''],
  ['${UNSET:-default}', 'default'],
  ['${EMPTY:-default}', 'default'],
  ['${EMPTY-default}', ''],
  ['${UNSET-default}', 'default'],
  ['${SET:?never seen}', 'value'],
  ['$$SET costs $$5', '$SET costs $5'],
  ['./envoy/orders.shared-${UNSET:-false}.yaml', './envoy/orders.shared-false.yaml'],
])('%s becomes %s', (text, expected) => {
  expect(interpolate(text, lookup)).toBe(expected)
})

test('a required variable says what is missing', () => {
  expect(() => interpolate('${UNSET:?say which port}', lookup)).toThrow('variable UNSET is required: say which port')
  expect(() => interpolate('${EMPTY:?}', lookup)).toThrow('variable EMPTY is required: it is not set')
})
