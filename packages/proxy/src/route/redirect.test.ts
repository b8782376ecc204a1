import type { RedirectAction, RouteMatch } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import { RequestHeaders } from '../http/headers.ts'
import { StreamInfo } from '../stream-info.ts'
import { redirectLocation } from './redirect.ts'
import { compilePathRewrite, rewritePrefix } from './rewrite.ts'

const matchOf = (path: RouteMatch['path']): RouteMatch => ({
  path,
  caseSensitive: true,
  headers: [],
  queryParameters: [],
  cookies: [],
  dynamicMetadata: [],
  filterState: [],
  grpc: false,
})
const prefix = (value: string): RouteMatch => matchOf({ type: 'prefix', value })

function location(
  action: Partial<RedirectAction>,
  { authority = 'a.test', path = '/p?q=1', proto = 'http', match = prefix('/') } = {},
) {
  const headers = Object.assign(new RequestHeaders(['x-forwarded-proto', proto]), { authority, path })
  const defaults = { type: 'redirect', httpsRedirect: false, responseCode: 301, stripQuery: false } as const
  const whole = { ...defaults, ...action }
  const rewritten = compilePathRewrite(whole, match)?.(headers, new StreamInfo())
  return redirectLocation(whole, rewritten ?? path, headers)
}

test.each<[name: string, action: Partial<RedirectAction>, from: Parameters<typeof location>[1], to: string]>([
  ['host', { hostRedirect: 'b.test' }, {}, 'http://b.test/p?q=1'],
  ['https', { httpsRedirect: true }, {}, 'https://a.test/p?q=1'],
  ['another scheme', { schemeRedirect: 'ftp' }, {}, 'ftp://a.test/p?q=1'],
  ['the port stays', { hostRedirect: undefined, pathRedirect: '/x' } as never, { authority: 'a.test:8080' }, 'http://a.test:8080/x?q=1'], // biome-ignore format: one line
  ['http → https drops :80', { httpsRedirect: true }, { authority: 'a.test:80' }, 'https://a.test/p?q=1'],
  ['http → https keeps :443', { httpsRedirect: true }, { authority: 'a.test:443' }, 'https://a.test:443/p?q=1'],
  ['https → http drops :443', { schemeRedirect: 'http' }, { authority: 'a.test:443', proto: 'https' }, 'http://a.test/p?q=1'], // biome-ignore format: one line
  ['the same scheme keeps :80', { pathRedirect: '/x' }, { authority: 'a.test:80' }, 'http://a.test:80/x?q=1'],
  ['a port', { portRedirect: 8443, httpsRedirect: true }, { authority: 'a.test:80' }, 'https://a.test:8443/p?q=1'],
  ['a port, IPv6', { portRedirect: 81 }, { authority: '[::1]:80' }, 'http://[::1]:81/p?q=1'],
  ['a path', { pathRedirect: '/x' }, {}, 'http://a.test/x?q=1'],
  ['a path with a query of its own', { pathRedirect: '/x?y' }, {}, 'http://a.test/x?y'],
  ['without query', { stripQuery: true }, {}, 'http://a.test/p'],
  ['a path, without query', { stripQuery: true, pathRedirect: '/x' }, {}, 'http://a.test/x'],
  ['a prefix', { prefixRewrite: '/new' }, { path: '/old/rest?q', match: prefix('/old') }, 'http://a.test/new/rest?q'],
])('%s', (_name, action, from, to) => {
  expect(location(action, from)).toBe(to)
})

test.each<[match: RouteMatch['path'], path: string, replacement: string, expected: string]>([
  [{ type: 'prefix', value: '/a' }, '/a/b?q', '/x', '/x/b?q'],
  [{ type: 'prefix', value: '/a/' }, '/a/b', '/', '/b'],
  [{ type: 'prefix', value: '/' }, '/b', '/x/', '/x/b'],
  [{ type: 'path', value: '/a' }, '/a?q', '/x', '/x?q'],
])('rewritePrefix %j %s → %s', (path, given, replacement, expected) => {
  expect(rewritePrefix(matchOf(path), given, replacement)).toBe(expected)
})
