import { expect, test } from 'vitest'
import { injectB3Multi, injectB3Single } from './b3.ts'
import { carrierOf } from './carrier.ts'
import { extract } from './extract.ts'

const of = (headers: Record<string, string>) => extract(carrierOf(headers), { w3c: false })
const T = '463ac35c9f6413ad'
const T128 = `48485a3953bb6124${T}`
const S = 'a2fb4a1d1a96d312'
const P = '0020000000000001'

test('the single header in each of its forms', () => {
  expect(of({ b3: '0' })).toEqual({ style: 'b3', sampled: false, debug: false })
  expect(of({ b3: '1' })).toEqual({ style: 'b3', sampled: true, debug: false })
  expect(of({ b3: 'd' })).toEqual({ style: 'b3', sampled: true, debug: true })
  expect(of({ b3: `${T}-${S}` })).toEqual({ style: 'b3', parent: { traceId: T, spanId: S }, debug: false })
  expect(of({ b3: `${T128}-${S}-1` })).toEqual({
    style: 'b3',
    parent: { traceId: T128, spanId: S },
    sampled: true,
    debug: false,
  })
  expect(of({ b3: `${T}-${S}-0-${P}` })).toEqual({
    style: 'b3',
    parent: { traceId: T, spanId: S, parentId: P },
    sampled: false,
    debug: false,
  })
})

test.each([
  ['empty', ''],
  ['an unknown flag alone', 'x'],
  ['too short', `${T}-${S.slice(1)}`],
  ['a parent without a flag', `${T}-${S}-${P}`],
  ['a flag that is none', `${T}-${S}-2`],
  ['a hanging dash', `${T}-${S}-`],
  ['no hex', `${T.replace('4', 'g')}-${S}-1`],
  ['24 digits of trace id', `${T}00000000-${S}-1`],
  ['a parent of 15 digits', `${T}-${S}-1-${P.slice(1)}`],
  ['a fifth part', `${T}-${S}-1-${P}-1`],
])('a single header that is %s is malformed', (_, b3) => {
  expect(of({ b3 })).toBe('malformed')
})

test('the single header beats the others, also when it is malformed', () => {
  const multi = { 'x-b3-traceid': T, 'x-b3-spanid': S }
  expect(of({ ...multi, b3: '0' })).toEqual({ style: 'b3', sampled: false, debug: false })
  expect(of({ ...multi, b3: 'nonsense' })).toBe('malformed')
})

test('short ids are padded and upper case is lowered', () => {
  expect(of({ 'x-b3-traceid': '1F', 'x-b3-spanid': '2', 'x-b3-parentspanid': '' })).toEqual({
    style: 'b3-multi',
    parent: { traceId: '000000000000001f', spanId: '0000000000000002' },
    debug: false,
  })
})

test('anything but 1 and true is a no', () => {
  for (const yes of ['1', 'true']) expect(of({ 'x-b3-sampled': yes })).toMatchObject({ sampled: true })
  for (const no of ['0', 'false', '', 'd', 'yes']) expect(of({ 'x-b3-sampled': no })).toMatchObject({ sampled: false })
})

test('one id without the other is no context', () => {
  expect(of({ 'x-b3-traceid': T })).toBe('none')
  expect(of({ 'x-b3-spanid': S })).toBe('none')
  expect(of({ 'x-b3-traceid': T, 'x-b3-sampled': '1' })).toEqual({ style: 'b3-multi', sampled: true, debug: false })
})

test.each(['', 'xyz', `${T}00000000`, `${T128}0`])('trace id "%s" is malformed', trace => {
  expect(of({ 'x-b3-traceid': trace, 'x-b3-spanid': S })).toBe('malformed')
})

test('the flags header asks for debug', () => {
  expect(of({ 'x-b3-flags': '1' })).toEqual({ style: 'b3-multi', debug: true })
  expect(of({ 'x-b3-flags': '0' })).toBe('none')
})

test('traceparent counts when it is asked for and no B3 ids are there', () => {
  const traceparent = `00-${T128}-${S}-01`
  const both = (headers: Record<string, string>) => extract(carrierOf(headers), { w3c: true })
  expect(of({ traceparent })).toBe('none')
  expect(both({ traceparent })).toEqual({
    style: 'w3c',
    parent: { traceId: T128, spanId: S },
    sampled: true,
    debug: false,
  })
  expect(both({ traceparent: traceparent.toUpperCase() })).toEqual(both({ traceparent }))
  expect(both({ traceparent, 'x-b3-traceid': T, 'x-b3-spanid': P })).toMatchObject({ style: 'b3-multi' })
  expect(both({ traceparent, 'x-b3-sampled': '0' })).toMatchObject({ parent: { traceId: T128 }, sampled: true })
})

test.each([
  `00-${'0'.repeat(32)}-${S}-01`,
  `00-${T128}-${'0'.repeat(16)}-01`,
  `00-${T}-${S}-01`,
  `00-${T128}-${S}`,
  'x',
])('a traceparent that cannot be read is nothing: %s', traceparent => {
  expect(extract(carrierOf({ traceparent }), { w3c: true })).toBe('none')
})

test('what is injected is what is extracted', () => {
  const multi: Record<string, string> = { 'x-b3-parentspanid': P }
  injectB3Multi(carrierOf(multi), { traceId: T, spanId: S, sampled: true })
  expect(multi).toEqual({
    'x-b3-traceid': T,
    'x-b3-spanid': S,
    'x-b3-sampled': '1',
    'x-b3-parentspanid': P, // a stale one stays, as behind Envoy
  })
  const single: Record<string, string> = {}
  injectB3Single(carrierOf(single), { traceId: T128, spanId: S, parentId: P, sampled: false })
  expect(single).toEqual({ b3: `${T128}-${S}-0-${P}` })
  expect(of(single)).toEqual({
    style: 'b3',
    parent: { traceId: T128, spanId: S, parentId: P },
    sampled: false,
    debug: false,
  })
})
