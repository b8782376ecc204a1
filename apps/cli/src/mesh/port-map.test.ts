import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { isFree, PortMap } from './port-map.ts'
import { portOwner } from './port-owner.ts'

test('a port is asked for, allocated, and then the same for everybody', async () => {
  const ports = new PortMap()
  expect(ports.port('shop', 80)).toBe(0)
  expect(ports.port('db', 80)).toBe(0)
  await ports.allocate()
  const shop = ports.port('shop', 80)
  expect(shop).toBeGreaterThan(1024)
  expect(ports.port('shop', 80)).toBe(shop)
  expect(ports.port('db', 80)).not.toBe(shop)
  await ports.allocate()
  expect(ports.port('shop', 80)).toBe(shop)
  expect(ports.entries()).toHaveLength(2)
})

test('a taken port is known, with its owner', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  expect(await isFree(port)).toBe(false)
  if (process.platform === 'linux') expect(portOwner(port)).toContain(`(pid ${process.pid})`)
  await new Promise(resolve => server.close(resolve))
  expect(await isFree(port)).toBe(true)
})
