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
