import type { AccessLog } from '@hopscope/envoy-config'
import { compileSubstitution } from '../format/compile-substitution.ts'
import type { AccessLogger } from './access-log.ts'
import { compileAccessLogFilter, type FilterServices } from './compile-filter.ts'
import { type LogFile, type LogFileSurroundings, openLogFile } from './log-file.ts'

/** Envoy's line when a log says no format. */
const DEFAULT_FORMAT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" ' +
  '"%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n'

/** `flushInterval` is `--file-flush-interval-msec`. */
export type AccessLogsOptions = LogFileSurroundings

/** The access logs of a process: the files behind them are open once, whoever writes to them. */
export interface AccessLogs {
  /** Throws an error that names the path when a file cannot be opened. */
  logger(configs: readonly AccessLog[], services: FilterServices): AccessLogger
  /** A file of other lines; events of clusters are in such. */
  file(path: string): Pick<LogFile, 'write'>
  flush(): void
  reopen(): void
  close(): void
}

/** The access logs of a process: loggers that write to one file share it, which the first of them opens. */
export function createAccessLogs(options: AccessLogsOptions): AccessLogs {
  const files = new Map<string, LogFile>()

  function fileOf(sink: AccessLog['sink']): LogFile {
    const key = sink.type === 'file' ? sink.path : sink.type
    let file = files.get(key)
    if (file === undefined) {
      try {
        file = openLogFile(sink.type === 'file' ? sink : { stream: sink.type }, options)
      } catch (error) {
        throw new Error(`unable to open file '${key}': ${reasonOf(error)}`, { cause: error })
      }
      files.set(key, file)
    }
    return file
  }

  return {
    file: path => fileOf({ type: 'file', path }),
    logger(configs, services) {
      const sinks = configs.map(({ sink, format, filter }) => ({
        file: fileOf(sink),
        line: compileSubstitution(format ?? { text: DEFAULT_FORMAT }),
        takes: filter === undefined ? undefined : compileAccessLogFilter(filter, services),
      }))
      return {
        log(info, type) {
          info.accessLogType = type
          for (const { file, line, takes } of sinks) if (takes === undefined || takes(info)) file.write(line(info))
        },
      }
    },
    flush() {
      for (const file of files.values()) file.flush()
    },
    reopen() {
      for (const file of files.values()) file.reopen()
    },
    close() {
      for (const file of files.values()) file.close()
      files.clear()
    },
  }
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return 'No such file or directory'
  if (code === 'EACCES') return 'Permission denied'
  if (code === 'EISDIR') return 'Is a directory'
  return (error as Error).message
}
