import type { OriginalIpDetection } from '@hopscope/envoy-config'
import { describe, expect, test } from 'vitest'
import { RequestHeaders } from './headers.ts'
import { compileOriginalIp } from './original-ip.ts'

const PEER = '10.9.9.9'
const xff = (fields: object = {}): OriginalIpDetection => ({ type: 'xff', trustedHops: 0, skipAppend: true, ...fields })
const header = (fields: object = {}): OriginalIpDetection => ({
  type: 'custom_header',
  header: 'x-ip',
  trusted: false,
  ...fields,
})

function detect(extensions: OriginalIpDetection[], fields: string[] = [], peer = PEER) {
  return compileOriginalIp({ originalIpDetection: extensions, xffNumTrustedHops: 0 })(new RequestHeaders(fields), peer)
}

describe('by x-forwarded-for', () => {
  test('without extensions: its last entry, which may be internal when it is the only one', () => {
    expect(detect([], ['x-forwarded-for', '1.1.1.1, 10.1.1.1'])).toMatchObject({ ip: '10.1.1.1', trusted: false })
    expect(detect([], ['x-forwarded-for', '10.1.1.1'])).toMatchObject({ ip: '10.1.1.1', trusted: true, appends: false })
    expect(detect([])).toMatchObject({ ip: undefined, appends: false, rejectWith: 0 })
  })

  test.each([
    ['1.1.1.1, 10.1.1.1', '1.1.1.1'],
    ['1.1.1.1, 2.2.2.2, 10.1.1.1', '2.2.2.2'],
    ['10.2.2.2, 10.1.1.1', '10.2.2.2'],
    ['1.1.1.1, x, 10.1.1.1', undefined],
    [`1.1.1.1${', 10.1.1.1'.repeat(19)}`, '1.1.1.1'],
    [`1.1.1.1${', 10.1.1.1'.repeat(20)}`, undefined],
  ])('behind trusted proxies %s is of %s', (value, ip) => {
    expect(detect([xff({ trustedCidrs: ['10.0.0.0/8'] })], ['x-forwarded-for', value]).ip).toBe(ip)
  })

  test('a peer that is not trusted is the client, and is appended', () => {
    const trusting = [xff({ trustedCidrs: ['10.0.0.0/8'] })]
    const found = detect(trusting, ['x-forwarded-for', '1.1.1.1'], '192.0.2.1')
    expect(found).toEqual({ ip: undefined, trusted: false, appends: true, rejectWith: 0 })
  })
})

describe('by a header', () => {
  test('its first value, if that is an address', () => {
    expect(detect([header()], ['x-ip', '1.1.1.1', 'x-ip', '2.2.2.2'])).toMatchObject({ ip: '1.1.1.1', trusted: false })
    expect(detect([header({ trusted: true })], ['x-ip', '::1'])).toMatchObject({ ip: '::1', trusted: true })
    expect(detect([header()], ['x-ip', '1.1.1.1:80']).ip).toBeUndefined()
  })

  test('without it there may be a refusal', () => {
    expect(detect([header({ rejectWith: 403 })]).rejectWith).toBe(403)
    expect(detect([header({ rejectWith: 403 })], ['x-ip', '1.1.1.1']).rejectWith).toBe(0)
  })
})

test('the first that knows; one that was asked and appends is enough', () => {
  const both = [xff({ skipAppend: false }), header()]
  expect(detect(both, ['x-ip', '1.1.1.1'])).toMatchObject({ ip: '1.1.1.1', appends: true })
  expect(detect(both.toReversed(), ['x-ip', '1.1.1.1'])).toMatchObject({ ip: '1.1.1.1', appends: false })
})
