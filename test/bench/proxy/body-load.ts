/** node body-load.ts PORT PID: 100 MB down, then up, through the port; the most memory that PID (0: nobody's) had meanwhile, in MB. */
import { once } from 'node:events'
import { request } from 'node:http'
import { rssMegabytes } from './processes.ts'
import { LARGE_BODY } from './variants.ts'

const [port, pid] = process.argv.slice(2).map(Number) as [number, number]
let peak = 0
const look = () => {
  if (pid > 0) peak = Math.max(peak, rssMegabytes(pid))
}
const timer = setInterval(look, 20)

const get = request({ port, host: '127.0.0.1', path: '/large' }).end()
const [download] = await once(get, 'response')
let received = 0
download.on('data', (chunk: Buffer) => {
  received += chunk.length
})
await once(download, 'end')
if (received !== LARGE_BODY) throw new Error(`${received} bytes came down, status ${download.statusCode}`)

const put = request({
  port,
  host: '127.0.0.1',
  path: '/take',
  method: 'POST',
  headers: { 'content-length': LARGE_BODY },
})
const piece = Buffer.alloc(64 * 1024, 'x')
const answer = once(put, 'response')
for (let sent = 0; sent < LARGE_BODY; sent += piece.length) {
  if (!put.write(piece)) await Promise.race([once(put, 'drain'), answer])
}
put.end()
const [taken] = await answer
taken.resume()
await once(taken, 'end')
if (taken.statusCode !== 200) throw new Error(`the upload was answered ${taken.statusCode}`)

look()
clearInterval(timer)
console.log(JSON.stringify({ peak }))
process.exit(0)
