import { readFileSync } from 'node:fs'

/** What a process has of memory, its share of what it shares with others counted in parts, bytes; undefined where it is not known. */
export function proportionalSetSize(pid: number): number | undefined {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]) * 1024
  } catch {
    // not Linux, of another user or another machine, or ended meanwhile
    return undefined
  }
}
