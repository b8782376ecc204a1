import { Client, credentials, Metadata } from '@grpc/grpc-js'

export const REPORT = '/zipkin.proto3.SpanService/Report'
const asIs = (bytes: Buffer) => bytes

/** Calls a method with a message: status, and the answer as hex. */
export function call(
  port: number,
  path: string,
  message: Buffer,
  headers: Record<string, string> = {},
): Promise<[code: number, answer: string]> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
  return new Promise(resolve => {
    client.makeUnaryRequest(path, asIs, asIs, message, metadata, (error, value) => {
      client.close()
      resolve(error ? [error.code, ''] : [0, value!.toString('hex')])
    })
  })
}
