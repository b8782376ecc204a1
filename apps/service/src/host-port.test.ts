import { expect, it } from 'vitest'
import { parseHostPort } from './host-port.ts'

it.each([
  ['127.0.0.1:8080', '127.0.0.1', 8080],
  [':9090', '0.0.0.0', 9090],
  ['[::1]:80', '::1', 80],
  ['localhost:0', 'localhost', 0],
])('reads %s', (text, host, port) => expect(parseHostPort(text)).toEqual({ host, port }))

it.each(['8080', 'a:b', '127.0.0.1:65536', '::1:80', ''])('refuses %j', text => {
  expect(parseHostPort(text)).toBeUndefined()
})
