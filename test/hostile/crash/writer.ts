// Writes batches into a store until it is killed: node writer.ts FILE FIRST_BATCH LAST_BATCH
// Each batch that the store has acknowledged is told on stdout at once.
import { writeSync } from 'node:fs'
import { SegmentStore } from '@hopscope/store/sqlite'
import { batchOf } from './batches.ts'

const [file, first, last] = process.argv.slice(2) as [string, string, string]
const store = new SegmentStore({ file, segmentSpans: 400, warn: line => writeSync(2, `${line}\n`) })

async function write(batch: number): Promise<void> {
  const spans = batchOf(batch)
  if (batch % 2 === 0) await store.accept(spans)
  else await store.acceptBody('json', Buffer.from(JSON.stringify(spans)), 1000)!.committed
  writeSync(1, `${batch}\n`)
}

writeSync(1, 'open\n')
let next = Number(first)
const reporters = Array.from({ length: 4 }, async () => {
  while (next < Number(last)) {
    const batch = next++
    await write(batch)
    // Small segments are what gets merged.
    if (batch % 3 === 0) await store.seal()
  }
})
await Promise.all(reporters)
// Who is to be killed from outside is there to be killed, however late it comes; until whoever would do it is gone.
if (!process.env.HOPSCOPE_FAULT_POINT) for await (const _ of process.stdin);
await store.settled()
await store.close()
