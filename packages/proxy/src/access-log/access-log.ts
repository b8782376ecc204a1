import type { AccessLogType, StreamInfo } from '../stream-info.ts'

/** Called at the end of every stream, and where the configuration asks for more lines. Compiled once from it. */
export interface AccessLogger {
  log(info: StreamInfo, type: AccessLogType): void
}
