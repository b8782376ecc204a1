import type { Server } from 'node:http'
import { createServer as createHttp2Server, type Http2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Context } from './context.ts'
import { createZipkinReport, REPORT_PATH } from './grpc/zipkin-report.ts'

/** What every client of HTTP/2 says first. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/**
 * HTTP/2 without TLS beside HTTP/1.1 on one port, as zipkin-server has it: a connection's first bytes tell which. Every
 * route answers in either; gRPC is for HTTP/2 alone.
 */
export function serveHttp2(app: FastifyInstance, context: Context): void {
  const http1 = app.server as Server
  const serveHttp1 = http1.listeners('connection') as ((socket: Socket) => void)[]
  const report = context.config.grpcEnabled ? createZipkinReport(context) : undefined
  /** Have said nothing yet. */
  const waiting = new Set<Socket>()
  const sessions = new Set<Http2Session>()

  const http2 = createHttp2Server((request, response) => {
    const isGrpc = request.headers['content-type']?.startsWith('application/grpc') === true
    if (report && isGrpc && request.method === 'POST' && request.url === REPORT_PATH) {
      const call = () => report(request, response)
      void (context.selfTracing?.recordCall(request, call) ?? call())
      return
    }
    // Without a type or a length the framework takes a body for none, and a message of HTTP/2 needs neither.
    if (request.method === 'POST') request.headers['content-type'] ??= 'application/octet-stream'
    app.routing(request as never, response as never)
  })
  http2.on('session', session => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  // A client that hangs up in the middle is nobody's failure.
  http2.on('sessionError', () => {})

  http1.removeAllListeners('connection')
  http1.on('connection', (socket: Socket) => {
    waiting.add(socket)
    const forget = () => waiting.delete(socket)
    const look = () => {
      const first: Buffer | null = socket.read()
      if (first === null) return
      socket.unshift(first)
      const length = Math.min(first.length, PREFACE.length)
      const isHttp2 = first.subarray(0, length).equals(PREFACE.subarray(0, length))
      // Bytes that could become either are rare: one method alone begins with a P and goes on with an R.
      if (isHttp2 && length < PREFACE.length) return
      socket.off('readable', look).off('error', forget).off('close', forget)
      forget()
      if (isHttp2) http2.emit('connection', socket)
      else for (const serve of serveHttp1) serve.call(http1, socket)
    }
    socket.on('readable', look).on('error', forget).on('close', forget)
  })

  app.addHook('preClose', async () => {
    for (const socket of waiting) socket.destroy()
    for (const session of sessions) session.close()
  })
}
