import { DecodeError } from '@hopscope/model/formats'
import { StoreError } from '@hopscope/store'
import { HttpError } from '../http-error.ts'

/** The codes of gRPC that we answer with. */
export const GRPC = {
  ok: 0,
  invalidArgument: 3,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const

export interface GrpcStatus {
  code: number
  details: string
}

/** What a failure is in gRPC's words. Exporters send again after UNAVAILABLE, and give up after the others. */
export function grpcStatusOf(error: unknown): GrpcStatus {
  const details = (error as Error).message || (error as Error).name
  if (error instanceof DecodeError) return { code: GRPC.invalidArgument, details }
  if (error instanceof StoreError) return { code: GRPC.unavailable, details }
  if (error instanceof HttpError) {
    return { code: error.status === 503 ? GRPC.unavailable : GRPC.invalidArgument, details }
  }
  return { code: GRPC.internal, details }
}
