import { expect, test } from 'vitest'
import { enumType, messageNames, messageType } from './schema.ts'

test('a message has its fields, oneofs and constraints', () => {
  const address = messageType('envoy.config.core.v3.SocketAddress')!
  expect(address.requiredOneofs).toEqual(['port_specifier'])
  expect(address.fields.get('port_value')).toEqual({
    type: 'uint32',
    oneof: 'port_specifier',
    rules: { uint32: { lte: 65535 } },
  })
})

test('it is the API of Envoy 1.40: fields that older protos lack are there', () => {
  const tracing = messageType(
    'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing',
  )
  expect([...tracing!.fields.keys()]).toEqual(
    expect.arrayContaining(['operation', 'upstream_operation', 'no_context_propagation']),
  )
  expect(messageType('envoy.config.trace.v3.ZipkinConfig')!.fields.has('trace_context_option')).toBe(true)
})

test('an enum knows the values that Envoy refuses', () => {
  const version = enumType('envoy.config.trace.v3.ZipkinConfig.CollectorEndpointVersion')!
  expect(version.disallowed).toEqual(['DEPRECATED_AND_UNAVAILABLE_DO_NOT_USE'])
  expect(version.values.get('HTTP_JSON')).toBe(1)
})

test('what Envoy has not', () => {
  expect(messageType('envoy.nope.V3')).toBeUndefined()
  expect(enumType('envoy.config.core.v3.SocketAddress')).toBeUndefined()
})

test("every pattern among the constraints is one of JavaScript's too", () => {
  const patterns = messageNames().flatMap(
    name => JSON.stringify([...messageType(name)!.fields.values()]).match(/(?<="pattern":)"(?:[^"\\]|\\.)*"/g) ?? [],
  )
  expect(patterns.length).toBeGreaterThan(10)
  for (const pattern of patterns) expect(() => new RegExp(JSON.parse(pattern) as string, 'u'), pattern).not.toThrow()
})
