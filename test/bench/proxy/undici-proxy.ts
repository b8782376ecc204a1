/** What one would write in an afternoon: node:http in front, undici behind. The peer that ours must never be slower than. */
import { createServer } from 'node:http'
import { Pool } from 'undici'

const [port, backend] = process.argv.slice(2).map(Number)
const pool = new Pool(`http://127.0.0.1:${backend}`, { connections: 64 })

createServer((request, response) => {
  const { connection: _connection, ...headers } = request.headers
  const body = request.method === 'GET' || request.method === 'HEAD' ? null : request
  pool.dispatch(
    { path: request.url ?? '/', method: (request.method ?? 'GET') as 'GET', headers, body },
    {
      onRequestStart() {},
      onResponseStart(_controller, statusCode, answered) {
        const { connection: _drop, 'keep-alive': _alive, 'transfer-encoding': _framing, ...kept } = answered
        response.writeHead(statusCode, kept)
      },
      onResponseData(controller, chunk) {
        if (!response.write(chunk)) {
          controller.pause()
          response.once('drain', () => controller.resume())
        }
      },
      onResponseEnd() {
        response.end()
      },
      onResponseError() {
        if (!response.headersSent) response.writeHead(503)
        response.end()
      },
    },
  )
}).listen(port, '127.0.0.1')
