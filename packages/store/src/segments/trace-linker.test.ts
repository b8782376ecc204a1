import { DependencyLinker, type Endpoint, type Kind, normaliseSpan, type Span } from '@hopscope/model'
import { generateTrace, pick, type Random, seededRandom } from '@hopscope/model/testing'
import { expect, it } from 'vitest'
import { Head } from './head.ts'
import { TraceLinker } from './trace-linker.ts'

const key = (parent: string, child: string, calls: number, errors: number): string =>
  JSON.stringify([parent, child, calls, errors])

function expected(spans: Span[]): string[] {
  const linker = new DependencyLinker()
  linker.putTrace(spans)
  return linker
    .links()
    .map(link => key(link.parent, link.child, link.callCount, link.errorCount ?? 0))
    .sort()
}

function linked(head: Head, linker: TraceLinker, trace: number): string[] {
  const list = linker.link(head.rowsOf(trace))
  const links: string[] = []
  for (let at = 0; at < list.length; at += 3) {
    const { parent, child } = linker.pairs[list[at]!]!
    links.push(key(parent, child, list[at + 1]!, list[at + 2]!))
  }
  return links.sort()
}

/** Few ids and names, so that everything that can go wrong between spans does. */
function tangle(random: Random, traceId: string): Span[] {
  const id = (): string => pick(random, ['1', '2', '3', '4', '5', '6', '7', '8']).padStart(16, '0')
  const endpoint = (): Endpoint | undefined =>
    random() < 0.2 ? undefined : { serviceName: pick(random, ['a', 'b', 'c']), ...(random() < 0.2 ? { port: 1 } : {}) }
  return Array.from({ length: 1 + Math.floor(random() * 9) }, () =>
    normaliseSpan({
      traceId,
      id: id(),
      parentId: random() < 0.25 ? undefined : id(),
      kind: pick<Kind | undefined>(random, [undefined, 'CLIENT', 'CLIENT', 'SERVER', 'SERVER', 'PRODUCER', 'CONSUMER']),
      localEndpoint: endpoint(),
      remoteEndpoint: random() < 0.6 ? undefined : endpoint(),
      tags: random() < 0.3 ? Object.assign(Object.create(null), { error: '' }) : undefined,
      shared: random() < 0.3,
    }),
  )
}

it('says what the model says, of traces in order and of tangled ones', () => {
  const random = seededRandom(11)
  const head = new Head()
  const linker = new TraceLinker(head)
  let withLinks = 0
  for (let trace = 0; trace < 4000; trace++) {
    const traceId = (trace + 1).toString(16).padStart(16, '0')
    const spans =
      trace % 4 === 0
        ? generateTrace({ spans: 12, services: 4, shared: trace % 8 === 0, errorRate: 0.2 }, random).map(span => ({
            ...span,
            traceId,
          }))
        : tangle(random, traceId)
    for (const span of spans) head.add(span)
    const links = expected(spans)
    expect(linked(head, linker, trace), JSON.stringify(spans)).toEqual(links)
    if (links.length > 0) withLinks++
  }
  expect(withLinks).toBeGreaterThan(2000)
})
