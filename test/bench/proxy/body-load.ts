/** node body-load.ts PORT PID: four times 100 MB down and up through the port; the most memory that PID (0: nobody's) had meanwhile, in MB. */
import { once } from 'node:events'
import { request } from 'node:http'
import { rssMegabytes } from './processes.ts'
import { LARGE_BODY } from './variants.ts'

/** CPU time is told in hundredths of a second. */
const TIMES = 4
const [port, pid] = process.argv.slice(2).map(Number) as [number, number]
let peak = 0
const look = () => {
  if (pid > 0) peak = Math.max(peak, rssMegabytes(pid))
}
const timer = setInterval(look, 20)

const piece = Buffer.alloc(64 * 1024, 'x')
for (let i = 0; i < TIMES; i++) {
  await down()
  await up()
}

look()
clearInterval(timer)
console.log(JSON.stringify({ peak }))
process.exit(0)

async function down(): Promise<void> {
  const get = request({ port, host: '127.0.0.1', path: '/large', agent: false }).end()
  const [download] = await once(get, 'response')
  let received = 0
  download.on('data', (chunk: Buffer) => {
    received += chunk.length
  })
  await once(download, 'end')
  if (received !== LARGE_BODY) throw new Error(`${received} bytes came down, status ${download.statusCode}`)
}

async function up(): Promise<void> {
  const put = request({
    port,
    host: '127.0.0.1',
    path: '/take',
    method: 'POST',
    agent: false,
    headers: { 'content-length': LARGE_BODY },
  })
  const answer = once(put, 'response')
  // The backend answers before all of it is there, and who is answered may find the connection gone; without an answer `once` fails.
  put.on('error', () => {})
  for (let sent = 0; sent < LARGE_BODY; sent += piece.length) {
    if (!put.write(piece)) await Promise.race([once(put, 'drain'), answer])
  }
  put.end()
  const [taken] = await answer
  taken.resume()
  await once(taken, 'end')
  if (taken.statusCode !== 200) throw new Error(`the upload was answered ${taken.statusCode}`)
}
