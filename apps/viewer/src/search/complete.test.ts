import { describe, expect, it } from 'vitest'
import { applyCompletion, completionsAt, type KnownNames } from './complete.ts'

const NAMES: KnownNames = {
  services: ['db', 'shop', 'my shop', 'price'],
  spans: ['get /', 'post'],
  hops: ['edge->shop', 'shop->price', 'shop->db'],
  tags: ['http.status_code', 'error'],
  tagValues: ['503', '200'],
}
/** `|` is the caret. */
const texts = (marked: string) =>
  completionsAt(marked.replace('|', ''), marked.indexOf('|'), NAMES).options.map(({ text }) => text)

describe('completion', () => {
  it.each([
    ['|', ['service=', 'span=', 'tag=', 'hop=', 'attempt>1', 'duration>', 'peer=', 'error', 'timeout', 'untraced']],
    ['ti|', ['timeout']],
    ['s|', ['service=', 'span=']],
    ['error s|', ['service=', 'span=']],
    ['service=|', ['service=db', 'service=shop', 'service="my shop"', 'service=price']],
    ['service=sh| error', ['service=shop', 'service="my shop"']],
    ['service="my|', ['service="my shop"']],
    ['service=shop|', ['service="my shop"']],
    ['span=g|', ['span="get /"']],
    ['hop=sh|', ['hop=shop->price', 'hop=shop->db', 'hop=edge->shop', 'hop=*->shop', 'hop="*->my shop"']],
    ['hop=shop->|', ['hop=shop->price', 'hop=shop->db', 'hop=shop->*']],
    ['hop=*->d|', ['hop=*->db']],
    ['tag=http|', ['tag=http.status_code']],
    ['tag=http.status_code=5|', ['tag=http.status_code=503']],
    ['-ti|', ['timeout']],
    ['-service=sh|', ['service=shop', 'service="my shop"']],
    ['wat=|', []],
    [
      'error |',
      ['service=', 'span=', 'tag=', 'hop=', 'attempt>1', 'duration>', 'peer=', 'error', 'timeout', 'untraced'],
    ],
  ])('%s', (marked, expected) => expect(texts(marked)).toEqual(expected))

  it('puts the chosen word in place of the typed one, and the caret behind it', () => {
    const text = 'service=sh error'
    const at = completionsAt(text, 10, NAMES)
    expect(applyCompletion(text, at, at.options[0]!)).toEqual({ text: 'service=shop error', caret: 13 })
    const start = completionsAt('er', 2, NAMES)
    expect(applyCompletion('er', start, start.options[0]!)).toEqual({ text: 'error ', caret: 6 })
    const open = completionsAt('ta', 2, NAMES)
    expect(applyCompletion('ta', open, open.options[0]!)).toEqual({ text: 'tag=', caret: 4 })
  })
})
