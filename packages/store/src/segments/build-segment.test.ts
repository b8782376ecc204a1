import { generateTrace, seededRandom } from '@hopscope/model/testing'
import { expect, it } from 'vitest'
import { SegmentBuilder } from './build-segment.ts'
import { Head } from './head.ts'

function headOf(seed: number, traces: number): Head {
  const random = seededRandom(seed)
  const head = new Head()
  for (let trace = 0; trace < traces; trace++) {
    const spans = generateTrace({ spans: 1 + Math.floor(random() * 30), services: 6, errorRate: 0.2 }, random)
    for (const [i, span] of spans.entries()) {
      head.add({
        ...span,
        tags: Object.assign(Object.create(null), span.tags, { [`only ${trace % 7}`]: `${trace} ${i}` }),
      })
    }
  }
  return head
}

it('lays out a head in the memory of others as in its own', () => {
  const builder = new SegmentBuilder(['http.method'])
  for (const [seed, traces] of [
    [1, 400],
    [2, 3],
    [3, 900],
    [4, 50],
  ] as const) {
    const head = headOf(seed, traces)
    const image = builder.build(head)
    expect(image.traces).toBe(traces)
    expect(image).toEqual(new SegmentBuilder(['http.method']).build(head))
  }
})
