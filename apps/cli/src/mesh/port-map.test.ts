import { spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isFree, PortMap } from './port-map.ts'
import { portOwner } from './port-owner.ts'
import { reservePort } from './reserve-port.ts'

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

test('a port that was given to one mesh is given to no other, in no process, before anybody listens there', async () => {
  const ports = new PortMap()
  ports.port('shop', 80)
  await ports.allocate()
  const port = ports.port('shop', 80)
  expect(await isFree(port)).toBe(true)
  expect(await reservePort(port)).toBeUndefined()
  const file = JSON.stringify(join(import.meta.dirname, 'reserve-port.ts'))
  const script = `import { reservePort } from ${file}; console.log(await reservePort(${port}) === undefined)`
  const other = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
  expect(other.stdout, other.stderr).toBe('true\n')
})

test('what is given back can be reserved again', async () => {
  const ports = new PortMap()
  ports.port('shop', 80)
  await ports.allocate()
  let port = ports.port('shop', 80)
  let release = await reservePort(++port)
  while (release === undefined) release = await reservePort(++port)
  expect(await reservePort(port)).toBeUndefined()
  release()
  expect(await reservePort(port)).toBeDefined()
})
