import type { HttpConnectionManager } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import { RequestHeaders } from './headers.ts'
import { applyRequestId } from './request-id.ts'

const GIVEN = 'e1a04bee-2b54-9e5c-9152-d12a24894a6d'
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

function after(
  given: string | undefined,
  { edge = false, generateRequestId = true, preserveExternalRequestId = false } = {},
) {
  const headers = new RequestHeaders(given === undefined ? [] : ['x-request-id', given])
  const requestId = { packTraceReason: true, useForTraceSampling: true }
  const config = { generateRequestId, preserveExternalRequestId, requestId } as HttpConnectionManager
  applyRequestId(config, headers, edge)
  return headers.get('x-request-id')
}

test('inside the mesh an id is kept as it is, whatever it looks like', () => {
  expect([after(GIVEN), after('short')]).toEqual([GIVEN, 'short'])
})

test('without one, or an empty one, there is a new UUID of version 4, lower case', () => {
  expect(after(undefined)).toMatch(UUID)
  expect(after('')).toMatch(UUID)
  expect(after(undefined)).not.toBe(after(undefined))
})

test('at the edge a client is not trusted with it', () => {
  const id = after(GIVEN, { edge: true })
  expect(id).toMatch(UUID)
  expect(id).not.toBe(GIVEN)
})

test('at the edge a preserved id loses its trace reason, and nothing else', () => {
  const options = { edge: true, preserveExternalRequestId: true }
  expect(after(GIVEN, options)).toBe('e1a04bee-2b54-4e5c-9152-d12a24894a6d')
  expect(after('short', options)).toBe('short')
  expect(after(undefined, options)).toMatch(UUID)
})

test('generate_request_id false: none is made', () => {
  expect(after(undefined, { generateRequestId: false })).toBeUndefined()
  expect(after(GIVEN, { generateRequestId: false })).toBe(GIVEN)
})
