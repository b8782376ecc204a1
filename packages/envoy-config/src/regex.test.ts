import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { loadBootstrap } from './load-bootstrap.ts'
import { checkSubstitution, compileRegex } from './regex.ts'

const isLoaded = () => Object.keys(createRequire(import.meta.url).cache).some(path => path.includes('re2js'))

const bootstrap = (match: string) => `
static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: in
          route_config:
            virtual_hosts: [{name: v, domains: ["*"], routes: [{match: {${match}}, direct_response: {status: 200}}]}]
          http_filters:
          - {name: router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
`

test('a file without a pattern does not pay for the engine', () => {
  expect(loadBootstrap({ yaml: bootstrap('prefix: /') }).ok).toBe(true)
  expect(isLoaded()).toBe(false)
  expect(loadBootstrap({ yaml: bootstrap('safe_regex: {regex: /a}') }).ok).toBe(true)
  expect(isLoaded()).toBe(true)
})

test.each([
  ['a(', 'missing ): a('],
  ['[', 'missing ]: ['],
  ['*', 'no argument for repetition operator: *'],
  ['x++', 'bad repetition operator: ++'],
  ['[b-a]', 'invalid character class range: b-a'],
  ['(?=a)', '(?='],
  ['\\1', '\\1'],
])('%j is no pattern', (pattern, word) => {
  expect(() => compileRegex(pattern)).toThrow(word)
  const loaded = loadBootstrap({ yaml: bootstrap(`safe_regex: {regex: '${pattern}'}`) })
  expect(loaded.ok || loaded.problems.map(({ kind, path }) => [kind, path.split('.').pop()])).toEqual([
    ['invalid', 'regex'],
  ])
})

test('it is linear where a backtracking engine would not end', () => {
  expect(compileRegex('(x+x+)+y').matches('x'.repeat(5000))).toBe(false)
})

test('texts are bytes: patterns speak of UTF-8', () => {
  expect(compileRegex('é.').matches('\xc3\xa9\xc3\xa9')).toBe(true)
  expect(compileRegex('é').matches('\xe9')).toBe(false)
})

test.each([
  ['/service/([^/]+)(/.*)', '/service/foo/v1', '\\2/instance/\\1', '/v1/instance/foo'],
  ['one', '/one/x/one', 'two', '/two/x/two'],
  ['(a)|b', 'ab', '[\\0:\\1]', '[a:a][b:]'],
  ['x*', 'abc', '-', '-a-b-c-'],
  ['x*', 'xxaxx', '-', '-a-'],
  ['é', '\xc3\xa9', '\\\\', '\\'],
])('%j in %j by %j', (pattern, text, substitution, expected) => {
  expect(compileRegex(pattern).replaceAll(text, substitution)).toBe(expected)
})

test.each([
  ['(a)', '\\1', undefined],
  ['(a)', '\\2', 'asks for group 2, but the pattern has 1'],
  ['a', '\\\\2', undefined],
  ['a', '\\x', 'a backslash has to be followed by a digit or another backslash'],
])('substitution %j %j', (pattern, substitution, expected) => {
  expect(checkSubstitution(pattern, substitution)).toBe(expected)
})
