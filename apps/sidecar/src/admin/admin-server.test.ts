import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AdminServer, openAdminServer } from './admin-server.ts'
import { addressText } from './listeners-page.ts'

let admin: AdminServer
const done: string[] = []

beforeAll(async () => {
  admin = await openAdminServer({ address: '127.0.0.1', port: 0, isPipe: false, mode: 0 }, [
    { path: '/plain', help: 'a page', handle: ({ query }) => ({ body: `q=${query.get('q')}` }) },
    {
      path: '/change',
      help: 'changes something',
      mutates: true,
      handle: ({ form }) => ({ status: 201, type: 'json', body: JSON.stringify([...form]) }),
      afterwards: () => done.push('afterwards'),
    },
  ])
})
afterAll(() => admin.close())

/** The whole answer to raw bytes, dates masked. */
async function raw(request: string): Promise<string> {
  const socket = connect(admin.address.port, admin.address.address)
  socket.end(request)
  return (await textOf(socket)).replace(/date: [^\r]*/, 'date: D')
}

test("the head has Envoy's fields in Envoy's order", async () => {
  expect(await raw('GET /plain?q=1 HTTP/1.1\r\nhost: a\r\n\r\n')).toBe(
    [
      'HTTP/1.1 200 OK',
      'content-type: text/plain; charset=UTF-8',
      'cache-control: no-cache, max-age=0',
      'x-content-type-options: nosniff',
      'date: D',
      'server: envoy',
      'transfer-encoding: chunked',
      '',
      '3',
      'q=1',
      '0',
      '',
      '',
    ].join('\r\n'),
  )
})

test('what changes something wants POST, and takes a form', async () => {
  const url = `http://127.0.0.1:${admin.address.port}/change`
  const get = await fetch(url)
  expect([get.status, await get.text()]).toEqual([405, 'Method GET not allowed, POST required.'])
  expect(done).toEqual([])
  const post = await fetch(url, { method: 'POST', body: new URLSearchParams({ a: '1', b: 'x y' }) })
  expect([post.status, post.headers.get('content-type'), await post.json()]).toEqual([
    201,
    'application/json',
    [
      ['a', '1'],
      ['b', 'x y'],
    ],
  ])
  await expect.poll(() => done).toEqual(['afterwards'])
})

test('an unknown path lists those there are', async () => {
  const answer = await fetch(`http://127.0.0.1:${admin.address.port}/nope`)
  expect(answer.status).toBe(404)
  expect(await answer.text()).toBe(
    'invalid path. admin commands are:\n  /change (POST): changes something\n  /help: print out list of admin commands\n  /plain: a page\n',
  )
})

test('a form beyond all measure is cut off, and the next request is answered', async () => {
  const url = `http://127.0.0.1:${admin.address.port}/change`
  await expect(fetch(url, { method: 'POST', body: 'x'.repeat(1_000_000) })).rejects.toThrow()
  expect((await fetch(`http://127.0.0.1:${admin.address.port}/plain`)).status).toBe(200)
})

test('at a Unix socket, with its mode, over what an older process has left there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'admin-'))
  const path = join(folder, 'admin.sock')
  writeFileSync(path, 'old')
  const page = { path: '/plain', help: 'a page', handle: () => ({ body: 'here' }) }
  const server = await openAdminServer({ address: path, port: 0, isPipe: true, mode: 0o600 }, [page])
  try {
    expect([statSync(path).mode & 0o777, addressText(server.address)]).toEqual([0o600, path])
    const answer = await new Promise<string>((resolve, reject) => {
      const asked = request({ socketPath: path, path: '/plain' }, response => {
        response.setEncoding('utf8')
        response.on('data', resolve)
      })
      asked.on('error', reject)
      asked.end()
    })
    expect(answer).toBe('here')
  } finally {
    await server.close()
    rmSync(folder, { recursive: true })
  }
})

test('a port in use is an error that names it', async () => {
  await expect(openAdminServer({ ...admin.address, isPipe: false, mode: 0 }, [])).rejects.toMatchObject({
    code: 'EADDRINUSE',
    port: admin.address.port,
  })
})
