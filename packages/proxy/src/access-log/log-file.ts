import { closeSync, openSync, writeSync } from 'node:fs'
import type { Milliseconds } from '@hopscope/envoy-config'
import type { Stats } from '../stats/stats.ts'

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

export interface LogFileSurroundings {
  flushInterval: Milliseconds
  /** Counts `filesystem.*`. */
  stats: Stats
  /** The file cannot be written to; lines are lost until it can. Told once until the next success. */
  onError(path: string, error: Error): void
}

/** What the process was started with. */
export type StandardStream = 'stdout' | 'stderr'

/** Throws what `open` throws when the file cannot be opened at the start. */
export function openLogFile(
  at: { path: string } | { stream: StandardStream },
  { flushInterval, stats, onError }: LogFileSurroundings,
): LogFile {
  const path = 'path' in at ? at.path : `/dev/${at.stream}`
  const open = () => ('path' in at ? openPath(path) : openStream(at.stream))
  const buffered = stats.counter('filesystem.write_buffered')
  const completed = stats.counter('filesystem.write_completed')
  const failed = stats.counter('filesystem.write_failed')
  const flushedByTimer = stats.counter('filesystem.flushed_by_timer')
  const reopenFailed = stats.counter('filesystem.reopen_failed')
  const totalBuffered = stats.gauge('filesystem.write_total_buffered')
  let descriptor = open()
  let waiting: string[] = []
  let waitingLength = 0
  let failing = false

  function flush(): void {
    if (waitingLength === 0) return
    const bytes = Buffer.from(waiting.join(''), 'latin1')
    waiting = []
    totalBuffered.sub(waitingLength)
    waitingLength = 0
    let written = 0
    try {
      while (written < bytes.length) written += writeSync(descriptor, bytes, written)
      completed.add()
      failing = false
    } catch (error) {
      // Only of a stream: whoever reads it is slow, and gets the rest with the next lines.
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
        waiting = [bytes.toString('latin1', written)]
        waitingLength = bytes.length - written
        totalBuffered.add(waitingLength)
        return
      }
      failed.add()
      if (!failing) onError(path, error as Error)
      failing = true
    }
  }

  const timer = setInterval(() => {
    flushedByTimer.add()
    flush()
  }, flushInterval)
  timer.unref()

  return {
    write(text) {
      waiting.push(text)
      waitingLength += text.length
      buffered.add()
      totalBuffered.add(text.length)
      if (waitingLength >= FLUSH_BYTES) flush()
    },
    flush,
    reopen() {
      flush()
      try {
        const next = open()
        if (next !== descriptor) closeSync(descriptor)
        descriptor = next
      } catch (error) {
        // The old file goes on: better lines in a renamed file than none.
        reopenFailed.add()
        onError(path, error as Error)
      }
    },
    close() {
      clearInterval(timer)
      flush()
      if (descriptor !== 1 && descriptor !== 2) closeSync(descriptor)
    },
  }
}

function openPath(path: string): number {
  return openSync(path, 'a', 0o644)
}

/** Of its own, so that no other writer's settings matter; what is a socket, as below systemd, cannot be opened again. */
function openStream(stream: StandardStream): number {
  try {
    return openPath(`/dev/${stream}`)
  } catch {
    return stream === 'stdout' ? 1 : 2
  }
}
