import { expect, test } from 'vitest'
import { statusOfHost } from './grpc-status.ts'
import { RequestHeaders, ResponseHeaders } from './headers.ts'

function answer(status: number): ResponseHeaders {
  const headers = new ResponseHeaders()
  headers.status = status
  return headers
}

function told(contentType: string, grpcStatus?: string): number {
  const request = new RequestHeaders()
  request.set('content-type', contentType)
  const response = answer(200)
  if (grpcStatus !== undefined) response.set('grpc-status', grpcStatus)
  return statusOfHost(request, response)
}

test('a gRPC answer speaks for its host by its own status, in words of HTTP', () => {
  expect(['0', '1', '5', '13', '14', '16'].map(status => told('application/grpc', status))).toEqual([200, 499, 404, 500, 503, 401]) // biome-ignore format: one line
  expect(['17', 'x', '-1'].map(status => told('application/grpc+proto', status))).toEqual([500, 500, 500])
  // It comes in the trailers, or is nobody's business.
  expect([told('application/grpc'), told('text/plain', '14')]).toEqual([200, 200])
  expect(statusOfHost(undefined, answer(502))).toBe(502)
})
