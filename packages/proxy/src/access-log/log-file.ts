import { closeSync, openSync, writeSync } from 'node:fs'
import type { Milliseconds } from '@hopscope/envoy-config'

/** Envoy's buffer of one file. */
const FLUSH_BYTES = 64 * 1024

/**
 * A file that is appended to, some time later: lines are collected and written when there are 64 KiB of them, every
 * `flushInterval`, and at the end. Texts are bytes, one a character (as header values are held).
 */
export interface LogFile {
  write(text: string): void
  flush(): void
  /** Opens the path anew, after someone moved the file away. */
  reopen(): void
  close(): void
}

export interface LogFileEvents {
  /** The file cannot be written to; lines are lost until it can. Told once until the next success. */
  onError(path: string, error: Error): void
}

/** Throws what `open` throws when the file cannot be opened at the start. */
export function openLogFile(path: string, flushInterval: Milliseconds, events: LogFileEvents): LogFile {
  let descriptor = open(path)
  let waiting: string[] = []
  let waitingLength = 0
  let failing = false

  function flush(): void {
    if (waitingLength === 0) return
    const bytes = Buffer.from(waiting.join(''), 'latin1')
    waiting = []
    waitingLength = 0
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at)
      failing = false
    } catch (error) {
      if (!failing) events.onError(path, error as Error)
      failing = true
    }
  }

  const timer = setInterval(flush, flushInterval)
  timer.unref()

  return {
    write(text) {
      waiting.push(text)
      waitingLength += text.length
      if (waitingLength >= FLUSH_BYTES) flush()
    },
    flush,
    reopen() {
      flush()
      try {
        const next = open(path)
        closeSync(descriptor)
        descriptor = next
      } catch (error) {
        // The old file goes on: better lines in a renamed file than none.
        events.onError(path, error as Error)
      }
    },
    close() {
      clearInterval(timer)
      flush()
      closeSync(descriptor)
    },
  }
}

function open(path: string): number {
  return openSync(path, 'a', 0o644)
}
