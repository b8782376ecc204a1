import { Resolver } from 'node:dns/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NameServer } from './name-server.ts'

const server = new NameServer()
const resolver = new Resolver()
beforeAll(async () => resolver.setServers([`127.0.0.1:${await server.listen()}`]))
afterAll(() => server.close())

test('a name has as many addresses as there are replicas, at once', async () => {
  server.publish(new Map([['svc1', ['127.0.1.1', '127.0.1.2']]]))
  expect((await resolver.resolve4('svc1')).sort()).toEqual(['127.0.1.1', '127.0.1.2'])
  expect((await resolver.resolve4('SVC1')).length).toBe(2)
  server.publish(new Map([['svc1', ['127.0.1.1']]]))
  expect(await resolver.resolve4('svc1')).toEqual(['127.0.1.1'])
})

test('a name without an address exists, one that is not published does not', async () => {
  server.publish(new Map([['svc1', []]]))
  await expect(resolver.resolve4('svc1')).rejects.toThrow(/ENODATA/)
  await expect(resolver.resolve6('svc1')).rejects.toThrow(/ENODATA/)
  await expect(resolver.resolve4('svc2')).rejects.toThrow(/ENOTFOUND/)
})
