import type { HttpConnectionManager, Node, ProxyStatusConfig } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import { type ResponseFlag, StreamInfo } from '../stream-info.ts'
import { ResponseHeaders } from './headers.ts'
import { compileProxyStatus } from './proxy-status.ts'

function answer(flags: ResponseFlag[], config: Partial<ProxyStatusConfig> = {}, fields: string[] = []) {
  const proxyStatus = { removeDetails: false, removeResponseFlags: false, setRecommendedResponseCode: false, ...config }
  const add = compileProxyStatus({ serverName: 'envoy', proxyStatus } as HttpConnectionManager, { id: 'n' } as Node)
  const headers = new ResponseHeaders(fields)
  headers.status = 404
  const info = new StreamInfo()
  info.responseCodeDetails = 'why'
  for (const flag of flags) info.flags.add(flag)
  add?.(headers, info)
  return { status: headers.status, says: headers.get('proxy-status') }
}

test('nothing went wrong, nothing is said', () => {
  expect(answer([])).toEqual({ status: 404, says: undefined })
  expect(answer(['DI'])).toEqual({ status: 404, says: undefined })
})

test('the error of the weightiest flag, with details and flags', () => {
  expect(answer(['URX', 'UC']).says).toBe('envoy; error=connection_terminated; details="why; URX,UC"')
  expect(answer(['UC'], { removeResponseFlags: true }).says).toBe('envoy; error=connection_terminated; details="why"')
})

test('names', () => {
  const bare = { removeDetails: true }
  expect(answer(['NR'], { ...bare, proxyName: { type: 'node_id' } }).says).toBe('n; error=destination_not_found')
  const literal = { type: 'literal', name: 'my proxy' } as const
  expect(answer(['NR'], { ...bare, proxyName: literal }).says).toBe('my proxy; error=destination_not_found')
})

test('after what others said', () => {
  expect(answer(['UF'], { removeDetails: true }, ['proxy-status', 'a; error=dns_error']).says).toBe(
    'a; error=dns_error, envoy; error=connection_refused',
  )
})

test('the status that goes with it, if there is one', () => {
  const recommended = { setRecommendedResponseCode: true }
  expect(answer(['NR'], recommended).status).toBe(500)
  expect(answer(['FI'], recommended).status).toBe(404)
})

test('absent in the file', () => {
  expect(compileProxyStatus({ serverName: 'envoy' } as HttpConnectionManager, { id: 'n' } as Node)).toBeUndefined()
})
