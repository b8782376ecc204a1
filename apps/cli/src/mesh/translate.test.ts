import { expect, test } from 'vitest'
import { Translator } from './translate.ts'

/** In the pod of `shop`, whose sidecar is a service of its own; port 100 of a pod is 100 here, plus the pod's number × 1000. */
const podOf = new Map([
  ['shop', 'shop'],
  ['shop-sidecar', 'shop'],
  ['db', 'db'],
  ['many', 'many'],
])
const names = { podOf, scaled: new Set(['many']), resolverPort: 5353 }
const portOf = (pod: string, port: number) => (pod === 'shop' ? 1000 : 2000) + port
const translator = new Translator('shop', names, portOf)

test.each([
  ['http://db:80/orders?at=db:80', 'http://127.0.0.1:2080/orders?at=127.0.0.1:2080'],
  ['127.0.0.1:80', '127.0.0.1:1080'],
  ['0.0.0.0:80', '127.0.0.1:1080'],
  ['localhost:80', '127.0.0.1:1080'],
  ['shop-sidecar:80,shop:81', '127.0.0.1:1080,127.0.0.1:1081'],
  ['http://db/', 'http://db/'],
  ['my-db:80', 'my-db:80'],
  ['http://many:80/', 'http://127.0.1.1:2080/'],
  ['db.example.org:80', 'db.example.org:80'],
  ['10.127.0.0.1:80', '10.127.0.0.1:80'],
  ['at 10:30', 'at 10:30'],
])('%s → %s', (text, expected) => {
  expect(translator.text(text)).toBe(expected)
})

test('environment variables that hold a port or the wildcard address', () => {
  expect(translator.environment('QUERY_PORT', '411')).toBe('1411')
  expect(translator.environment('OTLP_PORT', 'off')).toBe('off')
  expect(translator.environment('HOST', '0.0.0.0')).toBe('127.0.0.1')
  expect(translator.environment('REPORT', '411')).toBe('411')
})

test('only the socket addresses of an Envoy file change', () => {
  const listener = {
    name: 'db:80',
    address: { socket_address: { address: '0.0.0.0', port_value: 80, protocol: 'TCP' } },
  }
  const endpoint = { address: { socket_address: { address: 'db', port_value: '81' } } }
  const outside = { address: { socket_address: { address: '192.0.2.1', port_value: 80 } } }
  expect(translator.envoy({ listeners: [listener], endpoints: [endpoint, outside] })).toEqual({
    listeners: [
      { name: 'db:80', address: { socket_address: { address: '127.0.0.1', port_value: 1080, protocol: 'TCP' } } },
    ],
    endpoints: [{ address: { socket_address: { address: '127.0.0.1', port_value: 2081 } } }, outside],
  })
})

test('a service of which there are several keeps its name, and the resolver is the one that knows it', () => {
  const endpoint = { socket_address: { address: 'many', port_value: 80 } }
  const resolver = { socket_address: { protocol: 'UDP', address: '127.0.0.11', port_value: 53 } }
  expect(translator.envoy([endpoint, resolver])).toEqual([
    { socket_address: { address: 'many', port_value: 2080 } },
    { socket_address: { protocol: 'UDP', address: '127.0.0.1', port_value: 5353 } },
  ])
})

test('a replica has an address of its own', () => {
  const second = new Translator('many', names, portOf, '127.0.1.2')
  expect(second.text('0.0.0.0:80')).toBe('127.0.1.2:2080')
  expect(second.text('http://db:80/')).toBe('http://127.0.0.1:2080/')
})
