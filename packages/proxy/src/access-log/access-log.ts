import type { StreamInfo } from '../stream-info.ts'

/** Called once at the end of every stream. Compiled once from the configuration. */
export interface AccessLogger {
  log(info: StreamInfo): void
}
