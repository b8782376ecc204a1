import { expect, test } from 'vitest'
import { RequestHeaders } from './headers.ts'
import { parseGrpcTimeout, streamDuration } from './stream-duration.ts'

test.each([
  ['5S', 5000],
  ['2H', 7_200_000],
  ['1M', 60_000],
  ['250m', 250],
  ['1500u', 2],
  ['1n', 1],
  ['99999999m', 99_999_999],
  ['123456789m', undefined],
  ['5s', undefined],
  ['-5S', undefined],
  ['', undefined],
  [undefined, undefined],
])('grpc-timeout %j is %j ms', (text, millis) => {
  expect(parseGrpcTimeout(text)).toBe(millis)
})

test('who decides', () => {
  const of = (route: Parameters<typeof streamDuration>[1], timeout?: string) => {
    const headers = new RequestHeaders(timeout === undefined ? [] : ['grpc-timeout', timeout])
    return streamDuration(9000, route, headers)
  }
  const offset = { grpcTimeoutHeaderOffset: 100 }
  expect(of(undefined, '1S')).toBe(9000)
  expect(of({ duration: 500, grpcTimeoutHeaderOffset: 0 }, '1S')).toBe(500)
  expect(of({ duration: 0, grpcTimeoutHeaderOffset: 0 })).toBe(0)
  expect(of({ duration: 500, grpcTimeoutHeaderMax: 2000, ...offset }, '1S')).toBe(900)
  expect(of({ grpcTimeoutHeaderMax: 500, ...offset }, '1S')).toBe(400)
  expect(of({ grpcTimeoutHeaderMax: 0, ...offset }, '1S')).toBe(900)
  expect(of({ grpcTimeoutHeaderMax: 0, ...offset }, '50m')).toBe(1)
  expect(of({ grpcTimeoutHeaderMax: 0, ...offset })).toBe(9000)
})
