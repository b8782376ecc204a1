import { expect, test } from 'vitest'
import { ipFromV6Bytes, parseIp } from './ip.ts'
import { lowTraceId, normaliseParentId, normaliseSpanId, normaliseTraceId } from './trace-id.ts'

// Literals are compared with zipkin-server in formats/json-v2.test.ts; here is what JSON cannot carry.
test.each([
  [`${'0'.repeat(24)}01020304`, { ipv4: '1.2.3.4' }],
  [`${'0'.repeat(31)}1`, { ipv6: '::1' }],
  [`${'0'.repeat(20)}ffff01020304`, { ipv6: '::ffff:102:304' }],
  [`20010db8${'0'.repeat(20)}c001`, { ipv6: '2001:db8::c001' }],
  ['0102', undefined],
])('%s', (hex, expected) => {
  expect(ipFromV6Bytes(Uint8Array.from(Buffer.from(hex, 'hex')))).toEqual(expected)
})

test('an address that is shortened reads as itself again', () => {
  for (const text of ['::', '2001::4:5:0:0:8', '2001:1:1:4::', '1:2:3:4:5:6:7:8'])
    expect(parseIp(text)).toEqual({ ipv6: text })
})

test.each([
  ['1', '0000000000000001'],
  ['463ac35c9f6413ad', '463ac35c9f6413ad'],
  ['1463ac35c9f6413ad', '0000000000000001463ac35c9f6413ad'],
  ['0463ac35c9f6413ad', '463ac35c9f6413ad'],
  ['0000000000000000463ac35c9f6413ad', '463ac35c9f6413ad'],
  ['463ac35c9f6413ad48485a3953bb6124', '463ac35c9f6413ad48485a3953bb6124'],
])('trace id %s', (text, expected) => {
  expect(normaliseTraceId(text)).toBe(expected)
})

test.each([
  ['', 'traceId is empty'],
  ['1'.repeat(33), 'traceId.length > 32'],
  ['000', 'traceId is all zeros'],
  ['AB', 'AB should be lower-hex encoded with no prefix'],
])('trace id %j is refused', (text, message) => {
  expect(() => normaliseTraceId(text)).toThrow(message)
})

test('span and parent ids', () => {
  expect(normaliseSpanId('0')).toBe('0000000000000000')
  expect(() => normaliseSpanId('0000000000000000')).toThrow('id is all zeros')
  expect(normaliseParentId('000')).toBeUndefined()
  expect(lowTraceId('463ac35c9f6413ad48485a3953bb6124')).toBe('48485a3953bb6124')
  expect(lowTraceId('48485a3953bb6124')).toBe('48485a3953bb6124')
})
