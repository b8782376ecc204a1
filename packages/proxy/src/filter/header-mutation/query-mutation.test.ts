import { expect, test } from 'vitest'
import { RequestHeaders } from '../../http/headers.ts'
import { StreamInfo } from '../../stream-info.ts'
import { compileQueryMutation } from './query-mutation.ts'

// Envoy 1.40 decodes the other parameters on the way and sends them on undecoded: `%20` as a blank in the request line.
test('escapes of other parameters stay as they are', () => {
  const headers = new RequestHeaders()
  headers.path = '/a?c=%20%0d%0ax:%201&b'
  compileQueryMutation({ type: 'append', key: 'a', value: 'x y', action: 'ADD_IF_ABSENT' })(headers, new StreamInfo())
  expect(headers.path).toBe('/a?a=x%20y&b=&c=%20%0d%0ax:%201')
  compileQueryMutation({ type: 'remove', key: 'a' })(headers, new StreamInfo())
  expect(headers.path).toBe('/a?b=&c=%20%0d%0ax:%201')
})
