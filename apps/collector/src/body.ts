import { promisify } from 'node:util'
import { constants, gunzip } from 'node:zlib'
import { HttpError } from './http-error.ts'

/** On the wire; zipkin-server's limit. */
export const MAX_BODY_BYTES = 10 * 1024 * 1024
/** After gunzip. Span JSON shrinks ten to twenty times; a body that grows more than this is a mistake, or a bomb. */
export const MAX_INFLATED_BYTES = 64 * 1024 * 1024

const inflate = promisify(gunzip)

/** The body as the client wrote it. A stream that is cut off gives what came, as zipkin-server reads it. */
export async function decodeBody(body: Buffer, contentEncoding: string | undefined): Promise<Buffer> {
  const encoding = contentEncoding?.toLowerCase() ?? 'identity'
  if (body.length === 0 || encoding === '' || encoding === 'identity') return body
  if (!encoding.includes('gzip')) {
    throw new HttpError(415, `Content-Encoding ${contentEncoding} is not supported; gzip is`)
  }
  if (body.length < 10) throw new HttpError(400, 'Cannot gunzip spans')
  if (body[0] !== 0x1f || body[1] !== 0x8b) throw new HttpError(400, 'Input is not in the GZIP format')
  let inflated: Buffer
  try {
    inflated = await inflate(body, { maxOutputLength: MAX_INFLATED_BYTES, finishFlush: constants.Z_SYNC_FLUSH })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new HttpError(413, `Body inflates to more than ${MAX_INFLATED_BYTES} bytes`)
    }
    throw new HttpError(400, `Cannot gunzip spans: ${(error as Error).message}`)
  }
  if (inflated.length === 0) throw new HttpError(400, 'Cannot gunzip spans')
  return inflated
}
