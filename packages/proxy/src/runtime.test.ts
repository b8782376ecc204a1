import { expect, test } from 'vitest'
import { Runtime } from './runtime.ts'

const layer = (
  name: string,
  values: Record<string, string | number | boolean>,
  kind: 'static' | 'admin' = 'static',
) => ({
  name,
  kind,
  values: new Map(Object.entries(values)),
})

test('later layers win, the admin layer is written to', () => {
  const runtime = new Runtime([layer('a', { k: 1, only: 2 }), layer('b', { k: 3 }), layer('admin', {}, 'admin')])
  expect(runtime.number('k', 0)).toBe(3)
  expect(runtime.number('only', 0)).toBe(2)
  expect(runtime.number('absent', 7)).toBe(7)
  expect(runtime.modify([['k', '9'], ['t', 'true'], ['s', 'x']])).toBe('ok') // biome-ignore format: one line
  expect([runtime.get('k'), runtime.get('t'), runtime.get('s')]).toEqual([9, true, 'x'])
  runtime.modify([['k', '']])
  expect(runtime.number('k', 0)).toBe(3)
})

test('without an admin layer nothing can be written', () => {
  expect(new Runtime([layer('a', {})]).modify([['k', '1']])).toBe('no admin layer')
})

test('a share: of the runtime in percent, else of the default', () => {
  const share = { numerator: 5_000, denominator: 10_000 } as const
  const at = (value: string | number | undefined, draw: number) =>
    new Runtime([layer('a', value === undefined ? {} : { k: value })]).enabled('k', share, draw)
  expect([at(undefined, 4_999), at(undefined, 5_000)]).toEqual([true, false])
  expect([at(1, 100), at(1, 101)]).toEqual([true, false])
  expect([at('50', 49), at('50', 50)]).toEqual([true, false])
  expect(at(101, 9_999)).toBe(true)
  expect(at(0, 0)).toBe(false)
  expect([at(0.5, 49), at(0.5, 50)]).toEqual([true, false])
})
