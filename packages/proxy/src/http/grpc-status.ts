import type { RequestHeaders, ResponseHeaders } from './headers.ts'

const GRPC = 'application/grpc'

export function isGrpc(contentType: string | undefined): boolean {
  return contentType === GRPC || contentType?.startsWith(`${GRPC}+`) === true
}

const UNKNOWN = 2
/** Envoy's mapping, not gRPC's own table. */
const BY_HTTP_STATUS: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
}

/** What a gRPC client makes of a response that has only an HTTP status. */
export function grpcStatusOfHttp(status: number): number {
  return BY_HTTP_STATUS[status] ?? UNKNOWN
}

/** Envoy's Grpc::Utility::grpcToHttpStatus, by number. */
const HTTP_STATUSES = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401]

/** What a response says of its host: of a gRPC call the status that is in its head, said in HTTP's; one in trailers comes too late. */
export function statusOfHost(request: RequestHeaders | undefined, response: ResponseHeaders): number {
  if (!isGrpc(request?.get('content-type'))) return response.status
  const status = response.get('grpc-status')
  if (status === undefined) return response.status
  return (/^\d+$/.test(status) ? HTTP_STATUSES[Number(status)] : undefined) ?? 500
}
