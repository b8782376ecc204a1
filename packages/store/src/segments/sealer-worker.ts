import { parentPort, workerData } from 'node:worker_threads'
import { openDatabase } from './database.ts'
import type { SealerAnswer, SealerOptions, SealerRequest } from './sealer-protocol.ts'
import { SegmentWriter } from './segment-writer.ts'

const { file, autocompleteKeys } = workerData as SealerOptions
const database = openDatabase(file)
const writer = new SegmentWriter(database, autocompleteKeys)

parentPort!.on('message', (request: SealerRequest) => {
  parentPort!.postMessage(answer(request))
  if (request.do === 'close') parentPort!.close()
})

function answer(request: SealerRequest): SealerAnswer {
  try {
    switch (request.do) {
      case 'seal':
        return { meta: writer.seal(request.log, request.number, request.end) }
      case 'merge':
        return { meta: writer.merge(request.ids, request.id) }
      case 'delete':
        writer.delete(request.ids)
        return {}
      case 'keep':
        writer.keep(request.links)
        return {}
      case 'close':
        database.close()
        return {}
    }
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string }
    return { error: { name, message, ...(code === undefined ? {} : { code }) } }
  }
}
