import { expect, test } from 'vitest'
import { applyMask } from './field-mask.ts'

const message = { '@type': 'T', a: 1, b: { '@type': 'U', c: 2, d: { e: 3, f: 4 } }, list: [{ x: 1, y: 2 }] }

test.each<[string[], object]>([
  [['a'], { '@type': 'T', a: 1 }],
  [['b.c'], { '@type': 'T', b: { '@type': 'U', c: 2 } }],
  [['b.d.e', 'b.c'], { '@type': 'T', b: { '@type': 'U', c: 2, d: { e: 3 } } }],
  [['list', 'nothing', 'a.of.it'], { '@type': 'T', list: [{ x: 1, y: 2 }] }],
])('%j', (paths, kept) => {
  expect(applyMask(message, paths)).toEqual(kept)
})
