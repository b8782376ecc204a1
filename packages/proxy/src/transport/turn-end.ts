/**
 * So many wait at most. What is written one after the other finds the process at the other end awake after the first: waking it is a
 * good part of what a write costs. More than these gain nothing, and would leave the others idle for long.
 */
const MAX_WAITING = 16

let waiting: (() => void)[] = []
/** The other list, empty: what is added while one is being worked off waits in it. */
let next: (() => void)[] = []
let scheduled = false

/**
 * Runs `write` when the event loop has read what there was to read in this turn: then all that came of it is written together, instead
 * of a read, a write, a read, a write.
 */
export function atTurnEnd(write: () => void): void {
  waiting.push(write)
  if (waiting.length === MAX_WAITING) queueMicrotask(runAll)
  else if (!scheduled) {
    scheduled = true
    setImmediate(onTurnEnd)
  }
}

function onTurnEnd(): void {
  scheduled = false
  runAll()
}

function runAll(): void {
  const now = waiting
  waiting = next
  for (const write of now) write()
  now.length = 0
  next = now
}
