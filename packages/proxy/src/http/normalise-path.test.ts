import { expect, test } from 'vitest'
import { Runtime } from '../runtime.ts'
import { RequestHeaders } from './headers.ts'
import { canonicalPath, compilePathNormaliser } from './normalise-path.ts'

test.each([
  ['/', '/'],
  ['/a/../b//c', '/b//c'],
  ['/a/./b/.', '/a/b/'],
  ['/a/b/..', '/a/'],
  ['/../../a', '/a'],
  ['/a\\..\\b', '/b'],
  ['/%2e%2E/a/%2e', '/a/'],
  ['/a/.../b/..c/.d', '/a/.../b/..c/.d'],
  ['/a%2fb%41%7e%zz%2', '/a%2fbA~%zz%2'],
  ['/a"<>`{}|^', '/a%22%3C%3E%60%7B%7D%7C%5E'],
  ['/x/..;/y;p=../z', '/y;p=../z'],
  ['/x/.;a=b/y/..;c', '/x/'],
  ['/%2%41', '/%252A'],
  ['/%%410', '/%25A0'],
  ['/%%41x', '/%Ax'],
  ['/a%00', undefined],
])('%s becomes %s', (path, expected) => {
  expect(canonicalPath(path)).toBe(expected)
})

const none = { normalizePath: false, mergeSlashes: false, pathWithEscapedSlashesAction: 'KEEP_UNCHANGED' } as const

test('nothing asked, nothing done; the runtime may ask', () => {
  expect(compilePathNormaliser(none, new Runtime([]))).toBeUndefined()
  const values = new Map([['http_connection_manager.normalize_path', 100]])
  const runtime = new Runtime([{ name: 'a', kind: 'static', values }])
  const { normalizePath: _, ...silent } = none
  expect(compilePathNormaliser(silent, runtime)).toBeDefined()
  expect(compilePathNormaliser(none, runtime)).toBeUndefined()
})

test('no path stays none', () => {
  const headers = new RequestHeaders()
  expect(compilePathNormaliser({ ...none, normalizePath: true }, new Runtime([]))!(headers)).toBe('go on')
  expect(headers.path).toBe('')
})

test('the query is nobody’s path', () => {
  const normalise = compilePathNormaliser({ ...none, normalizePath: true, mergeSlashes: true }, new Runtime([]))!
  const headers = Object.assign(new RequestHeaders(), { path: '/a//b/../c?x=/../y//z%41' })
  expect(normalise(headers)).toBe('go on')
  expect(headers.path).toBe('/a/c?x=/../y//z%41')
})
