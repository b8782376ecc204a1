import { expect, test } from 'vitest'
import { shadowHost } from './mirrors.ts'

test.each([
  ['svc', 'svc-shadow'],
  ['svc:8080', 'svc-shadow:8080'],
  ['10.0.0.1', '10.0.0.1-shadow'],
  ['[::1]:80', '[::1]-shadow:80'],
])('the host of a copy of a request for %s', (host, copy) => {
  expect(shadowHost(host)).toBe(copy)
})
